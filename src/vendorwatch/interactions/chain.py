"""Whether an engagement's receipts, sources and rows are still those that were received; pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from vendorwatch.interactions.model import StoredUpload
from vendorwatch.interactions.rehash import is_as_received

Code = Literal[
    "receipt_removed",
    "receipt_altered",
    "receipt_reordered",
    "chain_broken",
    "source_missing",
    "source_altered",
    "rows_removed",
    "rows_added",
    "row_altered",
    "rejects_removed",
    "rejects_added",
    "wrong_in_force",
]
_MOST_TRIED = 200  # places at which a receipt may have stood before


@dataclass(frozen=True, slots=True)
class Finding:
    """`sequence`: of the upload, 1, 2, 3 ... within the engagement; null where it is none's."""

    sequence: int | None
    upload_id: str | None
    code: Code
    detail: str


def walk(uploads: Sequence[StoredUpload], newest: int) -> Iterator[Finding]:
    """What is wrong with the receipts; `uploads` in the order of their sequence.

    `newest`: the sequence that the engagement itself remembers.
    """
    broken = [each for each in uploads if _made(each) != each.receipt_sha256]
    places = [each.receipt.sequence for each in broken][:_MOST_TRIED]
    by_hash = {each.receipt_sha256: each.receipt.sequence for each in uploads}
    before: StoredUpload | None = None
    for upload in uploads:
        yield from _removed(_sequence(before), upload.receipt.sequence)
        if _made(upload) != upload.receipt_sha256:
            yield _altered(upload, places)
        yield from _misplaced(upload, before, by_hash)
        before = upload
    yield from _removed(_sequence(before), newest + 1)


def _sequence(upload: StoredUpload | None) -> int:
    return upload.receipt.sequence if upload else 0


def _made(upload: StoredUpload) -> bytes:
    return upload.receipt.receipt_sha256()


def _removed(before: int, after: int) -> Iterator[Finding]:
    for gone in range(before + 1, after):
        yield Finding(gone, None, "receipt_removed", "The receipt of this upload is gone.")


def _altered(upload: StoredUpload, places: Sequence[int]) -> Finding:
    receipt = upload.receipt
    for place in places:
        if replace(receipt, sequence=place).receipt_sha256() == upload.receipt_sha256:
            return _finding(upload, "receipt_reordered", f"It was received as number {place}.")
    return _finding(
        upload,
        "receipt_altered",
        f"What it says has the hash {_made(upload).hex()}, but {upload.receipt_sha256.hex()} was "
        "written beside it.",
    )


def _misplaced(
    upload: StoredUpload, before: StoredUpload | None, by_hash: Mapping[bytes, int]
) -> Iterator[Finding]:
    named = upload.receipt.previous_sha256
    if named == (before.receipt_sha256 if before else None):
        return
    if named is None:
        detail = "It names no receipt before it, as the first one does."
    elif named in by_hash:
        detail = f"It follows upload {by_hash[named]}, as it says itself."
    else:
        detail = f"It follows a receipt with the hash {named.hex()}, which is not there."
    yield _finding(upload, "chain_broken", detail)


def _finding(upload: StoredUpload, code: Code, detail: str) -> Finding:
    return Finding(upload.receipt.sequence, upload.receipt.upload_id, code, detail)


def compare_source(upload: StoredUpload, found: tuple[int, bytes] | None) -> Iterator[Finding]:
    """`found`: size and SHA-256 of the stored file; null where there is none."""
    receipt = upload.receipt
    if found is None:
        yield _finding(upload, "source_missing", "The file as it was received is gone.")
    elif found != (receipt.size_bytes, receipt.sha256):
        size, digest = found
        yield _finding(
            upload,
            "source_altered",
            f"The file has {size} bytes and the hash {digest.hex()}; received were "
            f"{receipt.size_bytes} bytes with the hash {receipt.sha256.hex()}.",
        )


@dataclass(slots=True)
class RowCheck:
    """Takes in the rows of `interactions` and counts them; of one interaction all at once."""

    newest: int  # later uploads came after the walk began
    rows: Counter[int] = field(default_factory=Counter)
    altered: dict[int, list[str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def note(self, revisions: Sequence[Mapping[str, Any]]) -> None:
        """All revisions of one interaction."""
        for row in revisions:
            sequence = row["upload_sequence"]
            self.rows[sequence] += 1
            if sequence <= self.newest and not is_as_received(row):
                self.altered.setdefault(sequence, []).append(row["interaction_id"])
        newest = max(revisions, key=_rank)
        for row in revisions:
            if row["in_force"] != (row is newest):
                said = "counts, and a newer one should" if row["in_force"] else "should count"
                self.findings.append(
                    Finding(
                        row["upload_sequence"],
                        None,
                        "wrong_in_force",
                        f"{row['interaction_id']}: the revision of row {row['row_number']} {said}.",
                    )
                )

    def compare(
        self, uploads: Sequence[StoredUpload], rejects: Mapping[int, int]
    ) -> Iterator[Finding]:
        """With what the receipts say; `rejects` are rows of that table by sequence."""
        known = {each.receipt.sequence: each for each in uploads}
        for upload in uploads:
            receipt, sequence = upload.receipt, upload.receipt.sequence
            stored = receipt.created + receipt.revised
            yield from _counted(upload, "rows", stored, self.rows[sequence])
            left_out = receipt.rejected + receipt.skipped
            yield from _counted(upload, "rejects", left_out, rejects.get(sequence, 0))
            if names := self.altered.get(sequence):
                told = f"{len(names)} rows are not what was received, the first of {names[0]}."
                yield _finding(upload, "row_altered", told)
        for sequence in sorted((self.rows.keys() | rejects.keys()) - known.keys()):
            if sequence <= self.newest:
                rows = self.rows[sequence] + rejects.get(sequence, 0)
                told = f"{rows} rows name this upload, of which there is no receipt."
                yield Finding(sequence, None, "rows_added", told)
        yield from self.findings


def _rank(row: Mapping[str, Any]) -> tuple[bool, int, int, int]:
    updated_at = row["source_updated_at"]
    dated = updated_at is not None
    return dated, updated_at or 0, row["upload_sequence"], row["row_number"]


_COUNTED: Mapping[tuple[str, bool], Code] = {
    ("rows", True): "rows_removed",
    ("rows", False): "rows_added",
    ("rejects", True): "rejects_removed",
    ("rejects", False): "rejects_added",
}


def _counted(
    upload: StoredUpload, what: Literal["rows", "rejects"], told: int, found: int
) -> Iterator[Finding]:
    if found != told:
        detail = f"The receipt says {told} {what}, and {found} are stored."
        yield _finding(upload, _COUNTED[what, found < told], detail)
