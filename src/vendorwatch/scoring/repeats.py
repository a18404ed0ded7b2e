"""Whether the customer came back: a later contact of any vendor, on any channel."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from vendorwatch.scoring.customers import CUSTOMER_CODES

_TIE_ORDER = ("vendor_id", "interaction_id", "source_account")
LOOKED_UP = ("interaction_id", "source_account", "order_ref")
_CODE_BITS, _PACKED_BITS = 64, 127
_NEAREST = 6
"""So many followers of a contact are looked at one after the other. Hardly any customer writes more
often within a window; who does is looked up by ordered joins, whose cost does not grow with it."""


@dataclass(frozen=True, slots=True)
class Contacts:
    """None of them is excluded, or else its first customer code is null.

    `keys` has CUSTOMER_CODES, opened_at, window_end (null: not asked about, but it may follow
    others) and topic, as a number. `told`, row by row beside it, has LOOKED_UP and vendor_id, which
    are looked at only of few.
    """

    keys: pl.DataFrame
    told: pl.DataFrame


def repeated(asked: Contacts, others: Contacts) -> pl.Series:
    """For each asked contact, whether another one of the customer followed in time.

    A contact follows if it stands later in the order of (opened_at, vendor_id, interaction_id,
    source_account) and opened at or before window_end. It is about the same thing if the topics
    agree where both are known, else the order references where both are known, else always.
    """
    found = pl.repeat(False, asked.keys.height, eager=True)
    for rows in _followed(_Contacts(asked, others)):
        found = found.scatter(rows, True)
    return found


class _Contacts:
    """All contacts, the asked ones first; what is unknown of a customer equals nothing."""

    def __init__(self, asked: Contacts, others: Contacts) -> None:
        self._asked, self._others = asked.told, others.told
        # In one piece: rows are taken in another order below.
        self.every = pl.concat([asked.keys, others.keys], rechunk=True)

    def told(self, places: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        """Of the contacts that stand there in `every`, in the order of `places`."""
        first = self._asked.height
        is_asked = places < first
        found = pl.concat(
            [
                self._asked.select(columns)[places.filter(is_asked)],
                self._others.select(columns)[places.filter(~is_asked) - first],
            ],
            rechunk=True,
        )
        return found[pl.concat([is_asked.arg_true(), (~is_asked).arg_true()]).arg_sort()]

    def by_customer(self) -> pl.DataFrame:
        """Customer by customer in the order of time: `who` tells them apart, `place` is where each
        stands in `every`. Contacts of unknown customers are left out.
        """
        codes = self.every.select(CUSTOMER_CODES)
        code, check = codes
        placed = self._placed(code, _CODE_BITS)
        checks = check.gather(placed["place"])
        if ((placed["who"] == placed["who"].shift(1)) & (checks != checks.shift(1))).any():
            # Two pseudonyms begin alike: number the customers instead.
            numbers = codes.unique().drop_nulls().with_row_index("who")
            numbered = codes.join(numbers, on=CUSTOMER_CODES, how="left", maintain_order="left")
            placed = self._placed(numbered["who"].cast(pl.Int64), numbers.height.bit_length())
        return placed

    def _placed(self, who: pl.Series, bits: int) -> pl.DataFrame:
        """Sorted by the beginning of `who`, which has so many bits, by instant and tie order.

        Customer, instant and row are packed into one number: to sort such numbers and to unpack them
        takes a third of the time of finding the order of columns and gathering them by it. Of `who`
        remains what there is room for, 33 bits at least.
        """
        opened_at = self.every["opened_at"]
        first, last = (
            end if isinstance(end, int) else 0 for end in (opened_at.min(), opened_at.max())
        )
        since = opened_at - first
        row_bits, time_bits = since.len().bit_length(), (last - first).bit_length()
        packed = pl.select(
            (
                pl.lit(who // 2 ** max(bits + time_bits + row_bits - _PACKED_BITS, 0)).cast(
                    pl.Int128
                )
                * 2**time_bits
                + pl.lit(since)
            )
            * 2**row_bits
            + pl.int_range(since.len(), dtype=pl.Int64)
        ).to_series()
        packed = packed.sort()
        known = packed.slice(packed.null_count()).to_frame("of")
        since_first = _low(pl.col("of") // 2**row_bits) & (2**time_bits - 1)
        placed = known.select(
            place=(_low(pl.col("of")) & (2**row_bits - 1)).cast(pl.UInt32),
            who=(pl.col("of") // 2 ** (time_bits + row_bits)).cast(pl.Int64),
            opened_at=since_first.cast(pl.Int64) + first,
        )
        is_tie = pl.col("who", "opened_at") == pl.col("who", "opened_at").shift(1)
        follows = pl.all_horizontal(is_tie)
        tied = placed.select(
            (follows | follows.shift(-1)).fill_null(value=False).arg_true()
        ).to_series()
        place = placed["place"]
        if tied.len():
            place = place.scatter(tied, self._untied(placed[tied]))
        return placed.with_columns(place, window_end=self.every["window_end"].gather(place))

    def _untied(self, tied: pl.DataFrame) -> pl.Series:
        """Their places, those of the same customer and instant in the tie order."""
        named = pl.concat([tied, self.told(tied["place"], _TIE_ORDER)], how="horizontal")
        return named.sort("who", "opened_at", *_TIE_ORDER)["place"]


def _low(number: pl.Expr) -> pl.Expr:
    return number.cast(pl.UInt64, wrap_numerical=True)


def _followed(contacts: _Contacts) -> Iterator[pl.Series]:
    """Row numbers of the asked ones that were followed in time by the same matter."""
    placed = contacts.by_customer()
    follows = (pl.col("who") == pl.col("who").shift(-1)) & (
        pl.col("opened_at").shift(-1) <= pl.col("window_end")
    )
    open_ones = placed.select(follows.fill_null(value=False).arg_true()).to_series().cast(pl.Int64)
    for step in range(1, _NEAREST + 1):
        open_ones = open_ones.filter(open_ones < placed.height - step)
        this, next_ = placed[open_ones], placed[open_ones + step]
        in_time = (this["who"] == next_["who"]) & (next_["opened_at"] <= this["window_end"])
        open_ones, rows = open_ones.filter(in_time), this["place"].filter(in_time)
        same = _same_matter(contacts, rows, next_["place"].filter(in_time))
        yield rows.filter(same)
        open_ones = open_ones.filter(~same)
        if open_ones.is_empty():
            return
    yield from _followed_at_last(contacts, placed, open_ones)


def _same_matter(contacts: _Contacts, these: pl.Series, next_ones: pl.Series) -> pl.Series:
    """By their places; for each, whether the two are about the same thing."""
    topics = contacts.every["topic"]
    same = topics.gather(these) == topics.gather(next_ones)
    untold = same.is_null().arg_true()
    orders = [
        contacts.told(places.gather(untold), ["order_ref"])["order_ref"]
        for places in (these, next_ones)
    ]
    return same.scatter(untold, (orders[0] == orders[1]).fill_null(value=True))


def _followed_at_last(
    contacts: _Contacts, placed: pl.DataFrame, open_ones: pl.Series
) -> Iterator[pl.Series]:
    """The nearest follower of each kind of agreement decides: one ordered join a kind."""
    customers = placed["who"].gather(open_ones).unique()
    positions = placed["who"].is_in(customers.implode()).arg_true().cast(pl.Int64)
    found = placed[positions]
    every = found.with_columns(
        positions.alias("position"),
        contacts.every["topic"].gather(found["place"]),
        contacts.told(found["place"], ["order_ref"])["order_ref"],
    )
    asked = every.filter(pl.col("position").is_in(open_ones.implode()))
    topic, order = pl.col("topic"), pl.col("order_ref")
    for of_this, of_that, keys in (
        (topic.is_not_null(), topic.is_not_null(), ["topic"]),
        (topic.is_not_null() & order.is_not_null(), topic.is_null(), ["order_ref"]),
        (topic.is_not_null(), topic.is_null() & order.is_null(), []),
        (topic.is_not_null() & order.is_null(), topic.is_null(), []),
        (topic.is_null() & order.is_not_null(), order.is_not_null(), ["order_ref"]),
        (topic.is_null(), order.is_null(), []),
        (topic.is_null() & order.is_null(), pl.lit(value=True), []),
    ):
        yield _next_in_time(asked.filter(of_this), every.filter(of_that), keys)


def _next_in_time(asked: pl.DataFrame, contacts: pl.DataFrame, keys: list[str]) -> pl.Series:
    """Row numbers of the asked ones whose next contact with the same keys came in time.

    Both are in the order of `position`.
    """
    following = contacts.select("position", "who", *keys, next_opened_at="opened_at")
    return asked.join_asof(
        following,
        on="position",
        by=["who", *keys],
        strategy="forward",
        allow_exact_matches=False,
        check_sortedness=False,  # both are sorted by the caller; groups are not checked anyway
    ).filter(pl.col("next_opened_at") <= pl.col("window_end"))["place"]
