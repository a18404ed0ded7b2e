"""`vendorwatch serve` as a child process, for as long as a block lasts."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import httpx

from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.settings import Settings

_READY_SECONDS = 60
_STOP_SECONDS = 15
_BETWEEN_LOOKS = 0.1


class ServerFailed(VendorwatchError):
    """The demo starts a server of its own, which did not get ready or stopped too early.

    The end of its log stands in the message; `vendorwatch doctor` looks at the machine.
    """

    kind = Kind.UNAVAILABLE
    slug = "demo-server-failed"
    title = "The demo's server does not run"


def free_port() -> int:
    """Free now; whoever takes it before the server does makes the server fail, and that is told."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(settings: Settings) -> Iterator[None]:
    """Ready when the block begins, gone when it ends, also on Ctrl-C and SIGTERM.

    Raises ServerFailed with the end of the server's own log.
    """
    log = settings.data_dir / "server.log"
    with _terminated_as_interrupted(), log.open("wb") as output:
        # A session of its own: a Ctrl-C reaches us alone, and we stop it in order.
        process = subprocess.Popen(
            [sys.executable, "-m", "vendorwatch", "serve"],
            env=settings.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            if not _becomes_ready(process, settings):
                raise ServerFailed(f"It was not ready in time. Its log ends so:\n{_end(log)}")
            yield
        except httpx.TransportError as error:
            detail = f"It does not answer any more ({error}). Its log ends so:\n{_end(log)}"
            raise ServerFailed(detail) from error
        finally:
            _stop(process)


def _becomes_ready(process: subprocess.Popen[bytes], settings: Settings) -> bool:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{settings.public_url}/ready", trust_env=False).is_success:
                return True
        except httpx.TransportError:
            pass  # it does not listen yet
        time.sleep(_BETWEEN_LOOKS)
    return False


def _end(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM ends Python without a word to `finally`; the server would stay behind."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
