"""The interactions that an agent is shown to read, and why each of them, in words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from vendorwatch.periods import to_micros
from vendorwatch.scorecards.render.agent_topics import LONGEST
from vendorwatch.scorecards.render.names import displayable
from vendorwatch.scorecards.render.reply_times import channel_name
from vendorwatch.scorecards.render.wording import Wording, msgid
from vendorwatch.scoring.document import RATE_DIGITS, decimal_text

Beside = Mapping[str, Any]

_REASONS = {
    "late_reply": msgid("First reply furthest past its target"),
    "not_satisfied": msgid("Lowest answer to the survey"),
    "came_back": msgid("Not solved for good"),
    "weak_review": msgid("Weakest quality review"),
    "late_resolution": msgid("Resolution furthest past its target"),
    "solved_well": msgid("Went well: solved at first contact"),
    "latest": msgid("Among the latest contacts"),
}
_CAME_BACK = {
    "reopened": msgid("reopened"),
    "handed_over": msgid("handed over"),
    "repeated": msgid("contacted again"),
}


@dataclass(frozen=True, slots=True)
class Item:
    reason: str
    facts: str | None
    reference: str
    about: list[str]


def item(found: Mapping[str, Any], zone: str, words: Wording) -> Item:
    """A reason newer than the page is shown by its code."""
    reason = found["reason"]
    known, account = _REASONS.get(reason), found["source_account"]
    told = _FACTS.get(reason)
    opened = to_micros(datetime.fromisoformat(found["opened_at"]))
    about = [words.instant(opened, zone), channel_name(found["channel"], words)]
    about.append(displayable(found["topic"] or "", LONGEST))
    return Item(
        words.gettext(known) if known else reason,
        told(found["beside"], words) if told else None,
        f"{account} / {found['interaction_id']}" if account else found["interaction_id"],
        [each for each in about if each],
    )


def _late(beside: Beside, words: Wording) -> str:
    lasted = words.duration(Decimal(beside["lasted"]))
    told = lasted if beside["reached"] else words.gettext("%(span)s, and still open", span=lasted)
    if beside["target"] is None:
        return told
    target = words.duration(Decimal(beside["target"]))
    return words.gettext("%(actual)s, target %(target)s", actual=told, target=target)


def _answer(beside: Beside, words: Wording) -> str | None:
    if beside["csat"] is None:
        return None
    return words.gettext("%(n)s of 5", n=words.count(beside["csat"]))


def _came_back(beside: Beside, words: Wording) -> str:
    return words.listed(words.gettext(text) for name, text in _CAME_BACK.items() if beside[name])


def _review(beside: Beside, words: Wording) -> str:
    return words.rate(Decimal(decimal_text(Fraction(beside["share"]), RATE_DIGITS)))


_FACTS: Mapping[str, Callable[[Beside, Wording], str | None]] = {
    "late_reply": _late,
    "late_resolution": _late,
    "not_satisfied": _answer,
    "solved_well": _answer,
    "came_back": _came_back,
    "weak_review": _review,
}
