"""Scoring's inputs as tables of DuckDB, in its own memory: what metrics.sql reads.

Beside the frames of scoring.frames, under the names that Inputs gives them, there are

- targets: for each channel and priority, and for reply, resolution and next: the limit in
  microseconds, or instead of it the number of the due times; whether business time counts. And the
  channel's clock, with its open time until the as-of instant;
- minutes: for each clock and minute the open time before it, and whether it is open;
- dues: for each number and minute, when what began in it was due, if by the as-of instant it was;
- ranks: the places of percentiles and of the ends of their intervals among n values;
- aliases: other ids of agents, and the agent whose they are;

and the variables that metrics.sql asks for with getvariable().
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import cast

import duckdb
import polars as pl

from sql.calendars import MINUTE, Versions, next_dues, open_minutes
from vendorwatch.periods import DAY, SECOND
from vendorwatch.scoring.inputs import Inputs
from vendorwatch.scoring.intervals import percentile_ranks
from vendorwatch.scoring.policy import Target, TargetKind
from vendorwatch.scoring.words import CHANNELS, PRIORITIES

_FRAMES = ("interactions", "contacts", "knowledge", "answers", "reviews")
_KINDS: Mapping[str, TargetKind] = {
    "reply": "first_reply",
    "resolution": "resolution",
    "next": "next_reply",
}
_QUANTILES = {"p50": Fraction(1, 2), "p90": Fraction(9, 10)}


class _Stream:
    """DuckDB asks for pyarrow when it sees a Polars frame, and for nothing when it sees this."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def load(inputs: Inputs) -> duckdb.DuckDBPyConnection:
    """A database of its own that holds copies of everything but the ranks."""
    connection = duckdb.connect(":memory:")
    for name in _FRAMES:
        put(connection, name, getattr(inputs, name))
    put(
        connection,
        "aliases",
        pl.DataFrame(
            list(inputs.aliases.items()),
            schema={"alias": pl.String, "agent_id": pl.String},
            orient="row",
        ),
    )
    _put_targets(connection, inputs)
    set_ranks(connection, [])
    for name, value in _variables(inputs).items():
        connection.execute(f"SET VARIABLE {name} = ?", [value])
    return connection


def put(connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    connection.register("given", _Stream(frame))
    connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM given")
    connection.unregister("given")


def set_ranks(connection: duckdb.DuckDBPyConnection, counts: Sequence[int]) -> None:
    """For every n that occurs."""
    rows = []
    for n in sorted({count for count in counts if count}):
        for name, quantile in _QUANTILES.items():
            low, high = percentile_ranks(n, quantile)
            places = {"value": ceil(n * quantile), "low": low, "high": high}
            rows += [(n, name, role, place) for role, place in places.items()]
    schema = {"n": pl.Int64, "quantile": pl.String, "role": pl.String, "place": pl.Int64}
    put(connection, "ranks", pl.DataFrame(rows, schema=schema, orient="row"))


def _variables(inputs: Inputs) -> dict[str, object]:
    start, end = inputs.month.bounds(inputs.zone)
    policy = inputs.policy.policy
    return {
        "as_of": inputs.as_of,
        "month_start": start,
        "month_end": end,
        "vendor_id": inputs.vendor_id,
        "short_abandon": policy.short_abandon_seconds * SECOND,
        "repeat_window": policy.repeat_window_days * DAY,
        "next_reply_is_measured": "next_reply" in policy.targets,
    }


def _put_targets(connection: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    clocks = _Clocks(inputs)
    rows = [
        clocks.target_row(channel, priority)
        for channel in CHANNELS
        for priority in (None, *PRIORITIES)
    ]
    numbers = [f"{name}_{what}" for name in _KINDS for what in ("limit", "due")]
    targets = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col("priority").cast(pl.String), pl.col(numbers).cast(pl.Int64)
    )
    put(connection, "targets", targets)
    put(connection, "minutes", clocks.minutes())
    put(connection, "dues", clocks.dues())


class _Clocks:
    """Numbers the different hours and the different due times that the policy has."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._start = inputs.month.bounds(inputs.zone)[0]
        self._end = max(inputs.as_of, self._start)
        self._minutes: dict[tuple[object, ...], pl.DataFrame] = {}
        self._dues: dict[tuple[object, ...], pl.DataFrame] = {}

    def target_row(self, channel: str, priority: str | None) -> dict[str, object]:
        clock = self._clock(channel)
        row: dict[str, object] = {
            "channel": channel,
            "priority": priority,
            "clock": clock,
            "open_at_as_of": self._open_at_end(clock),
        }
        for name, kind in _KINDS.items():
            targets = self._inputs.policy.policy.targets.get(kind)
            target = targets.find(channel, priority) if targets else None
            row |= {
                f"{name}_limit": _limit(target),
                f"{name}_is_business": target is not None and target.clock == "business",
                f"{name}_due": self._due(channel, target),
            }
        return row

    def minutes(self) -> pl.DataFrame:
        schema = dict.fromkeys(("clock", "minute", "open_before", "is_open"), pl.Int64)
        return _numbered(self._minutes, "clock", schema)

    def dues(self) -> pl.DataFrame:
        return _numbered(self._dues, "due", dict.fromkeys(("due", "minute", "due_at"), pl.Int64))

    def _versions(self, channel: str) -> Versions:
        return tuple(
            (since, tables.get(channel, tables["default"]))
            for since, tables in self._inputs.policy.calendars
        )

    def _clock(self, channel: str) -> int:
        versions = tuple(self._versions(channel))
        if versions and versions not in self._minutes:
            self._minutes[versions] = open_minutes(
                versions, self._inputs.zone, self._start, self._end
            )
        return _number(self._minutes, versions)

    def _open_at_end(self, clock: int) -> int:
        if clock < 0:
            return 0
        last = list(self._minutes.values())[clock].row(-1, named=True)
        inside = self._end - last["minute"] * MINUTE
        return cast("int", last["open_before"] + last["is_open"] * inside)

    def _due(self, channel: str, target: Target | None) -> int | None:
        if target is None or target.reply_by is None:
            return None
        versions = self._versions(channel) if target.clock == "business" else None
        key = (target.reply_by, versions)
        if key not in self._dues:
            self._dues[key] = next_dues(
                versions, target.reply_by, self._inputs.zone, self._start, self._end
            )
        return _number(self._dues, key)


def _limit(target: Target | None) -> int | None:
    return None if target is None or target.seconds is None else target.seconds * SECOND


def _number(of: Mapping[tuple[object, ...], pl.DataFrame], key: tuple[object, ...]) -> int:
    return list(of).index(key) if key in of else -1


def _numbered(
    frames: Mapping[tuple[object, ...], pl.DataFrame], name: str, schema: dict[str, type[pl.Int64]]
) -> pl.DataFrame:
    numbered = [
        frame.select(pl.lit(at, dtype=pl.Int64).alias(name), pl.all())
        for at, frame in enumerate(frames.values())
    ]
    return pl.concat([pl.DataFrame(schema=schema), *numbered])
