"""Whether the customer came back: a later contact of any vendor, on any channel."""

from collections.abc import Iterator

import polars as pl

from vendorwatch.scoring.customers import CUSTOMER_CODES

_TIE_ORDER = ("vendor_id", "interaction_id", "source_account")
_NEAREST = 6
"""So many followers of a contact are looked at one after the other. Hardly any customer writes more
often within a window; who does is looked up by ordered joins, whose cost does not grow with it."""


def repeated(asked: pl.DataFrame, others: pl.DataFrame) -> pl.Series:
    """For each asked contact, whether another one of the customer followed in time.

    `asked` has CUSTOMER_CODES, opened_at, topic, order_ref, the columns of the tie order and window_end
    (null: not asked, but it may follow others); `others` all but the last. No contact is excluded.
    A contact follows if it stands later in the order of (opened_at, vendor_id, interaction_id,
    source_account) and opened at or before window_end. It is about the same thing if the topics
    agree where both are known, else the order references where both are known, else always.
    """
    contacts = _Contacts(asked, others)
    rows = pl.concat([pl.Series([], dtype=pl.UInt32), *_followed(contacts)])
    return pl.select(pl.int_range(asked.height, dtype=pl.UInt32).is_in(rows.implode())).to_series()


class _Contacts:
    """All contacts, the asked ones first; what is unknown of a customer equals nothing."""

    def __init__(self, asked: pl.DataFrame, others: pl.DataFrame) -> None:
        self._asked, self._others = asked, others
        columns = (*CUSTOMER_CODES, "opened_at", "topic", "order_ref")
        self.every = pl.concat(
            [
                asked.select(*columns, "window_end"),
                others.select(*columns, pl.lit(None, pl.Int64).alias("window_end")),
            ],
            rechunk=True,  # rows are taken in another order below
        )

    def by_customer(self) -> pl.DataFrame:
        """Customer by customer in the order of time: `who` tells them apart, `place` is where each
        stands in `every`.
        """
        code, check = CUSTOMER_CODES
        placed = self._placed(self.every[code])
        before = placed.select("who", "place").shift(1)
        alike = (placed["who"] == before["who"]).fill_null(value=False)
        checks = self.every[check].gather(placed["place"])
        if (alike & (checks != checks.shift(1))).any():
            # Two pseudonyms begin alike: number the customers instead.
            both = self.every.select(CUSTOMER_CODES)
            numbers = both.unique().with_row_index("who")
            numbered = both.join(numbers, on=CUSTOMER_CODES, how="left", maintain_order="left")
            placed = self._placed(numbered["who"].cast(pl.Int64))
        return placed

    def _placed(self, who: pl.Series) -> pl.DataFrame:
        """Sorted by customer, instant and tie order; ids are compared only where instants tie."""
        # One number of 128 bits sorts in half the time of two columns.
        place = pl.lit(who).cast(pl.Int128) * 2**64 + pl.col("opened_at")
        keys = self.every.select(place).to_series()
        order = keys.arg_sort()
        ordered = keys[order]
        alike = (ordered == ordered.shift(1)).fill_null(value=False)
        slots = (alike | alike.shift(-1).fill_null(value=False)).arg_true()
        if slots.len():
            order = order.scatter(slots, self._untied(order.gather(slots), who))
        return pl.DataFrame({"place": order, "who": who.gather(order)}).with_columns(
            self.every.select("opened_at", "window_end")[order]
        )

    def _untied(self, tied: pl.Series, who: pl.Series) -> pl.Series:
        rows = self.every.select("opened_at")[tied].with_columns(who=who.gather(tied), row=tied)
        first = self._asked.height
        asked, others = tied.filter(tied < first), tied.filter(tied >= first)
        ids = pl.concat(
            [
                self._asked.select(_TIE_ORDER)[asked].with_columns(row=asked),
                self._others.select(_TIE_ORDER)[others - first].with_columns(row=others),
            ]
        )
        named = rows.join(ids, on="row", how="left", maintain_order="left")
        return tied.gather(
            named.select(pl.arg_sort_by(["who", "opened_at", *_TIE_ORDER])).to_series()
        )


def _followed(contacts: _Contacts) -> Iterator[pl.Series]:
    """Row numbers of the asked ones that were followed in time by the same matter."""
    placed = contacts.by_customer()
    follows = (pl.col("who") == pl.col("who").shift(-1)) & (
        pl.col("opened_at").shift(-1) <= pl.col("window_end")
    )
    open_ones = placed.select(follows.fill_null(value=False).arg_true()).to_series().cast(pl.Int64)
    matters = contacts.every.select("topic", "order_ref")
    for step in range(1, _NEAREST + 1):
        open_ones = open_ones.filter(open_ones < placed.height - step)
        this, next_ = placed[open_ones], placed[open_ones + step]
        in_time = (this["who"] == next_["who"]) & (next_["opened_at"] <= this["window_end"])
        open_ones = open_ones.filter(in_time)
        rows = this["place"].filter(in_time)
        same = _same_matter(matters[rows], matters[next_["place"].filter(in_time)])
        yield rows.filter(same)
        open_ones = open_ones.filter(~same)
        if open_ones.is_empty():
            return
    yield from _followed_at_last(placed.with_columns(matters[placed["place"]]), open_ones)


def _same_matter(this: pl.DataFrame, next_: pl.DataFrame) -> pl.Series:
    both = pl.concat([this, next_.select(pl.all().name.prefix("next_"))], how="horizontal")
    topic, next_topic = pl.col("topic"), pl.col("next_topic")
    order, next_order = pl.col("order_ref"), pl.col("next_order_ref")
    return both.select(
        pl.coalesce(topic == next_topic, order == next_order, pl.lit(value=True))
    ).to_series()


def _followed_at_last(placed: pl.DataFrame, open_ones: pl.Series) -> Iterator[pl.Series]:
    """The nearest follower of each kind of agreement decides: one ordered join a kind."""
    numbered = placed.with_row_index("position").with_columns(pl.col("position").cast(pl.Int64))
    asked = numbered[open_ones]
    contacts = numbered.filter(pl.col("who").is_in(asked["who"].unique().implode()))
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
        yield _next_in_time(asked.filter(of_this), contacts.filter(of_that), keys)


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
