"""How often each part is played: by agent, channel and topic."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from math import lcm
from operator import add
from typing import Any

import polars as pl

from vendorwatch.scoring.credit import CREDIT
from vendorwatch.scoring.figures import VENDOR, Who
from vendorwatch.scoring.frames import VALUED, Part
from vendorwatch.scoring.measured import Measured
from vendorwatch.scoring.metrics import (
    FOLLOWED,
    METRICS,
    NEXT_REPLY,
    RATES,
    Percentile,
    Rate,
    next_reply_unknown,
)
from vendorwatch.scoring.spans import Spans

_NONE = (0, 0, 0, 0)


@dataclass(frozen=True)
class Tally:
    """How often each agent plays each part, by channel and topic.

    `cells` has a row for each agent (`who`, null: nobody) and stratum, agent by agent; its counts
    are named by metric and part, of each of `metrics`.
    """

    cells: pl.DataFrame
    metrics: tuple[str, ...]

    @classmethod
    def of(
        cls,
        frame: pl.DataFrame,
        who: str,
        strata: int,
        parts: Mapping[str, pl.Expr],
        **others: pl.Expr,
    ) -> "Tally":
        """`parts` are Part by metric; `others` are Boolean, and counted where they are true."""
        agents = frame.schema[who]
        code = pl.col(who).to_physical().cast(pl.UInt64).fill_null(_code_of_nobody(agents))
        played = frame.lazy().select(
            key=code * strata + pl.col("stratum"),
            **parts,
            **{name: each.cast(pl.UInt32) for name, each in others.items()},
        )
        counts = [
            (pl.col(metric) == int(each)).sum().alias(f"{metric} {each.name}")
            for metric in parts
            for each in Part
        ]
        cells = (
            played.group_by("key")
            .agg(*counts, pl.col(list(others)).sum(), pl.len().alias("cases"))
            .collect(engine="streaming")  # two and a half times as fast here as the other one
        )
        return cls(
            cells.sort("key")
            .with_columns(
                who=_agent(pl.col("key") // strata, agents),
                stratum=(pl.col("key") % strata).cast(pl.UInt32),
            )
            .drop("key"),
            tuple(parts),
        )

    @cached_property
    def _totals(self) -> dict[str, list[Any]]:
        """Sums of the cells by agent; VENDOR's, the last ones, are over all of them."""
        sums = pl.exclude("who", "stratum").sum()
        by_agent = self.cells.filter(pl.col("who").is_not_null()).group_by("who").agg(sums)
        everybody = self.cells.select(pl.lit(VENDOR, pl.String).alias("who"), sums)
        return pl.concat([by_agent, everybody]).to_dict(as_series=False)

    @cached_property
    def _counted(self) -> dict[str, dict[Who, tuple[int, int, int, int]]]:
        totals = self._totals
        found = {}
        for metric in self.metrics:
            met, missed, pending, missing = (totals[f"{metric} {part.name}"] for part in Part)
            valued = map(add, met, missed)
            found[metric] = dict(
                zip(totals["who"], zip(met, valued, pending, missing, strict=True), strict=True)
            )
        return found

    @property
    def agents(self) -> list[str]:
        """Who has a row in the cells."""
        return [who for who in self._totals["who"] if who is not VENDOR]

    def strata(self, metric: str) -> dict[int, tuple[int, int]]:
        """(numerator, denominator) of all, by stratum."""
        every = self._by_stratum
        shares = zip(every[f"{metric} k"], every[f"{metric} n"], strict=True)
        return dict(zip(every["stratum"], shares, strict=True))

    def units(self, metric: str) -> dict[str, tuple[list[int], list[int]]]:
        """By agent: strata, and how many of the denominator lie in each."""
        strata, counts = self._of_agents["stratum"], self._of_agents[f"{metric} n"]
        return {who: (strata[place], counts[place]) for who, place in self._places.items()}

    @cached_property
    def _by_stratum(self) -> dict[str, list[Any]]:
        sums = pl.exclude("who", "stratum").sum()
        return self._shares.group_by("stratum").agg(sums).to_dict(as_series=False)

    @cached_property
    def _of_agents(self) -> dict[str, list[Any]]:
        # One list of all agents: to make one for each takes most of the time of comparing them.
        named = self._shares.filter(pl.col("who").is_not_null())
        return named.to_dict(as_series=False)

    @cached_property
    def _places(self) -> dict[str, slice]:
        """Where each agent's rows stand in `_of_agents`."""
        lengths = Counter(self._of_agents["who"])
        ends = accumulate(lengths.values())
        return {who: slice(end - lengths[who], end) for who, end in zip(lengths, ends, strict=True)}

    @property
    def _shares(self) -> pl.DataFrame:
        met, missed = (each.name for each in VALUED)
        return self.cells.select(
            "who",
            "stratum",
            *(
                pl.col(f"{metric} {met}").cast(pl.Int64).alias(f"{metric} k")
                for metric in self.metrics
            ),
            *(
                (pl.col(f"{metric} {met}") + pl.col(f"{metric} {missed}"))
                .cast(pl.Int64)
                .alias(f"{metric} n")
                for metric in self.metrics
            ),
        )

    def other(self, name: str) -> dict[Who, int]:
        """How often it is true, by agent and for VENDOR."""
        return dict(zip(self._totals["who"], self._totals[name], strict=True))

    def counted(self, metric: str, who: Who) -> tuple[int, int, int, int]:
        """Numerator, denominator, pending, missing."""
        return self._counted[metric].get(who, _NONE)


def _code_of_nobody(agents: pl.DataType) -> int:
    assert isinstance(agents, pl.Enum)  # noqa: S101  the columns of CREDIT are
    return len(agents.categories)


def _agent(code: pl.Expr, agents: pl.DataType) -> pl.Expr:
    assert isinstance(agents, pl.Enum)  # noqa: S101  as above
    names = pl.Series([*agents.categories, None], dtype=pl.String)
    return pl.lit(names).gather(code)


@dataclass(frozen=True, slots=True)
class Work:
    """Interactions that credit an agent for the reply, the resolution or both, once each."""

    interactions: int
    without_topic: int


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The sum of the reviews' shares, their number, and how many interactions they are of."""

    total: Fraction = Fraction(0)
    reviews: int = 0
    interactions: int = 0


@dataclass(frozen=True)
class Counted:
    """What a month's interactions say; figures of knowledge are not among it.

    What is not counted yet is waited for by whoever asks for it.
    """

    measured: Measured
    response: Tally
    of_month: Mapping[str, Mapping[Who, int]]  # by dimension: also those that no metric looks at
    work: Mapping[str, Work]  # of who is credited for a scored interaction
    resolving: Future[Tally]
    asking_again: Future[Tally]
    reviewing: Future[Mapping[Who, Reviewed]]
    ordering: Future[Mapping[str, Spans]]
    following: Future[Tally]

    @property
    def resolution(self) -> Tally:
        """Of all but the metrics of `followed`."""
        return self.resolving.result()

    @property
    def next_replies(self) -> Tally:
        return self.asking_again.result()

    @property
    def reviewed(self) -> Mapping[Who, Reviewed]:
        return self.reviewing.result()

    @property
    def spans(self) -> Mapping[str, Spans]:
        """By the rate over which percentiles are taken."""
        return self.ordering.result()

    @property
    def followed(self) -> Tally:
        """Of the metrics that ask whether the customer came back, which takes longest to find."""
        return self.following.result()

    def tally(self, metric: Rate) -> Tally:
        if metric is NEXT_REPLY:
            return self.next_replies
        if metric.id in FOLLOWED:
            return self.followed
        return self.response if metric.dimension == "response" else self.resolution


def count(measured: Measured, *, beside: Executor, behind: Executor) -> Counted:
    """First what comes first on a scorecard. `beside` goes on with the rest, in order; `behind`
    waits for who came back.
    """
    following = behind.submit(_followed, measured)
    response = _response(measured)
    return Counted(
        measured,
        response=response,
        resolving=beside.submit(_resolution, measured),
        asking_again=beside.submit(_next_replies, measured),
        reviewing=beside.submit(_reviewed, measured),
        ordering=beside.submit(_spans, measured.timed),
        following=following,
        work=_work(measured.timed),
        of_month={name: _credited(measured.in_month[who]) for name, who in CREDIT.items()},
    )


def _response(measured: Measured) -> Tally:
    unknown = next_reply_unknown() if measured.counts_next_replies else pl.lit(None, pl.Int8)
    parts = {**_parts("response"), NEXT_REPLY.id: unknown}
    return Tally.of(measured.timed, CREDIT["response"], measured.strata, parts)


def _resolution(measured: Measured) -> Tally:
    base = pl.col("in_base")
    return Tally.of(
        measured.timed,
        CREDIT["resolution"],
        measured.strata,
        _parts("resolution"),
        in_base=base,
        csat_invited=base & pl.col("csat_invited"),
        csat_answered=base & pl.col("csat_answered"),
    )


def _followed(measured: Measured) -> Tally:
    parts = _parts("resolution", followed=True)
    return Tally.of(measured.facts, CREDIT["resolution"], measured.strata, parts)


def _next_replies(measured: Measured) -> Tally:
    return Tally.of(
        measured.next_replies,
        CREDIT["response"],
        measured.strata,
        {NEXT_REPLY.id: NEXT_REPLY.part},
        interactions=pl.col("is_first"),
    )


def _spans(timed: pl.DataFrame) -> dict[str, Spans]:
    needed = {
        metric.of: (RATES[metric.of].part, metric.span, CREDIT[metric.dimension])
        for metric in METRICS
        if isinstance(metric, Percentile)
    }
    return {rate: Spans.of(timed, *each) for rate, each in needed.items()}


def _parts(dimension: str, *, followed: bool = False) -> dict[str, pl.Expr]:
    return {
        name: rate.part
        for name, rate in RATES.items()
        if rate.dimension == dimension and rate is not NEXT_REPLY and (name in FOLLOWED) == followed
    }


def _credited(agents: pl.Series) -> dict[Who, int]:
    counts = agents.drop_nulls().value_counts()
    return {VENDOR: agents.len(), **dict(counts.cast({agents.name: pl.String}).iter_rows())}


def _reviewed(measured: Measured) -> dict[Who, Reviewed]:
    who = pl.col(CREDIT["resolution"]).cast(pl.String)
    named = measured.reviews.select("row", "share", who=who)
    # Few different shares: each is read once, and summed up in whole numbers over one denominator.
    exact = {share: Fraction(share) for share in named["share"].unique()}
    unit = lcm(*(share.denominator for share in exact.values()))
    parts = {share: int(value * unit) for share, value in exact.items()}
    totals: dict[Who, int] = defaultdict(int)
    numbers: dict[Who, int] = defaultdict(int)
    alike = named.group_by("who", "share").len()
    for agent, share, number in alike.select("who", "share", "len").iter_rows():
        for who in {VENDOR, agent}:
            totals[who] += parts[share] * number
            numbers[who] += number
    once = named.unique("row")["who"]
    interactions: dict[Who, int] = {VENDOR: once.len()}
    interactions.update(once.drop_nulls().value_counts().iter_rows())
    return {
        who: Reviewed(Fraction(total, unit), numbers[who], interactions[who])
        for who, total in totals.items()
    }


def _work(timed: pl.DataFrame) -> dict[str, Work]:
    facts = timed.select(
        reply=CREDIT["response"],
        resolution=pl.when("in_base").then(CREDIT["resolution"]),
        no_topic="no_topic",
    )
    another = facts.filter(pl.col("resolution").ne_missing(pl.col("reply")))
    every = pl.concat(
        [
            facts.select("no_topic", who="reply"),
            another.select("no_topic", who="resolution"),
        ]
    ).drop_nulls("who")
    counts = every.group_by(pl.col("who")).agg(pl.len(), pl.col("no_topic").sum())
    return {
        who: Work(*numbers)
        for who, *numbers in counts.with_columns(pl.col("who").cast(pl.String)).iter_rows()
    }
