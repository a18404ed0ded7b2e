"""Open time read off the calendar, day by day, and minute by minute to check that.

Instants are int microseconds since the Unix epoch, UTC. `versions` is a list of
(effective_from "YYYY-MM", parsed policy), in the order in which they were written.
"""

from datetime import UTC, date, datetime, timedelta
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
    """The newest version in effect in the month of the day; before the first version, the first."""
    chosen = min(versions, key=lambda version: version[0])
    for version in versions:
        if chosen[0] <= version[0] <= day.isoformat()[:7]:
            chosen = version
    return chosen[1]


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
