"""The metrics: for each interaction, the part that it plays in a figure.

Every rate is counted from such parts, and every figure can be traced back through them. The
definitions are on docs/reference/metrics.md; this page and that one change together.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import polars as pl

from vendorwatch.scoring.frames import Part, part

DimensionName = Literal["response", "resolution", "knowledge"]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of interactions."""

    id: str
    dimension: DimensionName
    part: pl.Expr  # each interaction's Part, or null, from its facts


@dataclass(frozen=True, slots=True)
class Percentile:
    """A nearest-rank percentile of a span, over the numerator and denominator of a rate.

    Those without a span are *not reached* and stand behind all others.
    """

    id: str
    dimension: DimensionName
    of: str  # the rate's id
    span: str
    quantile: Fraction


def first_reply_on_time() -> pl.Expr:
    return pl.col("response_part")


def next_reply_unknown() -> pl.Expr:
    """Replied to, and no event tells whether the customer asked again."""
    replied = pl.col("replied") | ~pl.col("first_reply_known")
    return pl.when(replied & ~pl.col("has_events")).then(part(Part.MISSING))


def abandon_rate() -> pl.Expr:
    by_voice_or_chat = pl.col("channel").is_in(["phone", "chat"])
    given_up = (
        pl.when(~pl.col("first_reply_known"))
        .then(part(Part.MISSING))
        .when(pl.col("given_up"))
        .then(part(Part.NUMERATOR))
        .otherwise(part(Part.DENOMINATOR))
    )
    return pl.when(by_voice_or_chat).then(given_up)


def resolution_rate() -> pl.Expr:
    return _of_base(_share(pl.col("resolved")))


def resolution_on_time() -> pl.Expr:
    return pl.when(pl.col("in_base")).then(pl.col("resolution_part"))


def first_contact_resolution() -> pl.Expr:
    at_once = ~(pl.col("reopened") | pl.col("handed_over") | pl.col("repeated"))
    unknown = pl.col("reopened").is_null() | pl.col("handed_over").is_null()
    unlinked = pl.col("resolved") & ~pl.col("customer_known")
    return _of_base(
        pl.when(~pl.col("window_complete"))
        .then(part(Part.PENDING))
        .when(unknown | unlinked)
        .then(part(Part.MISSING))
        .otherwise(_share(pl.col("resolved") & at_once))
    )


def repeat_contact_rate() -> pl.Expr:
    return _of_resolved(
        pl.when(~pl.col("window_complete"))
        .then(part(Part.PENDING))
        .when(~pl.col("customer_known"))
        .then(part(Part.MISSING))
        .otherwise(_share(pl.col("repeated")))
    )


def reopen_rate() -> pl.Expr:
    return _of_resolved(_known_share(pl.col("reopened")))


def handover_rate() -> pl.Expr:
    return pl.when(pl.col("in_base")).then(_known_share(pl.col("handed_over")))


def csat() -> pl.Expr:
    return pl.when(pl.col("in_base") & pl.col("csat_answered")).then(_share(pl.col("satisfied")))


def _share(condition: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(part(Part.NUMERATOR)).otherwise(part(Part.DENOMINATOR))


def _known_share(condition: pl.Expr) -> pl.Expr:
    return pl.when(condition.is_null()).then(part(Part.MISSING)).otherwise(_share(condition))


def _of_base(chosen: pl.Expr) -> pl.Expr:
    """Over all but the given-up contacts; without a resolution in the log nothing can be said."""
    return pl.when(pl.col("in_base")).then(
        pl.when(~pl.col("resolution_known")).then(part(Part.MISSING)).otherwise(chosen)
    )


def _of_resolved(chosen: pl.Expr) -> pl.Expr:
    return _of_base(pl.when(pl.col("resolved")).then(chosen))


_MEDIAN, _DECILE = Fraction(1, 2), Fraction(9, 10)

NEXT_REPLY = Rate("next_reply_on_time", "response", pl.col("next_reply_part"))
"""A share of next replies, not of interactions: its part is read from Measured.next_replies."""

METRICS: tuple[Rate | Percentile, ...] = (
    Rate("first_reply_on_time", "response", first_reply_on_time()),
    Percentile("first_reply_p50", "response", "first_reply_on_time", "response_span", _MEDIAN),
    Percentile("first_reply_p90", "response", "first_reply_on_time", "response_span", _DECILE),
    NEXT_REPLY,
    Rate("abandon_rate", "response", abandon_rate()),
    Rate("resolution_rate", "resolution", resolution_rate()),
    Rate("resolution_on_time", "resolution", resolution_on_time()),
    Percentile("resolution_p50", "resolution", "resolution_on_time", "resolution_span", _MEDIAN),
    Percentile("resolution_p90", "resolution", "resolution_on_time", "resolution_span", _DECILE),
    Rate("first_contact_resolution", "resolution", first_contact_resolution()),
    Rate("repeat_contact_rate", "resolution", repeat_contact_rate()),
    Rate("reopen_rate", "resolution", reopen_rate()),
    Rate("handover_rate", "resolution", handover_rate()),
    Rate("csat", "resolution", csat()),
)
"""Counted from interactions, in the order in which they are written."""

QUALITY = "quality"
KNOWLEDGE_METRICS = ("knowledge_score", "knowledge_pass_rate", "knowledge_coverage")

DIMENSION_OF: dict[str, DimensionName] = {
    **{metric.id: metric.dimension for metric in METRICS},
    QUALITY: "resolution",
    **dict.fromkeys(KNOWLEDGE_METRICS, "knowledge"),
}
"""Every metric, in the order in which they are written."""

PERCENTILES = frozenset(metric.id for metric in METRICS if isinstance(metric, Percentile))
RATES = {metric.id: metric for metric in METRICS if isinstance(metric, Rate)}
FOLLOWED = frozenset(
    name for name, rate in RATES.items() if "repeated" in rate.part.meta.root_names()
)
"""Rates that ask whether the customer came back, which takes longest to find out."""


def rate_of(metric: str) -> Rate:
    """The rate itself, or the one whose interactions a percentile is taken over."""
    found = _BY_ID[metric]
    return RATES[found.of] if isinstance(found, Percentile) else found


_BY_ID = {metric.id: metric for metric in METRICS}
