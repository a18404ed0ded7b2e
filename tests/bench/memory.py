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
from bench.receiving import SECRET, new_engagement, new_key
from bench.rows import lines
from running_server import server_process

ROWS = 1_000_000
FEW = 3_000  # enough for the processes that read to be used
_EACH_SECONDS = 0.02
_STILL_SECONDS = 5
_NOTABLE = 2**20
_HEADERS = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
_PATIENCE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Resident:
    """Bytes of all processes of a server together; what two of them share counts twice."""

    idle: int
    peak: int
    after: int


def measure(where: Databases, rows: int = ROWS) -> Resident:
    with where.fresh() as url, tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        few, many = folder / "few.gz", folder / "many.gz"
        _write(few, FEW, seed=2)
        _write(many, rows, seed=1)
        environment = {
            "VENDORWATCH_DATABASE_URL": url,
            "VENDORWATCH_DATA_DIR": str(folder / "data"),
            "VENDORWATCH_SECRET_KEY": SECRET,
            "VENDORWATCH_LOG_LEVEL": "warning",
        }
        keys = [asyncio.run(_key(url, vendor)) for vendor in ("Few", "Many")]
        with server_process(environment, folder) as server:
            _upload(server.address, keys[0], few, FEW)
            idle = _settled(server.pid)
            with _watched(server.pid) as peak:
                _upload(server.address, keys[1], many, rows)
            found = Resident(idle, max(peak), _resident(server.pid))
    click.echo(f"memory while {rows} rows are received, {where.engine}: done", err=True)
    return found


def _write(path: Path, rows: int, *, seed: int) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.writelines(lines(rows, seed))


async def _key(url: str, vendor: str) -> str:
    return await new_key(url, await new_engagement(url, vendor=vendor))


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
    parents = {}
    for process in Path("/proc").glob("[0-9]*"):
        status = _status(process)
        if status:
            parents[int(process.name)] = (int(status["PPid"]), status.get("VmRSS", "0 kB"))
    total, wanted = 0, [pid]
    while wanted:
        one = wanted.pop()
        total += int(parents[one][1].split()[0]) * 1024 if one in parents else 0
        wanted += [each for each, (parent, _) in parents.items() if parent == one]
    return total


def _status(process: Path) -> dict[str, str]:
    """Nothing if it has ended meanwhile."""
    try:
        text = (process / "status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
