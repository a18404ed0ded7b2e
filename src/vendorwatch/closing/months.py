"""How the months of an engagement stand, and what is missing of them."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.closing import store
from vendorwatch.closing.gaps import Gaps, gaps
from vendorwatch.closing.model import Issuance, MonthState, State
from vendorwatch.closing.states import read_state
from vendorwatch.db.scope import Scope
from vendorwatch.errors import NotFound
from vendorwatch.interactions import service as interactions
from vendorwatch.periods import Micros, Month


@dataclass(frozen=True, slots=True)
class Listed:
    """A month as it stands. `missing_days` are told as long as something can be done about them."""

    month: Month
    state: MonthState
    due_at: Micros
    issuance: Issuance | None
    missing_days: tuple[date, ...] = ()


async def closings(
    connection: AsyncConnection,
    scope: Scope,
    *,
    now: Micros,
    before: Month | None = None,
    limit: int | None = None,
) -> list[Listed]:
    """The months that have begun, and those that were closed, the newest first."""
    state = await read_state(connection, scope)
    months = sorted({*state.begun(now), *state.newest}, reverse=True)
    wanted = [month for month in months if before is None or month < before][:limit]
    return [await _listed(connection, scope, state, month, now) for month in wanted]


async def find_closing(
    connection: AsyncConnection, scope: Scope, month: Month, *, now: Micros
) -> tuple[Listed, list[Issuance]]:
    """With its revisions, the first one first. Raises NotFound."""
    state = await read_state(connection, scope)
    if month not in {*state.begun(now), *state.newest}:
        raise NotFound("There is no such month.")
    listed = await _listed(connection, scope, state, month, now)
    return listed, await store.revisions(connection, scope, month)


async def _listed(
    connection: AsyncConnection, scope: Scope, state: State, month: Month, now: Micros
) -> Listed:
    standing = state.month_state(month, now)
    days = () if standing != "open" else (await gaps_of(connection, scope, state, month, now)).days
    return Listed(month, standing, state.due_at(month), state.newest.get(month), days)


async def gaps_of(
    connection: AsyncConnection, scope: Scope, state: State, month: Month, now: Micros
) -> Gaps:
    days = month.days_in(state.zone)
    return gaps(
        month,
        state.zone,
        since=state.asked_since(month),
        busy=await interactions.days_with_any(connection, scope, days),
        newest_upload_at=await interactions.newest_upload_at(connection, scope),
        now=now,
    )
