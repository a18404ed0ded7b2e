"""The real server in a process of its own, for tests that need the network."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

PROGRAM = str(Path(sys.executable).with_name("vendorwatch"))
_PATIENCE_SECONDS = 60


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Server:
    address: str
    pid: int  # its own processes are children of this one


@contextmanager
def running_server(environment: dict[str, str], folder: Path) -> Iterator[str]:
    """The address of a `server_process`."""
    with server_process(environment, folder) as server:
        yield server.address


@contextmanager
def server_process(environment: dict[str, str], folder: Path) -> Iterator[Server]:
    """As soon as it is ready; stopped as an administrator would when the block ends.

    `environment` must name the database and the secret; what the server logs goes to `server.log`.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [PROGRAM, "serve"],
            cwd=folder,
            env=environment | {"VENDORWATCH_BIND": f"127.0.0.1:{port}"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _await_ready(address, process, log)
            yield Server(address, process.pid)
        finally:
            process.terminate()
            process.wait(_PATIENCE_SECONDS)


def _await_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/ready").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not start: {log.read_text()}")
