"""One kind of target, made ready to be held against many rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from vendorwatch.periods import SECOND, Micros
from vendorwatch.scoring.clock import BusinessClock, Clocks, DueMoments, reading_of
from vendorwatch.scoring.frames import Part, part
from vendorwatch.scoring.policy import Target, Targets
from vendorwatch.scoring.target_codes import CODE, CODES, channel_of, choose, target_of


@dataclass(frozen=True)
class Span:
    """What is timed: from `start` to `end` (columns of instants; null: not reached).

    Its results are the columns `{name}_span` and `{name}_part`.
    """

    name: str
    targets: Targets
    start: str
    end: str


@dataclass(frozen=True)
class Yardstick:
    """One span's targets, and what they are read from, by the codes that occur."""

    timed: Span
    targets: Mapping[int, Target]
    clock_of: Mapping[int, BusinessClock | None]  # None: elapsed time
    due_of: Mapping[int, DueMoments | None]  # None: the target is a length of time

    @classmethod
    def of(cls, span: Span, clocks: Clocks, codes: Sequence[int]) -> "Yardstick":
        by_channel = clocks.by_channel
        targets = {code: target_of(span.targets, code) for code in codes}
        clock_of = {
            code: by_channel[channel_of(code)] if target.clock == "business" else None
            for code, target in targets.items()
        }
        made: dict[tuple[int, BusinessClock | None], DueMoments] = {}
        due_of: dict[int, DueMoments | None] = dict.fromkeys(codes)
        for code, target in targets.items():
            if target.reply_by is not None:
                same = (target.reply_by, clock_of[code])
                if same not in made:
                    made[same] = clocks.due_moments(
                        channel_of(code), target.reply_by, business=target.clock == "business"
                    )
                due_of[code] = made[same]
        return cls(span, targets, clock_of, due_of)

    @property
    def clocks(self) -> list[BusinessClock]:
        return [clock for clock in self.clock_of.values() if clock is not None]

    @property
    def lasted(self) -> str:
        return f"{self.timed.name}_lasted"

    def last(self, used: Sequence[BusinessClock], as_of: Micros) -> pl.Expr:
        """To the end, or to the as-of instant where there is none."""
        start, end = self.timed.start, self.timed.end

        def until(clock: BusinessClock | None) -> pl.Expr:
            if clock is None:
                return pl.col(end).fill_null(as_of) - pl.col(start)
            number = used.index(clock)
            reached = pl.col(reading_of(end, number)).fill_null(clock.reading_at(as_of))
            return reached - pl.col(reading_of(start, number))

        return choose(self.clock_of, until).alias(self.lasted)

    def span(self) -> pl.Expr:
        reached = pl.col(self.timed.end).is_not_null()
        return pl.when(reached).then(self.lasted).alias(f"{self.timed.name}_span")

    def part(self, as_of: Micros) -> pl.Expr:
        reached = pl.col(self.timed.end).is_not_null()
        return (
            pl.when(self._late(as_of))
            .then(part(Part.DENOMINATOR))
            .when(reached)
            .then(part(Part.NUMERATOR))
            .otherwise(part(Part.PENDING))
            .alias(f"{self.timed.name}_part")
        )

    def clock(self) -> pl.Expr:
        names = {code: target.clock for code, target in self.targets.items()}
        return choose(names, lambda name: pl.lit(name, pl.String))

    def target(self) -> pl.Expr:
        lengths = {
            code: None if target.seconds is None else target.seconds * SECOND
            for code, target in self.targets.items()
        }
        by_code = pl.Series([lengths.get(code) for code in range(CODES)], dtype=pl.Int64)
        return pl.lit(by_code).gather(pl.col(CODE))

    def due(self) -> pl.Expr:
        start = pl.col(self.timed.start)
        return choose(
            self.due_of, lambda each: each.after(start) if each else pl.lit(None, pl.Int64)
        )

    def _late(self, as_of: Micros) -> pl.Expr:
        """The end came later than it was due, or it has not come and is overdue."""
        too_long = pl.col(self.lasted) > self.target()
        if not any(self.due_of.values()):
            return too_long
        came = pl.col(self.timed.end).fill_null(as_of)
        return pl.coalesce(too_long, came > self.due(), pl.lit(value=False))
