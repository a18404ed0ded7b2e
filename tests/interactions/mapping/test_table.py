"""A mapping applied to rows: what is kept, skipped, refused, and how that is told."""

import pytest

from mapped_cells import CALL, CALLS, OPENED, STATUS, apply, frame, refusal
from vendorwatch.interactions.formats.faults import BadHeader
from vendorwatch.interactions.mapping import Dialect, Mapped, SkipRow, parse_mapping
from vendorwatch.interactions.record import Context, RowRefused, build


def test_a_call_log_whose_rows_cross_midnight() -> None:
    mapping = parse_mapping(CALLS)
    assert mapping.dialect == Dialect(delimiter="\t")
    mapping.check_header(list(CALL))
    abandoned = mapping.apply(CALL)
    assert isinstance(abandoned, Mapped)
    assert abandoned.fields["interaction_id"] == "AA0101/33116/990101"
    assert abandoned.fields["opened_at"] == "1999-01-01T21:59:31Z"
    assert abandoned.fields["abandoned_at"] == "1999-01-01T22:02:09Z"
    assert abandoned.fields["first_reply_at"] is None
    assert abandoned.fields["agent_id"] is None
    answered = mapping.apply(
        CALL
        | {"outcome": "AGENT", "ser_start": "0:00:36", "ser_exit": "0:03:09", "server": "MICHAL"}
        | {"customer_id": "0", "type": "IN"}
    )
    assert isinstance(answered, Mapped)
    assert answered.fields["first_reply_at"] == "1999-01-01T22:00:36Z"
    assert answered.fields["resolved_at"] == "1999-01-01T22:03:09Z"
    assert answered.fields["agent_id"] == "MICHAL"
    assert answered.fields["customer_ref"] is None
    assert answered.fields["topic"] == "IN"


def test_rows_are_skipped_only_by_a_named_rule() -> None:
    assert parse_mapping(CALLS).apply(CALL | {"outcome": "PHANTOM"}) == SkipRow("phantom calls")


def test_what_is_mapped_is_an_interaction() -> None:
    mapping = parse_mapping(CALLS)
    mapped = mapping.apply(CALL)
    assert isinstance(mapped, Mapped)
    context = Context(now=10**16, supplied=mapping.supplied)
    interaction = build(mapped.fields, context, text=True)
    assert interaction.status == "abandoned"
    assert interaction.handle_seconds == 0


def test_other_columns_are_kept_as_they_are_but_for_those_dropped() -> None:
    source = frame(
        file='drop = ["mail"]',
        rest=f'{OPENED}\nstatus = {{ constant = "open", when = {{ column = "kind", equals = "x" }}, default = "closed" }}',
    )
    mapping = parse_mapping(source)
    row = {"opened": "1/2/2026 10:00", "mail": "a@b", "kind": "x", "status": " ?", "blank": ""}
    mapped = mapping.apply(row)
    assert isinstance(mapped, Mapped)
    assert mapped.extra == {"kind": "x", "status": " ?"}
    assert mapping.dropped == ("mail",)
    assert mapping.supplied == {"interaction_id", "channel", "status", "opened_at"}


def test_the_header_lacks_columns() -> None:
    mapping = parse_mapping(CALLS)
    with pytest.raises(BadHeader) as caught:
        mapping.check_header([c for c in CALL if c not in {"entry", "q_time"}] + ["Q Time "])
    assert [fault.detail for fault in caught.value.faults] == [
        'mapping line 14: the file has no column "entry"',
        'mapping line 32: the file has no column "q_time"; did you mean "Q Time "?',
    ]
    assert '"entry", "q_time"' in caught.value.detail


def test_what_is_meant_is_guessed_for_the_first_missing_columns_only() -> None:
    """Thousands of them beside thousands that are there would be minutes of guessing."""
    dropped = ", ".join(f'"dropped {n}"' for n in range(2_000))
    mapping = parse_mapping(frame(f"{STATUS}\n{OPENED}", f"drop = [{dropped}]"))
    with pytest.raises(BadHeader) as refused:
        mapping.check_header(["opened", *(f"Dropped-{n:03}" for n in range(2_000))])
    told = [fault.detail for fault in refused.value.faults]
    assert len(told) == 2_000
    assert [n for n, text in enumerate(told) if "did you mean" in text] == list(range(10))


def test_a_dropped_column_must_exist_so_that_no_personal_data_slips_through() -> None:
    mapping = parse_mapping(frame(file='drop = ["e-mial"]', rest=f"{OPENED}\n{STATUS}"))
    with pytest.raises(BadHeader) as caught:
        mapping.check_header(["opened", "e-mail"])
    assert caught.value.faults[0].detail == (
        'mapping line 3: the file has no column "e-mial"; did you mean "e-mail"?'
    )


def test_hints_for_a_wrong_delimiter_and_for_a_constant_without_its_word() -> None:
    source = frame(rest=f"{OPENED}\n{STATUS}").replace('{ constant = "phone" }', '"phone"')
    with pytest.raises(BadHeader) as caught:
        parse_mapping(source).check_header(["opened;phone"])
    details = [fault.detail for fault in caught.value.faults]
    assert '{ constant = "phone" }' in details[0]
    assert "delimiter" in details[1]


def test_all_faults_of_a_row_are_told_and_only_once() -> None:
    rule = """opened_at = "at"
status = "s"
priority = { column = "p", values = { a = "low" } }
first_reply_at = { field = "opened_at", add = "p", unit = "seconds" }"""
    with pytest.raises(RowRefused) as caught:
        apply(rule, at="?", s="", p="b")
    told = sorted((fault.field, fault.code) for fault in caught.value.faults)
    assert told == [
        ("opened_at", "bad_timestamp"),
        ("priority", "bad_value"),
        ("status", "missing_required"),
    ]


def test_a_required_field_without_a_value_names_its_column() -> None:
    with pytest.raises(RowRefused) as caught:
        apply('opened_at = "at"', at="")
    assert caught.value.faults[0].detail == (
        'mapping line 11: opened_at is required, and the rule gives no value: column "at" holds ""'
    )


def test_faults_of_the_record_are_told_in_terms_of_the_mapping() -> None:
    source = frame(rest=f'{OPENED}\n{STATUS}\ncsat = "score"')
    mapping = parse_mapping(source)
    mapped = mapping.apply({"opened": "1/2/2026 10:00", "score": "7"})
    assert isinstance(mapped, Mapped)
    with pytest.raises(RowRefused) as caught:
        build(mapped.fields, Context(now=10**17), text=True)
    detail = mapping.explain(caught.value.faults[0]).detail
    assert detail.startswith('mapping line 12 (column "score"): ')


def test_long_cells_are_cut_in_messages() -> None:
    assert len(refusal('priority = "p"', p="x" * 60_000)[1]) < 400
