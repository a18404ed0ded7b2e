"""How much an engagement may send in a day: counted from the uploads that were stored."""

from collections import OrderedDict
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.scope import Scope
from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.interactions import store
from vendorwatch.periods import DAY, SECOND, Micros
from vendorwatch.settings import Bounds

_MOST_REMEMBERED = 10_000


class QuotaExceeded(VendorwatchError):
    """The engagement has sent as many rows or bytes today as it may in a day (UTC). Nothing was
    stored; a request whose upload was stored before is answered with its receipt.

    Wait for Retry-After: the next day. For the operator: VENDORWATCH_DAILY_ROWS and
    VENDORWATCH_DAILY_BYTES.
    """

    kind = Kind.TOO_MANY
    slug = "quota-exceeded"
    title = "The quota of the day is used up"


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one day, up to the upload of that sequence."""

    day: int
    sequence: int = 0
    rows: int = 0
    size: int = 0

    def plus(self, *, sequence: int, rows: int, size: int) -> "Usage":
        return Usage(self.day, sequence, self.rows + rows, self.size + size)


class DailyQuota:
    """What was counted is remembered, so that only newer uploads are read from the table."""

    def __init__(self, bounds: Bounds) -> None:
        self._rows = bounds.daily_rows
        self._bytes = bounds.daily_bytes
        self._is_on = bool(self._rows or self._bytes)
        self._used: OrderedDict[str, Usage] = OrderedDict()

    async def check(
        self, connection: AsyncConnection, scope: Scope, now: Micros, *, newest: int | None = None
    ) -> None:
        """Raises QuotaExceeded once as much was stored as may be.

        What is on its way is not counted: whoever stores asks again under the engagement's lock, and
        tells the sequence of its newest upload, so that nothing need be read where none came
        meanwhile.
        """
        if self._is_on:
            self._refuse_beyond(await self._usage(connection, scope, now, newest), now)

    def _refuse_beyond(self, used: Usage, now: Micros) -> None:
        told = [
            f"{found} {what} of {most}"
            for what, found, most in (
                ("rows", used.rows, self._rows),
                ("bytes", used.size, self._bytes),
            )
            if most and found >= most
        ]
        if told:
            midnight = (used.day + 1) * DAY
            raise QuotaExceeded(
                f"Today {' and '.join(told)} were sent. The day ends at midnight UTC.",
                retry_after_seconds=-(-(midnight - now) // SECOND),
            )

    async def _usage(
        self, connection: AsyncConnection, scope: Scope, now: Micros, newest: int | None
    ) -> Usage:
        day = now // DAY
        known = self._used.get(scope.engagement_id)
        if known is None or known.day != day:
            known = Usage(day)
        if known.sequence == newest:
            return known
        sequence, rows, size = await store.received_since(
            connection, scope, after=known.sequence, since=day * DAY
        )
        used = known.plus(sequence=sequence, rows=rows, size=size)
        self._used[scope.engagement_id] = used
        self._used.move_to_end(scope.engagement_id)
        while len(self._used) > _MOST_REMEMBERED:
            self._used.popitem(last=False)
        return used
