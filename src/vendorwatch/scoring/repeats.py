"""Whether the customer came back: a later contact of any vendor, on any channel."""

import polars as pl

_POSITION = ("opened_at", "vendor_id", "interaction_id", "source_account")


def repeated(resolved: pl.DataFrame, contacts: pl.DataFrame, vendor_id: str) -> pl.Series:
    """For each resolved interaction, whether another contact of the customer followed in time.

    `resolved` has source_account, interaction_id, customer_ref, topic, order_ref and window_end;
    `contacts` the columns of frames.CONTACTS without excluded ones, `resolved` among them.
    A contact follows if it stands later in the order of (opened_at, vendor_id, interaction_id,
    source_account) and opened at or before window_end. It is about the same thing if the topics
    agree where both are known, else the order references where both are known, else always.

    The nearest follower decides, so each kind of agreement is one ordered join: the cost does not
    grow with the contacts of a single customer.
    """
    customers = contacts.select(pl.col("customer_ref").drop_nulls().unique()).with_row_index("who")
    placed = (
        contacts.select(*_POSITION, "customer_ref", "topic", "order_ref")
        .join(customers, on="customer_ref")
        .drop("customer_ref")  # narrow: sorting moves every column
        .sort(_POSITION)
        .with_row_index("position")
        .with_columns(pl.col("position").cast(pl.Int64))
    )
    own = placed.filter(pl.col("vendor_id") == vendor_id)
    asked = (
        resolved.with_row_index("row")
        .join(
            own.select("source_account", "interaction_id", "position", "who"),
            on=["source_account", "interaction_id"],
        )
        .sort("position")
    )
    topic, order = pl.col("topic"), pl.col("order_ref")
    found = [
        _followed(asked.filter(of_this), placed.filter(of_that), keys)
        for of_this, of_that, keys in (
            (topic.is_not_null(), topic.is_not_null(), ["topic"]),
            (topic.is_not_null() & order.is_not_null(), topic.is_null(), ["order_ref"]),
            (topic.is_not_null(), topic.is_null() & order.is_null(), []),
            (topic.is_not_null() & order.is_null(), topic.is_null(), []),
            (topic.is_null() & order.is_not_null(), order.is_not_null(), ["order_ref"]),
            (topic.is_null(), order.is_null(), []),
            (topic.is_null() & order.is_null(), pl.lit(value=True), []),
        )
    ]
    rows = pl.concat(found).unique()
    return pl.select(
        pl.int_range(resolved.height, dtype=pl.UInt32).is_in(rows.implode())
    ).to_series()


def _followed(asked: pl.DataFrame, contacts: pl.DataFrame, keys: list[str]) -> pl.Series:
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
    ).filter(pl.col("next_opened_at") <= pl.col("window_end"))["row"]
