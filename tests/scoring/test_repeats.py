"""Who is followed by whom, against every pair of contacts looked at one by one."""

from random import Random
from typing import Any

import polars as pl
import pytest

from vendorwatch.periods import DAY, Micros
from vendorwatch.scoring.repeats import Contacts, repeated

Contact = dict[str, Any]
_COLUMNS = {
    "customer_code": pl.Int64,
    "customer_check": pl.Int64,
    "opened_at": pl.Int64,
    "window_end": pl.Int64,
    "interaction_id": pl.String,
    "source_account": pl.String,
    "vendor_id": pl.String,
    "topic": pl.UInt32,
    "order_ref": pl.Binary,
}
_TIES = ("opened_at", "vendor_id", "interaction_id", "source_account")


def contacts(random: Random, n: int, span: Micros, *, codes: list[int]) -> list[Contact]:
    """Of few customers, at few instants, so that many of them tie."""
    instants = [random.randrange(span) for _ in range(n // 3 + 1)]
    return [
        {
            "customer_code": random.choice([*codes, None]),
            "customer_check": random.choice([-7, 7]),
            "opened_at": (opened_at := random.choice(instants)),
            "window_end": random.choice([opened_at + random.choice([0, DAY, span]), None]),
            "interaction_id": str(number),
            "source_account": random.choice(["", "a"]),
            "vendor_id": random.choice("vw"),
            "topic": random.choice([0, 1, None]),
            "order_ref": random.choice([b"1", b"2", None]),
        }
        for number in range(n)
    ]


def is_repeated(this: Contact, every: list[Contact]) -> bool:
    if this["customer_code"] is None or this["window_end"] is None:
        return False
    return any(
        that["customer_code"] == this["customer_code"]
        and that["customer_check"] == this["customer_check"]
        and [that[name] for name in _TIES] > [this[name] for name in _TIES]
        and that["opened_at"] <= this["window_end"]
        and _same_matter(this, that)
        for that in every
    )


def _same_matter(this: Contact, that: Contact) -> bool:
    for name in ("topic", "order_ref"):
        if this[name] is not None and that[name] is not None:
            return bool(this[name] == that[name])
    return True


def of(rows: list[Contact]) -> Contacts:
    frame = pl.DataFrame(rows, schema=_COLUMNS)
    keys = ("customer_code", "customer_check", "opened_at", "window_end", "topic")
    return Contacts(frame.select(keys), frame.drop(keys))


WIDE = [-(2**63), 2**63 - 1, 0, -1, 1]  # two of them begin alike when there is little room
DENSE = [3, 4]


@pytest.mark.parametrize("span", [1, DAY, 40 * DAY, 40_000 * DAY], ids=str)
@pytest.mark.parametrize("codes", [WIDE, DENSE], ids=["wide", "dense"])
@pytest.mark.parametrize("seed", range(4))
def test_every_pair_agrees(seed: int, codes: list[int], span: Micros) -> None:
    random = Random(seed)
    every = contacts(random, 60, span, codes=codes)
    split = random.randrange(61)
    asked, others = every[:split], [each | {"window_end": None} for each in every[split:]]
    expected = [is_repeated(each, every) for each in asked]
    assert repeated(of(asked), of(others)).to_list() == expected


def test_nobody_asked() -> None:
    assert repeated(of([]), of([])).to_list() == []
