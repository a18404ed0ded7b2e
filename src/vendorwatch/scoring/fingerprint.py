"""Which records went into a scorecard, as one hash."""

import hashlib
from collections.abc import Iterator, Sequence

import polars as pl

from vendorwatch.scoring.document import canonical_json
from vendorwatch.scoring.inputs import Inputs
from vendorwatch.scoring.measured import Measured, of_month

_BLOCK = 1 << 16  # numbers; Arrow cuts longer columns into several messages
_PADDING, _END_MARK = 64, 8  # bytes


def _told(column: str) -> pl.Expr:
    """Unambiguous: free text is preceded by its length in bytes, and null has none."""
    text = pl.col(column)
    return pl.format("{}:{}", text.str.len_bytes(), text).fill_null("-")


_REVIEW = (
    _told("source_account"),
    _told("interaction_id"),
    _told("review_id"),
    pl.col("reviewed_at").cast(pl.String),
    pl.col("share"),
)


def of_records(inputs: Inputs) -> "hashlib._Hash":
    """SHA-256 over `vendorwatch/records/3`, a line feed, and the content hashes of the month's
    interactions as `_hashes` has them. `with_figures` and `with_names` add the rest.
    """
    digest = hashlib.sha256(b"vendorwatch/records/3\n")
    _add(digest, of_month(inputs)[0]["content_sha256"])
    return digest


def with_measured(digest: "hashlib._Hash", measured: Measured) -> "hashlib._Hash":
    """Adds what else was read, in a canonical order.

    The content hashes of the interactions whose customer came back in time, which is all that is
    taken from contacts elsewhere. Then lines of text, ascending: one for each review of the month's
    interactions. Then, each as a line of JSON: the results of checks; the answers by topic.
    """
    followed = measured.facts.filter("repeated")["row"]
    _add(digest, measured.records["content_sha256"].gather(followed))
    lines = measured.reviews.select(pl.concat_str(_REVIEW, separator=" ")).to_series().sort()
    digest.update(lines.str.join("\n").item().encode() + b"\n")
    for frame in (measured.inputs.knowledge, measured.inputs.answers):
        digest.update(_json(frame.sort(frame.columns).rows()))
    return digest


def with_names(digest: "hashlib._Hash", inputs: Inputs, agents: list[str]) -> str:
    """Two more lines of JSON: the names of these agents, and the aliases that stand for them, which
    decide who is credited. In hexadecimal digits.
    """
    known = set(agents)
    digest.update(_json([(agent, inputs.names.get(agent)) for agent in agents]))
    digest.update(_json(sorted(pair for pair in inputs.aliases.items() if pair[1] in known)))
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", hashes: pl.Series) -> None:
    """32 bytes each, in ascending order of the four little-endian numbers of 64 bits that each
    consists of; then a line feed.
    """
    for block in _ascending(hashes):
        digest.update(block)
    digest.update(b"\n")


def _ascending(hashes: pl.Series) -> Iterator[memoryview]:
    """Hashes of 32 bytes, in the order of the four numbers that they are made of."""
    quarters = hashes.bin.reinterpret(dtype=pl.Array(pl.UInt64, 4), endianness="little")
    first = quarters.arr.get(0)
    order = first.arg_sort()
    if (first[order] == first[order].shift(1)).any():  # so far two begin alike
        numbers = quarters.to_frame("of").select(
            pl.col("of").arr.get(at).alias(str(at)) for at in range(4)
        )
        order = numbers.select(pl.arg_sort_by(numbers.columns)).to_series()
    return raw(quarters[order].explode(empty_as_null=False))


def raw(numbers: pl.Series) -> Iterator[memoryview]:
    """The numbers of a UInt64 column, little-endian, eight bytes each, in blocks.

    To make a Python object of each would take longer than to hash them. In Arrow's stream format
    they stand at the end, padded to 64 bytes, before a mark of eight bytes.
    """
    for start in range(0, numbers.len(), _BLOCK):
        block = numbers.slice(start, _BLOCK).rechunk()
        stream = block.to_frame().write_ipc_stream(None, compression="uncompressed").getbuffer()
        size = 8 * block.len()
        end = len(stream) - _END_MARK - -size % _PADDING
        yield stream[end - size : end]


def _json(rows: Sequence[object]) -> bytes:
    return canonical_json(rows).encode() + b"\n"
