"""Which rows are flagged, and in which fields."""

import io
import unicodedata
from typing import Any

import pytest

from sample_logs import ndjson, row
from vendorwatch.interactions.instants import parse_instant
from vendorwatch.interactions.intake import Intake
from vendorwatch.interactions.parse import ReadOptions, read

NOW = parse_instant("2026-11-02T08:00:00Z")
MAIL, PHONE, CARD = "an@shop.example", "+84 912 345 678", "4111 1111 1111 1111"
BIDI = [
    chr(n)
    for n in range(0x3000)
    if unicodedata.bidirectional(chr(n))
    in {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
] + ["\u200e", "\u200f", "\u061c"]
EVENT = {"at": "2026-10-01T09:10:00Z", "type": "message", "actor": "agent"}


def flags(**changes: object) -> dict[str, set[str]]:
    return flags_of(row(1, **changes))


def flags_of(*rows: dict[str, object]) -> dict[str, set[str]]:
    reading = read(io.BytesIO(ndjson(rows)), ReadOptions(now=NOW, media="ndjson"))
    intake = Intake(reading, pseudonym_key=b"k" * 32)
    list(intake.batches(100))
    assert intake.tally.accepted == len(rows), intake.tally.faults
    return {flag: set(flagged.fields) for flag, flagged in intake.tally.flags.items()}


@pytest.mark.parametrize("personal", [MAIL, PHONE])
def test_free_text_is_flagged_for_what_tells_of_a_person(personal: str) -> None:
    for name, changes in {
        "topic": {"topic": personal},
        "product": {"product": f"for {personal}"},
        "tags": {"tags": ["vip", personal]},
        "extra.subject": {"subject": f"Call {personal}!"},
        "extra.deep": {"deep": {"list": [1, {"note": personal}]}},
        "extra.keys": {"keys": {personal: True}},
        f"extra.{personal}": {personal: 1},
        "events.note": {"events": [EVENT | {"note": personal}]},
    }.items():
        assert flags(**changes) == {"pii-in-text": {name}}, name


def test_a_card_number_in_another_column_is_flagged_and_the_row_is_taken() -> None:
    for value in (CARD, "4111-1111-1111-1111", "4111111111111111", 4111111111111111):
        assert flags(paid=value) == {"pii-in-text": {"extra.paid"}}, value
        assert flags(events=[EVENT | {"paid": value}]) == {"pii-in-text": {"events.paid"}}, value
    assert flags(paid=["4111", "1111", "1111", "1111"]) == {}
    assert flags(paid="4111111111111112", at="2026-10-01T09:00:00+10:00", n=16 * "0") == {}


def test_who_worked_on_it_and_what_is_hashed_is_no_free_text() -> None:
    agents: dict[str, Any] = dict.fromkeys(
        ("agent_id", "first_reply_agent_id", "resolved_by_agent_id"), MAIL
    )
    references = {"customer_ref": MAIL, "order_ref": CARD, "interaction_id": "4111111111111111"}
    link = {"source_url": f"https://desk.example/{MAIL}", "source_account": MAIL}
    event = EVENT | {"agent_id": MAIL}
    assert flags(**agents, **references, **link, events=[event], topic="returns") == {}


@pytest.mark.parametrize("control", BIDI, ids=ascii)
def test_characters_that_turn_the_direction_are_flagged_wherever_they_stand(control: str) -> None:
    turned = f"19{control}x"
    for name in (
        *("interaction_id", "source_account", "source_system", "topic", "product"),
        *("agent_id", "first_reply_agent_id", "resolved_by_agent_id"),
    ):
        assert flags(**{name: turned}) == {"direction-controls": {name}}, name
    for name, changes in {
        "tags": {"tags": ["a", turned]},
        "extra.note": {"note": [turned]},
        "events.agent_id": {
            "first_reply_at": None,
            "resolved_at": None,
            "events": [EVENT | {"type": "note", "agent_id": turned}],
        },
        "events.note": {"events": [EVENT | {"note": turned}]},
        "first_reply_agent_id": {
            "first_reply_agent_id": turned,
            "events": [EVENT | {"agent_id": "linh"}],
        },
    }.items():
        assert flags(**changes) == {"direction-controls": {name}}, name
    # In a name it is spelt out, or whoever reads the warning could not trust it.
    assert flags(**{turned: 1}) == {"direction-controls": {f"extra.19\\u{ord(control):04x}x"}}
    assert flags(customer_ref=turned, order_ref=turned) == {}


def test_other_writing_is_not_flagged() -> None:
    for text in (
        "đổi trả… “gấp” ₫",
        "คืนสินค้า",
        "csere\u2013méret",
        "إرجاع المنتج",
        "החזרה",
        "a\u200db",
        "退货",
    ):
        assert flags(topic=text, agent_id=text, note=text) == {}, text


def test_a_row_counts_once_for_each_flag() -> None:
    both = row(1, topic=MAIL, product=PHONE, note="\u202e")
    assert flags_of(both, row(2), row(3, tags=[MAIL])) == {
        "pii-in-text": {"topic", "product", "tags"},
        "direction-controls": {"extra.note"},
    }
