"""Spans in order, to find percentiles in."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

import polars as pl

from vendorwatch.periods import SECOND, Micros
from vendorwatch.scoring.figures import NOT_REACHED, VENDOR, Rank, Who
from vendorwatch.scoring.frames import VALUED


@dataclass(frozen=True)
class Spans:
    """Spans that were reached, agent by agent in ascending order."""

    ordered: pl.Series
    places: Mapping[Who, tuple[int, int]]  # where each agent's begin, and how many there are

    @classmethod
    def of(cls, facts: pl.DataFrame, part: pl.Expr, span: str, who: str) -> Self:
        """Of the column `span`, by the agents in `who`, where the part is one that makes a value."""
        valued = part.is_in([int(each) for each in VALUED])
        reached = facts.select(span, who).filter(
            facts.select(valued & pl.col(span).is_not_null()).to_series()
        )
        by_agent = (
            reached.filter(pl.col(who).is_not_null())
            .group_by(who)
            .agg(pl.col(span).sort(), pl.len().alias("length"))
        )
        every = reached[span].sort()
        places: dict[Who, tuple[int, int]] = {VENDOR: (0, every.len())}
        begin = every.len()
        for agent, length in by_agent.select(pl.col(who).cast(pl.String), "length").iter_rows():
            places[agent] = (begin, length)
            begin += length
        return cls(pl.concat([every, by_agent[span].explode(empty_as_null=False)]), places)

    def at(self, who: Who, rank: int) -> Rank:
        """In seconds; `rank` counts from 1."""
        begin, length = self.places.get(who, (0, 0))
        if rank > length:
            return NOT_REACHED
        span: Micros = self.ordered[begin + rank - 1]
        return Fraction(span, SECOND)
