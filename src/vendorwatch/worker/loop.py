"""One process that does all background work: what `serve` brings along on SQLite."""

import asyncio
import multiprocessing
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from vendorwatch.worker.duties import Round

_log = structlog.get_logger()
_EVERY_SECONDS = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds before a worker that died is started again
_SHUTDOWN_SECONDS = 30.0


async def keep_on(
    work: Round, stop: asyncio.Event, *, every_seconds: float = _EVERY_SECONDS
) -> None:
    """Round after round until `stop` is set; a round that did something is followed at once."""
    while not stop.is_set():
        if not await work.run():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every_seconds)


def stop_on_signals() -> asyncio.Event:
    """Set by SIGTERM and Ctrl-C: the piece at hand is finished, no other is begun."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


@asynccontextmanager
async def watching(work: Round, *, every_seconds: float) -> AsyncIterator[None]:
    """Rounds in this process as long as the block lasts. The first one waits for so long: workers
    that start with us may have something to catch up with.
    """

    async def watch() -> None:
        await asyncio.sleep(every_seconds)
        await keep_on(work, asyncio.Event(), every_seconds=every_seconds)

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def beside(work: Callable[[], None]) -> AsyncIterator[None]:
    """Runs `work` in a child process as long as the block lasts, and again if it dies.

    A process of its own: what closing a month takes in time and memory, no request waits for. Not
    for a process that forks afterwards: a child of that would find multiprocessing locked.
    """
    over = threading.Event()
    supervisor = threading.Thread(target=_supervise, args=(work, over), name="worker-supervisor")
    supervisor.start()
    try:
        yield
    finally:
        over.set()
        await asyncio.to_thread(supervisor.join)


def _supervise(work: Callable[[], None], over: threading.Event) -> None:
    pause = _FIRST_PAUSE
    while not over.is_set():
        child = multiprocessing.get_context("spawn").Process(target=work, name="worker")
        child.start()
        while child.is_alive() and not over.wait(_FIRST_PAUSE):
            pass
        if over.is_set():
            _end(child)
            return
        _log.error("worker died", exit_code=child.exitcode, again_after_seconds=pause)
        over.wait(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _end(child: multiprocessing.process.BaseProcess) -> None:
    child.terminate()
    child.join(_SHUTDOWN_SECONDS)
    if child.is_alive():
        child.kill()
        child.join()
