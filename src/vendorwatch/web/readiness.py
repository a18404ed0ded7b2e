"""Whether the database, its schema and the disk can be used."""

import tempfile
from pathlib import Path

from vendorwatch.db import migrate
from vendorwatch.db.engine import Database
from vendorwatch.errors import Fault, Kind, VendorwatchError


class NotReady(VendorwatchError):
    """The database cannot be reached, has another schema than this version needs, or the disk is
    full.

    For the operator: each fault says what is wrong, and `vendorwatch doctor` how to mend it.
    """

    kind = Kind.UNAVAILABLE
    slug = "not-ready"
    title = "The server cannot do its work right now"


async def check_database(database: Database) -> list[Fault]:
    try:
        await migrate.require_head(database)
    except migrate.SchemaMismatch as error:
        return [Fault("schema", error.detail, field="schema")]
    except VendorwatchError as error:
        return [Fault("database", error.detail, field="database")]
    return []


def check_disk(folder: Path) -> list[Fault]:
    """Writes and removes a small file: permissions, a full disk and a read-only one all show."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"vendorwatch")
            file.flush()
    except OSError as error:
        return [
            Fault("disk", f"The data folder cannot be written: {error.strerror}.", field="disk")
        ]
    return []
