"""What had happened to each interaction by the as-of instant, and how long it took.

The one place that looks at raw instants; every metric is counted from what stands here.
"""

from collections.abc import Mapping

import polars as pl

from vendorwatch.periods import DAY, SECOND, Micros
from vendorwatch.scoring.clock import BusinessClock
from vendorwatch.scoring.frames import Part, part
from vendorwatch.scoring.policy import CHANNELS, PRIORITIES, Policy, Targets

EXCLUSIONS = ("outbound", "spam", "merged", "withdrawn", "short_abandoned")
"""Why an interaction enters no metric; the first that applies is the one that is counted."""


def exclusion(as_of: Micros, policy: Policy) -> pl.Expr:
    """One of EXCLUSIONS, or null. Needs columns of frames.CONTACTS only."""
    short = (
        pl.col("channel").is_in(["phone", "chat"])
        & _given_up(as_of)
        & (pl.col("abandoned_at") <= as_of)
        & (pl.col("abandoned_at") - pl.col("opened_at") <= policy.short_abandon_seconds * SECOND)
    )
    by_status = pl.when(pl.col("status").is_in(EXCLUSIONS[1:4])).then(pl.col("status"))
    return (
        pl.when(pl.col("direction") == "outbound")
        .then(pl.lit("outbound"))
        .when(by_status.is_not_null())
        .then(by_status)
        .when(short.fill_null(value=False))
        .then(pl.lit("short_abandoned"))
    )


def with_facts(
    scored: pl.DataFrame, *, as_of: Micros, policy: Policy, clocks: Mapping[str, BusinessClock]
) -> pl.DataFrame:
    """Adds to interactions that are not excluded:

    replied, given_up, resolved, in_base (not given up), csat_answered, csat_invited (Boolean);
    response_span, resolution_span (microseconds on the clock that the target names; null where the
    end has not been reached); response_part, resolution_part (Part); window_end (instant) and
    window_complete; response_agent, resolution_agent (who is credited; null: nobody).
    """
    happened = scored.with_columns(
        replied=_by(as_of, "first_reply_at"),
        given_up=_given_up(as_of),
        resolved=_resolved(as_of),
        csat_answered=pl.col("csat").is_not_null() & (pl.col("csat_at").fill_null(as_of) <= as_of),
        response_agent=pl.coalesce("first_reply_agent_id", "agent_id"),
        resolution_agent=pl.coalesce("resolved_by_agent_id", "agent_id"),
        reached_as_of=pl.lit(as_of, dtype=pl.Int64),
    ).with_columns(
        in_base=~pl.col("given_up"),
        csat_invited=_by(as_of, "csat_invited_at") | pl.col("csat_answered"),
        window_end=pl.when("resolved").then("resolved_at").otherwise("opened_at")
        + policy.repeat_window_days * DAY,
    )
    timed = _with_spans(happened, policy.targets["first_reply"], clocks, "first_reply_at", "reply")
    timed = _with_spans(timed, policy.targets["resolution"], clocks, "resolved_at", "resolve")
    return timed.select(
        *happened.drop("reached_as_of").columns,
        window_complete=pl.col("window_end") <= as_of,
        response_span=pl.when("replied").then("reply_span"),
        resolution_span=pl.when("resolved").then("resolve_span"),
        response_part=pl.when(~pl.col("first_reply_known"))
        .then(part(Part.MISSING))
        .when("given_up")
        .then(part(Part.DENOMINATOR))
        .otherwise(_timed_part("replied", "reply")),
        resolution_part=pl.when(~pl.col("resolution_known"))
        .then(part(Part.MISSING))
        .otherwise(_timed_part("resolved", "resolve")),
    )


def _by(as_of: Micros, column: str) -> pl.Expr:
    """Whether it happened by the as-of instant: what happened later has not happened."""
    return (pl.col(column) <= as_of).fill_null(value=False)


def _given_up(as_of: Micros) -> pl.Expr:
    left = pl.col("abandoned_at").fill_null(as_of) <= as_of
    return (pl.col("status") == "abandoned") & ~_by(as_of, "first_reply_at") & left


def _resolved(as_of: Micros) -> pl.Expr:
    return (
        _by(as_of, "resolved_at")
        & pl.col("status").is_in(["resolved", "closed"])
        & (pl.col("resolved_by") != "automation")
    )


def _timed_part(reached: str, name: str) -> pl.Expr:
    """Met, missed or pending, of a span against its target."""
    target = pl.col(f"{name}_target")
    return (
        pl.when(pl.col(reached) & (pl.col(f"{name}_span") <= target))
        .then(part(Part.NUMERATOR))
        .when(pl.col(reached) | (pl.col(f"{name}_waited") > target))
        .then(part(Part.DENOMINATOR))
        .otherwise(part(Part.PENDING))
    )


def _with_spans(
    frame: pl.DataFrame,
    targets: Targets,
    clocks: Mapping[str, BusinessClock],
    end: str,
    name: str,
) -> pl.DataFrame:
    """Adds NAME_target, NAME_span (to `end`) and NAME_waited (to the as-of instant)."""
    timed = frame.join(_target_table(targets, name), on=["channel", "priority"], how="left",
                       nulls_equal=True, maintain_order="left")  # fmt: skip
    spent = {
        f"{name}_span": _elapsed(timed, clocks, f"{name}_business", end),
        f"{name}_waited": _elapsed(timed, clocks, f"{name}_business", "reached_as_of"),
    }
    return timed.with_columns(**spent)


def _target_table(targets: Targets, name: str) -> pl.DataFrame:
    every = [
        (channel, priority, targets.find(channel, priority))
        for channel in CHANNELS
        for priority in (None, *PRIORITIES)
    ]
    return pl.DataFrame(
        {
            "channel": [channel for channel, _, _ in every],
            "priority": [priority for _, priority, _ in every],
            f"{name}_target": [(target.seconds or 0) * SECOND for _, _, target in every],
            f"{name}_business": [target.clock == "business" for _, _, target in every],
        },
        schema_overrides={"priority": pl.String},
    )


def _elapsed(
    frame: pl.DataFrame, clocks: Mapping[str, BusinessClock], business: str, end: str
) -> pl.Series:
    """From opened_at to `end`, on each row's own clock; null where there is no end."""
    calendar = frame[end] - frame["opened_at"]
    by_clock: dict[int, tuple[BusinessClock, list[str]]] = {}
    for channel, clock in clocks.items():
        by_clock.setdefault(id(clock), (clock, []))[1].append(channel)
    elapsed = pl.DataFrame({"elapsed": calendar})
    for clock, channels in by_clock.values():
        chosen = frame[business] & frame["channel"].is_in(channels)
        if not chosen.any():
            continue
        open_time = clock.at(frame[end]) - clock.at(frame["opened_at"])
        elapsed = elapsed.select(
            pl.when(chosen).then(open_time).otherwise("elapsed").alias("elapsed")
        )
    return elapsed["elapsed"]
