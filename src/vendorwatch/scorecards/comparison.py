"""Two results of one month side by side, in a terminal's width."""

from collections.abc import Iterator
from typing import Any

from vendorwatch.scorecards.summary import percent, seconds

_WIDTH = 34  # of each half
_CHANGED = "*"


def comparison_lines(in_force: Any, what_if: Any, name: str) -> Iterator[str]:
    """`name` is that of the file. Lines whose two halves differ start with a star."""
    yield f"{in_force['vendor']} for {in_force['merchant']}, {in_force['month']}"
    yield ""
    version = in_force["policy"]["version"]
    yield _line("", "in force", "what if", marked=False)
    standing = f"version {version}" if version else "the default"
    yield _line("policy", standing, name[-_WIDTH:], marked=False)
    yield _line("as of", in_force["as_of"], what_if["as_of"])
    one, other = in_force["vendor_scores"], what_if["vendor_scores"]
    yield _line("score", one["score"] or "not rated", other["score"] or "not rated")
    for each, dimension in one["dimensions"].items():
        yield _line(each, _dimension(dimension), _dimension(other["dimensions"][each]))
    yield ""
    heads = _columns("value", "points", "contract")
    yield _line("", heads, heads, marked=False)
    for each, metric in one["metrics"].items():
        yield _line(each, _metric(metric), _metric(other["metrics"][each]))


def _line(name: str, one: str, other: str, *, marked: bool = True) -> str:
    mark = _CHANGED if marked and one != other else " "
    return f"{mark} {name:26} {one:>{_WIDTH}}   {other:>{_WIDTH}}".rstrip()


def _dimension(dimension: Any) -> str:
    return f"{dimension['score'] or 'not rated'} (weight {dimension['weight']})"


def _metric(metric: Any) -> str:
    show = seconds if metric["kind"] == "percentile" else percent
    contract = (metric["contract"] or "-").replace("_", " ")
    return _columns(show(metric["value"]), metric["points"] or "-", contract)


def _columns(value: str, points: str, contract: str) -> str:
    return f"{value:>11} {points:>7} {contract:>14}"
