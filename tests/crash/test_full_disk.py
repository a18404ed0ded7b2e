"""A full disk refuses uploads with 503, harms none that was acknowledged, and nobody restarts."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from crash.campaign import prepare
from crash.invariants import Checker
from crash.ledger import Ledger
from crash.main import sites
from crash.plans import Author, Plan
from crash.server import Nursery, Server
from crash.wire import Answer, Progress, get, post

_MEGABYTES = 6
_FREE_KIB = (0, 4, 12, 40, 100)
# Refused by the first write that fails, not by the look at the room that is left before it.
_NO_RESERVE = {"VENDORWATCH_DISK_RESERVE": "0"}
_STORED = {201, 207}
_UNAVAILABLE = {"storage-unavailable", "database-unavailable"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount: list[str | Path] = ["mount", "-t", "tmpfs", "-o", f"size={_MEGABYTES}m", "tmpfs", folder]
    told = subprocess.run(mount, capture_output=True, text=True, check=False)
    if told.returncode:
        pytest.skip(f"no disk can be mounted here: {told.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


class Sender:
    """One client that sends its uploads one after the other and notes what became of them."""

    def __init__(self, server: Server, token: str, ledger: Ledger) -> None:
        self._server, self._token, self._ledger = server, token, ledger
        self._plans = (
            plan
            for plan in Author(11, 0, 1).plans()
            if plan.effect == "stored" and len(plan.rows) < 200
        )

    def send(self, plan: Plan | None = None) -> tuple[Plan, Answer]:
        plan = plan or next(self._plans)
        self._ledger.sending(plan)
        answer = post(self._server.port, self._token, plan, Progress())
        if answer.status in _STORED:
            self._ledger.acknowledged(plan, answer.status, answer.json)
        else:
            self._ledger.unknown(plan, str(answer.status))
        return plan, answer

    def still_reads(self) -> None:
        for path in ("/v1/uploads", "/v1/interactions", "/health"):
            assert get(self._server.port, self._token, path).status == 200, path


def fill(disk: Path, keep_kib: int) -> Path:
    """Leaves that much room. The file to remove when there is to be room again."""
    filler = disk / "filler"
    free = shutil.disk_usage(disk).free - keep_kib * 1024
    with filler.open("wb") as file, suppress(OSError):
        file.write(bytes(max(free, 0)))
    return filler


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_full_disk_costs_nothing_but_time(
    engine: str, tmp_path: Path, small_disk: Path, nursery: Nursery
) -> None:
    with (
        sites(engine, small_disk if engine == "sqlite" else tmp_path / "site", "fsync=off") as site,
        closing(Ledger(tmp_path / "ledger")) as ledger,
    ):
        if engine == "postgresql":  # its own files are elsewhere: the sources' disk is full
            site.data = small_disk / "data"
            site.data.mkdir()
        site.scratch = tmp_path / "scratch"
        tenants = prepare(site)
        server = Server(site.environment | _NO_RESERVE, tmp_path, nursery)
        server.start()
        try:
            server.await_ready()
            sender = Sender(server, tenants.tokens[0], ledger)
            refused = sum(survives(sender, small_disk, keep) for keep in _FREE_KIB)
        finally:
            server.stop()
        assert refused >= (3 if engine == "sqlite" else 1)
        checker = Checker(site, ledger, tenants.engagements[:1])
        assert checker.check(site.read(), at_the_end=True) == []
        assert site.faults() == []


def survives(sender: Sender, disk: Path, keep_kib: int) -> bool:
    """Whether an upload was refused for want of room; it is then stored as soon as there is."""
    assert sender.send()[1].status in _STORED
    filler = fill(disk, keep_kib)
    plan, answer = sender.send()
    sender.still_reads()
    filler.unlink()
    if answer.status in _STORED:
        return False
    assert answer.status == 503, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["type"].rpartition("/")[2] in _UNAVAILABLE
    assert int(answer.headers["retry-after"]) > 0
    assert sender.send(plan)[1].status in _STORED
    return True
