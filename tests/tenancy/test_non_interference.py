"""Whatever others send, every byte that a vendor can fetch stays the same.

Worlds with the same data of ours and other data of a rival and of a stranger, made with the same dice:
all ids and keys of ours are equal, and so must be all answers. Customers do not overlap: whether
one came back, to whichever vendor of the merchant, is the one thing that a rival's log may change.
"""

import json
import random
import secrets
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest
from psycopg import sql

from conftest import NOW, SECRET, named, running
from stopped_clock import StoppedClock
from tenancy.world import ALL_SCOPES, FROZEN, MONTH, World, client_of, settle
from vendorwatch.access.service import create_key
from vendorwatch.app import create_app
from vendorwatch.mailing.keys import Permit, sign
from vendorwatch.settings import Settings

# How many interactions each has: ours, the rival's, the stranger's.
ROWS = {"before": (3, 3, 3), "others": (3, 60, 40), "own": (4, 3, 3)}
KEYS = (("upload",), ("read",), ALL_SCOPES)
# The operator's: they tell of the whole server, and of nobody in it.
OF_THE_SERVER = {"/metrics", "/health", "/ready"}
# What differs from one request to the next, whoever asks.
PASSING = {"x-request-id", "date", "ratelimit"}
_DEFAULTS = {
    "agent": "agent",
    "metric": "first_reply_on_time",
    "month": FROZEN,
    "interaction_id": "interaction",
    "engagement_id": "engagement",
    "policy": "policy",
    "review_id": "review",
    "rubric_id": "rubric",
    "scorecard": "scorecard",
    "upload_id": "upload",
    "version": "mapping",
}


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture
def dice(monkeypatch: pytest.MonkeyPatch) -> random.Random:
    """What the library draws ids, keys and secrets with; ours are drawn first in every world."""
    seeded = random.Random(0)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=seeded.getrandbits(128), version=4))
    monkeypatch.setattr(secrets, "choice", seeded.choice)
    monkeypatch.setattr(secrets, "token_bytes", seeded.randbytes)
    return seeded


@pytest.fixture
def database_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Of a migrated database without anybody in it; with `.../NAME` of it to be replaced."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path}/world.db"
        return
    request.getfixturevalue("postgresql_template")  # made before there is an event loop
    yield str(request.getfixturevalue("postgresql_server"))


async def test_what_others_send_changes_no_byte(
    dice: random.Random, engine_name: str, database_url: str, tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    seen = {}
    for name, rows in ROWS.items():
        home = tmp_path / name
        home.mkdir()
        async with _empty(engine_name, database_url, home, request) as url:
            seen[name] = await _world(url, home / "data", rows, dice)
    before, others, own = seen["before"], seen["others"], seen["own"]
    assert before.keys() == others.keys()
    assert [each for each in before if before[each] != others[each]] == []
    # A change of ones own is seen, or else nothing would have been promised.
    assert len([each for each in before if before[each] != own.get(each)]) > 10
    statuses = [answer.status for answer in before.values()]
    assert statuses.count(200) > 60
    # A key that only uploads is not shown what the merchant reviews.
    assert set(statuses) <= {200, 403, 404}
    assert statuses.count(404) < 5


@asynccontextmanager
async def _empty(
    engine_name: str, url: str, home: Path, request: pytest.FixtureRequest
) -> AsyncIterator[str]:
    if engine_name == "sqlite":
        yield f"sqlite:///{home / 'vendorwatch.db'}"
        return
    name = sql.Identifier("alone")
    template = sql.Identifier(request.getfixturevalue("postgresql_template"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, template))
        try:
            yield named(url, "alone")
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


async def _world(
    url: str, data: Path, rows: tuple[int, int, int], dice: random.Random
) -> dict[tuple[str, str], Answer]:
    clock = StoppedClock(0)
    clock.set(NOW)
    dice.seed(1)
    world = await settle(url, data, clock, rows=rows)
    dice.seed(2)  # the others drew as often as they had to
    settings = Settings.from_env(
        {
            "VENDORWATCH_DATABASE_URL": url,
            "VENDORWATCH_DATA_DIR": str(data),
            "VENDORWATCH_SECRET_KEY": SECRET,
        }
    )
    app = create_app(settings, clock=clock)
    async with running(app), client_of(app) as client:
        keys = {}
        async with app.state.database.write(world.own.scope) as connection:
            for scopes in KEYS:
                made = await create_key(
                    connection, world.own.scope, scopes, SECRET.encode(), clock()
                )
                keys[" ".join(scopes)] = {"Authorization": f"Bearer {made.key}"}
        # Computed again, now that the others have sent theirs.
        card = await client.post(
            "/v1/scorecards", json={"month": MONTH}, headers=keys[" ".join(ALL_SCOPES)]
        )
        assert card.is_success
        return await _all_answers(client, world, keys, card.json()["id"])


async def _all_answers(
    client: httpx.AsyncClient, world: World, keys: dict[str, dict[str, str]], card: str
) -> dict[tuple[str, str], Answer]:
    document = (await client.get("/openapi.json")).json()
    found = {}
    for name, headers in keys.items():
        for path in _paths(document, world, card):
            if (path.endswith(".pdf") or "/reports/" in path) and name != "read":
                continue  # it takes a second
            answer = await client.get(path, headers=headers)
            told = {k: v for k, v in answer.headers.items() if k not in PASSING}
            body = answer.content
            if answer.is_error:
                body = json.dumps(answer.json() | {"request_id": ""}).encode()
            found[name, path] = Answer(answer.status_code, told, body)
    return found


def _token(path: str, world: World) -> str:
    """Of a link in a mail of ours."""
    objects = world.own.objects
    if "/reports/" in path:
        return sign(Permit(world.own.scope, objects["delivery"]), "report", SECRET.encode())
    return sign(Permit(world.own.scope, objects["recipient"]), "unsubscribe", SECRET.encode())


def _paths(document: dict[str, Any], world: World, card: str) -> Iterator[str]:
    objects = world.own.objects | {"scorecard": card}
    for path, item in document["paths"].items():
        if "get" not in item or path in OF_THE_SERVER:
            continue
        names = [each["name"] for each in item["get"].get("parameters", []) if each["in"] == "path"]
        values = {
            each: _token(path, world)
            if each == "token"
            else objects.get(_DEFAULTS[each], _DEFAULTS[each])
            for each in names
        }
        yield path.format(**values)
        if "cursor" in [each["name"] for each in item["get"].get("parameters", [])]:
            yield f"{path.format(**values)}?limit=1"
    yield f"/v1/scorecards/{card}/agents/{objects['agent']}.html"
    yield f"/v1/scorecards/{card}.csv"
    yield f"/v1/scorecards/{card}.pdf"
    yield f"/v1/scorecards/{objects['scorecard']}"
    yield f"/v1/uploads/{objects['upload']}/rejects?format=csv"
    yield f"/v1/policies/{objects['policy']}.toml"
