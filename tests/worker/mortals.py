"""Workers that start quickly, and die at a named point: by SIGKILL, from their own hand.

A process that has imported the program once, and forks it: what follows is `vendorwatch worker`. A
line of input is one worker: its environment, the instant that it takes for now, and the point, as
JSON. Its process id is printed, and when it is dead, its exit code; below 0, what signal it died of.
"""

import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any


def deadly(function: Callable[..., Awaitable[Any]], when: str) -> Callable[..., Awaitable[Any]]:
    """Dies before the first call, or after it."""

    @wraps(function)
    async def call(*arguments: Any, **named: Any) -> Any:
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = await function(*arguments, **named)
        if when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call


def work(environment: dict[str, str], now: int, point: str | None) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what the test reads is not the worker's
    os.environ.clear()
    os.environ.update(environment)
    if point is not None:
        owner, name, when = POINTS[point]
        setattr(owner, name, deadly(getattr(owner, name), when))
    configure_logging("info")
    cli(["worker"], obj=Runtime(Settings.from_env(), lambda: now))


if __name__ == "__main__":  # whoever renders imports this file, and needs nothing of it
    from vendorwatch.cli import cli
    from vendorwatch.closing import issuing, service
    from vendorwatch.mailing.contents import Contents
    from vendorwatch.mailing.smtp import SmtpMailer
    from vendorwatch.scorecards import service as scorecards
    from vendorwatch.scorecards.render import Renderer
    from vendorwatch.settings import Settings
    from vendorwatch.telemetry import configure_logging
    from vendorwatch.terminal import Runtime

    POINTS: dict[str, tuple[Any, str, str]] = {
        "computed, not frozen": (issuing, "freeze", "before"),
        "stored, not committed": (scorecards, "issue", "after"),
        "queued, not committed": (issuing, "add", "after"),
        "committed, the queue not told": (service, "close_month", "after"),
        "mail claimed": (Contents, "of", "before"),
        "before DATA": (SmtpMailer, "_hand_over", "before"),
        "after the final dot": (SmtpMailer, "_hand_over", "after"),
        "PDF made": (Renderer, "pdf_async", "after"),
    }
    sys.stdout.write(json.dumps(list(POINTS)) + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            work(*json.loads(line))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
