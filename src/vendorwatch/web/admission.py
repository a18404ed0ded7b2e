"""Uploads take turns: few are read at once, and no engagement's flood keeps another's waiting.

Waiting costs a place in memory and the body on disk, and neither a thread nor a connection to the
database.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.settings import Bounds
from vendorwatch.web.fair_queue import FairQueue
from vendorwatch.web.limits import TooManyRequests
from vendorwatch.web.metrics import Metrics, UploadFigures

_RETRY_SECONDS = 10


class ServerBusy(VendorwatchError):
    """More uploads are under way than the server takes at once. Nothing was stored.

    Try again after Retry-After. For the operator: VENDORWATCH_UPLOADS_OPEN.
    """

    kind = Kind.UNAVAILABLE
    slug = "server-busy"
    title = "Too many uploads are under way"


# What is not the sender's mistake; all else was refused.
_OUTCOMES = {
    Kind.UNAVAILABLE: "unavailable",
    Kind.TOO_MANY: "limited",
    Kind.TOO_SLOW: "slow",
    Kind.CONFLICT: "in_flight",
}


class Seen:
    """What came of an upload; broken, unless somebody notes another outcome."""

    def __init__(self) -> None:
        self.figures = UploadFigures("broken")

    def note(self, figures: UploadFigures) -> None:
        self.figures = figures


@dataclass(eq=False, slots=True)
class _Ticket:
    group: str
    turn: asyncio.Future[None]
    is_dropped: bool = False


class Admission:
    """Of one event loop."""

    def __init__(self, bounds: Bounds, metrics: Metrics) -> None:
        self._most = bounds.uploads_open
        self._most_each = bounds.uploads_open_each
        self._metrics = metrics
        self._open: Counter[str] = Counter()
        self._queue: FairQueue[_Ticket] = FairQueue(at_once=bounds.uploads_at_once)
        gauge = metrics.registry.gauge
        gauge("vendorwatch_uploads_open", "Uploads under way.", self._open.total)
        gauge(
            "vendorwatch_uploads_waiting",
            "Uploads whose body is here, and that wait for their turn.",
            lambda: self._queue.waiting,
        )
        gauge(
            "vendorwatch_uploads_running",
            "Uploads that are read and stored right now.",
            lambda: self._queue.placed,
        )

    @contextmanager
    def place(self, engagement_id: str) -> Iterator["Seen"]:
        """For as long as the upload lasts, from before its body is read; what came of it is noted
        there and counted when it ends.

        Raises TooManyRequests and ServerBusy.
        """
        seen = Seen()
        try:
            with self._place(engagement_id):
                yield seen
        except VendorwatchError as error:
            seen.note(UploadFigures(_OUTCOMES.get(error.kind, "refused")))
            raise
        finally:
            self._metrics.upload(seen.figures)

    @contextmanager
    def _place(self, engagement_id: str) -> Iterator[None]:
        if self._most_each and self._open[engagement_id] >= self._most_each:
            self._metrics.refused("uploads_open_each")
            raise TooManyRequests(
                f"{self._most_each} uploads of this engagement are under way already.",
                retry_after_seconds=_RETRY_SECONDS,
            )
        if self._most and self._open.total() >= self._most:
            self._metrics.refused("uploads_open")
            raise ServerBusy("Nothing was stored.", retry_after_seconds=_RETRY_SECONDS)
        self._open[engagement_id] += 1
        try:
            yield
        finally:
            self._open[engagement_id] -= 1
            if not self._open[engagement_id]:
                del self._open[engagement_id]

    @asynccontextmanager
    async def turn(self, engagement_id: str) -> AsyncIterator[None]:
        """Waits for it. Whoever is cancelled meanwhile leaves the queue."""
        started = time.perf_counter()
        mine = _Ticket(engagement_id, asyncio.get_running_loop().create_future())
        self._queue.join(engagement_id, mine)
        self._start_next()
        try:
            await mine.turn
        except asyncio.CancelledError:
            if not mine.turn.cancelled():  # the turn came in the same moment
                self._queue.free(engagement_id)
            elif not mine.is_dropped:
                self._queue.quit(engagement_id, mine)
            self._start_next()
            raise
        self._metrics.waited(time.perf_counter() - started)
        try:
            yield
        finally:
            self._queue.free(engagement_id)
            self._start_next()

    def _start_next(self) -> None:
        while started := self._queue.next():
            for ticket in started:
                if ticket.turn.cancelled():  # and has not come round to saying so yet
                    ticket.is_dropped = True
                    self._queue.free(ticket.group)
                else:
                    ticket.turn.set_result(None)
