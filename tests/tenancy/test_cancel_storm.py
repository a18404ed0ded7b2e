"""A thousand clients of two tenants vanish in the middle of their requests; two connections.

Against the real server in a process of its own: afterwards it serves as before, whoever asks gets
their own, and nothing is left lying about.
"""

import asyncio
import random
import socket
import struct
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from conftest import SECRET, MakeKey
from running_server import running_server
from sample_logs import ndjson, row
from tenancy.world import Party, World

CLIENTS = 1_000
AT_ONCE = 40
POOL = 2
_PATIENCE_SECONDS = 90
_RESET = struct.pack("ii", 1, 0)  # closing sends RST: the client is gone, not done
_SERVER = "storm"
_CONNECTIONS = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{_SERVER}'"  # noqa: S608  a name of our own
_BUSY = f"{_CONNECTIONS} AND state <> 'idle'"


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


@pytest.fixture
async def tenants(key: MakeKey, world: World) -> list[tuple[Party, dict[str, str]]]:
    return [
        (party, {"Authorization": f"Bearer {await key('upload', 'read', 'score', of=party.scope)}"})
        for party in (world.own, world.stranger)
    ]


async def test_a_storm_of_clients_that_vanish(
    database_url: str, tenants: list[tuple[Party, dict[str, str]]], tmp_path: Path
) -> None:
    environment = {
        "VENDORWATCH_DATABASE_URL": f"{database_url}&pool_size={POOL}&application_name={_SERVER}",
        "VENDORWATCH_DATA_DIR": str(tmp_path / "data"),
        "VENDORWATCH_SECRET_KEY": SECRET,
    }
    with running_server(environment, tmp_path) as address:
        await _storm(address, tenants)
        await _quiet(database_url)
        assert _connections(database_url) <= POOL
        await _all_get_their_own(address, tenants)
        assert list((tmp_path / "data" / "uploads").glob("*/draft-*")) == []
    _nothing_is_half_there(database_url)


async def _storm(address: str, tenants: list[tuple[Party, dict[str, str]]]) -> None:
    dice = random.Random(1_000)
    gate = asyncio.Semaphore(AT_ONCE)
    host, _, port = urlsplit(address).netloc.partition(":")

    async def vanish(number: int) -> None:
        party, headers = tenants[number % len(tenants)]
        request = _request(dice, party, headers, number)
        sent = request[: dice.randrange(1, len(request))] if dice.random() < 0.75 else request
        async with gate:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(sent)
            await writer.drain()
            async with _gone_after(dice.choice([0, 0.001, 0.01, 0.05, 0.1])):
                await reader.read(dice.choice([1, 10_000]))
            connected: socket.socket = writer.get_extra_info("socket")
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    await asyncio.gather(*(vanish(number) for number in range(CLIENTS)))


class _gone_after:  # noqa: N801  reads as what it does
    """Whoever waits for longer stops waiting, and it is no error."""

    def __init__(self, seconds: float) -> None:
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, *raised: object) -> bool:
        try:
            await self._timeout.__aexit__(*raised)  # type: ignore[arg-type]  # handed on as it came
        except TimeoutError:
            return True
        return False


def _request(dice: random.Random, party: Party, headers: dict[str, str], number: int) -> bytes:
    rows = [
        row(each, interaction_id=f"{party.name}-{number}-{each}", agent_id=f"{party.name}-agent")
        for each in range(dice.choice([1, 20, 200]))
    ]
    log, month = ndjson(rows), b'{"month": "2026-10"}'
    [(method, path, kind, body)] = dice.choices(
        [
            ("POST", "/v1/uploads", "application/x-ndjson", log),
            ("POST", "/v1/uploads?dry_run=true", "application/x-ndjson", log),
            ("POST", "/v1/scorecards", "application/json", month),
            ("GET", "/v1/interactions?limit=500", "", b""),
            ("GET", f"/v1/uploads/{party.objects['upload']}/rejects", "", b""),
            ("GET", "/v1/me", "", b""),
        ],
        weights=(8, 4, 1, 4, 4, 4),  # a scorecard takes long
    )
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _quiet(database_url: str) -> None:
    """Nothing runs any more, and nothing stands in a transaction."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with psycopg.connect(database_url, autocommit=True) as connection:
        calm = 0
        while calm < 5:
            [busy] = connection.execute(_BUSY).fetchone() or [None]
            calm = 0 if busy else calm + 1
            assert time.monotonic() < deadline, f"{busy} connections are still busy"
            await asyncio.sleep(0.1)


def _connections(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        [count] = connection.execute(_CONNECTIONS).fetchone() or [-1]
    return int(count)


async def _all_get_their_own(address: str, tenants: list[tuple[Party, dict[str, str]]]) -> None:
    async with httpx.AsyncClient(base_url=address, timeout=_PATIENCE_SECONDS) as client:
        # More at once than there are connections: a lost one would be missed.
        for _ in range(10):
            answers = await asyncio.gather(
                *(client.get("/v1/interactions?limit=500", headers=h) for _, h in 2 * tenants)
            )
            for (party, _), answer in zip(2 * tenants, answers, strict=True):
                assert answer.status_code == 200, answer.text
                ids = [each["interaction_id"] for each in answer.json()]
                assert ids
                assert all(each.startswith(f"{party.name}-") for each in ids)
                assert len(set(ids)) == len(ids)


def _nothing_is_half_there(database_url: str) -> None:
    """Each upload has as many rows as its receipt says, and every row has its upload."""
    query = """
        SELECT e.engagement_id, u.sequence, u.created + u.revised, count(i.*)
        FROM engagements AS e
        LEFT JOIN uploads AS u USING (engagement_id)
        LEFT JOIN interactions AS i
            ON i.engagement_id = u.engagement_id AND i.upload_sequence = u.sequence
        GROUP BY 1, 2, 3 HAVING u.created + u.revised <> count(i.*)
    """
    orphans = """
        SELECT count(*) FROM interactions AS i WHERE NOT EXISTS (SELECT FROM uploads AS u
            WHERE u.engagement_id = i.engagement_id AND u.sequence = i.upload_sequence)
    """
    with psycopg.connect(database_url) as connection:
        assert connection.execute(query).fetchall() == []
        assert connection.execute(orphans).fetchone() == (0,)
        newest = "SELECT e.upload_sequence, count(u.*), max(u.sequence) FROM engagements AS e "
        newest += "JOIN uploads AS u USING (engagement_id) GROUP BY e.engagement_id, 1"
        for sequence, count, highest in connection.execute(newest):
            assert sequence == count == highest
