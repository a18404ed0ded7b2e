"""What the process counts, and `/metrics`, which tells it to Prometheus without a key.

Labels are routes, methods, statuses, outcomes and codes of our own: nothing of a tenant.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from sqlalchemy import Connection, event
from sqlalchemy.pool import QueuePool

from vendorwatch.db.engine import Database, DatabaseUnavailable
from vendorwatch.web.prometheus import CONTENT_TYPE, Registry
from vendorwatch.web.readiness import Lateness

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_LAG_EVERY = 0.1
_LAG_WINDOW = 60.0
_STARTED = "vendorwatch_statement_started"


@dataclass(frozen=True, slots=True)
class UploadFigures:
    """What came of one upload. `rows` by outcome, `codes` by what refused them."""

    outcome: str
    rows: Mapping[str, int] = field(default_factory=dict)
    codes: Mapping[str, int] = field(default_factory=dict)
    wire_bytes: int = 0
    decoded_bytes: int = 0


class Metrics:
    """Of one application. Counted from its event loop only."""

    def __init__(self) -> None:
        self.registry = Registry()
        add = self.registry
        self._requests = add.histogram(
            "vendorwatch_request_seconds",
            "Time until the answer was sent, by route and status.",
            _SECONDS,
            ("method", "route", "status"),
        )
        self._received = add.counter(
            "vendorwatch_request_body_bytes_total", "Bytes of bodies as they came.", ("route",)
        )
        self._sent = add.counter(
            "vendorwatch_response_body_bytes_total", "Bytes of bodies as they went.", ("route",)
        )
        self._uploads = add.counter(
            "vendorwatch_uploads_total", "Uploads by what came of them.", ("outcome",)
        )
        self._rows = add.counter(
            "vendorwatch_upload_rows_total", "Rows of uploads by what came of them.", ("outcome",)
        )
        self._rejects = add.counter(
            "vendorwatch_upload_rejects_total",
            "Refused rows by the code of their first fault.",
            ("code",),
        )
        self._upload_bytes = add.counter(
            "vendorwatch_upload_bytes_total", "Bytes of logs, on the wire and decoded.", ("form",)
        )
        self._waits = add.histogram(
            "vendorwatch_upload_wait_seconds", "Time that uploads waited for their turn.", _SECONDS
        )
        self._statements = add.histogram(
            "vendorwatch_database_statement_seconds", "Time of statements.", _SECONDS
        )
        self._refusals = add.counter(
            "vendorwatch_refusals_total", "Requests refused by a limit.", ("limit",)
        )
        self._lag = add.histogram(
            "vendorwatch_loop_lag_seconds", "How late the event loop was.", _LAG_SECONDS
        )
        self._worst = _Worst(_LAG_WINDOW)
        add.gauge(
            "vendorwatch_loop_lag_max_seconds",
            "The worst of the last one to two minutes.",
            lambda: self._worst.value(time.monotonic()),
        )

    def exchange(
        self, *, method: str, route: str, status: str, seconds: float, received: int, sent: int
    ) -> None:
        self._requests.observe(seconds, method, route, status)
        self._received.add(received, route)
        self._sent.add(sent, route)

    def refused(self, limit: str) -> None:
        self._refusals.add(1, limit)

    def waited(self, seconds: float) -> None:
        self._waits.observe(seconds)

    def upload(self, figures: UploadFigures) -> None:
        self._uploads.add(1, figures.outcome)
        for outcome, count in figures.rows.items():
            self._rows.add(count, outcome)
        for code, count in figures.codes.items():
            self._rejects.add(count, code)
        self._upload_bytes.add(figures.wire_bytes, "wire")
        self._upload_bytes.add(figures.decoded_bytes, "decoded")

    def watch_lateness(self, lateness: Lateness) -> None:
        for what in ("months", "mails"):
            self.registry.gauge(
                f"vendorwatch_overdue_{what}",
                f"{what.capitalize()} that are a day overdue.",
                partial(lateness.seen, what),
            )

    def watch_database(self, database: Database) -> None:
        """Time of statements from now on, and how much of the pool is in use."""
        engine = database.engine.sync_engine
        pool = engine.pool

        def before(connection: Connection, *_: Any) -> None:
            connection.info[_STARTED] = time.perf_counter()

        def after(connection: Connection, *_: Any) -> None:
            started = connection.info.pop(_STARTED, None)
            if started is not None:
                self._statements.observe(time.perf_counter() - started)

        event.listen(engine, "before_cursor_execute", before)
        event.listen(engine, "after_cursor_execute", after)
        if isinstance(pool, QueuePool):
            self.registry.gauge(
                "vendorwatch_database_connections_in_use",
                "Connections of the pool that somebody holds.",
                pool.checkedout,
            )
            self.registry.gauge(
                "vendorwatch_database_connections_idle",
                "Connections of the pool that wait for work.",
                pool.checkedin,
            )

    @asynccontextmanager
    async def watching_the_loop(self) -> AsyncIterator[None]:
        watcher = asyncio.create_task(self._watch_loop())
        try:
            yield
        finally:
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher

    async def _watch_loop(self) -> None:
        while True:
            started = time.monotonic()
            await asyncio.sleep(_LAG_EVERY)
            now = time.monotonic()
            lag = max(0.0, now - started - _LAG_EVERY)
            self._lag.observe(lag)
            self._worst.note(lag, now)


class _Worst:
    """The largest of the current window and of the one before."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._index = 0
        self._before = self._current = 0.0

    def note(self, amount: float, now: float) -> None:
        self._turn(now)
        self._current = max(self._current, amount)

    def value(self, now: float) -> float:
        self._turn(now)
        return max(self._before, self._current)

    def _turn(self, now: float) -> None:
        index = int(now // self._window)
        if index != self._index:
            self._before = self._current if index == self._index + 1 else 0.0
            self._index, self._current = index, 0.0


@get(
    "/metrics",
    tags=["server"],
    summary="Figures about the process, for Prometheus",
    media_type="text/plain",
)
async def metrics_page(
    metrics: NamedDependency[Metrics], lateness: NamedDependency[Lateness]
) -> Response[str]:
    with suppress(DatabaseUnavailable):  # /ready tells that; what was seen last stands here
        await lateness.look()
    return Response(metrics.registry.text(), headers={"Content-Type": CONTENT_TYPE})
