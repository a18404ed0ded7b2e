"""Hours, zones and instants that clocks are tried on: days around the odd changes of a zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from itertools import pairwise

from hypothesis import strategies as st

from oracle import clock as oracle
from oracle.clock import Versions
from vendorwatch.periods import Month, load_zone
from vendorwatch.scoring.clock import Calendars
from vendorwatch.scoring.policy import Hours

Weekly = tuple[tuple[tuple[int, int], ...], ...]

ODD_ZONES = {  # and a year in which something rare happened
    "America/New_York": 2007,  # other rules from this spring on
    "America/Nuuk": 2023,  # went to summer time and stayed there; changes late on a Saturday
    "America/St_Johns": 2011,  # three and a half hours; changed at one minute past midnight
    "Africa/Casablanca": 2018,  # stayed; since then it goes back for Ramadan, whenever that is
    "Antarctica/Troll": 2016,  # two hours at once
    "Asia/Gaza": 2011,  # other days and hours nearly every year; here twice there and back
    "Asia/Kathmandu": 1990,  # five and three quarter hours
    "Australia/Lord_Howe": 2001,  # half an hour
    "Europe/Dublin": 1996,  # winter is the exception
    "Pacific/Apia": 2011,  # had no 30 December
    "Pacific/Chatham": 2008,  # three quarters of an hour, and changes at a quarter to three
}
ODD = st.sampled_from(sorted(ODD_ZONES))
ANY = st.sampled_from(resources.files("tzdata").joinpath("zones").read_text("ascii").split())


def hours(weekly: Weekly, *holidays: date) -> Hours:
    return Hours(weekly, frozenset(holidays))


def wall(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def as_table(of: Hours) -> dict[str, list[str]]:
    texts = {
        name: [f"{wall(opens)}-{wall(closes)}" for opens, closes in intervals]
        for name, intervals in zip(oracle.WEEKDAYS, of.weekly, strict=True)
    }
    return {**texts, "holidays": sorted(map(str, of.holidays))}


def as_versions(calendars: Calendars) -> Versions:
    return [
        (str(month), {"hours": {channel: as_table(of) for channel, of in tables.items()}})
        for month, tables in calendars
    ]


@dataclass(frozen=True)
class Situation:
    """Some days in a zone, calendars that apply then, and instants among these days, ascending."""

    zone: str
    first: date
    last: date
    calendars: Calendars
    channel: str
    instants: list[int]

    def counted(self) -> list[int]:
        """Open time from each instant to the next, minute by minute."""
        spare = timedelta(days=2)
        between = offsets(self.zone, self.first - spare, self.last + spare)
        flagged = oracle.open_minutes(
            self.first - spare,
            self.last + spare,
            self.channel,
            as_versions(self.calendars),
            between,
        )
        return [flagged.between(start, end) for start, end in pairwise(self.instants)]


@cache
def offsets(zone: str, first: date, last: date) -> list[oracle.Offset]:
    return oracle.offsets(first, last, load_zone(zone))


@cache
def days_of_change(zone: str, year: int) -> list[date]:
    """When the clock is put forward or back, and two days on which a month begins."""
    place, found = load_zone(zone), [date(year, 3, 1), date(year, 11, 1)]
    day = datetime(year, 1, 1, tzinfo=UTC)
    while day.year == year:
        following = day + timedelta(days=1)
        if day.astimezone(place).utcoffset() != following.astimezone(place).utcoffset():
            found.append(day.astimezone(place).date())
        day = following
    return found


# Around what clocks skip and double, which is most often between midnight and four.
_minutes = st.sampled_from([0, 1, 30, 60, 90, 105, 119, 120, 121, 150, 165, 180, 210, 240]) | (
    st.integers(0, 1440)
)


@st.composite
def days(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    """Intervals of a day: some touch, some reach midnight, and there may be none."""
    cuts = sorted({*draw(st.lists(_minutes, max_size=5)), *draw(st.sampled_from([(), (1440,)]))})
    return tuple(pair for pair in pairwise(cuts) if draw(st.booleans()))


@st.composite
def tables(draw: st.DrawFn, first: date, last: date) -> Hours:
    kinds = draw(st.lists(days(), min_size=1, max_size=3))
    weekly = tuple(draw(st.sampled_from(kinds)) for _ in range(7))
    within = st.integers(0, (last - first).days).map(lambda each: first + timedelta(days=each))
    return hours(weekly, *draw(st.lists(within, max_size=2)))


@st.composite
def calendars_around(draw: st.DrawFn, first: date, last: date) -> Calendars:
    """Up to three versions, of which a later one may count from an earlier month on."""
    month = Month(last.year, last.month)
    months = st.sampled_from([month.previous(), month, month.next()])
    return [
        (draw(months), {name: draw(tables(first, last)) for name in ("default", "chat")})
        for _ in range(draw(st.integers(1, 3)))
    ]


@st.composite
def situations(draw: st.DrawFn, zones: st.SearchStrategy[str]) -> Situation:
    zone = draw(zones)
    year = draw(st.integers(1990, 2040) | st.just(ODD_ZONES.get(zone, 2026)))
    around = draw(st.sampled_from(days_of_change(zone, year)))
    first, last = around - timedelta(days=2), around + timedelta(days=2)
    calendars = draw(calendars_around(first, last))
    channel = draw(st.sampled_from(["email", "chat"]))
    place = load_zone(zone)
    boundaries = {
        oracle.wall_to_instant(day, wall(minutes), place)
        for day in (around, around + timedelta(days=1))
        for _, by_channel in calendars
        for of in by_channel.values()
        for interval in of.weekly[day.weekday()]
        for minutes in interval
    }
    begin, end = (oracle.wall_to_instant(day, "00:00", place) for day in (first, last))
    exact = st.sampled_from(sorted(boundaries | {begin, end}))
    beside_them = st.builds(int.__add__, exact, st.sampled_from([-1, 0, 1]))
    instants = draw(st.lists(beside_them | st.integers(begin, end), min_size=2, max_size=6))
    return Situation(zone, first, last, calendars, channel, sorted(instants))
