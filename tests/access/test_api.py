"""Who gets in, and that every other caller gets the same answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import event

from conftest import SECRET, MakeKey
from stopped_clock import StoppedClock
from vendorwatch.access import keys, service, store
from vendorwatch.access.model import BadKeyRequest, Unauthenticated
from vendorwatch.db.engine import Database
from vendorwatch.periods import SECOND
from vendorwatch.vendors.model import Engagement


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


@contextmanager
def statements(app: Litestar) -> Iterator[list[str]]:
    """What the application sends to its database meanwhile."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engine = app.state.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def last_used(database: Database, engagement: Engagement) -> list[int | None]:
    async with database.read(engagement.scope) as connection:
        found = await service.list_keys(connection, engagement.scope)
    return [key.last_used_at for key in found]


async def test_a_live_key_gets_in(
    client: httpx.AsyncClient, key: MakeKey, engagement: Engagement
) -> None:
    text = await key("upload", "read")
    answer = await client.get("/v1/me", headers=bearer(text))
    assert answer.json() == {
        "key_id": text.split("_")[2],
        "scopes": ["read", "upload"],
        "merchant_id": engagement.merchant_id,
        "engagement_id": engagement.engagement_id,
    }


async def test_the_scheme_is_not_case_sensitive(client: httpx.AsyncClient, key: MakeKey) -> None:
    headers = {"authorization": f"bearer {await key()}"}
    assert (await client.get("/v1/me", headers=headers)).status_code == 200


async def test_all_other_callers_get_one_answer(
    client: httpx.AsyncClient,
    key: MakeKey,
    database: Database,
    clock: StoppedClock,
    engagement: Engagement,
) -> None:
    revoked, right, unknown = await key(), await key(), str(keys.make())
    async with database.write(engagement.scope) as connection:
        await service.revoke_key(connection, engagement.scope, revoked.split("_")[2], clock())
        expiring = await service.create_key(
            connection,
            engagement.scope,
            ["read"],
            SECRET.encode(),
            clock(),
            expires_at=clock() + SECOND,
        )
    assert (await client.get("/v1/me", headers=bearer(expiring.key))).status_code == 200
    clock.advance(seconds=1)
    other_secret = str(keys.KeyText(right.split("_")[2], keys.make().secret))
    refused: list[dict[str, str]] = [
        {},
        bearer(unknown),
        bearer(revoked),
        bearer(expiring.key),
        bearer(other_secret),
        bearer(right[:-1] + ("0" if right[-1] != "0" else "1")),
        bearer(""),
        {"Authorization": right},
        {"Authorization": f"Basic {right}"},
    ]
    answers = [await client.get("/v1/me", headers=headers) for headers in refused]
    for answer in answers:
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="vendorwatch"'
    bodies = [answer.json() | {"request_id": ""} for answer in answers]
    assert bodies == [bodies[0]] * len(refused)
    sent = [{k: v for k, v in a.headers.items() if k != "x-request-id"} for a in answers]
    assert sent == [sent[0]] * len(refused)
    assert (await client.get("/v1/me", headers=bearer(right))).status_code == 200


async def test_two_authorizations_are_none(client: httpx.AsyncClient, key: MakeKey) -> None:
    text = await key()
    headers = [("Authorization", f"Bearer {text}"), ("Authorization", f"Bearer {text}")]
    assert (await client.get("/v1/me", headers=headers)).status_code == 401


async def test_a_bad_checksum_is_answered_without_the_database(
    app: Litestar, client: httpx.AsyncClient
) -> None:
    text = str(keys.make())
    with statements(app) as seen:
        wrong = text[:-1] + ("0" if text[-1] != "0" else "1")
        assert (await client.get("/v1/me", headers=bearer(wrong))).status_code == 401
        assert (await client.get("/v1/me")).status_code == 401
        assert seen == []
        assert (await client.get("/v1/me", headers=bearer(text))).status_code == 401
        assert any("api_keys" in statement for statement in seen)


async def test_the_body_of_a_stranger_is_not_read(app: Litestar) -> None:
    received = 0

    async def receive() -> dict[str, Any]:
        nonlocal received
        received += 1
        return {"type": "http.request", "body": b"[]", "more_body": False}

    started: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        started.append(message)

    scope: Any = {
        "type": "http",
        "method": "PUT",
        "path": "/v1/agents",
        "raw_path": b"/v1/agents",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"expect", b"100-continue")],
    }
    await app(scope, receive, send)  # type: ignore[arg-type]  # a plain ASGI server's types
    assert started[0]["status"] == 401
    assert received == 0


async def test_revocation_takes_effect_on_the_next_request(
    client: httpx.AsyncClient,
    key: MakeKey,
    database: Database,
    clock: StoppedClock,
    engagement: Engagement,
) -> None:
    old, new = await key(), await key()  # two live at once, for rotation
    assert (await client.get("/v1/me", headers=bearer(old))).status_code == 200
    async with database.write(engagement.scope) as connection:
        await service.revoke_key(connection, engagement.scope, old.split("_")[2], clock())
    assert (await client.get("/v1/me", headers=bearer(old))).status_code == 401
    assert (await client.get("/v1/me", headers=bearer(new))).status_code == 200


async def test_last_use_is_noted_about_hourly(
    client: httpx.AsyncClient,
    key: MakeKey,
    database: Database,
    clock: StoppedClock,
    engagement: Engagement,
) -> None:
    headers = bearer(await key())
    assert await last_used(database, engagement) == [None]
    first = clock()
    await client.get("/v1/me", headers=headers)
    assert await last_used(database, engagement) == [first]
    clock.advance(seconds=3_599)
    await client.get("/v1/me", headers=headers)
    assert await last_used(database, engagement) == [first]
    clock.advance(seconds=1)
    await client.get("/v1/me", headers=headers)
    assert await last_used(database, engagement) == [clock()]


async def test_a_missing_scope_is_named(client: httpx.AsyncClient, key: MakeKey) -> None:
    answer = await client.get("/v1/agents", headers=bearer(await key("score")))
    assert answer.status_code == 403
    assert answer.json()["type"].endswith("/insufficient-scope")
    assert "upload or read" in answer.json()["detail"]


async def test_only_a_hash_is_stored(key: MakeKey, database: Database, tmp_path: Any) -> None:
    text = await key()
    parsed = keys.parse(text)
    assert parsed is not None
    [stored] = await database.read_key(
        parsed.key_id, lambda connection: store.keys_called(connection, parsed.key_id)
    )
    assert stored.secret_hash == keys.digest(parsed, secret=SECRET.encode())
    for path in tmp_path.rglob("*.db"):
        assert parsed.secret.encode() not in path.read_bytes()


async def test_another_server_secret_opens_nothing(
    key: MakeKey, database: Database, clock: StoppedClock
) -> None:
    parsed = keys.parse(await key())
    assert parsed is not None
    with pytest.raises(Unauthenticated):
        await database.read_key(
            parsed.key_id,
            lambda connection: service.authenticate(
                connection, parsed, b"another server's", clock()
            ),
        )


async def test_a_key_request_is_refused_with_every_fault(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    async with database.write(engagement.scope) as connection:
        with pytest.raises(BadKeyRequest) as raised:
            await service.create_key(
                connection, engagement.scope, ["root", "read"], b"x", clock(), expires_at=clock()
            )
        with pytest.raises(BadKeyRequest):
            await service.create_key(connection, engagement.scope, [], b"x", clock())
    assert [fault.field for fault in raised.value.faults] == ["scope", "expires_at"]


async def manager(key: MakeKey, *scopes: str) -> dict[str, str]:
    return bearer(await key("manage", *scopes))


async def test_keys_are_made_listed_and_revoked(client: httpx.AsyncClient, key: MakeKey) -> None:
    caller = await manager(key, "read")
    made = await client.post(
        "/v1/keys",
        json={"scopes": ["read"], "expires_at": "2027-01-31T00:00:00Z"},
        headers=caller,
    )
    assert made.status_code == 201
    text, key_id = made.json()["key"], made.json()["key_id"]
    mine = await client.get("/v1/me", headers=bearer(text))
    assert (mine.json()["key_id"], mine.json()["scopes"]) == (key_id, ["read"])
    listed = {
        each["key_id"]: each for each in (await client.get("/v1/keys", headers=caller)).json()
    }
    assert listed[key_id] == {
        "key_id": key_id,
        "state": "live",
        "scopes": ["read"],
        "created_at": "2026-11-02T08:00:00Z",
        "last_used_at": "2026-11-02T08:00:00Z",
        "expires_at": "2027-01-31T00:00:00Z",
        "revoked_at": None,
    }
    assert text not in (await client.get("/v1/keys", headers=caller)).text
    gone = await client.delete(f"/v1/keys/{key_id}", headers=caller)
    assert (gone.status_code, gone.json()["state"]) == (200, "revoked")
    assert (await client.get("/v1/me", headers=bearer(text))).status_code == 401


async def test_two_keys_live_while_one_takes_over(
    client: httpx.AsyncClient, key: MakeKey, clock: StoppedClock
) -> None:
    caller, old = await manager(key, "upload", "read"), await key("upload", "read")
    path = f"/v1/keys/{old.split('_')[2]}/rotate"
    made = await client.post(path, json={"overlap_seconds": 60}, headers=caller)
    assert made.status_code == 201
    new = made.json()["key"]
    for text in (old, new):
        answer = await client.get("/v1/me", headers=bearer(text))
        assert answer.json()["scopes"] == ["read", "upload"]
    clock.advance(seconds=60)
    assert (await client.get("/v1/me", headers=bearer(old))).status_code == 401
    assert (await client.get("/v1/me", headers=bearer(new))).status_code == 200
    again = await client.post(path, json={}, headers=caller)
    assert (again.status_code, again.json()["type"].rpartition("/")[2]) == (422, "bad-key-request")


async def test_rotation_never_makes_a_key_live_longer(
    client: httpx.AsyncClient, key: MakeKey, clock: StoppedClock
) -> None:
    caller = await manager(key, "read")
    sent = {"scopes": ["read"], "expires_at": "2026-11-02T08:01:00Z"}
    first = (await client.post("/v1/keys", json=sent, headers=caller)).json()
    path = f"/v1/keys/{first['key_id']}/rotate"
    second = (await client.post(path, json={}, headers=caller)).json()
    listed = {
        each["key_id"]: each for each in (await client.get("/v1/keys", headers=caller)).json()
    }
    expiries = [listed[each["key_id"]]["expires_at"] for each in (first, second)]
    assert expiries == ["2026-11-02T08:01:00Z"] * 2


async def test_the_last_day_of_the_calendar_can_be_rotated(
    client: httpx.AsyncClient, key: MakeKey, clock: StoppedClock
) -> None:
    caller = await manager(key, "read")
    sent = {"scopes": ["read"], "expires_at": "9999-12-31T23:59:59Z"}
    first = (await client.post("/v1/keys", json=sent, headers=caller)).json()
    clock.set("2026-12-02T08:00:00+00:00")
    path = f"/v1/keys/{first['key_id']}/rotate"
    assert (await client.post(path, json={}, headers=caller)).status_code == 201
    assert (await client.get("/v1/keys", headers=caller)).status_code == 200


@pytest.mark.parametrize("overlap", [-1, 30 * 86_400 + 1])
async def test_an_overlap_has_bounds(client: httpx.AsyncClient, key: MakeKey, overlap: int) -> None:
    caller, old = await manager(key, "read"), await key("read")
    path = f"/v1/keys/{old.split('_')[2]}/rotate"
    answer = await client.post(path, json={"overlap_seconds": overlap}, headers=caller)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "overlap_seconds"


async def test_nobody_hands_out_what_they_have_not(client: httpx.AsyncClient, key: MakeKey) -> None:
    caller, other = await manager(key), await key("upload")
    more = [
        await client.post("/v1/keys", json={"scopes": ["manage", "upload"]}, headers=caller),
        await client.post(f"/v1/keys/{other.split('_')[2]}/rotate", json={}, headers=caller),
    ]
    for answer in more:
        assert answer.status_code == 403, answer.text
        assert answer.json()["type"].endswith("/insufficient-scope")
    assert len((await client.get("/v1/keys", headers=caller)).json()) == 2
    for scopes in (["upload"], ["read"], ["score"]):
        lesser = bearer(await key(*scopes))
        for method, path in (
            ("GET", "/v1/keys"),
            ("POST", "/v1/keys"),
            ("POST", "/v1/keys/x/rotate"),
            ("DELETE", "/v1/keys/x"),
        ):
            sent = {"json": {"scopes": scopes}} if path == "/v1/keys" else {"json": {}}
            asked = sent if method == "POST" else {}
            answer = await client.request(method, path, headers=lesser, **asked)  # type: ignore[arg-type]  # each is a body
            assert answer.status_code == 403, (method, path)


@pytest.mark.parametrize(
    "sent",
    [
        {"scopes": []},
        {"scopes": ["all"]},
        {"scopes": ["manage"], "expires_at": "soon"},
        {"scopes": ["manage"], "expires_at": "2026-11-02T08:00:00"},
        {"scopes": ["manage"], "expires_at": "9999-12-31T23:59:59-12:00"},
    ],
)
async def test_a_bad_key_request_makes_none(
    client: httpx.AsyncClient, key: MakeKey, sent: dict[str, object]
) -> None:
    caller = await manager(key)
    answer = await client.post("/v1/keys", json=sent, headers=caller)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (
        422,
        "bad-key-request",
    )
    assert len((await client.get("/v1/keys", headers=caller)).json()) == 1
