"""Gaps in the numbers that a help desk gives out: interactions that never came."""

import msgspec
import polars as pl

from vendorwatch.integrity.log import Log
from vendorwatch.integrity.measure import is_material

LEAST = 30
SHORTEST_JUMP = 100
# A jump is longer than a tenth of the numbers that are there, and fewer than a tenth are beyond it.
JUMP_SHARE = 10
GAPS_SHARE = 4  # numbers that are there for one that is missing, at least
MOST_SEQUENCES = MOST_GAPS = 50

_NUMBERED = r"(?s)^(.*?)([0-9]{1,18})$"
_OF = ("source_account", "prefix")


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Both ids are missing, and so are all between them; of a jump they are not counted."""

    first: str
    last: str
    numbers: int
    is_jump: bool


class Sequence(msgspec.Struct, frozen=True, kw_only=True):
    """Ids of one account that differ in the number at their end; `first` and `last` are there.

    `gaps`: the longest first, jumps behind all others.
    """

    source_account: str
    first: str
    last: str
    present: int
    missing: int
    jumps: int
    gaps: list[Gap]


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """`sequences`: those with the most missing first. `present` and `missing` are over all of them."""

    flagged: bool
    present: int
    missing: int
    sequences: list[Sequence]


def numbers(log: Log) -> Numbers:
    """Ids are in a sequence if few of its numbers are missing, as they are where one vendor gets
    them all.

    A jump is a long gap before or behind a few ids. They are more likely from elsewhere, and must
    not hide what is missing among the others.
    """
    told = _numbered(log)
    present = pl.col("present")
    found = (
        told.group_by(_OF)
        .agg(
            present=pl.len(),
            missing=pl.col("gap").filter(~pl.col("is_jump")).sum(),
            jumps=pl.col("is_jump").sum(),
            first=pl.col("interaction_id").first(),
            last=pl.col("interaction_id").last(),
            width=pl.col("digits").min(),  # leading zeros are part of an id
        )
        .filter((present >= LEAST) & (pl.col("missing") * GAPS_SHARE <= present))
        .sort("missing", *_OF, descending=[True, False, False])
    )
    there, missing = (int(found[name].sum()) for name in ("present", "missing"))
    listed = found.head(MOST_SEQUENCES)
    gaps = told.filter(pl.col("gap") > 0).join(listed.select(_OF), on=_OF, how="semi")
    return Numbers(
        flagged=is_material(missing, there + missing),
        present=there,
        missing=missing,
        sequences=[_sequence(gaps, **row) for row in listed.iter_rows(named=True)],
    )


def _numbered(log: Log) -> pl.DataFrame:
    """A row for each number that is there, in order: prefix, number, digits; `gap`: how many are
    missing before it, and whether that is a jump.
    """
    digits = pl.col("interaction_id").str.extract(_NUMBERED, 2)
    there, before = pl.len().over(_OF), pl.int_range(pl.len()).over(_OF)
    is_long = pl.col("gap") > pl.max_horizontal(pl.lit(SHORTEST_JUMP), there // JUMP_SHARE)
    is_at_an_end = pl.min_horizontal(before, there - before) * JUMP_SHARE < there
    return (
        log.interactions.lazy()
        .select(
            "source_account",
            "interaction_id",
            prefix=pl.col("interaction_id").str.extract(_NUMBERED, 1),
            number=digits.cast(pl.Int64),
            digits=digits.str.len_bytes(),
        )
        .drop_nulls("number")
        .sort(*_OF, "number", "digits", "interaction_id")
        .unique([*_OF, "number"], keep="first", maintain_order=True)
        .with_columns(gap=(pl.col("number") - pl.col("number").shift(1).over(_OF) - 1).fill_null(0))
        .with_columns(is_jump=is_long & is_at_an_end)
        .collect()
    )


def _sequence(
    gaps: pl.DataFrame,
    *,
    source_account: str,
    prefix: str,
    first: str,
    last: str,
    width: int,
    present: int,
    missing: int,
    jumps: int,
) -> Sequence:
    def named(number: int) -> str:
        return f"{prefix}{number:0{width}}"

    longest = (
        gaps.filter((pl.col("source_account") == source_account) & (pl.col("prefix") == prefix))
        .sort("is_jump", "gap", "number", descending=[False, True, False])
        .head(MOST_GAPS)
    )
    return Sequence(
        source_account=source_account,
        first=first,
        last=last,
        present=present,
        missing=missing,
        jumps=jumps,
        gaps=[
            Gap(first=named(number - gap), last=named(number - 1), numbers=gap, is_jump=is_jump)
            for number, gap, is_jump in longest.select("number", "gap", "is_jump").iter_rows()
        ],
    )
