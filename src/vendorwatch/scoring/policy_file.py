"""Reads a policy file. Every mistake is reported, all at once."""

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from vendorwatch.errors import Fault, Kind, VendorwatchError
from vendorwatch.periods import Month
from vendorwatch.scoring.metrics import DIMENSION_OF, PERCENTILES
from vendorwatch.scoring.policy import (
    CHANNELS,
    DIMENSIONS,
    PRIORITIES,
    Dimension,
    Hours,
    MetricRule,
    MinimumVolume,
    Policy,
    Target,
    TargetKind,
    Targets,
)

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KINDS: tuple[TargetKind, ...] = ("first_reply", "resolution", "next_reply")
_INTERVAL = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
_MIDNIGHT = 24 * 60
_LONGEST_NAME = 200
_MOST_DAYS = 366
_MOST_SECONDS = _MOST_DAYS * 86_400
_MOST_VOLUME = 1_000_000
_MOST_DIGITS = 18
_NO_TARGET = Target(0, "calendar")

T = TypeVar("T")
Table = Mapping[str, object]


class BadPolicy(VendorwatchError):
    """The policy file has mistakes. All of them are named, by the place of the key.

    Correct them and set the policy again; the page on the policy file lists every key.
    """

    kind = Kind.REFUSED
    slug = "bad-policy"
    title = "The policy cannot be used"


def parse_policy(source: str) -> Policy:
    """Raises BadPolicy with a fault for everything that is wrong; its field is the key's path."""
    try:
        table = tomllib.loads(source, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        # Not only what the reader calls wrong: also numbers and nesting beyond its own limits.
        detail = f"This is not TOML: {error}"
        raise BadPolicy(detail, faults=(Fault("not-toml", detail),)) from error
    faults: list[Fault] = []
    policy = _policy(_Reader(table, "", faults))
    if faults:
        count = f"{len(faults)} mistakes" if len(faults) > 1 else "one mistake"
        raise BadPolicy(f"The policy has {count}.", faults=tuple(faults))
    return policy


def _policy(reader: "_Reader") -> Policy:
    targets = _targets(reader.table("targets"))
    policy = Policy(
        name=reader.take("name", _name, ""),
        effective_from=reader.take("effective_from", _month, Month(1970, 1)),
        settling_days=reader.take("settling_days", _whole(0, _MOST_DAYS), 7, needed=False),
        repeat_window_days=reader.take(
            "repeat_window_days", _whole(0, _MOST_DAYS), 7, needed=False
        ),
        short_abandon_seconds=reader.take(
            "short_abandon_seconds", _whole(0, 3600), 5, needed=False
        ),
        balance=reader.take("balance", _flag, True, needed=False),
        minimum_volume=_minimum_volume(reader.table("minimum_volume", needed=False)),
        hours=_hours(reader.table("hours", needed=False), _count_business(targets)),
        targets=targets,
        dimensions=_dimensions(reader.table("dimensions")),
    )
    reader.finish()
    return policy


def _minimum_volume(reader: "_Reader") -> MinimumVolume:
    volume = _whole(0, _MOST_VOLUME)
    made = MinimumVolume(
        vendor=reader.take("vendor", volume, 30, needed=False),
        agent=reader.take("agent", volume, 10, needed=False),
        knowledge=reader.take("knowledge", volume, 5, needed=False),
    )
    reader.finish()
    return made


def _hours(reader: "_Reader", business: bool) -> dict[str, Hours]:
    """Empty if no target counts in business time and the file says nothing."""
    made: dict[str, Hours] = {}
    needed = ("default",) if business else ()
    for key in reader.keys(*needed, allowed=("default", *CHANNELS)):
        table = reader.table(key)
        made[key] = Hours(
            weekly=tuple(table.take(day, _intervals, (), needed=False) for day in _DAYS),
            holidays=table.take("holidays", _dates, frozenset(), needed=False),
        )
        table.finish()
    if made:
        made.setdefault("default", Hours(((),) * len(_DAYS), frozenset()))
    return made


def _count_business(targets: Mapping[TargetKind, Targets]) -> bool:
    return any(
        target.clock == "business"
        for of_kind in targets.values()
        for target in (
            of_kind.default,
            *of_kind.by_channel.values(),
            *of_kind.by_priority.values(),
        )
    )


def _targets(reader: "_Reader") -> dict[TargetKind, Targets]:
    made: dict[TargetKind, Targets] = {}
    for kind in _KINDS:
        if kind == "next_reply" and not reader.has(kind):
            continue
        made[kind] = _targets_of(reader.table(kind))
    reader.finish()
    return made


def _targets_of(reader: "_Reader") -> Targets:
    by_channel: dict[str, Target] = {}
    by_priority: dict[tuple[str, str], Target] = {}
    for key in reader.keys("default", allowed=("default", *CHANNELS)):
        table = reader.table(key)
        priorities = [] if key == "default" else [p for p in PRIORITIES if table.has(p)]
        for priority in priorities:
            inner = table.table(priority)
            by_priority[key, priority] = _target(inner)
        # A channel may speak of single priorities only; the rest then falls to the default.
        if not priorities or table.has("seconds") or table.has("clock"):
            by_channel[key] = _target(table)
        else:
            table.finish()
    return Targets(by_channel.pop("default", _NO_TARGET), by_channel, by_priority)


def _target(reader: "_Reader") -> Target:
    made = Target(
        seconds=reader.take("seconds", _whole(0, _MOST_SECONDS), 0),
        clock="business" if reader.take("clock", _clock, "") == "business" else "calendar",
    )
    reader.finish()
    return made


def _dimensions(reader: "_Reader") -> dict[str, Dimension]:
    """A dimension that is left out is shown and not scored, like one of weight 0."""
    made = {}
    for name in DIMENSIONS:
        if not reader.has(name):
            made[name] = Dimension(Decimal(0), {})
            continue
        table = reader.table(name)
        weight = table.take("weight", _number, Decimal(0))
        made[name] = Dimension(weight, _rules(table.table("metrics", needed=False), name))
        if weight > 0 and not any(rule.weight > 0 for rule in made[name].metrics.values()):
            table.fault("no-metrics", "has a weight, and no metric with a weight")
        table.finish()
    if not any(dimension.weight > 0 for dimension in made.values()):
        reader.fault("no-weight", "no dimension has a weight above 0, so there is no score")
    reader.finish()
    return made


def _rules(reader: "_Reader", dimension: str) -> dict[str, MetricRule]:
    made = {}
    allowed = tuple(metric for metric, home in DIMENSION_OF.items() if home == dimension)
    for metric in reader.keys(allowed=allowed):
        table = reader.table(metric)
        number = _seconds if metric in PERCENTILES else _rate
        rule = MetricRule(
            weight=table.take("weight", _number, Decimal(0)),
            target=table.take("target", number, Decimal(1)),
            floor=table.take("floor", number, Decimal(0)),
        )
        if rule.target == rule.floor:
            table.fault("target-equals-floor", "target and floor are the same")
        table.finish()
        made[metric] = rule
    return made


class _Reader:
    """One table of the file. What is not taken by `finish` is a key that nobody knows."""

    def __init__(self, table: Table, path: str, faults: list[Fault]) -> None:
        self._table = table
        self._path = path
        self._faults = faults
        self._taken: set[str] = set()

    def has(self, key: str) -> bool:
        return key in self._table

    def keys(self, *needed: str, allowed: tuple[str, ...]) -> list[str]:
        """The allowed keys that are there, with those needed; all of the others are faults."""
        self._taken.update(allowed)
        self.finish(allowed)
        self._taken.update(self._table)
        return [key for key in allowed if key in self._table or key in needed]

    def take(self, key: str, read: Callable[[object], T], instead: T, *, needed: bool = True) -> T:
        """The value; `instead` where it is missing or wrong (which is a fault)."""
        self._taken.add(key)
        if key not in self._table:
            if needed:
                self.fault("missing", "is missing", key)
            return instead
        try:
            return read(self._table[key])
        except ValueError as error:
            self.fault("bad-value", str(error), key)
            return instead

    def table(self, key: str, *, needed: bool = True) -> "_Reader":
        nothing: Table = {}
        found = self.take(key, _table, nothing, needed=needed)
        # Of a table that is missing or none, what it would have to hold is no further mistake.
        silent = found is nothing and (needed or self.has(key))
        return _Reader(found, self._join(key), [] if silent else self._faults)

    def finish(self, known: tuple[str, ...] = ()) -> None:
        for key in self._table:
            if key not in self._taken:
                among = f"; known here: {', '.join(known or sorted(self._taken))}"
                self.fault("unknown-key", f"is not known{among}", key)

    def fault(self, code: str, detail: str, key: str = "") -> None:
        self._faults.append(Fault(code, detail, field=self._join(key)))

    def _join(self, key: str) -> str:
        return ".".join(part for part in (self._path, key) if part)


def _table(value: object) -> Table:
    if not isinstance(value, dict):
        raise ValueError("must be a table")  # noqa: TRY004  a fault of the file, not of types
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _LONGEST_NAME:
        raise ValueError(f"must be a text of 1 to {_LONGEST_NAME} characters")
    return value.strip()


def _month(value: object) -> Month:
    if not isinstance(value, str):
        raise ValueError('must be a month in quotes, as in "2026-10"')  # noqa: TRY004  as above
    return Month.parse(value)


def _whole(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return value

    return read


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004  as above
    return value


def _clock(value: object) -> str:
    if value not in {"business", "calendar"}:
        raise ValueError('must be "business" or "calendar"')
    return str(value)


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")  # noqa: TRY004  as above
    number = Decimal(value)
    if not number.is_finite() or number < 0:
        raise ValueError("must be a number that is not below 0")
    if len(number.as_tuple().digits) > _MOST_DIGITS or abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueError(f"has more than {_MOST_DIGITS} digits")
    return number


def _rate(value: object) -> Decimal:
    if (number := _number(value)) > 1:
        raise ValueError("is a share: write 90 % as 0.90")
    return number


def _seconds(value: object) -> Decimal:
    if (number := _number(value)) > _MOST_SECONDS:
        raise ValueError(f"is a number of seconds, at most {_MOST_SECONDS}")
    return number


def _intervals(value: object) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, list):
        raise ValueError('must be a list, as in ["09:00-18:00"]')  # noqa: TRY004  as above
    made = sorted(_interval(each) for each in value)
    for one, following in pairwise(made):
        if following[0] < one[1]:
            raise ValueError("has hours that overlap")
    return tuple(made)


def _interval(value: object) -> tuple[int, int]:
    found = _INTERVAL.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f'{value!r} is not an interval like "09:00-18:00" or "22:00-24:00"')
    opens = int(found[1]) * 60 + int(found[2])
    closes = int(found[3]) * 60 + int(found[4]) if found[3] else _MIDNIGHT
    if closes <= opens:
        raise ValueError(f"{value} ends before it begins; write a night as two intervals")
    return opens, closes


def _dates(value: object) -> frozenset[date]:
    if not isinstance(value, list):
        raise ValueError('must be a list of days, as in ["2026-09-02"]')  # noqa: TRY004  as above
    return frozenset(_date(each) for each in value)


def _date(value: object) -> date:
    try:
        return value if type(value) is date else date.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"{value!r} is not a day like 2026-09-02") from error
