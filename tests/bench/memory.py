"""What a server takes of memory while it receives a large log."""

import asyncio
import gzip
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import httpx

from bench.databases import Databases
from bench.receiving import environment, new_key
from bench.rows import lines
from running_server import server_process

ROWS = 1_000_000
FEW = 3_000  # enough for the processes that read to be used
_EACH_SECONDS = 0.02
_STILL_SECONDS = 5  # in which a server that is idle takes no
_NOTABLE = 2**20  # bytes more
_HEADERS = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
_PATIENCE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Resident:
    """Bytes of all processes of a server together; what two of them share counts twice."""

    idle: int
    peak: int
    after: int


def measure(where: Databases) -> Resident:
    with where.fresh() as url, tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        few, many = folder / "few.gz", folder / "many.gz"
        _write(few, FEW, seed=2)
        _write(many, ROWS, seed=1)
        keys = [asyncio.run(new_key(url, vendor)) for vendor in ("Few", "Many")]
        with server_process(environment(url, folder / "data"), folder) as server:
            _upload(server.address, keys[0], few, FEW)
            idle = _settled(server.pid)
            with _watched(server.pid) as peak:
                _upload(server.address, keys[1], many, ROWS)
            found = Resident(idle, max(peak), _resident(server.pid))
    click.echo(f"memory while {ROWS} rows are received, {where.engine}: done", err=True)
    return found


def _write(path: Path, rows: int, *, seed: int) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.writelines(lines(rows, seed))


def _upload(address: str, key: str, path: Path, rows: int) -> None:
    headers = {**_HEADERS, "Authorization": f"Bearer {key}"}
    with path.open("rb") as body:
        answer = httpx.post(
            f"{address}/v1/uploads", content=body, headers=headers, timeout=_PATIENCE_SECONDS
        )
    if answer.status_code != httpx.codes.CREATED or answer.json()["created"] != rows:
        raise AssertionError(f"{answer.status_code} {answer.text[:1000]}")


def _settled(pid: int) -> int:
    """Once it grows no more: the process that renders imports its libraries behind the first requests."""
    found, since = _resident(pid), time.monotonic()
    while time.monotonic() - since < _STILL_SECONDS:
        time.sleep(_EACH_SECONDS)
        now = _resident(pid)
        if abs(now - found) >= _NOTABLE:
            found, since = now, time.monotonic()
    return found


@contextmanager
def _watched(pid: int) -> Iterator[list[int]]:
    """The highest so far, while the block lasts."""
    peak, stop = [0], threading.Event()

    def watch() -> None:
        while not stop.wait(_EACH_SECONDS):
            peak[0] = max(peak[0], _resident(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        stop.set()
        watcher.join()


def _resident(pid: int) -> int:
    """Of the process and all below it."""
    found = {int(each.name): _status(each) for each in Path("/proc").glob("[0-9]*")}
    family = {pid}
    while below := {each for each, (parent, _) in found.items() if parent in family} - family:
        family |= below
    return sum(found[each][1] for each in family if each in found)


def _status(process: Path) -> tuple[int, int]:
    """Its parent and its resident bytes; nothing of one that has ended meanwhile."""
    try:
        text = (process / "status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    told = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(told["PPid"]), int(told.get("VmRSS", "0 kB").split()[0]) * 1024
