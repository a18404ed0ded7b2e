"""All background work that there is: months are closed, and what that puts in the queue is mailed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from vendorwatch.closing import service as closing
from vendorwatch.closing.model import Action
from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.mailing.delivery import deliver_due, waiting
from vendorwatch.mailing.sender import Sender
from vendorwatch.mailing.smtp import mailer_for
from vendorwatch.periods import Micros, Month
from vendorwatch.scorecards.render import Renderer
from vendorwatch.settings import Settings
from vendorwatch.telemetry import Clock
from vendorwatch.worker.duties import Duty, Piece

_LANES = ("1", "2")
"""One merchant's mail is sent by so many workers at once; each mail is claimed by one of them."""


@asynccontextmanager
async def duties(settings: Settings, database: Database, clock: Clock) -> AsyncIterator[list[Duty]]:
    """In the order in which one makes work for the next. Without a mail server mail waits."""
    renderer = Renderer()
    try:
        found = [Duty("close", _Closing(database).due, _Closing(database).do)]
        if settings.smtp_url:
            mail = _Mail(database, settings, renderer, clock)
            found.append(Duty("deliver", mail.due, mail.do))
        yield found
    finally:
        await asyncio.to_thread(renderer.close)


@dataclass(frozen=True, slots=True)
class _Closing:
    """A piece is one thing that is due for one month of one engagement."""

    database: Database

    async def due(self, now: Micros) -> Sequence[Piece]:
        found, _ = await closing.due_now(self.database, now=now)
        return [
            {
                "merchant_id": scope.merchant_id,
                "engagement_id": scope.engagement_id,
                "month": str(each.month),
                "action": each.action,
            }
            for scope, each in found
        ]

    async def do(self, piece: Piece, now: Micros) -> bool:
        scope = Scope(piece["merchant_id"], piece["engagement_id"])
        month, action = Month.parse(piece["month"]), cast("Action", piece["action"])
        return await closing.do(self.database, scope, month, action, now=now) != "stood"


@dataclass(frozen=True, slots=True)
class _Mail:
    """A piece is the mail of one merchant that is due, as far as nobody else has claimed it."""

    database: Database
    settings: Settings
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
        mailer = mailer_for(self.settings.smtp_url)
        assert mailer is not None  # noqa: S101  there is no such duty without one
        run = await deliver_due(
            self.database,
            mailer,
            self.renderer,
            sender=Sender.of(self.settings),
            clock=self.clock,
            only=Scope(piece["merchant_id"], piece["engagement_id"]),
        )
        return bool(run.tried)
