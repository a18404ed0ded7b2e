"""Makes the demo shop from its description: the same description, the same bytes. No clock."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass

from vendorwatch.demo.checks import Item, knowledge_document
from vendorwatch.demo.contacts import Crowd, come_again
from vendorwatch.demo.description import Description
from vendorwatch.demo.desk import Agent, Desk
from vendorwatch.demo.handling import Record, as_seen, handle
from vendorwatch.demo.logs import csv_log, help_desk, ndjson
from vendorwatch.demo.reviews import reviews_of
from vendorwatch.periods import DAY, Micros, Month, load_zone

_WRITERS = {"ndjson": (ndjson, ".ndjson"), "csv": (csv_log, ".csv"), "mapped": (help_desk, ".csv")}


@dataclass(frozen=True, slots=True)
class Log:
    """One month's export of one vendor. `records` are what its rows were made of; `reviews` are
    the merchant's own, of contacts of that month.
    """

    month: str
    file_name: str
    content: bytes
    records: tuple[Record, ...]
    reviews: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class VendorPart:
    """`mapping` is null where the log is in a canonical form."""

    name: str
    code: str
    agents: tuple[Agent, ...]
    policy: str
    mapping: str | None
    knowledge: Mapping[str, list[Item]]
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class Shop:
    merchant: str
    time_zone: str
    months: tuple[str, ...]
    rubric: Mapping[str, object]
    vendors: tuple[VendorPart, ...]


def shop(description: Description) -> Shop:
    desks = [Desk(description, vendor) for vendor in description.vendors]
    records = _live(description, desks)
    return Shop(
        merchant=description.merchant,
        time_zone=description.time_zone,
        months=description.months,
        rubric=description.rubric,
        vendors=tuple(
            _part(description, desk, handled) for desk, handled in zip(desks, records, strict=True)
        ),
    )


def _live(description: Description, desks: list[Desk]) -> list[list[Record]]:
    """For each vendor what became of its contacts, in the order in which they came in."""
    crowd = Crowd(description)
    queue = [
        (contact.opened_at, number, serial, contact)
        for number, desk in enumerate(desks)
        for serial, contact in enumerate(crowd.newcomers(number, desk))
    ]
    heapq.heapify(queue)
    _, end = Month.parse(description.months[-1]).bounds(load_zone(description.time_zone))
    records: list[list[Record]] = [[] for _ in desks]
    serial = len(queue)
    while queue:
        *_, contact = heapq.heappop(queue)
        handled = handle(contact, desks[contact.vendor], description)
        records[contact.vendor].append(handled.record)
        if handled.comes_again:
            again = come_again(contact, desks, _instant(handled.record["resolved_at"]))
            if again.opened_at < end:
                serial += 1
                heapq.heappush(queue, (again.opened_at, again.vendor, serial, again))
    return records


def _part(description: Description, desk: Desk, records: list[Record]) -> VendorPart:
    vendor = desk.vendor
    return VendorPart(
        name=vendor.name,
        code=vendor.code,
        agents=tuple(desk.agents),
        policy=description.policies.get(vendor.code, description.policy),
        mapping=description.mapping if vendor.log == "mapped" else None,
        knowledge=knowledge_document(description, desk),
        logs=_logs(description, desk, records),
    )


def _logs(description: Description, desk: Desk, records: list[Record]) -> tuple[Log, ...]:
    """Each month's contacts as they stand some days after its end; before them what the log of the
    month before showed otherwise, and a few rows that it showed just so.
    """
    zone = load_zone(description.time_zone)
    write, suffix = _WRITERS[desk.vendor.log]
    logs: list[Log] = []
    before: list[tuple[Record, Record]] = []
    for text in description.months:
        start, end = Month.parse(text).bounds(zone)
        is_last = text == description.months[-1]
        days = description.settled_days if is_last else description.exported_days
        exported_at = end + days * DAY
        mine = [record for record in records if start <= _instant(record["opened_at"]) < end]
        seen = [as_seen(record, exported_at) for record in mine]
        rows = [*_sent_again(before, exported_at, description.sent_twice), *seen]
        before = list(zip(mine, seen, strict=True))
        file_name = f"{desk.vendor.code}-{text}{suffix}"
        content, spoiled = write(rows, zone, desk.random)
        refused = {str(rows[place]["interaction_id"]) for place in spoiled}
        readable = [record for record in seen if record["interaction_id"] not in refused]
        reviews = reviews_of(description, desk, text, readable)
        logs.append(Log(text, file_name, content, tuple(rows), tuple(reviews)))
    return tuple(logs)


def _sent_again(
    before: list[tuple[Record, Record]], exported_at: Micros, sent_twice: int
) -> list[Record]:
    now = [(seen, as_seen(record, exported_at)) for record, seen in before]
    unchanged = [later for seen, later in now if later == seen]
    return [later for seen, later in now if later != seen] + unchanged[-sent_twice:]


def _instant(value: object) -> Micros:
    assert isinstance(value, int)  # noqa: S101  a handled contact has it
    return value
