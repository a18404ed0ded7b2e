"""The scorecard as one JSON document: each figure is rounded here, once, half to even."""

import json
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from vendorwatch.scoring.figures import (
    NOT_REACHED,
    Figure,
    PercentileFigure,
    Rank,
    RateFigure,
)
from vendorwatch.scoring.points import Judgement, Scores
from vendorwatch.scoring.policy import MetricRule, Policy

SCHEMA = "vendorwatch/scorecard/1"
RATE_DIGITS = 6
SECOND_DIGITS = 6
POINT_DIGITS = 2

_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)

Document = dict[str, object]


def decimal_text(value: Fraction, digits: int) -> str:
    """With exactly that many digits after the point, rounded half to even."""
    scaled = round(value * 10**digits)
    whole, rest = divmod(abs(scaled), 10**digits)
    return f"{'-' if scaled < 0 else ''}{whole}.{rest:0{digits}}"


def scores_document(scores: Scores, figures: dict[str, Figure], policy: Policy) -> Document:
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
            metric: metric_document(figure, scores.judgements[metric], policy.rule(metric))
            for metric, figure in figures.items()
        },
    }


def metric_document(figure: Figure, judgement: Judgement, rule: MetricRule | None) -> Document:
    return {
        **(_rate(figure) if isinstance(figure, RateFigure) else _percentile(figure)),
        "rated": judgement.rated,
        "target": plain(rule.target) if rule else None,
        "floor": plain(rule.floor) if rule else None,
        "points": _optional(judgement.points, POINT_DIGITS),
        "contract": judgement.contract,
        "evidence": judgement.evidence,
        "adjusted": None,
    }


def share(numerator: int, denominator: int) -> str | None:
    return decimal_text(Fraction(numerator, denominator), RATE_DIGITS) if denominator else None


def plain(number: Decimal) -> str:
    """As the policy writes it, never with an exponent."""
    return f"{number:f}"


def canonical_json(value: object) -> str:
    """One way to write a document, so that the same document is the same bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _rate(figure: RateFigure) -> Document:
    interval = figure.interval
    return {
        "kind": "rate",
        "value": _optional(figure.value, RATE_DIGITS),
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "pending": figure.pending,
        "missing": figure.missing,
        "interval": [_six(end) for end in interval] if interval else None,
    }


def _percentile(figure: PercentileFigure) -> Document:
    return {
        "kind": "percentile",
        "value": None if figure.value is None else _rank(figure.value),
        "numerator": None,
        "denominator": figure.denominator,
        "pending": figure.pending,
        "missing": figure.missing,
        "interval": [_rank(end) for end in figure.interval] if figure.interval else None,
    }


def _six(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.000001'), context=_WIDE):f}"


def _rank(value: Rank) -> str:
    return NOT_REACHED if value == NOT_REACHED else decimal_text(value, SECOND_DIGITS)


def _optional(value: Fraction | None, digits: int) -> str | None:
    return None if value is None else decimal_text(value, digits)
