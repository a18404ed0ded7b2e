"""What a merchant and a vendor agreed to measure, as a value. Reading the file: policy_file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Literal

from vendorwatch.periods import Month

DIMENSIONS = ("response", "resolution", "knowledge")

ClockName = Literal["business", "calendar"]
TargetKind = Literal["first_reply", "resolution", "next_reply"]


@dataclass(frozen=True, slots=True)
class Target:
    """Either a span on the clock, or the clock time by which an answer is due.

    `reply_by` is in minutes after local midnight: due is the first such moment after the start, on
    the `business` clock the first on a day with support hours.
    """

    seconds: int | None
    clock: ClockName
    reply_by: int | None = None


@dataclass(frozen=True, slots=True)
class Targets:
    """The most specific one wins: channel and priority, then channel, then the default."""

    default: Target
    by_channel: Mapping[str, Target]
    by_priority: Mapping[tuple[str, str], Target]

    def find(self, channel: str, priority: str | None) -> Target:
        exact = self.by_priority.get((channel, priority)) if priority else None
        return exact or self.by_channel.get(channel, self.default)


@dataclass(frozen=True, slots=True)
class Hours:
    """Open minutes `[from, to)` after local midnight for Monday to Sunday; holidays are closed."""

    weekly: tuple[tuple[tuple[int, int], ...], ...]
    holidays: frozenset[date]


@dataclass(frozen=True, slots=True)
class MetricRule:
    """Numbers as the policy writes them; less is better where `floor` lies above `target`."""

    weight: Decimal
    target: Decimal
    floor: Decimal


@dataclass(frozen=True, slots=True)
class Dimension:
    weight: Decimal
    metrics: Mapping[str, MetricRule]


@dataclass(frozen=True, slots=True)
class MinimumVolume:
    vendor: int
    agent: int
    knowledge: int  # questions, not interactions


@dataclass(frozen=True)
class Policy:
    name: str
    effective_from: Month
    settling_days: int
    repeat_window_days: int
    short_abandon_seconds: int
    balance: bool
    minimum_volume: MinimumVolume
    hours: Mapping[str, Hours]  # "default" and channels; empty: this version changes no calendar
    targets: Mapping[TargetKind, Targets]
    dimensions: Mapping[str, Dimension]  # all of DIMENSIONS

    def rule(self, metric: str) -> MetricRule | None:
        return self._rules.get(metric)

    @cached_property
    def _rules(self) -> Mapping[str, MetricRule]:
        return {
            metric: rule
            for dimension in self.dimensions.values()
            for metric, rule in dimension.metrics.items()
        }


def in_force(versions: Sequence[Policy], month: Month) -> Policy | None:
    """Of the versions, oldest first: the newest that applies to `month`; None before the first.

    A later version replaces the earlier ones from its own first month on.
    """
    return next((v for v in reversed(versions) if v.effective_from <= month), None)
