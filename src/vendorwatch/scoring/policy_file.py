"""Reads a policy file. Every mistake is reported, all at once."""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from vendorwatch.periods import Month
from vendorwatch.scoring import policy_values as values
from vendorwatch.scoring.metrics import DIMENSION_OF, PERCENTILES
from vendorwatch.scoring.policy import (
    DIMENSIONS,
    Dimension,
    Hours,
    MetricRule,
    MinimumVolume,
    Policy,
    Target,
    TargetKind,
    Targets,
)
from vendorwatch.scoring.policy_reader import Mistakes, Reader, load
from vendorwatch.scoring.words import CHANNELS, PRIORITIES

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KINDS: tuple[TargetKind, ...] = ("first_reply", "resolution", "next_reply")
_TARGET_KEYS = ("seconds", "clock", "reply_by")
_MOST_VOLUME = 1_000_000
_NO_TARGET = Target(0, "calendar")
_KEPT_POLICIES = 1_024  # at every look at what is due, those of all engagements are asked for


@lru_cache(maxsize=_KEPT_POLICIES)
def parse_policy(source: str) -> Policy:
    """Raises BadPolicy with a fault for everything that is wrong: the key's path, and its line.

    A missing key has the line of its table. A byte order mark at the start is no mistake.
    """
    text = source.removeprefix("\ufeff")
    mistakes = Mistakes(text)
    policy = _policy(Reader(load(text), (), mistakes))
    mistakes.refuse()
    return policy


def _policy(reader: Reader) -> Policy:
    targets = _targets(reader.table("targets"))
    policy = Policy(
        name=reader.take("name", values.name, ""),
        effective_from=reader.take("effective_from", values.month, Month(1970, 1)),
        settling_days=reader.take(
            "settling_days", values.whole(0, values.MOST_DAYS), 7, needed=False
        ),
        repeat_window_days=reader.take(
            "repeat_window_days", values.whole(0, values.MOST_DAYS), 7, needed=False
        ),
        short_abandon_seconds=reader.take(
            "short_abandon_seconds", values.whole(0, 3600), 5, needed=False
        ),
        balance=reader.take("balance", values.flag, True, needed=False),
        minimum_volume=_minimum_volume(reader.table("minimum_volume", needed=False)),
        hours=_hours(reader.table("hours", needed=False), _count_business(targets)),
        targets=targets,
        dimensions=_dimensions(reader.table("dimensions")),
    )
    reader.finish()
    return policy


def _minimum_volume(reader: Reader) -> MinimumVolume:
    volume = values.whole(0, _MOST_VOLUME)
    made = MinimumVolume(
        vendor=reader.take("vendor", volume, 30, needed=False),
        agent=reader.take("agent", volume, 10, needed=False),
        knowledge=reader.take("knowledge", volume, 5, needed=False),
    )
    reader.finish()
    return made


def _hours(reader: Reader, business: bool) -> dict[str, Hours]:
    """Empty if no target counts in business time and the file says nothing."""
    made: dict[str, Hours] = {}
    needed = ("default",) if business else ()
    for key in reader.keys(*needed, allowed=("default", *CHANNELS)):
        table = reader.table(key)
        made[key] = Hours(
            weekly=tuple(table.take(day, values.intervals, (), needed=False) for day in _DAYS),
            holidays=table.take("holidays", values.dates, frozenset(), needed=False),
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


def _targets(reader: Reader) -> dict[TargetKind, Targets]:
    made: dict[TargetKind, Targets] = {}
    for kind in _KINDS:
        if kind == "next_reply" and not reader.has(kind):
            continue
        made[kind] = _targets_of(reader.table(kind))
    reader.finish()
    return made


def _targets_of(reader: Reader) -> Targets:
    by_channel: dict[str, Target] = {}
    by_priority: dict[tuple[str, str], Target] = {}
    for key in reader.keys("default", allowed=("default", *CHANNELS)):
        table = reader.table(key)
        priorities = [] if key == "default" else [p for p in PRIORITIES if table.has(p)]
        for priority in priorities:
            inner = table.table(priority)
            by_priority[key, priority] = _target(inner)
        # A channel may speak of single priorities only; the rest then falls to the default.
        if not priorities or any(map(table.has, _TARGET_KEYS)):
            by_channel[key] = _target(table)
        else:
            table.finish()
    return Targets(by_channel.pop("default", _NO_TARGET), by_channel, by_priority)


def _target(reader: Reader) -> Target:
    by_time = reader.has("reply_by")
    seconds = reader.take("seconds", values.whole(0, values.MOST_SECONDS), 0, needed=False)
    if by_time and reader.has("seconds"):
        reader.fault("two-targets", "stands beside seconds; a target has one of them", "reply_by")
    if not by_time and not reader.has("seconds"):
        reader.fault("missing", "is missing, and so is reply_by; a target has one", "seconds")
    made = Target(
        seconds=None if by_time else seconds,
        clock=reader.take("clock", values.clock, "calendar", needed=not by_time),
        reply_by=reader.take("reply_by", values.reply_by, 0) if by_time else None,
    )
    reader.finish()
    return made


def _dimensions(reader: Reader) -> dict[str, Dimension]:
    """A dimension that is left out is shown and not scored, like one of weight 0."""
    made = {}
    for name in DIMENSIONS:
        if not reader.has(name):
            made[name] = Dimension(Decimal(0), {})
            continue
        table = reader.table(name)
        weight = table.take("weight", values.number, Decimal(0))
        made[name] = Dimension(weight, _rules(table.table("metrics", needed=False), name))
        if weight > 0 and not any(rule.weight > 0 for rule in made[name].metrics.values()):
            table.fault("no-metrics", "has a weight, and no metric with a weight")
        table.finish()
    if not any(dimension.weight > 0 for dimension in made.values()):
        reader.fault("no-weight", "no dimension has a weight above 0, so there is no score")
    reader.finish()
    return made


def _rules(reader: Reader, dimension: str) -> dict[str, MetricRule]:
    made = {}
    allowed = tuple(metric for metric, home in DIMENSION_OF.items() if home == dimension)
    for metric in reader.keys(allowed=allowed):
        table = reader.table(metric)
        number = values.seconds if metric in PERCENTILES else values.rate
        rule = MetricRule(
            weight=table.take("weight", values.number, Decimal(0)),
            target=table.take("target", number, Decimal(1)),
            floor=table.take("floor", number, Decimal(0)),
        )
        if rule.target == rule.floor:
            table.fault("target-equals-floor", "target and floor are the same")
        table.finish()
        made[metric] = rule
    return made
