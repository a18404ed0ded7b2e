"""What is due for months is done, as a worker does it."""

from dataclasses import dataclass

from vendorwatch.closing import service
from vendorwatch.closing.model import Action
from vendorwatch.closing.service import Outcome
from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.periods import Micros, Month


@dataclass(frozen=True)
class Done:
    scope: Scope
    month: Month
    action: Action
    outcome: Outcome


async def do_due(database: Database, *, now: Micros) -> list[Done]:
    return [
        Done(
            scope,
            each.month,
            each.action,
            await service.do(database, scope, each.month, each.action, now=now),
        )
        for scope, each in await service.due_now(database, now=now)
    ]
