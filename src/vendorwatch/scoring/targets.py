"""Whether something came in time: each row against the target of its channel and priority.

Targets are looked up by code, one for each channel and priority; only the few different clocks
and due moments among them are ever read, each for all rows at once.
"""

from collections.abc import Sequence

import polars as pl

from vendorwatch.periods import Micros
from vendorwatch.scoring.clock import Clocks, with_readings
from vendorwatch.scoring.target_codes import CODE
from vendorwatch.scoring.yardstick import Span, Yardstick


def timed(
    frame: pl.DataFrame, spans: Sequence[Span], clocks: Clocks, as_of: Micros
) -> pl.DataFrame:
    """Adds for each span its length in microseconds on the clock that the row's target names (null
    where the end was not reached), and its Part: met, missed or pending as of the instant.

    Needs the column target_code.
    """
    yardsticks = _yardsticks(frame, spans, clocks)
    return (
        _lasting(frame, yardsticks, as_of)
        .with_columns(
            *(each.span() for each in yardsticks), *(each.part(as_of) for each in yardsticks)
        )
        .drop(each.lasted for each in yardsticks)
    )


def explained(frame: pl.DataFrame, span: Span, clocks: Clocks, as_of: Micros) -> pl.DataFrame:
    """Adds how each row was timed:

    clock (business, calendar); lasted (microseconds to the end, or to the as-of instant where there
    is none); target (microseconds) or due (instant), the other of the two null.
    """
    (yardstick,) = _yardsticks(frame, [span], clocks)
    return _lasting(frame, [yardstick], as_of).with_columns(
        yardstick.clock().alias("clock"),
        pl.col(yardstick.lasted).alias("lasted"),
        yardstick.target().alias("target"),
        yardstick.due().alias("due"),
    )


def _yardsticks(frame: pl.DataFrame, spans: Sequence[Span], clocks: Clocks) -> list[Yardstick]:
    codes = sorted(frame[CODE].unique().to_list()) or [0]  # of no rows, any target will do
    return [Yardstick.of(span, clocks, codes) for span in spans]


def _lasting(frame: pl.DataFrame, yardsticks: Sequence[Yardstick], as_of: Micros) -> pl.DataFrame:
    used = list({clock: None for each in yardsticks for clock in each.clocks})
    columns = dict.fromkeys(
        name for each in yardsticks for name in (each.timed.start, each.timed.end)
    )
    read = with_readings(frame, used, list(columns))
    return read.with_columns(each.last(used, as_of) for each in yardsticks).select(
        *frame.columns, *(each.lasted for each in yardsticks)
    )
