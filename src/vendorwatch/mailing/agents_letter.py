"""What a mail about agents' scorecards says: no figure of anybody, as the pages are about people."""

from collections.abc import Mapping
from typing import Any

from vendorwatch.mailing.compose import Text
from vendorwatch.mailing.letter import Reader, rendered
from vendorwatch.scorecards.render.names import displayable
from vendorwatch.scorecards.render.wording import capital, wording

_IN_SUBJECT = 60  # graphemes of a vendor's name


def text(document: Mapping[str, Any], link: str, reader: Reader, *, is_attached: bool) -> Text:
    """`document` is the scorecard that the pages belong to. Raises LookupError without a catalogue."""
    words = wording(reader.language)
    month, revision, agents = document["month"], document["revision"], len(document["agents"])
    fact = words.ngettext("%(n)s agent scorecard", "%(n)s agent scorecards", agents)
    if not agents:
        fact = words.gettext("no agent scorecards")
    given = {
        "vendor": displayable(document["vendor"], _IN_SUBJECT),
        "month": words.month(month),
        "fact": fact,
    }
    subject = words.gettext("%(vendor)s, %(month)s: %(fact)s", **given)
    if revision > 1:
        subject = words.gettext(
            "%(vendor)s, %(month)s: %(fact)s (revision %(n)s)", n=revision, **given
        )
    inside = words.month(month)
    return rendered(
        "agents",
        subject,
        reader,
        heading=capital(fact),
        title=displayable(document["vendor"]),
        month=capital(inside),
        agents=agents,
        revision=revision,
        link=link,
        is_attached=is_attached,
    )
