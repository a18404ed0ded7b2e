"""Gaps in the numbers that a help desk gives out: interactions that never came."""

import msgspec
import polars as pl

from vendorwatch.integrity.log import Log
from vendorwatch.integrity.measure import is_material

LEAST = 30
SHORTEST_JUMP = 100
JUMP_SHARE = 10  # a jump is longer than a tenth of the numbers that are there, too
GAPS_SHARE = 4  # numbers that are there for one that is missing, at least
JUMPS_SHARE = 20  # numbers that are there for one jump, at least
MOST_SEQUENCES = MOST_GAPS = 50

_NUMBERED = r"(?s)^(.*?)([0-9]{1,18})$"
_OF = ("source_account", "prefix")


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Both ids are missing, and so are all between them."""

    first: str
    last: str
    numbers: int


class Sequence(msgspec.Struct, frozen=True, kw_only=True):
    """Ids of one account that differ in the number at their end; `first` and `last` are there.

    `gaps` are the longest ones, jumps included; those are not in `missing`.
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
    them all; and if there are hardly any jumps, as there are among numbers that somebody drew.

    A jump is a long gap: it is more likely that an id is from elsewhere, and it must not hide what is
    missing among the others.
    """
    told = _numbered(log)
    present = pl.col("present")
    found = (
        told.group_by(_OF)
        .agg(
            present=pl.len(),
            missing=pl.col("gap").filter(~pl.col("is_jump")).sum(),
            jumps=pl.col("is_jump").sum(),
            first=pl.col("number").min(),
            last=pl.col("number").max(),
            # Leading zeros are part of an id, where all have as many digits.
            width=pl.when(pl.col("digits").n_unique() == 1).then(pl.col("digits").first()),
        )
        .filter(
            (present >= LEAST)
            & (pl.col("missing") * GAPS_SHARE <= present)
            & (pl.col("jumps") * JUMPS_SHARE <= present)
        )
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
    """A row for each number that is there: prefix, number, digits; `gap`: how many are missing before
    it, and whether that is a jump.
    """
    digits = pl.col("interaction_id").str.extract(_NUMBERED, 2)
    longest = pl.max_horizontal(pl.lit(SHORTEST_JUMP), pl.len().over(_OF) // JUMP_SHARE)
    return (
        log.interactions.lazy()
        .select(
            "source_account",
            prefix=pl.col("interaction_id").str.extract(_NUMBERED, 1),
            number=digits.cast(pl.Int64),
            digits=digits.str.len_bytes(),
        )
        .drop_nulls("number")
        .sort(*_OF, "number", "digits")
        .unique([*_OF, "number"], keep="first", maintain_order=True)
        .with_columns(before=pl.col("number").shift(1).over(_OF))
        .with_columns(gap=(pl.col("number") - pl.col("before") - 1).fill_null(0))
        .with_columns(is_jump=pl.col("gap") > longest)
        .collect()
    )


def _sequence(
    gaps: pl.DataFrame,
    *,
    source_account: str,
    prefix: str,
    first: int,
    last: int,
    width: int | None,
    present: int,
    missing: int,
    jumps: int,
) -> Sequence:
    def named(number: int) -> str:
        return f"{prefix}{number:0{width or 0}}"

    longest = (
        gaps.filter((pl.col("source_account") == source_account) & (pl.col("prefix") == prefix))
        .sort("gap", "number", descending=[True, False])
        .head(MOST_GAPS)
    )
    return Sequence(
        source_account=source_account,
        first=named(first),
        last=named(last),
        present=present,
        missing=missing,
        jumps=jumps,
        gaps=[
            Gap(first=named(before + 1), last=named(number - 1), numbers=gap)
            for before, number, gap in longest.select("before", "number", "gap").iter_rows()
        ],
    )
