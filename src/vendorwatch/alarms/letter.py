"""What the operators read: what is not done, since when, why, and what to do. In English, as the log
and the commands are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from vendorwatch.alarms.model import Alarm, Kind, shown
from vendorwatch.mailing.compose import Text
from vendorwatch.mailing.letter import environment
from vendorwatch.scorecards.render.names import displayable
from vendorwatch.vendors.model import Engagement

LANGUAGE = "en"
_MOST_ROWS = 50  # of a section
_LONGEST_NAME = 60  # graphemes
_LONGEST_REASON = 400
_SILENT = "No error is known: no worker has come to it, or the one that did has died."


@dataclass(frozen=True, slots=True)
class Row:
    about: str
    since: str
    reason: str
    command: str | None


@dataclass(frozen=True, slots=True)
class Section:
    """`command` is for all its rows; `more` says how many are left out."""

    title: str
    to_do: str
    command: str | None
    rows: Sequence[Row]
    more: int


def text(alarms: Sequence[Alarm], engagements: Mapping[str, Engagement]) -> Text:
    """`engagements` has all that the alarms are about, by id."""
    kinds = {kind: [each for each in alarms if each.kind == kind] for kind in _SECTIONS}
    counts = [_COUNTED[kind](len(found)) for kind, found in kinds.items() if found]
    heading = ", ".join(counts)
    given = {
        "subject": f"vendorwatch: {heading}",
        "heading": heading,
        "language": LANGUAGE,
        "at": shown(max(each.raised_at for each in alarms)),
        "sections": [_SECTIONS[kind](found, engagements) for kind, found in kinds.items() if found],
    }
    plain, html = (
        environment(LANGUAGE).get_template(f"alarms.{form}").render(given)
        for form in ("txt", "html")
    )
    return Text(str(given["subject"]), plain, html)


def _months(alarms: Sequence[Alarm], engagements: Mapping[str, Engagement]) -> Section:
    rows = [
        Row(
            f"{_name(each, engagements)}, {each.subject_key}",
            f"due since {shown(each.since)}",
            _reason(each.reason, _SILENT),
            f"vendorwatch close-month --engagement {each.engagement_id} --month {each.subject_key}",
        )
        for each in alarms
    ]
    return _section(
        "Months that are not issued",
        "Look whether a worker runs, and at its log. To close a month by hand, and be told what is "
        "in the way:",
        None,
        rows,
    )


def _unreadable(alarms: Sequence[Alarm], engagements: Mapping[str, Engagement]) -> Section:
    rows = [
        Row(
            _name(each, engagements),
            f"found at {shown(each.since)}",
            _reason(each.reason, _SILENT),
            f"vendorwatch closing list --engagement {each.engagement_id}",
        )
        for each in alarms
    ]
    return _section(
        "Engagements whose months cannot be read",
        "Nothing of theirs is closed until this is mended: what their policies or their time zone "
        "say is not understood.",
        None,
        rows,
    )


def _mails(alarms: Sequence[Alarm], engagements: Mapping[str, Engagement]) -> Section:
    """What has one cause is told once: a mail server that is down keeps everything waiting."""

    def alike(alarm: Alarm) -> tuple[str, str]:
        return (_reason(alarm.reason, _SILENT), _name(alarm, engagements))

    rows = []
    for (reason, name), found in groupby(sorted(alarms, key=alike), alike):
        waiting = list(found)
        since = min(each.since for each in waiting)
        count = _plural(len(waiting), "mail", "mails")
        rows.append(Row(f"{name}: {count}", f"due since {shown(since)}", reason, None))
    return _section(
        "Mails that are not sent",
        "Look whether a worker runs, and at the mail server. What became of each mail:",
        "vendorwatch deliver --list",
        rows,
    )


def _given_up(alarms: Sequence[Alarm], engagements: Mapping[str, Engagement]) -> Section:
    rows = [
        Row(
            _name(each, engagements),
            f"due since {shown(each.since)}",
            _reason(each.reason, "No error is known."),
            f"vendorwatch deliver retry {each.subject_key}",
        )
        for each in alarms
    ]
    return _section(
        "Mails that were given up",
        "Nobody will get them. Mend the address or its mailbox, and try again:",
        None,
        rows,
    )


def _section(title: str, to_do: str, command: str | None, rows: Sequence[Row]) -> Section:
    return Section(title, to_do, command, rows[:_MOST_ROWS], max(0, len(rows) - _MOST_ROWS))


_SECTIONS: Mapping[Kind, Callable[[Sequence[Alarm], Mapping[str, Engagement]], Section]] = {
    "month_overdue": _months,
    "months_unreadable": _unreadable,
    "mail_overdue": _mails,
    "mail_given_up": _given_up,
}
_COUNTED: Mapping[Kind, Callable[[int], str]] = {
    "month_overdue": lambda n: f"{_plural(n, 'month', 'months')} not issued",
    "months_unreadable": lambda n: f"{_plural(n, 'engagement', 'engagements')} unreadable",
    "mail_overdue": lambda n: f"{_plural(n, 'mail', 'mails')} not sent",
    "mail_given_up": lambda n: f"{_plural(n, 'mail', 'mails')} given up",
}


def _plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _name(alarm: Alarm, engagements: Mapping[str, Engagement]) -> str:
    found = engagements[alarm.engagement_id]
    vendor, merchant = (
        displayable(name, _LONGEST_NAME) for name in (found.vendor_name, found.merchant_name)
    )
    return f"{vendor} for {merchant}"


def _reason(reason: str | None, otherwise: str) -> str:
    return displayable(reason, _LONGEST_REASON) if reason else otherwise
