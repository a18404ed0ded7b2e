"""The real server: started, killed without a warning, started again on the same port."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from crash.wire import Broken, get

PROGRAM = str(Path(sys.executable).with_name("vendorwatch"))
_PATIENCE_SECONDS = 60
_PORTS = range(20_000, 32_000)  # below those that connections get


class Nursery:
    """Forks servers off a process that has imported them: a quarter of the time to start one."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("nursery.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, environment: dict[str, str], log: Path) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([environment, str(log)]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


class Server:
    """`environment` names database, data folder and secret; what it logs goes to the folder."""

    def __init__(
        self, environment: dict[str, str], folder: Path, nursery: Nursery | None = None
    ) -> None:
        self.port = _free_port()
        self._environment = environment | {"VENDORWATCH_BIND": f"127.0.0.1:{self.port}"}
        self._log = folder / "server.log"
        self._nursery = nursery
        self._group: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.start_seconds = 0.5  # how long the last start took

    @property
    def pid(self) -> int:
        assert self._group is not None
        return self._group

    @property
    def is_started(self) -> bool:
        return self._group is not None

    @property
    def is_alive(self) -> bool:
        """Not so where it ended by itself, which it must never do."""
        return self._group is not None and _lives(self._group)

    def last_words(self) -> str:
        return self._log.read_text()[-3000:]

    def start(self) -> None:
        if self._nursery is not None:
            self._group = self._nursery.start(self._environment, self._log)
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "serve"],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # the workers are killed with it
            )
        self._group = self._process.pid

    def await_ready(self) -> None:
        began = time.monotonic()
        while _lives(self.pid) and time.monotonic() < began + _PATIENCE_SECONDS:
            try:
                if get(self.port, "", "/ready").status == HTTPStatus.OK:
                    self.start_seconds = time.monotonic() - began
                    return
            except Broken:
                time.sleep(0.02)
        raise AssertionError(f"the server did not start again: {self.last_words()}")

    def kill(self) -> None:
        """SIGKILL to it and its workers; returns when none of them is left."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As an administrator would."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._group is None:
            return
        with suppress(ProcessLookupError):  # it may have ended by itself
            # Told to stop, it stops its workers itself.
            (os.killpg if number is signal.SIGKILL else os.kill)(self._group, number)
        if self._process is not None:
            self._process.wait(_PATIENCE_SECONDS)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while _lives(self._group):
            assert time.monotonic() < deadline, "a worker outlived its server"
            time.sleep(0.001)
        self._group = self._process = None


def _lives(group: int) -> bool:
    """Whether a process of the group is left that is more than an entry in a table."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_group) == group and state not in "ZX":
            return True
    return False


def _free_port() -> int:
    for port in _PORTS[os.getpid() % 500 :: 500]:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
