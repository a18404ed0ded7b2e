"""What the audit tells, to whom, and that it is written with what it tells of."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import text

from closing.doing import do_due
from conftest import SECRET, MakeKey
from sample_logs import ndjson, row
from stopped_clock import StoppedClock
from tenancy.world import ALL_SCOPES, FROZEN, MAPPING, MONTH
from vendorwatch.audit import service
from vendorwatch.audit.model import COMMAND, OF_VENDOR
from vendorwatch.db.engine import Database
from vendorwatch.knowledge import service as knowledge
from vendorwatch.knowledge.parse import read_document
from vendorwatch.mailing.keys import Permit, sign
from vendorwatch.periods import Micros
from vendorwatch.policies.service import default_policy
from vendorwatch.vendors.model import Engagement

NDJSON = {"Content-Type": "application/x-ndjson"}
TOML = {"Content-Type": "application/toml"}
COUNTS = [{"day": "2026-10-01", "contacts": 5}]
RUBRIC = {
    "title": "Mine",
    "criteria": [{"criterion_id": "tone", "title": "Tone", "weight": 1, "maximum": 5}],
}
REVIEW = {
    "review_id": "r-1",
    "interaction_id": "T-1",
    "rubric_id": "mine",
    "sampling": "random",
    "scores": {"tone": 4},
    "comment": "of the reviewer alone",
}
RULES = {"approval": "hold", "first_month": FROZEN}
RECIPIENT = {
    "email": "linh@example.org",
    "name": "Linh of accounting",
    "language": "vi",
    "kind": "scorecard",
    "every_vendor": True,
}
OPENED = {
    "opened_at": f"{FROZEN}-10T09:00:00+07:00",
    "first_reply_at": None,
    "resolved_at": None,
    "status": "open",
}
Changes = list[tuple[str, httpx.Response]]
Change = Callable[[], Awaitable[Changes]]
Read = Callable[..., Awaitable[list[dict[str, Any]]]]


@pytest.fixture
async def caller(client: httpx.AsyncClient, key: MakeKey) -> httpx.AsyncClient:
    client.headers["Authorization"] = f"Bearer {await key(*ALL_SCOPES)}"
    return client


@pytest.fixture
def read(caller: httpx.AsyncClient) -> Read:
    async def entries(action: str | None = None) -> list[dict[str, Any]]:
        found = (await caller.get("/v1/audit?limit=500")).raise_for_status().json()
        return [each for each in found if action in {None, each["action"]}]

    return entries


@pytest.fixture
async def verified(database: Database, engagement: Engagement) -> AsyncIterator[None]:
    yield
    assert (await service.verify(database, engagement.scope)).findings == ()


def key_id(client: httpx.AsyncClient) -> str:
    return client.headers["Authorization"].split("_")[2]


@pytest.fixture
def changes(
    caller: httpx.AsyncClient, database: Database, engagement: Engagement, clock: StoppedClock
) -> Change:
    """Sends every request that changes something; gives the action that it is told as."""

    async def send() -> Changes:
        return [
            *await records(caller),
            *await closings_and_mail(caller, database, engagement, clock()),
        ]

    return send


async def records(client: httpx.AsyncClient) -> Changes:
    made = await client.post("/v1/keys", json={"scopes": ["read"]})
    key = f"/v1/keys/{made.json()['key_id']}"
    row_of_it = ndjson([row(1, interaction_id="T-1")])
    assert (await client.post("/v1/uploads", content=row_of_it, headers=NDJSON)).is_success
    policy = default_policy().source
    return [
        ("key.created", made),
        ("key.rotated", await client.post(f"{key}/rotate", json={})),
        ("key.revoked", await client.delete(key)),
        ("mapping.set", await client.post("/v1/mappings", content=MAPPING, headers=TOML)),
        ("policy.set", await client.post("/v1/policies", content=policy, headers=TOML)),
        ("contact_counts.set", await client.put("/v1/contact-counts", json=COUNTS)),
        ("roster.changed", await client.put("/v1/agents", json=[{"agent_id": "An"}])),
        ("rubric.set", await client.put("/v1/rubrics/mine", json=RUBRIC)),
        ("reviews.received", await client.post("/v1/quality-reviews", json=[REVIEW])),
        ("review.withdrawn", await client.delete("/v1/quality-reviews/r-1")),
        ("scorecard.computed", await client.post("/v1/scorecards", json={"month": MONTH})),
        ("upload.refused", await client.post("/v1/uploads", content=b"", headers=NDJSON)),
    ]


async def closings_and_mail(
    client: httpx.AsyncClient, database: Database, engagement: Engagement, now: Micros
) -> Changes:
    """A month that is held, approved, mailed and revised; and two who want no mail any more."""
    closing = f"/v1/closings/{FROZEN}"
    ruled = await client.put("/v1/closing-rules", json=RULES)
    added = [
        await client.post("/v1/recipients", json=RECIPIENT | {"email": email})
        for email in ("linh@example.org", "an@example.org")
    ]
    await do_due(database, now=now)
    approved = await client.post(f"{closing}/approve", json={"reason": "seen by Linh"})
    mail, *_ = (await client.get("/v1/deliveries")).json()
    delivery = f"/v1/deliveries/{mail['delivery_id']}"
    made = [
        ("closing_rules.set", ruled),
        *(("recipient.added", each) for each in added),
        ("scorecard.approved", approved),
        ("delivery.cancelled", await client.post(f"{delivery}/cancel")),
        ("delivery.retried", await client.post(f"{delivery}/retry")),
    ]
    late = ndjson([row(2, interaction_id="T-2", **OPENED)])
    assert (await client.post("/v1/uploads", content=late, headers=NDJSON)).is_success
    first, second = (each.json()["recipient_id"] for each in added)
    link = sign(Permit(engagement.scope, second), "unsubscribe", SECRET.encode())
    return [
        *made,
        ("scorecard.frozen", await client.post(f"{closing}/revise", json={"reason": "late"})),
        ("recipient.bounced", await client.post(f"/v1/recipients/{first}/bounced")),
        ("recipient.restored", await client.delete(f"/v1/recipients/{first}/bounced")),
        ("recipient.removed", await client.delete(f"/v1/recipients/{first}")),
        ("recipient.removed", await client.post(f"/v1/unsubscribe/{link}")),
    ]


@pytest.mark.usefixtures("verified")
async def test_every_change_has_its_entry(
    caller: httpx.AsyncClient, read: Read, changes: Change
) -> None:
    before = len(await read())
    made = await changes()
    entries = (await read())[::-1][before:]
    by_rule = [each for each in entries if each["request_id"] is None]
    assert [(each["action"], each["key_id"]) for each in by_rule] == [("scorecard.frozen", None)]
    asked = [each for each in entries if each["request_id"] is not None]
    assert [each["action"] for each in asked] == [action for action, _ in made]
    for entry, (action, answer) in zip(asked, made, strict=True):
        assert answer.is_success or action == "upload.refused", answer.text
        is_link = "/unsubscribe/" in answer.request.url.path
        assert entry["key_id"] == (None if is_link else key_id(caller))
        assert entry["request_id"] == answer.headers["X-Request-ID"]
        assert entry["at"] == "2026-11-02T08:00:00Z"
    told = str(entries)
    for secret in (made[0][1].json()["key"], REVIEW["comment"], "T-1", "Linh", "example.org"):
        assert str(secret) not in told


async def test_what_is_told_of_closings_and_mail(read: Read, changes: Change) -> None:
    made = dict(reversed(await changes()))  # of each action, the first
    by_key = [each for each in (await read())[::-1] if each["key_id"]]
    told = {each["action"]: each["detail"] for each in reversed(by_key)}
    assert told["closing_rules.set"] == RULES | {"late_data": "ask", "last_month": None}
    one, two = made["scorecard.frozen"].json()["revisions"]
    assert told["scorecard.approved"] == {
        "scorecard_id": one["scorecard_id"], "month": FROZEN, "revision": 1,
    }  # fmt: skip
    sha256 = told["scorecard.frozen"].pop("sha256")
    assert len(sha256) == 64
    assert told["scorecard.frozen"] == {
        "scorecard_id": two["scorecard_id"], "month": FROZEN, "revision": 2,
    }  # fmt: skip
    recipient = {"recipient_id": made["recipient.added"].json()["recipient_id"]}
    assert told["recipient.added"] == recipient | {
        "side": "merchant", "kind": "scorecard", "every_vendor": True,
    }  # fmt: skip
    for action in ("removed", "bounced", "restored"):
        assert told[f"recipient.{action}"] == recipient
    mail = {"delivery_id": made["delivery.retried"].json()["delivery_id"], "kind": "scorecard"}
    assert told["delivery.retried"] == told["delivery.cancelled"] == mail


async def test_who_is_written_to_of_every_vendor_is_told_once(
    caller: httpx.AsyncClient, read: Read, rival: Engagement, database: Database
) -> None:
    """In the chain of the engagement whose key did it: the other vendor's has none of it."""
    before = (await service.verify(database, rival.scope)).entries
    await caller.post("/v1/recipients", json=RECIPIENT)
    assert len(await read("recipient.added")) == 1
    assert (await service.verify(database, rival.scope)).entries == before


async def test_no_operation_changes_something_untold(
    caller: httpx.AsyncClient, changes: Change
) -> None:
    """Whoever adds one adds it above. What is received has its receipt."""
    document = (await caller.get("/openapi.json")).json()
    writing = {
        f"{method} {path}"
        for path, item in document["paths"].items()
        for method in item
        if method not in {"get", "head"}
    }
    told = {
        f"{answer.request.method.lower()} {answer.request.url.path}"
        for _, answer in await changes()
    }
    assert len(writing) == len(told)


@pytest.mark.usefixtures("verified")
async def test_what_changes_nothing_has_no_entry(
    caller: httpx.AsyncClient, read: Read, changes: Change
) -> None:
    asked = [answer.request for _, answer in await changes()]
    made = await caller.post("/v1/keys", json={"scopes": ["read"]})
    key = f"/v1/keys/{made.json()['key_id']}"
    await caller.delete(key)
    await caller.post("/v1/scorecards", json={"month": MONTH})  # the month before has changed since
    kept = (await caller.post("/v1/recipients", json=RECIPIENT)).json()
    before = await read()
    again = [
        await caller.delete(key),
        await caller.post("/v1/mappings", content=MAPPING, headers=TOML),
        await caller.post("/v1/policies", content=default_policy().source, headers=TOML),
        await caller.put("/v1/agents", json=[{"agent_id": "An"}]),
        await caller.put("/v1/rubrics/mine", json=RUBRIC),
        await caller.delete("/v1/quality-reviews/r-1"),
        await caller.post("/v1/scorecards", json={"month": MONTH}),
        await caller.put("/v1/closing-rules", json=RULES),
        await caller.post(f"/v1/closings/{FROZEN}/approve", json={}),
        await caller.post("/v1/recipients", json=RECIPIENT),
        *[await caller.send(each) for each in asked if is_about_removing(each)],
        await caller.post("/v1/uploads?dry_run=true", content=b"", headers=NDJSON),
        await caller.put("/v1/agents", json=[{"agent_id": ""}]),
        await caller.post(f"/v1/closings/{FROZEN}/revise", json={"reason": "again"}),
        await caller.post("/v1/recipients", json=RECIPIENT | {"name": "Another"}),
    ]
    assert [each.status_code for each in again] == [200] * 13 + [400, 422, 409, 409]
    assert again[9].json() == kept
    assert await read() == before


def is_about_removing(request: httpx.Request) -> bool:
    path = request.url.path
    return "/unsubscribe/" in path or (request.method == "DELETE" and "/recipients/" in path)


async def test_a_mail_is_cancelled_once(
    caller: httpx.AsyncClient, read: Read, changes: Change
) -> None:
    await changes()
    mail, *_ = (await caller.get("/v1/deliveries?state=queued")).json()
    for action, told in (("cancel", "delivery.cancelled"), ("retry", "delivery.retried")):
        before = len(await read(told))
        for _ in range(2):
            answer = await caller.post(f"/v1/deliveries/{mail['delivery_id']}/{action}")
            assert answer.is_success
        assert len(await read(told)) == before + 1


async def test_an_engagement_begins_with_its_creation(
    read: Read, engagement: Engagement, caller: httpx.AsyncClient
) -> None:
    first = (await read())[-1]
    assert first["sequence"] == 1
    assert first["action"] == "engagement.created"
    assert first["key_id"] is first["request_id"] is first["previous_sha256"] is None
    assert first["detail"] == {
        "vendor_id": engagement.vendor_id,
        "time_zone": "Asia/Ho_Chi_Minh",
    }


FAULTS: dict[str, tuple[dict[str, Any], str, int]] = {
    "empty": ({"content": b""}, "empty-upload", 400),
    "digest": (
        {"content": ndjson([row()]), "headers": {"Content-Digest": "sha-256=:AAAA:"}},
        "bad-digest",
        400,
    ),
    "encoding": (
        {"content": gzip.compress(ndjson([row()]))[:-4], "headers": {"Content-Encoding": "gzip"}},
        "bad-encoding",
        400,
    ),
    "media type": (
        {"content": b"x", "headers": {"Content-Type": "text/plain"}},
        "unsupported-media-type",
        415,
    ),
    "format": ({"params": {"format": "odd"}}, "unsupported-format", 422),
    "parameter": ({"params": {"unknown": "1"}}, "bad-parameter", 400),
    "value of a parameter": ({"params": {"mode": "odd"}}, "bad-parameter", 400),
    "zone": (
        {"content": ndjson([row(opened_at="2026-10-01 09:00")]), "params": {"mode": "atomic"}},
        "rows-refused",
        422,
    ),
}


@pytest.mark.usefixtures("verified")
@pytest.mark.parametrize("name", FAULTS)
async def test_a_refused_upload_leaves_an_entry_and_nothing_else(
    caller: httpx.AsyncClient, read: Read, name: str
) -> None:
    sent, slug, status = FAULTS[name]
    sent = sent | {"headers": NDJSON | sent.get("headers", {})}
    answer = await caller.post("/v1/uploads", **sent)
    assert answer.status_code == status
    [entry] = await read("upload.refused")
    assert entry["request_id"] == answer.headers["X-Request-ID"]
    size = len(sent.get("content", b""))
    seen = entry["detail"].pop("received_bytes")
    assert seen in {0, size}  # what the headers give away is refused before the body is read
    assert entry["detail"] == {
        "slug": slug,
        "status": status,
        "declared_bytes": size if "content" in sent else 0,
        "times": 1,
    }
    assert (await caller.get("/v1/uploads")).json() == []


async def test_what_left_a_receipt_has_no_entry(caller: httpx.AsyncClient, read: Read) -> None:
    body = ndjson([row(opened_at="?")])
    answer = await caller.post("/v1/uploads", content=body, headers=NDJSON)
    assert answer.status_code == 422
    assert answer.json()["upload"]["id"]
    assert await read("upload.refused") == []


async def test_a_key_that_may_not_upload_is_noted(client: httpx.AsyncClient, key: MakeKey) -> None:
    client.headers["Authorization"] = f"Bearer {await key('read')}"
    refused = await client.post("/v1/uploads", content=b"x", headers=NDJSON)
    assert refused.status_code == 403
    [entry, *_] = (await client.get("/v1/audit")).json()
    assert entry["detail"]["slug"] == "insufficient-scope"


@pytest.mark.usefixtures("verified")
async def test_who_sends_nothing_but_faults_fills_no_disk(
    caller: httpx.AsyncClient, read: Read, clock: StoppedClock
) -> None:
    for _ in range(100):
        await caller.post("/v1/uploads", content=b"", headers=NDJSON)
    times = [each["detail"]["times"] for each in await read("upload.refused")]
    assert times == [64, 32, 16, 8, 4, 2, 1]
    clock.set("2026-11-02T09:00:00+00:00")
    await caller.post("/v1/uploads", content=b"", headers=NDJSON)
    assert (await read("upload.refused"))[0]["detail"]["times"] == 1


async def test_pages_go_back_to_the_first(
    caller: httpx.AsyncClient, read: Read, changes: Change
) -> None:
    await changes()
    whole, found, address = await read(), [], "/v1/audit?limit=4"
    while address:
        answer = await caller.get(address)
        found += answer.json()
        address = answer.links["next"]["url"] if "next" in answer.links else ""
    assert found == whole
    assert [each["sequence"] for each in whole] == list(range(len(whole), 0, -1))


async def test_a_key_that_only_uploads_sees_what_such_keys_do(
    client: httpx.AsyncClient, key: MakeKey, changes: Change
) -> None:
    await changes()
    headers = {"Authorization": f"Bearer {await key('upload')}"}
    found = (await client.get("/v1/audit", headers=headers)).json()
    assert {each["action"] for each in found} == set(OF_VENDOR)
    headers = {"Authorization": f"Bearer {await key('score')}"}
    assert (await client.get("/v1/audit", headers=headers)).status_code == 403


async def test_what_is_rolled_back_is_told_nowhere(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    async def break_off() -> None:
        async with database.write(engagement.scope) as connection:
            await service.record(connection, engagement.scope, "policy.set", COMMAND, clock())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    found = await service.verify(database, engagement.scope)
    assert (found.entries, found.findings) == (1, ())


async def test_writers_at_once_make_one_chain(
    database: Database, engagement: Engagement, rival: Engagement, clock: StoppedClock
) -> None:
    async def write(whose: Engagement) -> None:
        async with database.write(whose.scope) as connection:
            await service.record(connection, whose.scope, "policy.set", COMMAND, clock())

    await asyncio.gather(*(write(each) for each in (engagement, rival) * 10))
    for each in (engagement, rival):
        found = await service.verify(database, each.scope)
        assert (found.entries, found.findings) == (11, ())


@pytest.mark.parametrize("engine_name", ["postgresql"])
async def test_a_key_is_revoked_while_an_upload_is_stored(
    caller: httpx.AsyncClient, database: Database, engagement: Engagement
) -> None:
    """Which takes long, and locks the engagement. SQLite has one writer at a time."""
    made = await caller.post("/v1/keys", json={"scopes": ["read"]})
    lock = text("SELECT 1 FROM engagements FOR NO KEY UPDATE")
    async with database.write(engagement.scope) as connection:
        await connection.execute(lock)
        revoked = caller.delete(f"/v1/keys/{made.json()['key_id']}")
        assert (await asyncio.wait_for(revoked, 10)).status_code == 200


async def test_a_roster_and_a_log_at_once_wait_for_each_other(
    app: Litestar, caller: httpx.AsyncClient, engagement: Engagement
) -> None:
    """Both write the same agents; in another order they would wait for ever."""
    log = ndjson([row(number, agent_id=f"a-{number}") for number in range(50)])
    roster = [{"agent_id": f"a-{number}"} for number in range(50, -1, -1)]
    for _ in range(3):
        answers = await asyncio.gather(
            caller.post("/v1/uploads", content=log, headers=NDJSON),
            caller.put("/v1/agents", json=roster),
        )
        assert all(each.is_success or each.status_code == 409 for each in answers)
        roster = [each | {"team": f"{_}"} for each in roster]


async def test_what_the_tables_hold_is_found_altered(
    database: Database, engagement: Engagement, changes: Change
) -> None:
    await changes()
    async with database.write_as_owner() as connection:
        if database.is_postgresql:
            await connection.execute(text("SET LOCAL row_security = off"))
        for statement in (
            "UPDATE audit SET key_id = 'nobody' WHERE sequence = 3",
            "DELETE FROM audit WHERE sequence = 5",
        ):
            await connection.execute(text(statement))
        last = await connection.scalar(text("SELECT max(sequence) FROM audit"))
        await connection.execute(text("DELETE FROM audit WHERE sequence = :last"), {"last": last})
    found = await service.verify(database, engagement.scope)
    assert [(each.sequence, each.code) for each in found.findings] == [
        (3, "entry_altered"),
        (5, "entry_removed"),
        (6, "chain_broken"),
        (last, "entry_removed"),
    ]


async def test_what_commands_do_with_questions_is_told(
    database: Database, engagement: Engagement, read: Read, clock: StoppedClock
) -> None:
    question = {
        "question_id": "q", "stem": "?", "options": ["a", "b"], "correct": [0],
        "topic": "t", "weight": 1,
    }  # fmt: skip
    document = read_document(json.dumps({"questions": [question]}).encode())
    scope = engagement.scope
    for _ in range(2):  # the second time, nothing changes
        async with database.write(scope.of_merchant()) as connection:
            await knowledge.load(connection, scope, document, now=clock())
        async with database.write(scope.of_merchant()) as connection:
            await knowledge.withdraw(connection, scope, "q", 1, reason="odd", now=clock())
    [loaded] = await read("knowledge.loaded")
    assert loaded["detail"] == {"questions": 1, "checks": 0, "assignments": 0, "attempts": 0}
    [withdrawn] = await read("question.withdrawn")
    assert withdrawn["detail"] == {"question_id": "q", "version": 1}
    assert loaded["key_id"] is withdrawn["key_id"] is None
