"""Customers as numbers: a pseudonym of 32 bytes is slow to sort and to look up.

Half of it, 128 bits of an HMAC-SHA-256, tells customers apart; of those at least 97 are compared
(scoring.repeats). Among a hundred million customers two would be taken for one with a chance of one
in 10**13.
"""

import polars as pl

CUSTOMER_CODES = ("customer_code", "customer_check")
"""The first eight bytes of the pseudonym, which hardly ever belong to two customers, and the next
eight, which tell if they do."""


def customer() -> pl.Expr:
    """The column customer_ref as numbers, from which customer_codes are taken."""
    return pl.col("customer_ref").bin.reinterpret(dtype=pl.Array(pl.Int64, 4)).alias("customer")


def customer_codes() -> list[pl.Expr]:
    """From the column `customer`; null where nothing is known of the customer."""
    return [pl.col("customer").arr.get(at).alias(name) for at, name in enumerate(CUSTOMER_CODES)]
