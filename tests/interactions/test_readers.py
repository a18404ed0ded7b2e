"""Logs are read in processes of their own: what those get, what they may, and how they end."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from inspect import isclass
from pathlib import Path

import httpx
import msgspec
import pytest
from litestar import Litestar

from conftest import MakeKey
from sample_logs import ndjson, row
from vendorwatch.errors import VendorwatchError
from vendorwatch.interactions import readers as module
from vendorwatch.interactions.batches import Batch, Order, Summary
from vendorwatch.interactions.formats import faults
from vendorwatch.interactions.formats.faults import BadEncoding, TooManyRows
from vendorwatch.interactions.instants import parse_instant
from vendorwatch.interactions.model import Encoding, Limits
from vendorwatch.interactions.readers import (
    SMALL,
    BrokenReading,
    ReaderFailed,
    Readers,
    Unreadable,
)

LOG = ndjson(row(n, agent_id=f"agent {n % 7}") for n in range(4_100))
NDJSON = {"Content-Type": "application/x-ndjson"}
_PATIENCE_SECONDS = 30


@pytest.fixture
def readers() -> Iterator[Readers]:
    made = Readers(cores=1)
    yield made
    made.close()


@pytest.fixture
def order(tmp_path: Path) -> Callable[..., Order]:
    def make(
        body: bytes = LOG,
        *,
        limits: Limits = Limits(),  # noqa: B008  frozen
        encoding: Encoding = "identity",
    ) -> Order:
        path = tmp_path / "body"
        path.write_bytes(body)
        return Order(
            path=str(path),
            now=parse_instant("2026-11-02T08:00:00Z"),
            media="ndjson",
            format="canonical",
            encoding=encoding,
            time_zone=None,
            date_order=None,
            mapping=None,
            limits=limits,
            is_atomic=False,
            pseudonym_key=b"k",
            engine="sqlite",
        )

    return make


def size_of(order: Order) -> int:
    return Path(order.path).stat().st_size


async def read(
    readers: Readers, order: Order, meddle: Callable[[], object] = lambda: None
) -> tuple[list[Batch], Summary]:
    """`meddle` is called when the first batch has come."""
    batches = []
    async with readers.reading(order, size_of(order), b"log") as reading:
        while (batch := await reading.next()) is not None:
            batches.append(batch)
            meddle()
        return batches, await reading.summary()


def limit(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    (found,) = (line for line in lines if line.startswith(name))
    return int(found.split()[3])


def is_gone(pid: int) -> bool:
    """Whether it ended within some time."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                time.sleep(0.01)
                continue
        return True
    return False


async def test_another_process_reads_what_a_thread_would(
    readers: Readers, order: Callable[..., Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = LOG + b"{\n" + ndjson([row(1, team=1, opened_at="?"), row(2, tags=["ü"])])
    there = await read(readers, order(body))
    assert len(readers.process_ids) == 1
    monkeypatch.setattr(module, "SMALL", len(body))
    here = await read(readers, order(body))
    assert here == there
    assert (there[1].tally.accepted, there[1].tally.rejected, len(there[0])) == (4_101, 2, 3)


async def test_those_started_beforehand_read_the_first_log(order: Callable[..., Order]) -> None:
    readers = Readers(cores=3)
    try:
        readers.start()
        started = sorted(readers.process_ids)
        assert len(started) == 3
        await read(readers, order(ndjson(row(n) for n in range(9_000))))
        assert sorted(readers.process_ids) == started
    finally:
        readers.close()


async def test_several_read_a_log_together_as_one_would(order: Callable[..., Order]) -> None:
    rows = [row(n, agent_id=f"agent {n % 7}", **{f"x{n % 1_500}": 1}) for n in range(9_000)]
    for n in range(0, 9_000, 70):
        rows[n] = row(n, opened_at="?")
    for n in range(1, 9_000, 90):
        rows[n] = row(n, topic="linh@shop.example", **{f"x{n}": "\u202e"})
    asked = order(ndjson(rows))
    results = []
    for cores in (1, 3):
        readers = Readers(cores=cores)
        try:
            batches, summary = await read(readers, asked)
            assert len(readers.process_ids) == cores
        finally:
            readers.close()
        staged = sorted(
            repr(sorted(zip(each.staged.columns, cells, strict=True)))
            for each in batches
            if each.staged
            for cells in each.staged.rows
        )
        refused = sorted(
            cells[0] for each in batches if each.rejects for cells in each.rejects.rows
        )
        results.append((staged, refused, summary))
    assert results[0] == results[1]
    staged, refused, summary = results[0]
    assert (len(staged), len(refused)) == (9_000 - 129, 129)
    assert [fault.row for fault in summary.tally.faults] == [1 + 70 * n for n in range(100)]
    assert [warning[:20] for warning in summary.tally.warnings] == [
        "pii-in-text: 100 row",
        "direction-controls: ",
    ]
    came = dict.fromkeys(f"x{n % 1_500}" for n in range(9_000) if n % 70)
    assert list(summary.extra_columns) == sorted(list(came)[:1_001])  # one more than are told


@pytest.mark.parametrize("cores", [1, 3])
@pytest.mark.parametrize("padding", [0, 2_000])
async def test_windows_come_in_the_order_of_the_file(
    order: Callable[..., Order], cores: int, padding: int
) -> None:
    """Whoever reads them, whether a window ends for its rows or for its bytes, and where some of it
    was refused.
    """
    rows = [row(n, note="?" * padding) for n in range(14_000)]
    rows[6_000:9_000] = [row(n, opened_at="?", note="?" * padding) for n in range(6_000, 9_000)]
    readers = Readers(cores=cores)
    try:
        batches, _ = await read(readers, order(ndjson(rows)))
    finally:
        readers.close()
    windows: dict[tuple[int, int], list[int]] = {}
    for batch in batches:
        for packed in (batch.staged, batch.rejects):
            at = packed.columns.index("row_number") if packed else 0
            cells = packed.rows if packed else []
            windows.setdefault(batch.window, []).extend(each[at] for each in cells)
    assert [batch.window for batch in batches] == sorted(batch.window for batch in batches)
    assert [number for window in windows.values() for number in sorted(window)] == [
        *range(1, 14_001)
    ]


@pytest.mark.parametrize("cores", [1, 3])
async def test_an_interaction_that_stands_twice_is_noticed(
    cores: int, order: Callable[..., Order]
) -> None:
    rows = [row(n) for n in range(9_000)]
    readers = Readers(cores=cores)
    try:
        assert (await read(readers, order(ndjson(rows))))[1].is_distinct
        rows[8_400] = row(0, topic="other")
        assert not (await read(readers, order(ndjson(rows))))[1].is_distinct
        rows[8_400] = row(0, source_account="other")
        assert (await read(readers, order(ndjson(rows))))[1].is_distinct
    finally:
        readers.close()


async def test_small_logs_need_no_other_process(
    readers: Readers, order: Callable[..., Order]
) -> None:
    await read(readers, order(LOG[: SMALL - 100]))
    assert readers.process_ids == []
    bomb = b"\x1f\x8b" + bytes(10)
    with pytest.raises(BadEncoding):
        await read(readers, order(bomb, encoding="gzip"))
    assert readers.process_ids == []


async def test_a_process_reads_one_log_after_another_also_after_a_refused_one(
    readers: Readers, order: Callable[..., Order]
) -> None:
    with pytest.raises(TooManyRows, match="more than 9 rows"):
        await read(readers, order(limits=Limits(rows=9)))
    (process,) = readers.process_ids
    _, summary = await read(readers, order())
    assert summary.tally.accepted == 4_100
    assert readers.process_ids == [process]


def test_every_error_of_a_whole_file_comes_across() -> None:
    raised = {
        each
        for each in vars(faults).values()
        if isclass(each) and issubclass(each, VendorwatchError) and each is not VendorwatchError
    }
    assert raised <= set(module._REFUSALS.values())  # noqa: SLF001  that nothing is forgotten


async def test_a_mistake_of_ours_is_told_with_its_traceback(
    readers: Readers, order: Callable[..., Order]
) -> None:
    asked = msgspec.structs.replace(order(), path="/nowhere")

    async def lose() -> None:
        async with readers.reading(asked, len(LOG), b"log") as reading:
            await reading.next()

    with pytest.raises(BrokenReading, match="FileNotFoundError"):
        await lose()
    assert len(readers.process_ids) == 1


async def test_a_process_that_dies_once_is_an_accident_and_twice_the_logs_fault(
    readers: Readers, order: Callable[..., Order]
) -> None:
    def kill() -> None:
        (process,) = readers.process_ids
        os.kill(process, signal.SIGKILL)

    large = ndjson(row(n) for n in range(30_000))  # not all of it is in the pipe already
    with pytest.raises(ReaderFailed, match="died"):
        await read(readers, order(large), kill)
    assert readers.process_ids == []
    with pytest.raises(Unreadable, match="2 times"):
        await read(readers, order(large), kill)
    with pytest.raises(Unreadable):
        await read(readers, order(large))
    assert readers.process_ids == []
    async with readers.reading(order(), len(LOG), b"another log") as reading:
        assert await reading.next() is not None


async def test_a_process_that_hangs_is_killed(order: Callable[..., Order]) -> None:
    readers = Readers(cores=1, silence_seconds=5)
    seen: list[int] = []

    def stop() -> None:
        seen[:] = readers.process_ids
        os.kill(seen[0], signal.SIGSTOP)

    try:
        with pytest.raises(ReaderFailed, match="said nothing"):
            await read(readers, order(ndjson(row(n) for n in range(30_000))), stop)
        assert is_gone(*seen)
    finally:
        readers.close()


async def test_a_process_that_died_while_it_had_nothing_to_do_is_replaced(
    readers: Readers, order: Callable[..., Order]
) -> None:
    await read(readers, order())
    (process,) = readers.process_ids
    os.kill(process, signal.SIGKILL)
    assert is_gone(process)
    _, summary = await read(readers, order())
    assert summary.tally.accepted == 4_100


async def test_whoever_breaks_off_leaves_no_process_behind_that_reads_on(
    readers: Readers, order: Callable[..., Order]
) -> None:
    async with readers.reading(order(), len(LOG), b"log") as reading:
        await reading.next()
        (process,) = readers.process_ids
    assert readers.process_ids == []
    assert is_gone(process)


async def test_it_has_limits_of_memory_and_time(
    readers: Readers, order: Callable[..., Order]
) -> None:
    await read(readers, order())
    (process,) = readers.process_ids
    assert limit(process, "Max address space") < 2**30
    assert 600 <= limit(process, "Max cpu time") <= 660


_SERVER = """
import sys, time
from vendorwatch.interactions.readers import Readers
readers = Readers()
process = readers._free()
print(process.id, flush=True)
time.sleep(600)
"""


def test_it_dies_with_the_server_and_knows_none_of_its_settings() -> None:
    environment = os.environ | {"VENDORWATCH_SECRET_KEY": "x" * 40}
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert server.stdout is not None
    process = int(server.stdout.readline())
    assert b"VENDORWATCH_" not in Path(f"/proc/{process}/environ").read_bytes()
    server.kill()
    server.communicate()
    assert is_gone(process)


async def test_a_dead_reader_is_answered_503_then_422_and_nothing_is_stored(
    app: Litestar, client: httpx.AsyncClient, key: MakeKey
) -> None:
    client.headers["Authorization"] = f"Bearer {await key('upload', 'read')}"
    readers: Readers = app.state.readers

    async def send_and_kill() -> httpx.Response:
        sending = asyncio.create_task(client.post("/v1/uploads", content=LOG, headers=NDJSON))
        while not readers.process_ids:  # noqa: ASYNC110  a server has no event for it
            await asyncio.sleep(0)
        os.kill(readers.process_ids[0], signal.SIGKILL)
        return await sending

    first = await send_and_kill()
    assert (first.status_code, first.json()["type"].rpartition("/")[2]) == (503, "reader-failed")
    assert first.headers["Retry-After"] == "5"
    second = await send_and_kill()
    assert second.status_code == 422
    assert second.json()["type"].rpartition("/")[2] == "unreadable-upload"
    third = await client.post("/v1/uploads", content=LOG, headers=NDJSON)
    assert third.status_code == 422
    assert (await client.get("/v1/uploads")).json() == []
    other = await client.post("/v1/uploads", content=LOG + ndjson([row(0)]), headers=NDJSON)
    assert other.status_code == 201
