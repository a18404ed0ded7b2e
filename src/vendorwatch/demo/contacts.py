"""How customers turn up: how many, when, and about what."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate

from vendorwatch.demo.description import Description, Vendor
from vendorwatch.demo.desk import HOUR, Desk
from vendorwatch.periods import Micros, Month, load_zone

_NEW_SHARE = 0.91  # of what comes in; the rest are customers who come again
_CAME_AGAIN_TO_ANOTHER = 0.15
_WAKES = 7  # the hour from which on customers write again


@dataclass(frozen=True, slots=True)
class Contact:
    vendor: int
    opened_at: Micros
    customer: int
    order: str | None
    topic: str
    product: str | None
    channel: str
    language: str
    visit: int  # 1: the first time about this


class Crowd:
    """The customers of all vendors: one may turn up at two of them."""

    def __init__(self, shop: Description) -> None:
        self._shop = shop
        self._topics = list(shop.topics)
        self._topic_weights = list(accumulate(topic.weight for topic in shop.topics.values()))
        self._products = list(shop.products)
        self._product_weights = list(accumulate(shop.products.values()))

    def newcomers(self, number: int, desk: Desk) -> Iterator[Contact]:
        """Of one vendor, over all months."""
        rng, hours = desk.random, list(accumulate(self._shop.arrivals.hours))
        for day, start in _days(self._shop):
            for _ in range(_volume(rng, self._shop, desk.vendor, day)):
                hour = rng.choices(range(24), cum_weights=hours)[0]
                opened_at = start + hour * HOUR + rng.randrange(HOUR)
                yield self._newcomer(number, desk, opened_at, hour)

    def _newcomer(self, number: int, desk: Desk, opened_at: Micros, hour: int) -> Contact:
        rng = desk.random
        return Contact(
            vendor=number,
            opened_at=opened_at,
            customer=rng.randrange(self._shop.customers),
            order=f"TS{rng.randrange(10**7):07}" if desk.happens(0.8) else None,
            topic=rng.choices(self._topics, cum_weights=self._topic_weights)[0],
            product=rng.choices(self._products, cum_weights=self._product_weights)[0],
            channel=desk.pick_channel(hour),
            language="en" if desk.happens(desk.vendor.english) else "vi",
            visit=1,
        )


def come_again(contact: Contact, desks: list[Desk], resolved_at: Micros) -> Contact:
    """The same customer about the same thing, some days later, perhaps at another vendor."""
    desk = desks[contact.vendor]
    rng = desk.random
    opened_at = resolved_at + int(min(rng.lognormvariate(3.3, 0.7), 164) * HOUR)
    _, hour = desk.hours.hour(opened_at)
    if hour < _WAKES:
        opened_at += 8 * HOUR
        hour += 8
    vendor = contact.vendor
    if desk.happens(_CAME_AGAIN_TO_ANOTHER):
        vendor = rng.randrange(len(desks))
    return replace(
        contact,
        vendor=vendor,
        opened_at=opened_at,
        channel=desks[vendor].pick_channel(hour),
        visit=contact.visit + 1,
    )


def _days(shop: Description) -> Iterator[tuple[date, Micros]]:
    """Every day of the months, with the instant of its local midnight."""
    zone = load_zone(shop.time_zone)
    for text in shop.months:
        month = Month.parse(text)
        start, _ = month.bounds(zone)
        for day in range(month.days):
            yield date(month.year, month.month, day + 1), start + day * 24 * HOUR


def _volume(rng: random.Random, shop: Description, vendor: Vendor, day: date) -> int:
    weekdays = shop.arrivals.weekdays
    usual = vendor.monthly * _NEW_SHARE * 12 / 365 * weekdays[day.weekday()] * 7 / sum(weekdays)
    if str(day) in shop.sale_days:
        usual *= shop.sale_rush
    if str(day) in shop.holidays:
        usual /= shop.sale_rush
    return round(usual * rng.gauss(1, 0.05))
