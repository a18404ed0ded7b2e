"""The scorecard as one JSON document: each figure is rounded here, once, half to even."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Self

import msgspec

from vendorwatch.scoring.comparison import Comparison, Spread, Standing
from vendorwatch.scoring.figures import (
    Figure,
    MeanFigure,
    Rank,
    RateFigure,
    Who,
)
from vendorwatch.scoring.intervals import ratio_text
from vendorwatch.scoring.judging import Judgement
from vendorwatch.scoring.peers import Prior
from vendorwatch.scoring.points import Scores
from vendorwatch.scoring.policy import Policy

SCHEMA = "vendorwatch/scorecard/1"
RATE_DIGITS = 6
SECOND_DIGITS = 6
POINT_DIGITS = 2

Document = dict[str, object]

_NO_RULE = (None, None)
_json = msgspec.json.Encoder()


def decimal_text(value: Fraction, digits: int) -> str:
    """With exactly that many digits after the point, at least one, rounded half to even."""
    whole = 10**digits
    scaled, rest = divmod(abs(value.numerator) * whole, value.denominator)
    doubled = 2 * rest - value.denominator
    scaled += doubled > 0 or (doubled == 0 and scaled % 2)
    sign = "-" if value.numerator < 0 and scaled else ""
    figures = str(scaled).zfill(digits + 1)
    return f"{sign}{figures[:-digits]}.{figures[-digits:]}"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a policy says of dimensions and metrics, as every agent's scores repeat it."""

    weights: Mapping[str, str]
    rules: Mapping[str, tuple[str, str]]  # target and floor

    @classmethod
    def of(cls, policy: Policy) -> Self:
        dimensions = policy.dimensions.items()
        return cls(
            {name: plain(dimension.weight) for name, dimension in dimensions},
            {
                metric: (plain(rule.target), plain(rule.floor))
                for _, dimension in dimensions
                for metric, rule in dimension.metrics.items()
            },
        )


def metric_documents(
    metric: str,
    figures: Mapping[Who, Figure],
    judgements: Mapping[Who, Judgement],
    comparisons: Mapping[Who, Comparison],
    terms: Terms,
) -> dict[Who, Document]:
    """Of everybody who has a figure."""
    rule = terms.rules.get(metric, _NO_RULE)
    return {
        who: _metric(figure, judgements[who], rule, comparisons.get(who))
        for who, figure in figures.items()
    }


def survey_document(invited: int, answered: int) -> Document:
    return {
        "invited": invited,
        "answered": answered,
        "response_rate": share(answered, invited),
    }


def scores_document(scores: Scores, metrics: Document, terms: Terms) -> Document:
    return {
        "score": _optional(scores.score, POINT_DIGITS),
        "not_rated": list(scores.not_rated),
        "dimensions": {
            name: {"score": _optional(value, POINT_DIGITS), "weight": terms.weights[name]}
            for name, value in scores.dimensions.items()
        },
        "metrics": metrics,
    }


def _metric(
    figure: Figure,
    judgement: Judgement,
    rule: tuple[str | None, str | None],
    comparison: Comparison | None,
) -> Document:
    kind, value, numerator, interval = _written(figure)
    counts = figure.counts
    return {
        "kind": kind,
        "value": value,
        "numerator": numerator,
        "denominator": figure.denominator,
        "pending": counts.pending,
        "missing": counts.missing,
        "excluded": counts.excluded,
        "interval": list(interval) if interval else None,
        "rated": judgement.rated,
        "target": rule[0],
        "floor": rule[1],
        "points": _optional(judgement.points, POINT_DIGITS),
        "contract": judgement.contract,
        "evidence": judgement.evidence,
        "adjusted": comparison.adjusted if isinstance(comparison, Standing) else None,
        "peers": _peers(comparison),
    }


def share(numerator: int, denominator: int) -> str | None:
    """With RATE_DIGITS."""
    return ratio_text(numerator, denominator) if denominator else None


def plain(number: Decimal) -> str:
    """As the policy writes it, never with an exponent."""
    return f"{number:f}"


def canonical_json(value: object) -> str:
    """One way to write a document, so that the same document is the same bytes."""
    return _json.encode(value).decode()


def _written(figure: Figure) -> tuple[str, str | None, int | None, tuple[str, ...] | None]:
    """Kind, value, numerator and interval."""
    if isinstance(figure, RateFigure):
        value = share(figure.numerator, figure.denominator)
        return "rate", value, figure.numerator, figure.interval
    if isinstance(figure, MeanFigure):
        return "mean", _optional(figure.value, RATE_DIGITS), None, figure.interval
    value = None if figure.value is None else _rank(figure.value)
    interval = tuple(map(_rank, figure.interval)) if figure.interval else None
    return "percentile", value, None, interval


def _peers(comparison: Comparison | None) -> Document | None:
    if isinstance(comparison, Spread):
        return {
            "agents": comparison.agents,
            "dispersion": _optional(comparison.dispersion, RATE_DIGITS),
            "overdispersed": comparison.overdispersed,
            "prior": _prior(comparison),
        }
    if isinstance(comparison, Standing):
        return {
            "estimate": comparison.estimate,
            "limits_95": list(comparison.funnel.limits_95),
            "limits_99_8": list(comparison.funnel.limits_99_8),
            "outside": comparison.outside,
        }
    return None


def _prior(spread: Spread) -> list[str] | None:
    if spread.prior == "pooled":
        return None
    ends = (
        (spread.prior.a, spread.prior.b) if isinstance(spread.prior, Prior) else (Fraction(0),) * 2
    )
    return [decimal_text(each, RATE_DIGITS) for each in ends]


def _rank(value: Rank) -> str:
    return value if isinstance(value, str) else decimal_text(value, SECOND_DIGITS)


def _optional(value: Fraction | None, digits: int) -> str | None:
    return None if value is None else decimal_text(value, digits)
