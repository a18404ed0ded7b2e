"""An agent's first replies, a strip for each channel on one logarithmic axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from vendorwatch.charts.strip import Axis, Strip, Times, strip
from vendorwatch.scorecards.render.wording import Wording, msgid

MOST_LANES = 4
_APART = 0.12  # of the axis: two labels need so much
_FULL = 5  # contacts at least that a column of full height stands for
CHANNELS = {
    "email": msgid("E-mail"),
    "web_form": msgid("Web form"),
    "chat": msgid("Chat"),
    "messaging": msgid("Messaging"),
    "phone": msgid("Phone"),
    "sms": msgid("SMS"),
    "social": msgid("Social media"),
    "marketplace": msgid("Marketplace"),
    "review": msgid("Reviews"),
    "bot": msgid("Bot"),
    "other": msgid("Other channels"),
}


@dataclass(frozen=True, slots=True)
class Lane:
    """`notes` tell what no strip shows: contacts without a reply."""

    channel: str
    told: str
    picture: Markup
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Lanes:
    """`ticks` are places along the axis in per cent, and what stands there."""

    lanes: list[Lane]
    ticks: list[tuple[str, str]]
    left_out: str | None


def channel_name(channel: str, words: Wording) -> str:
    known = CHANNELS.get(channel)
    return words.gettext(known) if known else channel


def lanes(document: Mapping[str, Any], words: Wording) -> Lanes | None:
    """The channels with most contacts; None where no reply was timed."""
    replies = sorted(document["replies"], key=lambda each: (-each["n"], each["channel"]))
    shown = [each for each in replies if each["times"]][:MOST_LANES]
    if not shown:
        return None
    edge = _edges(document["buckets_per_decade"])
    ends = [
        edge(at) for each in shown for bucket, *_ in each["times"] for at in (bucket, bucket + 1)
    ]
    targets = [Decimal(target) for each in shown for target in each["targets"] or ()]
    axis = Axis.around([*ends, *targets])
    counts = [n for each in shown for _, *both in each["times"] for n in both]
    others = sum(each["n"] for each in replies) - sum(each["n"] for each in shown)
    return Lanes(
        [_lane(each, axis, max(*counts, _FULL), edge, words) for each in shown],
        _ticks(axis, words),
        words.ngettext(
            "%(n)s more contact by other channels.",
            "%(n)s more contacts by other channels.",
            others,
        )
        if others
        else None,
    )


def _ticks(axis: Axis, words: Wording) -> list[tuple[str, str]]:
    """Both ends, and between them what does not run into its neighbour."""
    first, *between, last = axis.ticks
    kept = [first]
    for tick in between:
        if axis.at(tick) - axis.at(kept[-1]) >= _APART <= axis.at(last) - axis.at(tick):
            kept.append(tick)
    return [(f"{100 * axis.at(tick):.2f}%", words.duration(tick)) for tick in (*kept, last)]


def _edges(per_decade: int) -> Any:
    """Where a bucket begins, in seconds; the first one at nothing."""
    return lambda bucket: (
        Decimal(10) ** (Decimal(bucket - 1) / per_decade) if bucket > 0 else Decimal("0.8")
    )


def _lane(replies: Mapping[str, Any], axis: Axis, tallest: int, edge: Any, words: Wording) -> Lane:
    name = channel_name(replies["channel"], words)
    told = words.gettext(
        "%(met)s of %(n)s on time",
        met=words.count(replies["on_time"]),
        n=words.count(replies["n"]),
    )
    drawn = strip(
        Strip(
            title=words.gettext("First replies, %(channel)s: %(told)s", channel=name, told=told),
            axis=axis,
            times=[Times(edge(at), edge(at + 1), met, late) for at, met, late in replies["times"]],
            tallest=tallest,
            targets=[Decimal(each) for each in replies["targets"] or ()],
        )
    )
    return Lane(name, told, Markup(drawn), list(_notes(replies, words)))  # noqa: S704 - our own SVG


def _notes(replies: Mapping[str, Any], words: Wording) -> Sequence[str]:
    told = []
    if replies["unanswered"]:
        told.append(words.gettext("%(n)s without a reply", n=words.count(replies["unanswered"])))
    if replies["given_up"]:
        told.append(words.gettext("%(n)s given up", n=words.count(replies["given_up"])))
    if replies["pending"]:
        told.append(words.gettext("%(n)s pending", n=words.count(replies["pending"])))
    return told
