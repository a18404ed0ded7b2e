"""Whatever an acknowledgement promises has reached the disk before it: seen from the kernel."""

import re
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from crash.campaign import prepare
from crash.plans import Author
from crash.server import Nursery, Server
from crash.sites import Sqlite
from crash.wire import Progress, post

_CALLS = "fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,write,pwrite64,writev,sendto,sendmsg"
_PATIENCE_SECONDS = 20


@pytest.fixture
def traced(tmp_path: Path) -> Callable[[Server, Callable[[], None]], list[str]]:
    """The system calls of a server and its workers while a block runs, as strace writes them."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed; on Debian: apt-get install strace")

    def trace(server: Server, work: Callable[[], None]) -> list[str]:
        output = tmp_path / "strace.txt"
        command: list[str | Path] = [
            "strace",
            "-f",
            "-y",
            "-s",
            "256",
            "-e",
            f"trace={_CALLS}",
            "-o",
            output,
        ]
        for process in group(server.pid):
            command += ["-p", str(process)]
        with (tmp_path / "strace.log").open("w+") as told:
            tracer = subprocess.Popen(command, stderr=told)
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while "attached" not in (tmp_path / "strace.log").read_text():
                if tracer.poll() is not None:
                    pytest.skip(f"strace may not look: {(tmp_path / 'strace.log').read_text()}")
                assert time.monotonic() < deadline
                time.sleep(0.02)
            work()
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
        return whole(output.read_text().splitlines())

    return trace


def group(leader: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        its_group = int(stat.read_text().rpartition(")")[2].split()[2])
        if its_group == leader:
            found.append(int(stat.parent.name))
    return found


def whole(lines: list[str]) -> list[str]:
    """Calls by when they ended: `unfinished` and `resumed` halves are put together."""
    begun: dict[str, str] = {}
    calls = []
    for line in lines:
        thread, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):
            begun[thread] = call.removesuffix("<unfinished ...>")
        elif match := re.match(r"<\.\.\. \w+ resumed>(.*)", call):
            calls.append(begun.pop(thread, "") + match[1])
        else:
            calls.append(call)
    return calls


def first(calls: list[str], pattern: str, start: int = 0) -> int:
    for number, call in enumerate(calls[start:], start):
        if re.search(pattern, call):
            return number
    raise AssertionError(f"{pattern} is not among these calls:\n" + "\n".join(calls[start:]))


def last(calls: list[str], pattern: str, end: int) -> int:
    found = [number for number, call in enumerate(calls[:end]) if re.search(pattern, call)]
    assert found, f"{pattern} is not among these calls:\n" + "\n".join(calls[:end])
    return found[-1]


def test_source_and_rows_are_on_the_disk_before_the_answer(
    tmp_path: Path, nursery: Nursery, traced: Callable[[Server, Callable[[], None]], list[str]]
) -> None:
    site = Sqlite(tmp_path / "site")
    tenants = prepare(site)
    plans = [plan for plan, _ in zip(Author(3, 0, 1).plans(), range(30), strict=False)]
    warm, plan = [each for each in plans if each.effect == "stored" and each.key][:2]
    server = Server(site.environment, tmp_path, nursery)
    server.start()
    try:
        server.await_ready()
        post(server.port, tenants.tokens[0], warm, Progress())  # the engagement's folder is there
        statuses: list[int] = []
        calls = traced(
            server,
            lambda: statuses.append(post(server.port, tenants.tokens[0], plan, Progress()).status),
        )
    finally:
        server.kill()
    assert statuses[0] in {201, 207}
    answered = first(calls, r"(write|writev|sendto|sendmsg)\(.*HTTP/1\.1 20[17]")
    named = first(calls, rf"(rename|link)\w*\(.*{plan.sha256}")
    assert named < answered
    draft = re.findall(r'"([^"]*uploads/[^"]*)"', calls[named])[0]
    written = last(calls, rf"write\w*\(\d+<{re.escape(draft)}>", answered)
    assert written < first(calls, rf"f(data)?sync\(\d+<{re.escape(draft)}>") < named
    folder = re.escape(str(Path(draft).parent))
    assert first(calls, rf"f(data)?sync\(\d+<{folder}>", named) < answered
    # SQLite's own order: the database, then the journal goes, and its folder is told. A journal that
    # came back after a power cut would undo what was acknowledged.
    database = re.escape(str(site.path))
    changed = last(calls, rf"pwrite64\(\d+<{database}(-wal)?>", answered)
    synced = first(calls, rf"f(data)?sync\(\d+<{database}(-wal)?>", changed)
    assert named < synced < answered
    if wal_is_on(site):
        return
    gone = first(calls, rf"unlink\w*\(.*{database}-journal", synced)
    told = first(calls, rf"f(data)?sync\(\d+<{re.escape(str(site.path.parent))}>", gone)
    assert told < answered


def wal_is_on(site: Sqlite) -> bool:
    with closing(sqlite3.connect(site.path)) as connection:
        return bool(connection.execute("PRAGMA journal_mode").fetchone() == ("wal",))
