"""Customers as numbers: a pseudonym of 32 bytes is slow to sort and to look up.

Half of it, 128 bits of an HMAC-SHA-256, tells customers apart: among a thousand million of them two
would be taken for one with a chance of one in 10**20.
"""

import polars as pl

CUSTOMER_CODES = ("customer_code", "customer_check")
"""The first eight bytes of the pseudonym, which hardly ever belong to two customers, and the next
eight, which tell if they do."""


def customer_codes() -> list[pl.Expr]:
    """From the column customer_ref; null where nothing is known of the customer."""
    quarters = pl.col("customer_ref").bin.reinterpret(dtype=pl.Array(pl.Int64, 4))
    return [quarters.arr.get(at).alias(name) for at, name in enumerate(CUSTOMER_CODES)]
