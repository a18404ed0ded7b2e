"""One vendor's desk: who works there, when it is open, and how busy it is."""

import random
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from vendorwatch.demo.description import Description, Names, Vendor
from vendorwatch.periods import SECOND, Micros, Month, load_zone, to_datetime

HOUR: Micros = 3600 * SECOND
OPENS, CLOSES = 8, 22  # as the policy of the shop has it
_DAYS_AFTER = 60  # what is still open at the end must have days to be worked on
_WORST_QUALITY, _WORST_SPEED, _WORST_KNOWLEDGE = -1.5, 1.9, -0.22


@dataclass(frozen=True, slots=True)
class Agent:
    """`speed` multiplies times; `quality` shifts log-odds; `knowledge` is a chance."""

    agent_id: str
    name: str
    team: str
    started_on: str
    speed: float
    quality: float
    knowledge: float


class OpeningHours:
    """Every day from OPENS to CLOSES but on holidays, in the shop's zone."""

    def __init__(self, shop: Description) -> None:
        self.zone = load_zone(shop.time_zone)
        first, _ = Month.parse(shop.months[0]).bounds(self.zone)
        _, end = Month.parse(shop.months[-1]).bounds(self.zone)
        local = to_datetime(first).astimezone(self.zone)
        days = round((end - first) / (24 * HOUR)) + _DAYS_AFTER
        self._starts = [
            int((local + timedelta(days=day)).timestamp()) * SECOND + OPENS * HOUR
            for day in range(days)
            if str((local + timedelta(days=day)).date()) not in shop.holidays
        ]
        self._ends = [start + (CLOSES - OPENS) * HOUR for start in self._starts]

    def after(self, instant: Micros, work: Micros) -> Micros:
        """When `work` that begins at `instant` is done, if it rests while the desk is closed."""
        day = bisect_right(self._ends, instant)
        at = max(instant, self._starts[day])
        while at + work > self._ends[day]:
            work -= self._ends[day] - at
            day += 1
            at = self._starts[day]
        return at + work

    def hour(self, instant: Micros) -> tuple[int, int]:
        """(day of the month, hour of the day)"""
        local = to_datetime(instant).astimezone(self.zone)
        return local.day, local.hour


class Desk:
    def __init__(self, shop: Description, vendor: Vendor) -> None:
        self.vendor = vendor
        self.hours = OpeningHours(shop)
        # A generator of its own: a change of one vendor leaves the others as they were.
        self.random = random.Random(f"{shop.seed}/{vendor.code}")  # noqa: S311  a play, no secret
        self.agents = _staff(self.random, vendor, shop.names[vendor.names])
        loads = [self.random.uniform(0.6, 1.4) for _ in self.agents]
        self._loads = list(accumulate(loads))
        self._channels = list(vendor.channels)
        self._channel_weights = list(accumulate(vendor.channels.values()))
        self._served = 0

    def next_id(self) -> str:
        self._served += 1
        return f"{self.vendor.code.upper()}-{100_000 + self._served}"

    def pick_agent(self) -> Agent:
        return self.random.choices(self.agents, cum_weights=self._loads)[0]

    def pick_channel(self, hour: int) -> str:
        channel = self.random.choices(self._channels, cum_weights=self._channel_weights)[0]
        if channel in {"chat", "phone"} and not OPENS <= hour < CLOSES:
            return "messaging"  # nobody is there to talk to: people write
        return channel

    def slowdown(self, instant: Micros) -> float:
        character = self.vendor.character
        day, hour = self.hours.hour(instant)
        if hour in character.peak_hours or day >= character.peak_from_day:
            return character.peak_slowdown * self.random.uniform(0.5, 1.5)
        return 1.0

    def happens(self, share: float) -> bool:
        return self.random.random() < share

    def draw(self, median: float, spread: float | None = None) -> float:
        """Log-normal."""
        spread = self.vendor.character.spread if spread is None else spread
        return median * self.random.lognormvariate(0, spread)


def _staff(rng: random.Random, vendor: Vendor, names: Names) -> list[Agent]:
    worst = set(rng.sample(range(vendor.agents), vendor.character.trouble))
    families = rng.choices(names.family, k=vendor.agents)
    people = zip(families, rng.sample(names.given, vendor.agents), strict=True)
    return [
        _agent(rng, vendor, number, _full_name(person, names), poor=number in worst)
        for number, person in enumerate(people)
    ]


def _agent(rng: random.Random, vendor: Vendor, number: int, name: str, *, poor: bool) -> Agent:
    knowledge = vendor.character.knowledge + rng.gauss(0, 0.06) + poor * _WORST_KNOWLEDGE
    return Agent(
        agent_id=f"{vendor.code}-{number + 1:02}",
        name=name,
        team=vendor.teams[number % len(vendor.teams)],
        started_on=str(date(2023, 1, 2) + timedelta(days=rng.randrange(1200))),
        speed=rng.lognormvariate(0, 0.12) * (_WORST_SPEED if poor else 1),
        quality=rng.gauss(0, 0.12) + poor * _WORST_QUALITY,
        knowledge=min(max(knowledge, 0.2), 0.98),
    )


def _full_name(person: tuple[str, str], names: Names) -> str:
    family, given = person
    return f"{given} {family}" if names.given_first else f"{family} {given}"
