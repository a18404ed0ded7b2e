"""Open time read off the calendar, day by day, and minute by minute to check that.

Instants are int microseconds since the Unix epoch, UTC. `versions` is a list of
(effective_from "YYYY-MM", parsed policy), in the order in which they were written.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

Policy = dict[str, Any]
Versions = list[tuple[str, Policy]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def utc(instant: int) -> datetime:
    return EPOCH + timedelta(microseconds=instant)


def local_date(instant: int, zone: ZoneInfo) -> date:
    return utc(instant).astimezone(zone).date()


def wall_to_instant(day: date, wall: str, zone: ZoneInfo) -> int:
    """The instant of "HH:MM" on a local day; skipped and doubled times are read with fold = 0."""
    if wall == "24:00":
        day, wall = day + timedelta(days=1), "00:00"
    hour, minute = int(wall[:2]), int(wall[3:])
    return micros(datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=0))


def month_bounds(month: str, zone: ZoneInfo) -> tuple[int, int]:
    first = date.fromisoformat(month + "-01")
    following = (first + timedelta(days=31)).replace(day=1)
    return wall_to_instant(first, "00:00", zone), wall_to_instant(following, "00:00", zone)


def version_on(day: date, versions: Versions) -> Policy:
    """Of the versions in effect in the month of the day the one written last; before all of them,
    the one written first.
    """
    started = [policy for month, policy in versions if month <= day.isoformat()[:7]]
    return started[-1] if started else versions[0][1]


def walls(day: date, channel: str, versions: Versions) -> list[tuple[str, str]]:
    """The open intervals of a local day, as ("HH:MM", "HH:MM")."""
    hours = version_on(day, versions).get("hours", {})
    table = hours.get(channel, hours.get("default", {}))
    if day.isoformat() in [str(holiday) for holiday in table.get("holidays", [])]:
        return []
    texts = table.get(WEEKDAYS[day.weekday()], [])
    return [(text.split("-")[0], text.split("-")[1]) for text in texts]


def open_intervals(
    day: date, channel: str, versions: Versions, zone: ZoneInfo
) -> list[tuple[int, int]]:
    return [
        (wall_to_instant(day, opens, zone), wall_to_instant(day, closes, zone))
        for opens, closes in walls(day, channel, versions)
    ]


def first_due(
    start: int, until: int, wall: str, channel: str | None, versions: Versions, zone: ZoneInfo
) -> int | None:
    """The first "HH:MM" on the wall after start; with a channel, only on days on which it opens.

    None: there is none up to `until`.
    """
    # A wall time that a clock change skips at the end of a day falls into the next one.
    day = local_date(start, zone) - timedelta(days=1)
    while day <= local_date(until, zone) + timedelta(days=1):
        due = wall_to_instant(day, wall, zone)
        if start < due <= until and (channel is None or walls(day, channel, versions)):
            return due
        day += timedelta(days=1)
    return None


def due(
    start: int, wall: str, clock: str, channel: str, versions: Versions, zone: ZoneInfo
) -> int | None:
    """The first "HH:MM" strictly after the start; on the business clock the first on a local day
    on which the channel has hours. None where no such day will ever come.
    """
    # Hours repeat weekly, so that after the last holiday and version one week decides.
    dates = [local_date(start, zone)]
    for month, policy in versions:
        hours = policy.get("hours", {})
        table = hours.get(channel, hours.get("default", {}))
        dates.append(date.fromisoformat(month + "-01"))
        dates += [date.fromisoformat(str(holiday)) for holiday in table.get("holidays", [])]
    until = wall_to_instant(max(dates) + timedelta(days=9), wall, zone)
    only_on = channel if clock == "business" else None
    return first_due(start, until, wall, only_on, versions, zone)


def business_micros(start: int, end: int, channel: str, versions: Versions, zone: ZoneInfo) -> int:
    """Open microseconds in [start, end); overlaps made by a clock change count once."""
    pieces = []
    # One day more at either end: a boundary inside a clock change can fall beyond its own day.
    day = local_date(start, zone) - timedelta(days=1)
    while day <= local_date(end, zone) + timedelta(days=1):
        for opens, closes in open_intervals(day, channel, versions, zone):
            if max(opens, start) < min(closes, end):
                pieces.append((max(opens, start), min(closes, end)))
        day += timedelta(days=1)
    total, counted_to = 0, start
    for opens, closes in sorted(pieces):
        if closes > counted_to:
            total += closes - max(opens, counted_to)
            counted_to = closes
    return total


def business_micros_by_minute(
    start: int, end: int, channel: str, versions: Versions, zone: ZoneInfo
) -> int:
    """Asks of every minute whether any interval holds it. start and end are whole minutes."""
    total = 0
    for minute in range(start, end, MINUTE):
        today = local_date(minute, zone)
        around = [today - timedelta(days=1), today, today + timedelta(days=1)]
        if any(
            opens <= minute < closes
            for day in around
            for opens, closes in open_intervals(day, channel, versions, zone)
        ):
            total += MINUTE
    return total


def business_micros_by_wall(
    start: int, end: int, channel: str, versions: Versions, zone: ZoneInfo
) -> int:
    """Asks of every minute what the clock on the wall shows, and compares that with the hours.

    Agrees with the definition wherever no boundary of the hours is skipped or doubled.
    """
    total = 0
    for minute in range(start, end, MINUTE):
        local = utc(minute).astimezone(zone)
        shown = local.strftime("%H:%M")
        if any(opens <= shown < closes for opens, closes in walls(local.date(), channel, versions)):
            total += MINUTE
    return total


@dataclass(frozen=True)
class Offset:
    """Between two instants the clock on the wall is that much ahead of UTC."""

    start: int
    end: int
    ahead: int


def offsets(first: date, last: date, zone: ZoneInfo) -> list[Offset]:
    """What a clock on the wall is ahead of UTC, asked every minute of these days and of two beside.

    The way from UTC to the wall is never ambiguous: no rule for skipped or doubled times is used.
    """
    begin = micros(datetime(first.year, first.month, first.day, tzinfo=UTC)) - 2 * DAY
    end = micros(datetime(last.year, last.month, last.day, tzinfo=UTC)) + 3 * DAY
    asked = range(begin // SECOND, end // SECOND, 60)
    ahead = [datetime.fromtimestamp(second, zone).utcoffset() for second in asked]
    runs = [list(run) for _, run in groupby(zip(asked, ahead, strict=True), lambda each: each[1])]
    return [
        Offset(
            run[0][0] * SECOND,
            run[-1][0] * SECOND + MINUTE,
            (run[0][1] or EPOCH - EPOCH) // timedelta(microseconds=1),
        )
        for run in runs
    ]


def shown_at(day: date, wall: str, offsets: list[Offset]) -> int:
    """When a clock on the wall first shows "HH:MM" on the day. Where it was put forward past that,
    when it would have shown it had nobody touched it.
    """
    midnight = micros(datetime(day.year, day.month, day.day, tzinfo=UTC))
    face = midnight + (60 * int(wall[:2]) + int(wall[3:])) * MINUTE
    shown = [each for each in offsets if each.start <= face - each.ahead < each.end]
    passed = [each for each in offsets if each.end <= face - each.ahead]
    return face - (shown[0] if shown else passed[-1]).ahead


@dataclass(frozen=True)
class OpenMinutes:
    """A byte for each minute from `begin` on, 1 where a channel is open."""

    begin: int
    flags: bytes

    def between(self, start: int, end: int) -> int:
        """Open microseconds in [start, end)."""
        first, last = (start - self.begin) // MINUTE, (end - self.begin) // MINUTE
        if start >= end:
            return 0
        if first == last:
            return self.flags[first] * (end - start)
        into, out = (start - self.begin) % MINUTE, (end - self.begin) % MINUTE
        whole = self.flags.count(1, first + 1, last)
        return self.flags[first] * (MINUTE - into) + whole * MINUTE + self.flags[last] * out


def open_minutes(
    first: date, last: date, channel: str, versions: Versions, offsets: list[Offset]
) -> OpenMinutes:
    """Minutes in which the hours of these local days are open: each is counted once, whatever
    covers it. Shares neither the walk over intervals nor the reading of the wall clock with
    business_micros.
    """
    begin = offsets[0].start
    flags = bytearray((offsets[-1].end - begin) // MINUTE)
    day = first
    while day <= last:
        for texts in walls(day, channel, versions):
            opens, closes = ((shown_at(day, text, offsets) - begin) // MINUTE for text in texts)
            flags[opens:closes] = b"\1" * (closes - opens)
        day += timedelta(days=1)
    return OpenMinutes(begin, bytes(flags))
