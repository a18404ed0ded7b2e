"""How many contacts the merchant counted itself; pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

import msgspec

from vendorwatch.errors import Fault, Kind, VendorwatchError
from vendorwatch.integrity.log import CountedDay
from vendorwatch.scoring.words import CHANNELS

MOST_COUNTS = 5_000
MOST_CONTACTS = 10_000_000
_FIRST_DAY = date(1970, 1, 1)


class BadContactCounts(VendorwatchError):
    """A count stands twice, is of a day that is not over or of a channel that there is not, or a
    day is counted by channel and as a whole at once. Nothing of it was stored.

    Correct the rows that are named, and send all of them again.
    """

    kind = Kind.REFUSED
    slug = "bad-contact-counts"
    title = "The counts of contacts were refused"


class ContactCount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    day: Annotated[date, msgspec.Meta(description="In the engagement's time zone.")]
    contacts: Annotated[
        int,
        msgspec.Meta(ge=0, le=MOST_CONTACTS, description="That reached the vendor on that day."),
    ]
    channel: Annotated[
        str | None, msgspec.Meta(description="As in the record; null: all channels together.")
    ] = None


def check_counts(counts: Sequence[ContactCount], today: date) -> Mapping[date, CountedDay]:
    """By day. Raises BadContactCounts with the fault of every row."""
    if not 0 < len(counts) <= MOST_COUNTS:
        raise BadContactCounts(f"Send 1 to {MOST_COUNTS} counts, not {len(counts)}.")
    cells = Counter((each.day, each.channel) for each in counts)
    whole = {each.day for each in counts if each.channel is None}
    faults = [
        Fault("bad_value", detail, field=field, row=row)
        for row, each in enumerate(counts, start=1)
        for field, detail in _faults(each, today, cells, whole)
    ]
    if faults:
        raise BadContactCounts(f"{len(faults)} faults; nothing was stored.", faults=tuple(faults))
    by_day: dict[date, dict[str | None, int]] = defaultdict(dict)
    for each in counts:
        by_day[each.day][each.channel] = each.contacts
    return by_day


def _faults(
    count: ContactCount,
    today: date,
    cells: Mapping[tuple[date, str | None], int],
    whole: set[date],
) -> list[tuple[str, str]]:
    found = []
    if not _FIRST_DAY <= count.day < today:
        is_early = count.day < _FIRST_DAY
        found.append(("day", f"{count.day} is {'too early' if is_early else 'not over yet'}"))
    if count.channel is not None and count.channel not in CHANNELS:
        found.append(("channel", f"{count.channel!r} is not one of {', '.join(CHANNELS)}"))
    if cells[count.day, count.channel] > 1:
        found.append(("day", f"{count.day} stands more than once"))
    if count.channel is not None and count.day in whole:
        found.append(("channel", f"{count.day} is counted as a whole, too"))
    return found
