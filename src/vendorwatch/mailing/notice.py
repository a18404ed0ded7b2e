"""What a notice says: no figures, but what somebody has to do, and by when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date

from vendorwatch.mailing.compose import Text
from vendorwatch.mailing.letter import Reader, rendered
from vendorwatch.mailing.model import Notice
from vendorwatch.scorecards.render.names import displayable
from vendorwatch.scorecards.render.wording import Wording, capital, msgid, wording

_MOST_DAYS = 31
_IN_SUBJECT = 60  # graphemes of a vendor's name
_FACTS: Mapping[Notice, str] = {
    "approval_reminder": msgid("the scorecard waits for your approval"),
    "missing_data": msgid("days without any interaction"),
    "no_upload": msgid("no log has been received yet"),
}
_BODIES: Mapping[Notice, str] = {
    "approval_reminder": msgid(
        "The scorecard is computed and held. Its readers get it as soon as somebody approves it."
    ),
    "missing_data": msgid(
        "No interaction of these days has been received. What does not come before the month is "
        "closed is missing in the scorecard."
    ),
    "no_upload": msgid(
        "The month is over, and no log of its last days has been received. What does not come "
        "before the month is closed is missing in the scorecard."
    ),
}
_TO_DO: Mapping[Notice, str] = {
    "approval_reminder": msgid("To approve it:"),
    "missing_data": msgid("To send what is missing:"),
    "no_upload": msgid("To send what is missing:"),
}


@dataclass(frozen=True, slots=True)
class About:
    """Which vendor and month a notice is about. `facts` may have `days`, as YYYY-MM-DD."""

    kind: Notice
    vendor: str
    engagement_id: str
    month: str
    facts: Mapping[str, Any]


def text(about: About, reader: Reader) -> Text:
    """Raises LookupError without a catalogue."""
    words = wording(reader.language)
    month, fact = words.month(about.month), words.gettext(_FACTS[about.kind])
    vendor = displayable(about.vendor, _IN_SUBJECT)
    return rendered(
        "notice",
        words.gettext("%(vendor)s, %(month)s: %(fact)s", vendor=vendor, month=month, fact=fact),
        reader,
        title=displayable(about.vendor),
        month=capital(month),
        heading=capital(fact),
        body=words.gettext(_BODIES[about.kind]),
        days=_days(about.facts, words),
        to_do=words.gettext(_TO_DO[about.kind]),
        command=_command(about),
    )


def _days(facts: Mapping[str, Any], words: Wording) -> list[str]:
    found = facts.get("days", [])
    days = [date.fromisoformat(str(each)) for each in list(found)[:_MOST_DAYS]]
    return [format_date(day, "full", locale=words.locale) for day in days]


def _command(about: About) -> str:
    if about.kind == "approval_reminder":
        return f"vendorwatch approve --engagement {about.engagement_id} --month {about.month}"
    return "vendorwatch push FILE --url URL --key-file KEY_FILE"
