"""Whatever belongs to somebody else is answered exactly like what does not exist.

Every operation of the served OpenAPI document, every place of it where an id can stand, every
object of a rival and of a stranger, and every kind of key. An operation that is in none of the
tables below fails: whoever adds one says here where ids can stand in it.
"""

import json
import random
import re
import string
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import pytest

from conftest import MakeKey
from sample_logs import ndjson, row
from tenancy.world import ALL_SCOPES, FROZEN, Party, World
from vendorwatch.web.problems import MEDIA_TYPE as PROBLEM

KEYS = {**{scope: (scope,) for scope in ALL_SCOPES}, "all scopes": ALL_SCOPES}
UUID = "00000000-0000-4000-8000-000000000000"
_NDJSON = {"Content-Type": "application/x-ndjson"}

# Parameters of paths, and what is looked for under them.
IN_PATHS = {
    "agent": ["agent"],
    "delivery_id": ["delivery"],
    "engagement_id": ["engagement"],
    "interaction_id": ["interaction", "rejected interaction"],
    "key_id": ["key"],
    "policy": ["policy", "policy version"],
    "recipient_id": ["recipient"],
    "review_id": ["review"],
    "rubric_id": ["rubric"],
    "scorecard": ["scorecard"],
    "upload_id": ["upload"],
    "version": ["mapping"],
}
# Parameters of paths that name something of everybody's, or that are a key themselves: a signed link
# is for whoever has it (tests/mailing/test_links.py).
NO_IDS = {"metric", "month", "token"}
# Operations in which no id of any object can stand, but for a cursor.
NOWHERE = {
    "GET /health", "GET /ready", "GET /metrics",
    "GET /v1/me", "GET /v1/limits", "GET /v1/vendors", "GET /v1/engagements",
    "GET /v1/agents", "GET /v1/uploads", "GET /v1/mappings", "GET /v1/policies",
    "GET /v1/policies/default", "GET /v1/rubrics", "GET /v1/questions", "GET /v1/checks",
    "GET /v1/recipients", "POST /v1/recipients", "GET /v1/deliveries",
    "GET /v1/scorecards", "GET /v1/audit", "GET /v1/keys", "POST /v1/keys",
    "POST /v1/mappings", "POST /v1/policies", "POST /v1/scorecards",
    "GET /v1/closings", "GET /v1/closing-rules", "PUT /v1/closing-rules",
    "PUT /v1/contact-counts",
}  # fmt: skip
# The merchant's own: what its other vendor's people wrote there is no secret of the vendor's.
OF_MERCHANT = {"rubric", "question", "check", "merchant"}


@dataclass(frozen=True, slots=True)
class Ask:
    """A request with a place for an id, by which it is made."""

    operation: str
    kinds: list[str]
    path: Callable[[str], str]
    sent: Callable[[str], dict[str, Any]] = field(default=lambda _: {})
    creates: bool = False  # afterwards the caller has one of that name itself


def beside_the_path(own: Party) -> list[Ask]:
    """Ids in queries, headers and bodies."""
    card = f"/v1/scorecards/{own.objects['scorecard']}"
    agents, interactions = ["agent"], ["interaction", "rejected interaction"]
    asked = count()

    def review(**changes: object) -> dict[str, Any]:
        sent = {"review_id": "new", "interaction_id": "own-1", "rubric_id": "own-rubric"}
        return {"json": [sent | {"sampling": "random", "scores": {"tone": 5}} | changes]}

    def log(**changes: object) -> dict[str, Any]:
        return {"content": ndjson([row(1, **changes)]), "headers": _NDJSON}

    def key(name: str) -> dict[str, Any]:
        # Refused every time, so that the key stays free; and never the same, which would be a replay.
        bad = ndjson([row(1, status="odd", topic=str(next(asked)))])
        return {"content": bad, "headers": _NDJSON | {"Idempotency-Key": name}}

    def at(path: str) -> Callable[[str], str]:
        return lambda _: path

    reviews, uploads = "POST /v1/quality-reviews", "POST /v1/uploads"
    dry, roster = at("/v1/uploads?dry_run=true"), "PUT /v1/agents"
    behind = "GET /v1/scorecards/{scorecard}/"
    return [
        Ask("GET /v1/interactions", agents, lambda i: f"/v1/interactions?agent={i}"),
        Ask("GET /v1/quality-reviews", interactions,
            lambda i: f"/v1/quality-reviews?interaction_id={i}"),
        Ask(behind + "metrics/{metric}/interactions", agents,
            lambda i: f"{card}/metrics/first_reply_on_time/interactions?part=numerator&agent={i}"),
        Ask(behind + "knowledge/results", agents, lambda i: f"{card}/knowledge/results?agent={i}"),
        Ask(behind + "knowledge/answers", agents, lambda i: f"{card}/knowledge/answers?agent={i}"),
        Ask("GET /v1/scorecards/{scorecard}", ["scorecard"], lambda i: f"/v1/scorecards/{i}.pdf"),
        Ask(behind + "agents/{agent}", agents, lambda i: f"{card}/agents/{i}.html"),
        Ask(behind + "agents/{agent}", agents, lambda i: f"{card}/agents/{i}.pdf"),
        Ask("GET /v1/scorecards/{scorecard}", ["scorecard"], lambda i: f"/v1/scorecards/{i}.csv"),
        Ask("GET /v1/policies/{policy}", ["policy", "policy version"],
            lambda i: f"/v1/policies/{i}.toml"),
        Ask("GET /v1/uploads/{upload_id}/rejects", ["upload"],
            lambda i: f"/v1/uploads/{i}/rejects?format=csv"),
        Ask(reviews, interactions, at("/v1/quality-reviews"), lambda i: review(interaction_id=i)),
        Ask(reviews, ["rubric"], at("/v1/quality-reviews"), lambda i: review(rubric_id=i)),
        Ask(reviews, ["review"], at("/v1/quality-reviews"), lambda i: review(review_id=i),
            creates=True),
        Ask(uploads, interactions, dry, lambda i: log(interaction_id=i)),
        Ask(uploads, agents, dry, lambda i: log(agent_id=i)),
        Ask(uploads, ["upload", "idempotency key"], at("/v1/uploads"), key),
        Ask(uploads, ["mapping"], lambda i: f"/v1/uploads?format=mapped&mapping={i}",
            lambda _: {"content": b"No\n", "headers": {"Content-Type": "text/csv"}}),
        Ask(roster, agents, at("/v1/agents"), lambda i: {"json": [{"agent_id": i}]}, creates=True),
        Ask(roster, ["second agent"], at("/v1/agents"),
            lambda i: {"json": [{"agent_id": i[::-1], "aliases": [i]}]}, creates=True),
    ]  # fmt: skip


@pytest.fixture
async def operations(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    document = (await client.get("/openapi.json")).json()
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def parameters(operation: dict[str, Any], place: str) -> list[str]:
    return [each["name"] for each in operation.get("parameters", []) if each["in"] == place]


def in_the_path(operation: str, names: list[str], own: Party) -> Iterator[Ask]:
    path = operation.partition(" ")[2]
    filled = {"metric": "first_reply_on_time"} | {
        each: own.objects[each] for each in ("agent", "scorecard")
    }
    for name in names:
        if name in NO_IDS:
            continue
        others = {each: filled[each] for each in names if each != name}

        def fill(value: str, name: str = name, others: dict[str, str] = others) -> str:
            return path.format(**others, **{name: value})

        body = _BODIES.get(operation, {})

        def sent(_: str, body: dict[str, Any] = body) -> dict[str, Any]:
            return body

        yield Ask(operation, IN_PATHS[name], fill, sent, creates=operation.startswith("PUT"))


_BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/keys/{key_id}/rotate": {"json": {}},
    "PUT /v1/rubrics/{rubric_id}": {
        "json": {
            "title": "Mine",
            "criteria": [{"criterion_id": "c", "title": "C", "weight": 1, "maximum": 1}],
        }
    },
}


def unknown(party: Party, value: str, dice: random.Random) -> str:
    """An id of the same form that nobody has, and that was not asked for before."""
    if value.isdecimal():
        return str(dice.randrange(10**6, 10**7))
    if party.name in value:
        letters = "".join(dice.choices(string.ascii_lowercase, k=len(party.name)))
        return value.replace(party.name, letters)
    if len(value) == len(UUID):
        return str(uuid.UUID(int=dice.getrandbits(128), version=4))
    return "".join(dice.choices(string.ascii_letters, k=len(value)))


def told(answer: httpx.Response, value: str) -> tuple[Any, ...]:
    """All that the caller learns, but for the id that was sent and what differs each time."""
    body = answer.text
    if answer.headers.get("content-type", "").startswith(("application/json", PROBLEM)):
        found = json.loads(body)
        if isinstance(found, dict):
            found = found | {"request_id": ""}
        body = json.dumps(found, sort_keys=True)
    # Of an upload that was taken in or looked at: its own ids and hashes.
    body = re.sub(r'"(sequence|size_bytes)": \d+', r'"\1": 0', body)
    body = re.sub(r"\b[0-9a-f]{64}\b", "HASH", body)
    body = re.sub(rf"(?<!: )\b{re.escape(value)}\b", "ID", body)
    body = re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{21}\b", "UUID", body)
    headers = {
        name: re.sub(rf"\b{re.escape(value)}\b", "ID", text)
        for name, text in answer.headers.items()
        if name not in {"x-request-id", "date", "content-length", "ratelimit", "etag"}
    }
    return answer.status_code, body, headers


async def callers(key: MakeKey, own: Party) -> dict[str, dict[str, str]]:
    return {
        name: {"Authorization": f"Bearer {await key(*scopes, of=own.scope)}"}
        for name, scopes in KEYS.items()
    }


def objects_for(ask: Ask, party: Party, *, every: bool) -> Iterator[str]:
    for kind, value in party.objects.items():
        if kind in OF_MERCHANT and party.name == "rival":
            continue
        if every or kind in ask.kinds:
            yield value


async def test_every_operation_is_placed(
    operations: dict[str, dict[str, Any]], world: World
) -> None:
    placed = {ask.operation for ask in beside_the_path(world.own)} | NOWHERE
    for name, operation in operations.items():
        names = parameters(operation, "path")
        assert set(names) <= IN_PATHS.keys() | NO_IDS, f"{name}: what do its parameters name?"
        if not names:
            assert name in placed, f"{name}: where can an id stand in it?"
    assert placed <= operations.keys()


async def test_what_is_somebody_elses_does_not_exist(
    client: httpx.AsyncClient,
    key: MakeKey,
    world: World,
    operations: dict[str, dict[str, Any]],
) -> None:
    different, compared = [], 0
    for caller, headers in (await callers(key, world.own)).items():
        for ask in all_asks(operations, world.own, creating=False):
            # Every object in every place where it could be looked for; with a key that may do
            # everything, also where it could not.
            found = await compare(client, ask, world, headers, every=caller == "all scopes")
            different += [f"{caller}: {each}" for each in found if each]
            compared += len(found)
    assert not different, "\n".join(different)
    assert compared > 500


@pytest.mark.parametrize("caller", KEYS)
async def test_ones_own_may_be_called_like_somebody_elses(
    client: httpx.AsyncClient,
    key: MakeKey,
    world: World,
    operations: dict[str, dict[str, Any]],
    caller: str,
) -> None:
    headers = (await callers(key, world.own))[caller]
    for ask in all_asks(operations, world.own, creating=True):
        found = await compare(client, ask, world, headers, every=False)
        assert found
        assert not any(found), found


def all_asks(operations: dict[str, dict[str, Any]], own: Party, *, creating: bool) -> Iterator[Ask]:
    asks = beside_the_path(own)
    for name, operation in operations.items():
        asks += in_the_path(name, parameters(operation, "path"), own)
    return (ask for ask in asks if ask.creates == creating)


async def compare(
    client: httpx.AsyncClient, ask: Ask, world: World, headers: dict[str, str], *, every: bool
) -> list[str]:
    """For each object of somebody else: how the answer differs from that for an unknown id."""
    dice = random.Random(20261102)
    found, answers = [], dict[str, tuple[Any, ...]]()
    for party in (world.rival, world.stranger):
        for value in objects_for(ask, party, every=every):
            theirs = told(await _ask(client, ask, value, headers), value)
            form = re.sub(r"\w", "x", value.replace(party.name, ""))
            if form not in answers or ask.creates:
                other = unknown(party, value, dice)
                answers[form] = told(await _ask(client, ask, other, headers), other)
            nobodys = answers[form]
            apart = "" if theirs == nobodys else _apart(theirs, nobodys)
            found.append(apart and f"{ask.operation} {value}: {apart}")
    return found


def _apart(theirs: tuple[Any, ...], nobodys: tuple[Any, ...]) -> str:
    """From where on they differ."""
    one, other = (repr(each) for each in (theirs, nobodys))
    place = next(
        at for at, letters in enumerate(zip(one, other, strict=False)) if len({*letters}) > 1
    )
    return f"{one[max(0, place - 60) : place + 60]} | {other[max(0, place - 60) : place + 60]}"


async def _ask(
    client: httpx.AsyncClient, ask: Ask, value: str, headers: dict[str, str]
) -> httpx.Response:
    sent = ask.sent(value)
    sent = sent | {"headers": headers | sent.get("headers", {})}
    return await client.request(ask.operation.partition(" ")[0], ask.path(value), **sent)


async def test_the_same_requests_find_ones_own(
    client: httpx.AsyncClient,
    key: MakeKey,
    world: World,
    operations: dict[str, dict[str, Any]],
) -> None:
    """Or else the matrix would compare one mistake with another."""
    headers = (await callers(key, world.own))["all scopes"]
    for name, operation in operations.items():
        for ask in in_the_path(name, parameters(operation, "path"), world.own):
            value = world.own.objects[ask.kinds[0]]
            answer = await _ask(client, ask, value, headers)
            assert answer.is_success, f"{name}: {answer.text}"


async def test_a_cursor_of_somebody_elses_list_is_none(
    client: httpx.AsyncClient,
    key: MakeKey,
    world: World,
    operations: dict[str, dict[str, Any]],
) -> None:
    headers = (await callers(key, world.own))["all scopes"]
    filled = {"metric": "first_reply_on_time", "scorecard": world.own.objects["scorecard"]}
    lists = [name for name, each in operations.items() if "cursor" in parameters(each, "query")]
    assert len(lists) > 10
    for party in (world.rival, world.stranger):
        theirs = {"Authorization": f"Bearer {await key('read', of=party.scope)}"}
        first = await client.get("/v1/interactions?limit=1", headers=theirs)
        cursor = re.findall(r"cursor=([^>&]+)", first.headers["Link"])[0]
        assert (await client.get(f"/v1/interactions?cursor={cursor}", headers=theirs)).is_success
        made_up = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
        for name in lists:
            path = name.partition(" ")[2].format(**filled)
            part = "&part=numerator" if "metrics" in path else ""
            answers = [
                await client.get(f"{path}?cursor={each}{part}", headers=headers)
                for each in (cursor, made_up)
            ]
            assert [each.status_code for each in answers] == [400, 400], name
            assert told(answers[0], cursor) == told(answers[1], made_up), name


async def test_nothing_that_is_listed_is_somebody_elses(
    client: httpx.AsyncClient,
    key: MakeKey,
    world: World,
    operations: dict[str, dict[str, Any]],
) -> None:
    filled = {"metric": "first_reply_on_time", "month": FROZEN, "token": UUID}
    for caller, headers in (await callers(key, world.own)).items():
        for name, operation in operations.items():
            method, _, path = name.partition(" ")
            names = parameters(operation, "path")
            if method != "GET":
                continue
            objects = {
                each: world.own.objects[IN_PATHS[each][0]] for each in names if each in IN_PATHS
            }
            answer = await client.get(path.format(**objects, **filled), headers=headers)
            for party in (world.rival, world.stranger):
                for value in _telling(party, name, caller):
                    assert value not in answer.text, (caller, name, value)


def _telling(party: Party, operation: str, caller: str) -> Iterator[str]:
    """What would tell of the party, wherever it stands in an answer."""
    shared = {"/v1/rubrics"} | ({"/v1/questions", "/v1/checks"} if "all" in caller else set())
    shared |= {"/v1/questions", "/v1/checks"} if caller == "manage" else set()
    for kind, value in party.objects.items():
        if kind == "merchant" and party.name == "rival":
            continue
        if not value.isdecimal() and not value.startswith(party.name):
            yield value
    if party.name == "stranger" or not any(each in operation for each in shared):
        yield f"{party.name} "
        yield f"{party.name}-"
