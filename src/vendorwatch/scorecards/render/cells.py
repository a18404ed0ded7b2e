"""One metric of the document in the words and numbers of a table."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from vendorwatch.scorecards.render.findings import Figures
from vendorwatch.scorecards.render.wording import Wording, msgid

NOT_REACHED = "not_reached"
NOTHING = "\u2013"  # an en dash

CONTRACT = {
    "met": msgid("Met"),
    "missed": msgid("Missed"),
    "not_measurable": msgid("Not measurable"),
}
EVIDENCE = {
    "clear": msgid("clear"),
    "within_noise": msgid("within noise"),
    "too_few": msgid("too few"),
}


def decimal_of(text: Any) -> Decimal | None:
    """None for what is not there, and for a percentile that was not reached."""
    return None if text is None or text == NOT_REACHED else Decimal(text)


def is_duration(figures: Figures) -> bool:
    return bool(figures["kind"] == "percentile")


def less_is_better(figures: Figures) -> bool:
    target, floor = decimal_of(figures["target"]), decimal_of(figures["floor"])
    return target is not None and floor is not None and floor > target


def actual(figures: Figures, words: Wording) -> str:
    value = decimal_of(figures["value"])
    if value is None:
        return words.gettext("Not reached") if figures["value"] == NOT_REACHED else NOTHING
    beside = decimal_of(figures["target"])
    return shown(figures, words)(value, beside=beside)


def interval(figures: Figures, words: Wording) -> str | None:
    if figures["interval"] is None:
        return None
    ends = []
    for end in figures["interval"]:
        value = decimal_of(end)
        ends.append(words.gettext("not reached") if value is None else shown(figures, words)(value))
    return words.gettext("%(low)s to %(high)s", low=ends[0], high=ends[1])


def target(figures: Figures, words: Wording) -> str | None:
    value = decimal_of(figures["target"])
    if value is None:
        return None
    return words.duration(value) if is_duration(figures) else words.written_rate(value)


def side_of_target(figures: Figures, words: Wording) -> str:
    return words.gettext("at most") if less_is_better(figures) else words.gettext("at least")


def shown(figures: Figures, words: Wording) -> Callable[..., str]:
    return words.duration if is_duration(figures) else words.rate
