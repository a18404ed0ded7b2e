"""The scorecard's metrics as CSV, safe to open in a spreadsheet."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

COLUMNS = (
    "level",
    "agent_id",
    "agent_name",
    "metric",
    "kind",
    "value",
    "numerator",
    "denominator",
    "pending",
    "missing",
    "excluded",
    "interval_low",
    "interval_high",
    "target",
    "floor",
    "points",
    "contract",
    "evidence",
    "adjusted",
    "estimate",
    "outside",
)
_Level = tuple[tuple[str, str, str | None], Mapping[str, Any]]
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# A spreadsheet may run a cell that starts so, and may start a cell after another separator or a
# quote than ours. The apostrophe makes it text; a tab in front would itself be unsafe.
_FORMULA = re.compile(
    "(?:^|(?<=[;,|\"'\\t\\r\\n]))([ \\u00a0\\u3000]*)(?=[=+\\-@\\t\\r\\n\\uff1d\\uff0b\\uff0d\\uff20])"
)
_SPECIAL = re.compile(r'[",;\r\n]|^\s|\s$')


def csv_text(document: Mapping[str, Any]) -> str:
    """One row a metric and level: the vendor, then each agent in the document's order.

    Values are the document's own text. Rows end with CRLF, as RFC 4180 has it; no byte order mark.
    """
    return _table([(("vendor", "", ""), document["vendor_scores"]), *_levels(document["agents"])])


def csv_of_agents(agents: Sequence[Mapping[str, Any]]) -> str:
    """As `csv_text`, of these agents and nobody else."""
    return _table(_levels(agents))


def _levels(agents: Sequence[Mapping[str, Any]]) -> list[_Level]:
    return [(("agent", row["agent_id"], row["name"]), row) for row in agents]


def _table(levels: Sequence[_Level]) -> str:
    rows = [
        (*level, metric, *_figures(figures))
        for level, scores in levels
        for metric, figures in scores["metrics"].items()
    ]
    return "".join(",".join(map(_cell, row)) + "\r\n" for row in (COLUMNS, *rows))


def _figures(figures: Mapping[str, Any]) -> list[object]:
    low, high = figures["interval"] or (None, None)
    beside = {"interval_low": low, "interval_high": high, **(figures.get("peers") or {})}
    # A card of an earlier version has not all of them.
    known = {**figures, **beside}
    return [known.get(name) for name in COLUMNS[4:]]


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if _NUMBER.fullmatch(text):
        return text
    defused = _FORMULA.sub(r"\1'", text)
    if defused == text and not _SPECIAL.search(text):
        return text
    return '"' + defused.replace('"', '""') + '"'
