"""What is missing of a month. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from vendorwatch.periods import Micros, Month


@dataclass(frozen=True, slots=True)
class Gaps:
    """`days` are over and have no interaction; `no_upload`: none came since the month ended."""

    days: tuple[date, ...]
    no_upload: bool

    def __bool__(self) -> bool:
        return bool(self.days) or self.no_upload


def gaps(
    month: Month,
    zone: ZoneInfo,
    *,
    since: Micros,
    busy: Collection[date],
    newest_upload_at: Micros | None,
    now: Micros,
) -> Gaps:
    """`busy` are the days with an interaction; those that began before `since` are not asked of."""
    days = tuple(
        day
        for day, start, end in month.days_in(zone)
        if end <= now and start >= since and day not in busy
    )
    end = month.bounds(zone)[1]
    silent = newest_upload_at is None or newest_upload_at < end
    return Gaps(days, no_upload=silent and now >= end)
