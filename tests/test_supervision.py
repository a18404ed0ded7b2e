"""What becomes of child processes when the one that made them is killed."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from conftest import SECRET
from running_server import PROGRAM, free_port

_PATIENCE_SECONDS = 30


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    found = subprocess.run(
        ["ps", "--no-headers", "-o", "pid", "--ppid", str(pid)],
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    return [int(each) for each in found.stdout.split()]


def descendants(pid: int) -> list[int]:
    return [each for child in children(pid) for each in (child, *descendants(child))]


def lives(pid: int) -> bool:
    """A zombie does not: in a container nobody may be there to bury it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def is_open(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


class Served:
    """The real server, with a scorecard as PDF made, so that it has a child that renders."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._environment = os.environ | {
            "VENDORWATCH_DATA_DIR": str(folder / "data"),
            "VENDORWATCH_SECRET_KEY": SECRET,
            "VENDORWATCH_BIND": f"127.0.0.1:{self.port}",
        }
        names = ["--merchant", "Tra Sen", "--vendor", "Hoa Sen", "--time-zone", "UTC"]
        engagement = self._run("engagement", "create", *names)["engagement_id"]
        key = self._run("key", "create", "--engagement", engagement, "--scope", "score")["key"]
        with (folder / "server.log").open("wb") as log:
            self.main = subprocess.Popen(
                [PROGRAM, "serve"], env=self._environment, stdout=log, stderr=log
            )
        until(lambda: is_open(self.port), "it did not start")
        with httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {key}"},
            timeout=60,
        ) as client:
            card = client.post("/v1/scorecards", json={"month": "2026-01"}).raise_for_status()
            client.get(card.json()["links"]["pdf"]).raise_for_status()

    def _run(self, *arguments: str) -> dict[str, str]:
        done = subprocess.run(
            [PROGRAM, *arguments, "--json"],
            env=self._environment, capture_output=True, check=True,
        )  # fmt: skip
        made: dict[str, str] = json.loads(done.stdout)
        return made


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see who lives")
@pytest.mark.parametrize("killed", ["main", "all but the child that renders"])
def test_nobody_outlives_a_killed_server(tmp_path: Path, killed: str) -> None:
    served = Served(tmp_path)
    below = descendants(served.main.pid)
    assert len(below) >= 2  # the worker, and the child that renders
    try:
        served.main.kill()
        if killed != "main":
            os.kill(below[0], signal.SIGKILL)
        served.main.wait(_PATIENCE_SECONDS)
        until(lambda: not is_open(served.port), "its worker serves on")
        until(lambda: not any(map(lives, below)), "a child of it lives on")
    finally:
        for pid in filter(lives, below):
            os.kill(pid, signal.SIGKILL)
