"""Rows as they stand in a file, before anybody asks what they mean."""

import msgspec

from vendorwatch.errors import Fault

ENDLESS = 2**20
"""Bytes without an end of the row after which reading the whole file is given up."""


class RawRow(msgspec.Struct, frozen=True, gc=False):
    """`line` counts from 1, `offset` is of the first byte in the decoded body.

    `raw` is without the line's end; of a row over the limit it is the beginning. `fault` is set
    where the row cannot be read at all.
    """

    line: int
    offset: int
    raw: bytes
    fault: Fault | None = None


def too_large(size: int | None, limit: int) -> Fault:
    told = f"The row has {size} bytes" if size is not None else "The row is longer"
    return Fault("row_too_large", f"{told}; {limit} are allowed")
