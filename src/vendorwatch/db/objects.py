"""Bytes too large for a table: uploads as they were received, rendered documents.

An object is named by its content, so it can be written before the transaction that refers to it:
if that transaction fails, an object that nobody refers to is left, never a reference to nothing.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from vendorwatch.db.scope import Scope
from vendorwatch.errors import Kind, VendorwatchError


class StorageUnavailable(VendorwatchError):
    """The body of an upload could not be kept, or a kept one cannot be found. Nothing was stored.

    Try again later. For the operator: look at the space and the rights of the data folder.
    """

    kind = Kind.UNAVAILABLE
    slug = "storage-unavailable"
    title = "The storage cannot take more right now"


_DRAFT = "draft-"


class ObjectStore:
    """A folder with one subfolder an engagement."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, scope: Scope, sha256: bytes) -> Path:
        return self._home(scope) / sha256.hex()

    @contextmanager
    def draft(self, scope: Scope) -> Iterator["Draft"]:
        """A new object to write to; gone when the block ends unless it was kept."""
        with _as_unavailable():
            self._make_home(scope)
            path = self._home(scope) / f"{_DRAFT}{secrets.token_hex(8)}"
            file = path.open("xb")
        try:
            yield Draft(path, file)
        finally:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # what is not flushed yet is not wanted; the disk may be full
                file.close()

    def sweep(self, *, older_than: float) -> None:
        """Removes drafts of processes that were killed: untouched since, in seconds of the epoch."""
        for draft in self._folder.glob(f"*/{_DRAFT}*"):
            if draft.stat().st_mtime < older_than:
                draft.unlink(missing_ok=True)

    def _make_home(self, scope: Scope) -> None:
        if not self._home(scope).is_dir():
            self._home(scope).mkdir(parents=True, exist_ok=True)
            _sync_folder(self._folder)  # the folder's own name must survive a crash, too

    def _home(self, scope: Scope) -> Path:
        return self._folder / scope.engagement_id


class Draft:
    """An object being written. `size` and `sha256` tell of what was written so far."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.size = 0
        self._file = file
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> bytes:
        return self._hash.digest()

    def write(self, chunk: bytes) -> None:
        with _as_unavailable():
            self._file.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)

    def flush(self) -> None:
        """From here on, the path can be opened and read in full."""
        with _as_unavailable():
            self._file.flush()

    def sync(self) -> None:
        """What was written so far is on the disk when this returns, so that `keep` takes less."""
        with _as_unavailable():
            self._file.flush()
            os.fsync(self._file.fileno())

    def keep(self) -> None:
        """Durable under its final name when this returns: the file and its folder are synced."""
        self.sync()
        with _as_unavailable():
            target = self.path.with_name(self.sha256.hex())
            if not target.exists():
                self.path.rename(target)
            _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(
            "The upload could not be kept; nothing was stored. Try again later.",
            retry_after_seconds=30,
        ) from error
