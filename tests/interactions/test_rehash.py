"""Whether a stored revision is what was received can be told from its columns alone."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from conftest import MakeKey
from sample_logs import csv_file, ndjson, row
from vendorwatch.db import models
from vendorwatch.db.engine import Database
from vendorwatch.interactions.rehash import is_as_received

EVENTS: list[dict[str, Any]] = [
    {"at": "2026-10-01T09:02:00+07:00", "type": "message", "actor": "customer"},
    {"at": "2026-10-01T09:05:00.25Z", "type": "message", "actor": "agent", "agent_id": "Thảo"},
    {"at": "2026-10-01T09:06:00Z", "type": "message", "actor": "customer", "public": True},
    {"at": "2026-10-01T09:06:00Z", "type": "note", "actor": "agent", "public": False},
    {"at": "2026-10-01T09:07:00Z", "type": "status", "actor": "agent", "to": "resolved"},
    {
        "at": "2026-10-01T09:08:00Z",
        "type": "survey_invited",
        "actor": "system",
        "form": {"n": 1.5, "x": 1e16},
    },
]
ODD: dict[str, dict[str, Any]] = {
    "nothing but what is needed": dict.fromkeys(
        ("first_reply_at", "resolved_at", "agent_id", "customer_ref", "topic")
    ),
    "defaults that were sent": {
        "source_system": "custom",
        "source_account": "",
        "direction": "inbound",
        "resolved_by": "unknown",
    },
    "the default source alone": {"source_system": "custom"},
    "another source": {"source_system": "zendesk", "source_account": "trà sen"},
    "composed otherwise": {"agent_id": "Tha\u0309o", "topic": "tra\u0309 ha\u0300ng"},
    "beyond the basic plane": {"topic": "🍵 ชา", "product": "Árvíztűrő"},
    "marks that JSON escapes": {"topic": 'a "b" \\ c/d', "product": "<é&\u2028>"},
    "a reference by hash": {"customer_ref": "c@example.org", "order_ref": "1e5"},
    "nobody's": {"customer_ref": None},
    "counts that are nought": {"reopens": 0, "handovers": 0, "agent_replies": 0, "nps": 0},
    "a whole percentage": {"vendor_quality": 87},
    "a percentage with its noughts": {"vendor_quality": "87.50"},
    "an instant to the microsecond": {"resolved_at": "2026-10-01T15:00:00.123456+07:00"},
    "other fields": {"Team": "Nhóm 1", "n": "1.10", "empty": ""},
}
ONLY_JSON: dict[str, dict[str, Any]] = {
    "tags": {"tags": ["vip", "đổi trả", "vip"]},
    "no tags": {"tags": []},
    "other fields of any kind": {
        "extra": {"a": 1},
        "deep": {"b": [1, 2.50, 1e-7, 1e300, -0.0, None, True], "ключ": "значение"},
        "large": 12345678901234567890,
    },
    "events": {"events": EVENTS},
    "no events": {"events": []},
    "events that contradict": {
        "events": EVENTS,
        "first_reply_at": "2026-10-01T12:00:00Z",
        "reopens": 4,
        "agent_replies": 9,
    },
    "events that tell of no reply": {"events": EVENTS[:1]},
}
JSON, CSV = "application/x-ndjson", "text/csv"
# What is stored is one thing on both engines: test_the_engines_give_back_alike.
one_engine = pytest.mark.parametrize("engine_name", ["sqlite"])


async def stored(
    client: httpx.AsyncClient, database: Database, key: MakeKey, kind: str, **changes: Any
) -> dict[str, Any]:
    sent = row(1, **changes)
    headers = {"Authorization": f"Bearer {await key('upload')}", "Content-Type": kind}
    body = csv_file([sent]) if kind == CSV else ndjson([sent])
    answer = await client.post("/v1/uploads", content=body, headers=headers)
    assert (answer.status_code, answer.json()["rejected"]) == (201, 0), answer.text
    async with database.read_as_owner() as connection:
        found = await connection.execute(select(models.Interaction.__table__))
        return dict(found.mappings().one())


@one_engine
@pytest.mark.parametrize("kind", [JSON, CSV])
@pytest.mark.parametrize("name", ODD)
async def test_odd_rows_are_as_received(
    name: str, kind: str, client: httpx.AsyncClient, database: Database, key: MakeKey
) -> None:
    found = await stored(client, database, key, kind, **ODD[name])
    assert is_as_received(found)


@one_engine
@pytest.mark.parametrize("name", ONLY_JSON)
async def test_lists_and_objects_are_as_received(
    name: str, client: httpx.AsyncClient, database: Database, key: MakeKey
) -> None:
    found = await stored(client, database, key, JSON, **ONLY_JSON[name])
    assert is_as_received(found)


async def test_the_engines_give_back_alike(
    client: httpx.AsyncClient, database: Database, key: MakeKey
) -> None:
    everything = ODD["marks that JSON escapes"] | ODD["composed otherwise"]
    for changes in ONLY_JSON.values():
        everything = changes | everything
    found = await stored(client, database, key, JSON, **everything, vendor_quality="87.50")
    assert is_as_received(found)


FULL = {
    **ONLY_JSON["events that contradict"],
    **ODD["a percentage with its noughts"],
    "tags": ["vip"],
    "team": "1",
}
ALTERED: dict[str, Any] = {
    "interaction_id": "T-2",
    "source_system": "zendesk",
    "source_account": "x",
    "source_updated_at": 1,
    "source_url": "https://example.org/1",
    "channel": "chat",
    "direction": "outbound",
    "status": "open",
    "priority": "low",
    "opened_at": 1,
    "first_reply_at": None,
    "resolved_at": 1,
    "abandoned_at": 1,
    "agent_id": None,
    "first_reply_agent_id": "Thao",
    "resolved_by_agent_id": "x",
    "resolved_by": "customer",
    "customer_ref": b"\0" * 32,
    "order_ref": b"\0" * 32,
    "topic": "other",
    "product": "x",
    "language": "vi",
    "agent_replies": 2,
    "customer_messages": 0,
    "reopens": 1,
    "handovers": 1,
    "handle_seconds": 1,
    "csat_invited_at": 1,
    "csat_at": 1,
    "csat": 1,
    "nps": 1,
    "vendor_quality": "87.5",
    "tags": '["VIP"]',
    "events": "[]",
    "extra": '{"team":"2"}',
    "claims": None,
    "first_reply_known": False,
    "resolution_known": False,
    "content_sha256": b"\0" * 32,
    "next_replies": None,
}


@one_engine
async def test_every_column_that_was_received_counts(
    client: httpx.AsyncClient, database: Database, key: MakeKey
) -> None:
    found = await stored(client, database, key, JSON, **FULL)
    assert is_as_received(found)
    beside = {"engagement_id", "in_force", "upload_sequence", "row_number"}
    assert ALTERED.keys() == found.keys() - beside
    for name, value in ALTERED.items():
        assert found[name] != value, name
        assert not is_as_received(found | {name: value}), name


@one_engine
@pytest.mark.parametrize("value", ["", "smoke", 7])
async def test_what_no_record_can_hold_is_not_as_received(
    client: httpx.AsyncClient, database: Database, key: MakeKey, value: object
) -> None:
    found = await stored(client, database, key, JSON)
    assert not is_as_received(found | {"channel": value})


async def test_a_row_that_was_altered_in_the_database_is_seen(
    client: httpx.AsyncClient, database: Database, key: MakeKey
) -> None:
    assert is_as_received(await stored(client, database, key, JSON, **FULL))
    async with database.write_as_owner() as connection:
        await connection.execute(text("UPDATE interactions SET topic = 'Returns'"))
        changed = await connection.execute(select(models.Interaction.__table__))
        assert not is_as_received(dict(changed.mappings().one()))
