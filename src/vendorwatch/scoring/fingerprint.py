"""Which records went into a scorecard, as one hash."""

import hashlib
from collections.abc import Iterator, Sequence

import polars as pl

from vendorwatch.scoring.document import canonical_json
from vendorwatch.scoring.inputs import Inputs
from vendorwatch.scoring.measured import Measured

_BLOCK = 1 << 16  # numbers; Arrow cuts longer columns into several messages
_PADDING, _END_MARK = 64, 8  # bytes


def _told(column: str) -> pl.Expr:
    """Unambiguous: free text is preceded by its length in bytes, and null has none."""
    text = pl.col(column)
    return pl.format("{}:{}", text.str.len_bytes(), text).fill_null("-")


_FOLLOWED = (_told("source_account"), _told("interaction_id"))
_REVIEW = (
    _told("source_account"),
    _told("interaction_id"),
    _told("review_id"),
    pl.col("reviewed_at").cast(pl.String),
    pl.col("share"),
)


def fingerprint(measured: Measured) -> "hashlib._Hash":
    """SHA-256 over `vendorwatch/records/2`, a line feed, and what was read, in a canonical order.

    The content hashes of the month's interactions, 32 bytes each, in ascending order of the four
    little-endian numbers of 64 bits that each consists of. Then lines of text, ascending: one for
    each interaction whose customer came back in time, which is all that is taken from contacts
    elsewhere; and one for each review of the month's interactions. Then, each as a line of JSON:
    the results of checks; the answers by topic. `with_names` adds the rest.
    """
    inputs = measured.inputs
    digest = hashlib.sha256(b"vendorwatch/records/2\n")
    for block in _ascending(measured.in_month["content_sha256"]):
        digest.update(block)
    digest.update(b"\n")
    followed = measured.facts.filter("repeated")
    for frame, columns in ((followed, _FOLLOWED), (measured.reviews, _REVIEW)):
        lines = frame.select(pl.concat_str(columns, separator=" ")).to_series().sort()
        digest.update(lines.str.join("\n").item().encode() + b"\n")
    for frame in (inputs.knowledge, inputs.answers):
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
