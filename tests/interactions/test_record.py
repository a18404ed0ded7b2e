"""One row becomes one interaction, or every reason why not."""

import json
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorwatch.interactions.events import Event
from vendorwatch.interactions.instants import parse_instant
from vendorwatch.interactions.record import FIELDS, Context, Interaction, RowRefused, build, content
from vendorwatch.periods import load_zone

NOW = parse_instant("2026-11-02T08:00:00Z")
CONTEXT = Context(NOW)
NEEDED: dict[str, object] = {
    "interaction_id": "T-1",
    "channel": "email",
    "status": "open",
    "opened_at": "2026-10-01T09:00:00Z",
}
FULL: dict[str, object] = {
    "interaction_id": "007",
    "source_system": "zendesk",
    "source_account": "acme",
    "source_updated_at": "2026-10-03T10:00:00+07:00",
    "source_url": "https://acme.example/tickets/7",
    "channel": "chat",
    "direction": "outbound",
    "status": "resolved",
    "priority": "urgent",
    "opened_at": "2026-10-01T09:00:00Z",
    "first_reply_at": "2026-10-01T09:01:00.25Z",
    "resolved_at": "2026-10-01T10:00:00Z",
    "abandoned_at": "2026-10-01T09:00:00Z",
    "agent_id": "ann",
    "first_reply_agent_id": "bob",
    "resolved_by_agent_id": "cid",
    "resolved_by": "customer",
    "customer_ref": "c@example.org",
    "order_ref": "1e5",
    "topic": "đổi trả",
    "product": "SKU 7",
    "language": "pt-BR",
    "agent_replies": 100_000,
    "customer_messages": 0,
    "reopens": 1_000,
    "handovers": 3,
    "handle_seconds": 864_000,
    "csat_invited_at": "2026-10-01T11:00:00Z",
    "csat_at": "2026-10-01T12:00:00Z",
    "csat": 5,
    "nps": 10,
    "vendor_quality": Decimal("87.50"),
    "tags": ["vip", "second time"],
}


def made(text: bool = False, context: Context = CONTEXT, **fields: object) -> Interaction:
    return build({**NEEDED, **fields}, context, text=text)


def faults(
    fields: dict[str, object], *, text: bool = False, context: Context = CONTEXT
) -> set[tuple[str, str | None]]:
    with pytest.raises(RowRefused) as caught:
        build(fields, context, text=text)
    assert all(fault.detail for fault in caught.value.faults)
    return {(fault.code, fault.field) for fault in caught.value.faults}


def code(text: bool = False, context: Context = CONTEXT, **field: object) -> str:
    ((found, name),) = faults({**NEEDED, **field}, text=text, context=context)
    assert name in field
    return found


def as_cells(fields: dict[str, object]) -> dict[str, object]:
    return {
        name: ";".join(value) if isinstance(value, list) else str(value)
        for name, value in fields.items()
    }


def test_what_is_absent_has_its_default() -> None:
    interaction = made(source_system=None, priority=None)
    assert interaction == Interaction(
        interaction_id="T-1",
        channel="email",
        status="open",
        opened_at=parse_instant("2026-10-01T09:00:00Z"),
        source_system="custom",
        source_account="",
        direction="inbound",
        resolved_by="unknown",
    )
    assert interaction.first_reply_known
    assert interaction.resolution_known


def test_every_field_of_the_record_is_taken() -> None:
    assert set(FULL) | {"events"} == set(FIELDS)
    interaction = build(FULL, CONTEXT, text=False)
    for name, value in FULL.items():
        kind = FIELDS[name].kind
        if kind == "instant":
            value = parse_instant(value)  # noqa: PLW2901  what it means
        elif kind in {"tags", "decimal"}:
            value = tuple(value) if kind == "tags" else "87.50"  # type: ignore[arg-type]  # noqa: PLW2901
        assert getattr(interaction, name) == value


def test_ids_keep_every_character() -> None:
    for name in ("007", "1e5", "TRUE", "a b", "-0", "é" * 128):
        assert made(interaction_id=name).interaction_id == name
        assert made(text=True, interaction_id=name).interaction_id == name


def test_ids_are_compared_after_nfc() -> None:
    decomposed = unicodedata.normalize("NFD", "Hoà")
    assert made(agent_id=decomposed) == made(agent_id="Hoà")
    assert made(customer_ref=decomposed) == made(customer_ref="Hoà")


REFUSED: list[tuple[str, dict[str, object]]] = [
    ("missing_required", {"interaction_id": None}),
    ("missing_required", {"opened_at": None}),
    ("bad_value", {"interaction_id": ""}),
    ("bad_value", {"interaction_id": " T-1"}),
    ("bad_value", {"interaction_id": "T-1\u00a0"}),
    ("bad_value", {"interaction_id": "x" * 129}),
    ("bad_value", {"interaction_id": 7}),
    ("bad_value", {"source_account": "acme "}),
    ("bad_value", {"channel": "Email"}),
    ("bad_value", {"status": "solved"}),
    ("bad_value", {"priority": ["high"]}),
    ("bad_value", {"source_url": "javascript:alert(1)"}),
    ("bad_value", {"source_url": "ftp://example.org"}),
    ("bad_value", {"source_url": "https://example.org/a b"}),
    ("bad_value", {"language": "en_US"}),
    ("bad_value", {"language": "pt-BR\n"}),
    ("bad_value", {"topic": "x" * 65}),
    ("bad_value", {"csat": "5"}),
    ("bad_value", {"csat": True}),
    ("bad_value", {"csat": Decimal("4.0")}),
    ("out_of_range", {"csat": 0}),
    ("out_of_range", {"csat": 6}),
    ("out_of_range", {"nps": 11}),
    ("out_of_range", {"agent_replies": -1}),
    ("out_of_range", {"agent_replies": 2**70}),
    ("out_of_range", {"reopens": 1001}),
    ("out_of_range", {"handle_seconds": 864_001}),
    ("out_of_range", {"vendor_quality": Decimal("100.01")}),
    ("out_of_range", {"vendor_quality": Decimal("-0.01")}),
    ("out_of_range", {"vendor_quality": Decimal("1e400")}),
    ("out_of_range", {"vendor_quality": Decimal("1e-400")}),
    ("out_of_range", {"vendor_quality": 101}),
    ("bad_value", {"vendor_quality": "good"}),
    ("bad_value", {"vendor_quality": True}),
    ("bad_value", {"tags": "vip"}),
    ("bad_value", {"tags": [""]}),
    ("bad_value", {"tags": ["t"] * 51}),
    ("bad_value", {"tags": [1]}),
    ("bad_value", {"events": {}}),
    ("bad_timestamp", {"opened_at": 1790845200}),
    ("bad_timestamp", {"opened_at": "1 October"}),
    ("timezone_required", {"opened_at": "2026-10-01T09:00:00"}),
    ("future_timestamp", {"source_updated_at": "2026-11-02T08:05:01Z"}),
    ("future_timestamp", {"opened_at": "9999-12-31T23:59:59Z"}),
    ("out_of_range", {"opened_at": "1969-12-31T23:59:59.999999Z"}),
    ("out_of_range", {"csat_at": "0001-01-01T00:00:00Z"}),
    ("reply_before_open", {"first_reply_at": "2026-10-01T08:59:59Z"}),
    ("resolved_before_open", {"resolved_at": "2026-10-01T08:59:59Z"}),
    ("abandoned_before_open", {"abandoned_at": "2026-10-01T08:59:59Z"}),
    ("illegal_character", {"topic": "re\0turns"}),
    ("illegal_character", {"interaction_id": "T\ud800"}),
    ("illegal_character", {"note": "\udfff"}),
    ("illegal_character", {"note": {"deep": ["\0"]}}),
    ("illegal_character", {"note\0": "x"}),
    ("out_of_range", {"note": 2**64}),
    ("out_of_range", {"note": -(2**63) - 1}),
    ("out_of_range", {"note": Decimal("1e400")}),
    ("out_of_range", {"note": Decimal("1e-400")}),
]


@pytest.mark.parametrize(("expected", "field"), REFUSED, ids=lambda value: str(value)[:50])
def test_what_does_not_fit_is_refused_with_its_reason(
    expected: str, field: dict[str, object]
) -> None:
    assert code(**field) == expected  # type: ignore[arg-type]  # fields are not named text


def test_events_lie_in_a_month_too() -> None:
    event = {"at": "0001-01-01T00:00:00Z", "type": "note", "actor": "agent"}
    assert faults({**NEEDED, "events": [event]}) == {("out_of_range", "events[0].at")}
    assert made(opened_at="1970-01-01T00:00:00Z").opened_at == 0


def test_five_minutes_of_a_fast_clock_are_forgiven() -> None:
    assert made(source_updated_at="2026-11-02T08:05:00Z").source_updated_at == NOW + 300_000_000


def test_local_times_of_a_clock_change_are_refused() -> None:
    context = Context(NOW, zone=load_zone("Europe/Berlin"))
    assert code(opened_at="2026-03-29T02:30:00", context=context) == "nonexistent_local_time"
    assert code(opened_at="2026-10-25T02:30:00", context=context) == "ambiguous_local_time"


def test_all_faults_of_a_row_are_told_at_once() -> None:
    assert faults(
        {
            "interaction_id": " x",
            "channel": "fax",
            "opened_at": "2026-10-01T09:00:00Z",
            "first_reply_at": "2026-10-01T08:00:00Z",
            "resolved_at": "soon",
            "csat": 9,
            "topic": "\0",
            "note": 2**70,
        }
    ) == {
        ("bad_value", "interaction_id"),
        ("bad_value", "channel"),
        ("missing_required", "status"),
        ("reply_before_open", "first_reply_at"),
        ("bad_timestamp", "resolved_at"),
        ("out_of_range", "csat"),
        ("illegal_character", "topic"),
        ("out_of_range", "note"),
    }


CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("topic", CARD),
        ("topic", "4111111111111111"),
        ("topic", 4111111111111111),
        ("topic", f"{CARD} {'x' * 64}"),
        ("topic", f"{CARD}\0"),
        ("topic", [CARD]),
        ("topic", f"refund to {CARD}"),
        ("tags", ["vip", CARD]),
        ("tags", ["vip", CARD + "\0"]),
        ("tags", [4111111111111111]),
        ("tags", CARD),
    ],
)
def test_a_card_number_in_free_text_is_refused_and_not_repeated(name: str, value: object) -> None:
    with pytest.raises(RowRefused) as caught:
        made(**{name: value})  # type: ignore[arg-type]  # fields are not named text
    (fault,) = caught.value.faults
    assert (fault.code, fault.field) == ("card_number", name)
    assert name in fault.detail
    assert "1111" not in fault.detail


@pytest.mark.parametrize(
    "cell", [f"vip;{CARD}", f'["{CARD}"]', '["\\u0034111 1111 1111 1111"]', f"{CARD}\0"]
)
def test_a_card_number_in_a_cell_of_tags_is_refused(cell: str) -> None:
    assert code(text=True, tags=cell) == "card_number"


def test_lists_in_lists_are_no_tags_however_deep() -> None:
    nested: object = CARD
    for _ in range(5_000):
        nested = [nested]
    assert code(tags=nested) == "bad_value"


def test_a_card_number_is_told_beside_the_other_faults() -> None:
    wrong = NEEDED | {"topic": CARD, "product": "", "channel": "fax", "note": 2**70}
    assert faults(wrong) == {
        ("card_number", "topic"),
        ("bad_value", "product"),
        ("bad_value", "channel"),
        ("out_of_range", "note"),
    }


def test_elsewhere_a_number_like_a_cards_is_none_of_ours() -> None:
    number = "4111111111111111"
    ids = ("interaction_id", "agent_id", "order_ref", "customer_ref", "product", "note")
    assert made(**dict.fromkeys(ids, number)).extra == {"note": number}  # type: ignore[arg-type]  # fields are not named text


def test_the_message_for_an_unknown_choice_lists_the_known_ones() -> None:
    with pytest.raises(RowRefused) as caught:
        made(channel="fax")
    (fault,) = caught.value.faults
    for channel in ("email", "web_form", "marketplace", "other"):
        assert channel in fault.detail


def test_cells_are_read_strictly() -> None:
    assert made(text=True, csat="5", reopens="").csat == 5
    assert made(text=True, agent_replies="007").agent_replies == 7
    for cell in ("5.0", " 5", "+5", "five", "\u0665", "5e0"):
        assert code(text=True, csat=cell) == "bad_value"
    assert code(text=True, csat="-1") == "out_of_range"
    assert code(text=True, agent_replies="9" * 5000) == "out_of_range"
    assert made(text=True, tags="vip; second time;;").tags == ("vip", "second time")
    assert made(text=True, tags='["a;b"]').tags == ("a;b",)
    assert code(text=True, tags='["a"') == "bad_value"
    assert code(text=True, events="none") == "bad_value"
    assert code(text=True, events='[{"at":1,"at":2}]') == "duplicate_key"


def test_a_vendors_own_quality_keeps_its_digits() -> None:
    for sent, kept in [("87.50", "87.50"), ("100", "100"), ("-0.0", "0"), ("8.75e1", "87.5")]:
        assert made(text=True, vendor_quality=sent).vendor_quality == kept
        assert made(vendor_quality=Decimal(sent)).vendor_quality == kept
    assert made(vendor_quality=87).vendor_quality == "87"


def test_what_is_not_in_the_record_is_kept_in_extra() -> None:
    sent: dict[str, object] = {
        "score": 100,
        "vendor_id": "me",
        "deep": {"a": [1, Decimal("-0.0")]},
        "n": None,
    }
    assert build({**NEEDED, **sent}, CONTEXT, text=False).extra == {
        "score": 100,
        "vendor_id": "me",
        "deep": {"a": [1, 0]},
    }
    assert made(extra={"a": 1}, claims=3, first_reply_known=False).extra == {
        "extra": {"a": 1},
        "claims": 3,
        "first_reply_known": False,
    }


def test_minus_zero_is_zero_before_anything_is_hashed() -> None:
    for zero in (Decimal("-0.0"), Decimal("-0"), Decimal("0.00"), 0):
        assert content(made(n=zero), customer=None, order=None) == content(
            made(n=0), customer=None, order=None
        )


def test_columns_that_we_added_to_rejects_are_nobodys_data() -> None:
    assert made(text=True, vendorwatch_code="bad_value").extra == {}


def test_extra_columns_of_a_mapping_never_become_fields() -> None:
    interaction = build(NEEDED, CONTEXT, text=True, extra={"csat": "bad", "x": "1"})
    assert interaction.csat is None
    assert interaction.extra == {"csat": "bad", "x": "1"}


def test_nesting_is_bounded() -> None:
    deep: object = 1
    for _ in range(500):
        deep = [deep]
    assert code(note=deep) == "bad_value"


def test_a_table_without_a_column_says_nothing_about_the_vendor() -> None:
    bare = made(text=True, context=Context(NOW, supplied=frozenset(NEEDED)))
    assert (bare.first_reply_known, bare.resolution_known) == (False, False)
    some = Context(NOW, supplied=frozenset({*NEEDED, "resolved_at"}))
    told = made(text=True, context=some)
    assert (told.first_reply_known, told.resolution_known) == (False, True)
    rich = made(text=True, context=Context(NOW, supplied=frozenset({*NEEDED, "events"})))
    assert (rich.first_reply_known, rich.resolution_known) == (True, True)


def test_events_win_over_claims_and_the_difference_is_kept() -> None:
    interaction = made(
        first_reply_at="2026-10-01T09:01:00Z",
        first_reply_agent_id="bob",
        agent_replies=1,
        status="resolved",
        events=[
            {"at": "2026-10-01T09:30:00Z", "type": "message", "actor": "agent"},
            {"at": "2026-10-01T09:40:00Z", "type": "status", "actor": "agent", "to": "resolved"},
        ],
    )
    assert interaction.first_reply_at == parse_instant("2026-10-01T09:30:00Z")
    assert interaction.first_reply_agent_id == "bob"
    assert interaction.resolved_at == parse_instant("2026-10-01T09:40:00Z")
    assert (interaction.agent_replies, interaction.reopens, interaction.handovers) == (1, 0, 0)
    assert isinstance(interaction.events[0], Event)
    assert interaction.claims == {
        "first_reply_at": {"claimed": "2026-10-01T09:01:00Z", "derived": "2026-10-01T09:30:00Z"}
    }


def test_faults_of_events_name_their_place() -> None:
    late = {"at": "2026-12-01T09:30:00Z", "type": "note", "actor": "agent"}
    assert faults({**NEEDED, "events": [late], "csat": 7}) == {
        ("future_timestamp", "events[0].at"),
        ("out_of_range", "csat"),
    }


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(sorted(FIELDS)) | st.text(max_size=8)


def reasons_or_content(row: dict[str, object], *, text: bool) -> object:
    try:
        return content(build(row, CONTEXT, text=text), customer=None, order=None)
    except RowRefused as refused:
        return refused.faults


@given(st.dictionaries(NAMES, VALUES, max_size=12))
def test_no_json_row_raises_anything_but_a_refusal(row: dict[str, object]) -> None:
    assert reasons_or_content({**FULL, **row}, text=False)


@given(st.dictionaries(NAMES, st.text(), max_size=12))
def test_no_cells_raise_anything_but_a_refusal(row: dict[str, object]) -> None:
    assert reasons_or_content({**as_cells(FULL), **row}, text=True)


@given(st.sets(st.sampled_from(sorted(set(FULL) - set(NEEDED)))))
def test_text_and_json_of_one_record_are_one_interaction(chosen: set[str]) -> None:
    sent = {name: value for name, value in FULL.items() if name in chosen or name in NEEDED}
    assert build(sent, CONTEXT, text=False) == build(as_cells(sent), CONTEXT, text=True)


@given(st.permutations(sorted(FULL)), st.permutations(["a", "b", "c"]))
def test_the_order_of_keys_does_not_reach_the_content(order: list[str], extra: list[str]) -> None:
    shuffled = {name: FULL[name] for name in order} | {"x": dict.fromkeys(extra, 1)}
    plain = FULL | {"x": {"a": 1, "b": 1, "c": 1}}
    one, other = (build(row, CONTEXT, text=False) for row in (shuffled, plain))
    assert content(one, customer=b"1", order=b"2") == content(other, customer=b"1", order=b"2")


def test_content_holds_hashes_and_never_references() -> None:
    interaction = build(FULL, CONTEXT, text=False)
    written = content(interaction, customer=b"\x01", order=b"\x02")
    assert b"c@example.org" not in written
    assert json.loads(written)["customer_ref"] == "01"
    assert json.loads(written)["order_ref"] == "02"
    assert written != content(interaction, customer=b"\x03", order=b"\x02")


@pytest.mark.parametrize("name", sorted(set(FULL) - {"customer_ref", "order_ref"}))
def test_every_other_field_reaches_the_content(name: str) -> None:
    other = {
        "channel": "phone",
        "direction": "inbound",
        "status": "closed",
        "priority": "low",
        "resolved_by": "agent",
        "vendor_quality": Decimal("87.5"),
        "source_url": "https://acme.example/tickets/8",
        "language": "en",
        "tags": ["vip"],
    }.get(name)
    if other is None:
        told = FULL[name]
        other = 1 if isinstance(told, int) else "2026-10-01T09:00:00.5Z"
        if FIELDS[name].kind in {"id", "text"}:
            other = "another"
    changed = FULL | {"abandoned_at": None, name: other}
    before = build(FULL | {"abandoned_at": None}, CONTEXT, text=False)
    assert content(before, customer=None, order=None) != content(
        build(changed, CONTEXT, text=False), customer=None, order=None
    )


@pytest.mark.parametrize("text", [False, True])
def test_the_default_source_said_or_left_out_is_the_same_interaction(*, text: bool) -> None:
    needed = {
        "interaction_id": "T-1",
        "channel": "email",
        "status": "open",
        "opened_at": "2026-10-01T09:00:00Z",
    }
    said = build({**needed, "source_system": b"custom".decode()}, CONTEXT, text=text)
    assert content(said, customer=None, order=None) == (
        b'{"channel":"email","interaction_id":"T-1","opened_at":1790845200000000,"status":"open"}'
    )
    assert said == build(needed, CONTEXT, text=text)
