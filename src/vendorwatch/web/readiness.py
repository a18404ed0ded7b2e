"""Whether the database, its schema, the disk and the secret can be used."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path

from alembic.script import ScriptDirectory

from vendorwatch.db import migrate
from vendorwatch.db.engine import Database
from vendorwatch.errors import Fault, Kind, VendorwatchError
from vendorwatch.settings import Settings

CHECKS = ("database", "schema", "disk", "secret")
_PATIENCE_SECONDS = 5
_SHARE = 20
_LOOK_SECONDS = 60.0


class Lateness:
    """How much of the background work is a day late. `look` asks, at most once a minute."""

    def __init__(self, look: Callable[[], Awaitable[Mapping[str, int]]]) -> None:
        self._look = look
        self._seen: Mapping[str, int] = {}
        self._at: float | None = None

    async def look(self) -> Mapping[str, int]:
        """Raises what asking the database raises."""
        now = time.monotonic()
        if self._at is None or now - self._at >= _LOOK_SECONDS:
            self._seen, self._at = await self._look(), now
        return self._seen

    def seen(self, what: str) -> int:
        return self._seen.get(what, 0)

    async def told(self) -> str:
        """`ok`, or what is late."""
        late = {what: count for what, count in (await self.look()).items() if count}
        if not late:
            return "ok"
        return "a day overdue: " + ", ".join(f"{count} {what}" for what, count in late.items())


class NotReady(VendorwatchError):
    """The database cannot be reached or has another schema than this version needs, the disk is
    full or nearly so, or the server's secret is gone.

    For the operator: each fault says what is wrong, and `vendorwatch doctor` how to mend it.
    """

    kind = Kind.UNAVAILABLE
    slug = "not-ready"
    title = "The server cannot do its work right now"


async def check_database(database: Database) -> list[Fault]:
    """Whether it answers in time, and has the schema that this version needs."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), database.read_as_owner() as connection:
            found = await migrate.current(connection)
    except TimeoutError:
        return [_fault("database", f"It did not answer within {_PATIENCE_SECONDS} seconds.")]
    except VendorwatchError as error:
        return [_fault("database", error.detail)]
    needed, known = _revisions()
    if found == needed:
        return []
    if found is None:
        return [_fault("schema", "The database has no tables of ours. Run: vendorwatch db upgrade")]
    if found in known:
        return [
            _fault(
                "schema",
                f"The schema is older ({found}) than this version needs ({needed}). "
                "Run: vendorwatch db upgrade",
            )
        ]
    return [_fault("schema", f"The schema is newer ({found}) than this version knows ({needed}).")]


@cache
def _revisions() -> tuple[str, frozenset[str]]:
    """The one that is needed, and all that this version knows. They are read once: files."""
    scripts = ScriptDirectory.from_config(migrate.config()).walk_revisions()
    return migrate.head(), frozenset(script.revision for script in scripts)


def check_disk(folder: Path, reserve: int = 0) -> list[Fault]:
    """Writes and removes a small file: permissions, a full disk and a read-only one all show.

    `reserve`: bytes that must be free, though never more than a twentieth of the disk.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"vendorwatch")
            file.flush()
        disk = shutil.disk_usage(folder)
    except OSError as error:
        return [_fault("disk", f"The data folder cannot be written: {error.strerror}.")]
    least = min(reserve, disk.total // _SHARE)
    if disk.free < least:
        return [_fault("disk", f"Nearly full: {disk.free} bytes are free, {least} are needed.")]
    return []


def check_secret(settings: Settings, in_use: bytes) -> list[Fault]:
    """Whether the next start would find the secret that keys and pseudonyms are made with."""
    if settings.secret_key:
        return []
    try:
        kept = settings.secret_path.read_bytes()
    except OSError as error:
        return [_fault("secret", f"The file secret.key cannot be read: {error.strerror}.")]
    if kept != in_use:
        return [_fault("secret", "The file secret.key is not what the server was started with.")]
    return []


def _fault(check: str, detail: str) -> Fault:
    return Fault(check, detail, field=check)
