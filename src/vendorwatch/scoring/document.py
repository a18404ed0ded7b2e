"""The scorecard as one JSON document: each figure is rounded here, once, half to even."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import msgspec

from vendorwatch.scoring.comparison import Comparison, Spread, Standing
from vendorwatch.scoring.figures import (
    NOT_REACHED,
    Figure,
    MeanFigure,
    PercentileFigure,
    Rank,
    RateFigure,
)
from vendorwatch.scoring.peers import Prior
from vendorwatch.scoring.points import Judgement, Scores
from vendorwatch.scoring.policy import MetricRule, Policy

SCHEMA = "vendorwatch/scorecard/1"
RATE_DIGITS = 6
SECOND_DIGITS = 6
POINT_DIGITS = 2

Document = dict[str, object]

_json = msgspec.json.Encoder()


def decimal_text(value: Fraction, digits: int) -> str:
    """With exactly that many digits after the point, rounded half to even."""
    whole = 10**digits
    scaled, rest = divmod(abs(value.numerator) * whole, value.denominator)
    doubled = 2 * rest - value.denominator
    scaled += doubled > 0 or (doubled == 0 and scaled % 2)
    before, after = divmod(scaled, whole)
    sign = "-" if value.numerator < 0 and scaled else ""
    return f"{sign}{before}.{after:0{digits}}"


def scores_document(
    scores: Scores,
    figures: Mapping[str, Figure],
    comparisons: Mapping[str, Comparison],
    policy: Policy,
) -> Document:
    return {
        "score": _optional(scores.score, POINT_DIGITS),
        "not_rated": list(scores.not_rated),
        "dimensions": {
            name: {
                "score": _optional(value, POINT_DIGITS),
                "weight": plain(policy.dimensions[name].weight),
            }
            for name, value in scores.dimensions.items()
        },
        "metrics": {
            metric: metric_document(
                figure, scores.judgements[metric], policy.rule(metric), comparisons.get(metric)
            )
            for metric, figure in figures.items()
        },
    }


def metric_document(
    figure: Figure, judgement: Judgement, rule: MetricRule | None, comparison: Comparison | None
) -> Document:
    return {
        **(_percentile(figure) if isinstance(figure, PercentileFigure) else _share(figure)),
        "rated": judgement.rated,
        "target": plain(rule.target) if rule else None,
        "floor": plain(rule.floor) if rule else None,
        "points": _optional(judgement.points, POINT_DIGITS),
        "contract": judgement.contract,
        "evidence": judgement.evidence,
        "adjusted": comparison.adjusted if isinstance(comparison, Standing) else None,
        "peers": _peers(comparison),
    }


def share(numerator: int, denominator: int) -> str | None:
    return decimal_text(Fraction(numerator, denominator), RATE_DIGITS) if denominator else None


def plain(number: Decimal) -> str:
    """As the policy writes it, never with an exponent."""
    return f"{number:f}"


def canonical_json(value: object) -> str:
    """One way to write a document, so that the same document is the same bytes."""
    return _json.encode(value).decode()


def _share(figure: RateFigure | MeanFigure) -> Document:
    interval = figure.interval
    return {
        "kind": "rate" if isinstance(figure, RateFigure) else "mean",
        "value": _optional(figure.value, RATE_DIGITS),
        "numerator": figure.numerator if isinstance(figure, RateFigure) else None,
        "denominator": figure.denominator,
        **_counts(figure),
        "interval": list(interval) if interval else None,
    }


def _percentile(figure: PercentileFigure) -> Document:
    return {
        "kind": "percentile",
        "value": None if figure.value is None else _rank(figure.value),
        "numerator": None,
        "denominator": figure.denominator,
        **_counts(figure),
        "interval": [_rank(end) for end in figure.interval] if figure.interval else None,
    }


def _counts(figure: Figure) -> Document:
    counts = figure.counts
    return {"pending": counts.pending, "missing": counts.missing, "excluded": counts.excluded}


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
            "outside": comparison.funnel.outside,
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
    return NOT_REACHED if value == NOT_REACHED else decimal_text(value, SECOND_DIGITS)


def _optional(value: Fraction | None, digits: int) -> str | None:
    return None if value is None else decimal_text(value, digits)
