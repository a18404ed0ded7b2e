"""Scorecards as HTML, PDF and CSV. PDFs are made in child processes under limits."""

import asyncio
import gc
import importlib
import multiprocessing
import os
import signal
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from queue import Empty, LifoQueue
from types import ModuleType
from typing import Any

from vendorwatch.confinement import limit_memory, limit_processor
from vendorwatch.scorecards.render.agent_page import AgentReport
from vendorwatch.scorecards.render.failure import RenderFailed
from vendorwatch.scorecards.render.headline import name_of_agent
from vendorwatch.scorecards.render.names import safe_in_file_name
from vendorwatch.scorecards.render.page import Report
from vendorwatch.supervision import end_with_parent

_LONGEST_AGENT = 80  # bytes of a name behind that of a vendor
_MEGABYTES = 1536  # 8 000 agents take about 650
_PAGE_MEGABYTES, _PAGE_SECONDS = 10, 2.0  # more that an agent's page may take; about 7 and 0.4
_START_SECONDS = 60.0  # a cold disk and a busy machine; starting is no part of a report's time


def file_name(document: Mapping[str, Any]) -> str:
    """`<vendor>_<month>_r<revision>.pdf`: one path segment, whatever the vendor is called."""
    return f"{_stem(document)}.pdf"


def report_name(report: Report | AgentReport) -> str:
    """As `file_name`; of agents with `_agents`, or the name of the one that it is about."""
    return f"{_report_stem(report)}.pdf"


def _report_stem(report: Report | AgentReport) -> str:
    stem = _stem(report.document)
    if isinstance(report, Report):
        return stem
    if not report.of_one:
        return f"{stem}_agents"
    name = name_of_agent(report.agents[0]["agent"])
    return f"{stem}_{safe_in_file_name(name, _LONGEST_AGENT)}"


def _stem(document: Mapping[str, Any]) -> str:
    return f"{safe_in_file_name(document['vendor'])}_{document['month']}_r{document['revision']}"


class Renderer:
    """Each of its workers is a pool of one child, so that killing one disturbs no other.

    More than `many_pages` of agents get a child of their own, which gives its memory back.
    """

    def __init__(
        self, *, workers: int = 1, timeout_seconds: float = 60, many_pages: int = 100
    ) -> None:
        self._timeout = timeout_seconds
        # Threads of its own: waiting for a child must not take those in which uploads are parsed.
        self._threads = ThreadPoolExecutor(workers)
        self._workers = [_Worker(many_pages) for _ in range(workers)]
        self._idle: LifoQueue[_Worker] = LifoQueue()
        for worker in self._workers:
            self._idle.put(worker)

    def pdf(self, report: Report | AgentReport) -> bytes:
        """Blocks until it is made. Raises RenderFailed."""
        try:
            worker = self._idle.get(timeout=self._timeout)
        except Empty:
            raise RenderFailed("every renderer is busy", retry_after_seconds=30) from None
        try:
            return worker.pdf(report, self._timeout + _pages(report) * _PAGE_SECONDS)
        finally:
            self._idle.put(worker)

    async def pdf_async(self, report: Report | AgentReport) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.pdf, report)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.stop()


class _Worker:
    def __init__(self, many_pages: int) -> None:
        self._many_pages = many_pages
        self._pool: ProcessPoolExecutor | None = None
        self._process = 0

    def pdf(self, report: Report | AgentReport, seconds: float) -> bytes:
        pages = _pages(report)
        if pages <= self._many_pages:
            return self._pdf(report, seconds)
        self.stop()
        self._start(_MEGABYTES + pages * _PAGE_MEGABYTES)
        try:
            return self._pdf(report, seconds)
        finally:
            self.stop()

    def _pdf(self, report: Report | AgentReport, seconds: float) -> bytes:
        pool = self._pool or self._start(_MEGABYTES)
        attachment = f"{_report_stem(report)}.csv"
        try:
            future = pool.submit(_pdf, report, attachment, seconds)
            return self._result(future, seconds)
        except BrokenProcessPool:
            self.stop()
            raise RenderFailed("the rendering process died") from None
        except MemoryError:
            self.stop()
            raise RenderFailed("the document takes too much memory") from None

    def stop(self) -> None:
        """Kills first: a child that is stuck would never hear of an orderly shutdown."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        pool.shutdown(cancel_futures=True)

    def _start(self, megabytes: int) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(
            1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_prepare,
            initargs=(megabytes,),
        )
        try:
            self._process = pool.submit(os.getpid).result(_START_SECONDS)
        except (BrokenProcessPool, TimeoutError):
            pool.shutdown(wait=False, cancel_futures=True)
            raise RenderFailed("the rendering process does not start") from None
        self._pool = pool
        return pool

    def _result(self, future: Future[bytes], seconds: float) -> bytes:
        try:
            return future.result(seconds)
        except TimeoutError:
            if not future.done():
                self.stop()
            raise RenderFailed(f"rendering took longer than {seconds:g} s") from None


def _typesetting() -> ModuleType:
    """Only in the child: the process that serves requests never loads Pango."""
    return importlib.import_module("vendorwatch.scorecards.render.typesetting")


def _pages(report: Report | AgentReport) -> int:
    """Of agents; a scorecard's own are few."""
    return len(report.agents) if isinstance(report, AgentReport) else 0


def _prepare(megabytes: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which stops us
    end_with_parent()
    _typesetting()  # its libraries are not the report's memory
    gc.freeze()  # nor looked at again by every collection: a fifth of the time of a report
    limit_memory(megabytes)


def _pdf(report: Report | AgentReport, attachment_name: str, seconds: float) -> bytes:
    limit_processor(seconds)
    made: bytes = _typesetting().pdf(report, attachment_name)
    return made
