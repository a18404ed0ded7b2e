"""All background work that there is: months are closed, what that puts in the queue is mailed, and the
operators are told of what is not done.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from vendorwatch.alarms import service as alarms
from vendorwatch.closing import service as closing
from vendorwatch.closing.model import Action
from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.mailing.delivery import deliver_due, waiting
from vendorwatch.mailing.sender import Sender
from vendorwatch.mailing.smtp import Mailer, mailer_for
from vendorwatch.periods import Micros, Month
from vendorwatch.scorecards.render import Renderer
from vendorwatch.settings import Settings
from vendorwatch.telemetry import Clock
from vendorwatch.worker.duties import Duty, Piece

_LANES = ("1", "2")
"""One merchant's mail is sent by so many workers at once; each mail is claimed by one of them."""


@asynccontextmanager
async def duties(settings: Settings, database: Database, clock: Clock) -> AsyncIterator[list[Duty]]:
    """In the order in which one makes work for the next; last, what the others have not done is told.
    Without a mail server mail waits.
    """
    renderer, mailer = Renderer(), mailer_for(settings.smtp_url)
    months = _Closing(database)
    try:
        found = [Duty("close", months.due, months.do, failed=months.failed)]
        if mailer is not None:
            mail = _Mail(database, mailer, Sender.of(settings), renderer, clock)
            found.append(Duty("deliver", mail.due, mail.do))
        found.append(alarm_duty(settings, database, clock))
        yield found
    finally:
        await asyncio.to_thread(renderer.close)


def alarm_duty(settings: Settings, database: Database, clock: Clock) -> Duty:
    watch = _Alarms(database, mailer_for(settings.smtp_url), Sender.of(settings), clock)
    return Duty("alarm", watch.due, watch.do)


@dataclass(frozen=True, slots=True)
class _Closing:
    """A piece is one thing that is due for one month of one engagement."""

    database: Database

    async def due(self, now: Micros) -> Sequence[Piece]:
        return [
            {
                "merchant_id": scope.merchant_id,
                "engagement_id": scope.engagement_id,
                "month": str(each.month),
                "action": each.action,
            }
            for scope, each in await closing.due_now(self.database, now=now)
        ]

    async def do(self, piece: Piece, now: Micros) -> bool:
        scope, month = _month_of(piece)
        action = cast("Action", piece["action"])
        return await closing.do(self.database, scope, month, action, now=now) != "stood"

    async def failed(self, piece: Piece, why: str, now: Micros) -> None:
        scope, month = _month_of(piece)
        if piece["action"] == "close":  # nothing else is ever overdue
            await closing.note_failure(self.database, scope, month, why, now=now)


def _month_of(piece: Piece) -> tuple[Scope, Month]:
    return Scope(piece["merchant_id"], piece["engagement_id"]), Month.parse(piece["month"])


@dataclass(frozen=True, slots=True)
class _Mail:
    """A piece is the mail of one merchant that is due, as far as nobody else has claimed it."""

    database: Database
    mailer: Mailer
    sender: Sender
    renderer: Renderer
    clock: Clock

    async def due(self, now: Micros) -> Sequence[Piece]:
        scopes = await waiting(self.database, now=now)
        return [
            {"merchant_id": scope.merchant_id, "engagement_id": scope.engagement_id, "lane": lane}
            # The second lane last: two workers that begin with one merchant make each PDF twice.
            for lane in _LANES
            for scope in scopes
        ]

    async def do(self, piece: Piece, now: Micros) -> bool:
        run = await deliver_due(
            self.database,
            self.mailer,
            self.renderer,
            sender=self.sender,
            clock=self.clock,
            only=Scope(piece["merchant_id"], piece["engagement_id"]),
        )
        return bool(run.tried)


@dataclass(frozen=True, slots=True)
class _Alarms:
    """There is one piece at most: what nobody was told of."""

    database: Database
    mailer: Mailer | None
    sender: Sender
    clock: Clock

    async def due(self, now: Micros) -> Sequence[Piece]:
        is_due = await alarms.to_raise(self.database, now) or (
            self._mailer is not None and await alarms.is_mail_due(self.database, now)
        )
        return [{"to": "operators"}] if is_due else []

    async def do(self, piece: Piece, now: Micros) -> bool:
        raised = await alarms.raise_due(self.database, now)
        mailer = self._mailer
        told = mailer is not None and await alarms.tell(
            self.database, mailer, self.sender, clock=self.clock
        )
        return bool(raised) or told

    @property
    def _mailer(self) -> Mailer | None:
        """None where nobody is to be told."""
        return self.mailer if self.sender.operators else None
