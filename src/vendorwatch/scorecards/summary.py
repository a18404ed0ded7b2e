"""A scorecard in a terminal's width."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

_HEAD = f"{'':26} {'value':>12} {'95 % interval':>25} {'n':>7} {'target':>9}  contract  evidence"


def lines(document: Any) -> Iterator[str]:
    scores = document["vendor_scores"]
    yield f"{document['vendor']} for {document['merchant']}, {document['month']}"
    yield f"{document['status']}, as of {document['as_of']}, policy version {document['policy']['version']}"
    yield ""
    missing = f" (not rated: {', '.join(scores['not_rated'])})" if scores["not_rated"] else ""
    yield f"score       {scores['score'] or 'not rated'}{missing}"
    for name, dimension in scores["dimensions"].items():
        yield f"{name:11} {dimension['score'] or 'not rated'} (weight {dimension['weight']})"
    yield ""
    yield _HEAD
    for name, metric in scores["metrics"].items():
        yield _metric(name, metric)
    volume = document["volume"]
    excluded = ", ".join(f"{n} {why}" for why, n in volume["excluded"].items() if n)
    yield ""
    yield (
        f"{volume['in_month']} interactions in the month, {volume['scored']} scored"
        f"{f', left out: {excluded}' if excluded else ''}; {len(document['agents'])} agents"
    )


def _metric(name: str, metric: Any) -> str:
    show = seconds if metric["kind"] == "percentile" else percent
    interval = " - ".join(map(show, metric["interval"])) if metric["interval"] else ""
    words = (
        (metric["contract"] or "").replace("_", " "),
        (metric["evidence"] or "").replace("_", " "),
    )
    return (
        f"{name:26} {show(metric['value']):>12} {interval:>25} {metric['denominator']:>7} "
        f"{show(metric['target']) if metric['target'] else '':>9}  {words[0]:8}  {words[1]}"
    ).rstrip()


def percent(value: str | None) -> str:
    return "-" if value is None else f"{Decimal(value) * 100:.2f} %"


def seconds(value: str | None) -> str:
    if value is None or value == "not_reached":
        return "-" if value is None else "not reached"
    return f"{Decimal(value):.0f} s"
