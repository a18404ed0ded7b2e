"""Where the system keeps its state, read from the outside: tables by plain SQL, sources as files."""

import hashlib
import os
import shutil
import sqlite3
import time
from abc import ABC, abstractmethod
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from typing_extensions import override

from postgresql_server import Cluster

_SECRET = "of the crash harness, and of nothing else"  # noqa: S105  protects nothing
_QUERIES = {
    "engagements": "SELECT engagement_id, upload_sequence FROM engagements",
    "uploads": "SELECT * FROM uploads ORDER BY engagement_id, sequence",
    "interactions": "SELECT * FROM interactions",
    "rejects": "SELECT * FROM rejects ORDER BY engagement_id, upload_sequence, row_number",
    "agents": "SELECT engagement_id, agent_id FROM agents",
    "audit_heads": "SELECT engagement_id, sequence FROM audit_heads",
    "audit": "SELECT * FROM audit ORDER BY engagement_id, sequence",
}
_IDS = ("engagement_id", "upload_id")
_NOISE = frozenset({"upload_sequence", "row_number"})  # which of two equal rows came first
_PATIENCE_SECONDS = 20

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class State:
    """Ids are hexadecimal digits without dashes. `sources` maps engagement and SHA-256 to size."""

    tables: dict[str, list[Record]]
    sources: dict[tuple[str, str], int]

    def hash(self) -> str:
        """Equal for two states that differ only in the order in which equal uploads came."""
        rows = [
            repr(sorted((name, value) for name, value in row.items() if name not in _NOISE))
            for row in self.tables["interactions"]
        ]
        rows += [repr(sorted(row.items())) for row in self.tables["agents"]]
        return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()


class Site(ABC):
    """A database with its data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.scratch = folder / "scratch"  # where a database is copied to be looked at
        self.data.mkdir(parents=True, exist_ok=True)

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def mark(self) -> object:
        """Changes when a transaction is committed. Cheap: it is asked in a loop."""

    @abstractmethod
    def is_writing(self) -> bool | None:
        """Whether a transaction had begun to write; null where nobody outside can tell."""

    @abstractmethod
    def faults(self) -> list[str]:
        """What the database's own checks find."""

    @abstractmethod
    def copy(self, name: str) -> "Site":
        """Another site with the same tables and no sources, beside this one."""

    @abstractmethod
    def _rows(self, query: str) -> list[Record]: ...

    @property
    def environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("VENDORWATCH_")}
        return inherited | {
            "VENDORWATCH_DATABASE_URL": self.url,
            "VENDORWATCH_DATA_DIR": str(self.data),
            "VENDORWATCH_SECRET_KEY": _SECRET,
        }

    def read(self, *, alive: bool = False) -> State:
        """While no server runs; or while one is `alive` that has nothing to do."""
        tables = {name: list(map(_plain, self._rows(q))) for name, q in _QUERIES.items()}
        return State(tables, self.sources())

    def sources(self) -> dict[tuple[str, str], int]:
        """Whole ones, without drafts."""
        return {
            (path.parent.name.replace("-", ""), path.name): path.stat().st_size
            for path in self.data.glob("uploads/*/" + "[0-9a-f]" * 64)
        }

    def source(self, engagement: str, sha256: str) -> bytes:
        (home,) = (
            path for path in self.data.glob("uploads/*") if path.name.replace("-", "") == engagement
        )
        return (home / sha256).read_bytes()


class Sqlite(Site):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._mark: object = None

    @property
    def path(self) -> Path:
        return self.data / "vendorwatch.db"

    @property
    @override
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    @override
    def mark(self) -> object:
        if not self.is_writing():  # the moment of a commit is when the journal goes
            with self.path.open("rb") as file:
                counter = os.pread(file.fileno(), 4, 24)  # counts changes of the file
            wal = self.path.with_name("vendorwatch.db-wal")
            self._mark = counter, wal.stat().st_size if wal.exists() else 0
        return self._mark

    @override
    def is_writing(self) -> bool | None:
        journal = self.path.with_name("vendorwatch.db-journal")
        try:
            return journal.stat().st_size > 0
        except FileNotFoundError:
            return False

    @override
    def faults(self) -> list[str]:
        with closing(sqlite3.connect(self._copied())) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            found += [repr(row) for row in connection.execute("PRAGMA foreign_key_check")]
        return [] if found == ["ok"] else found

    @override
    def copy(self, name: str) -> "Sqlite":
        made = Sqlite(self.folder / name)
        shutil.copyfile(self._copied(), made.path)
        return made

    @override
    def _rows(self, query: str) -> list[Record]:
        with closing(sqlite3.connect(self.scratch / self.path.name)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query)]

    @override
    def read(self, *, alive: bool = False) -> State:
        self._copied()
        return super().read()

    def _copied(self) -> Path:
        """With its journal: what is left to recover is left to the server, and done here, too."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        for part in self.data.glob("vendorwatch.db*"):
            shutil.copyfile(part, self.scratch / part.name)
        return self.scratch / self.path.name


class Postgresql(Site):
    def __init__(self, folder: Path, cluster: Cluster, database: str) -> None:
        super().__init__(folder)
        self.cluster = cluster
        self._database = database
        self._asking: psycopg.Connection[Any] | None = None

    @property
    @override
    def url(self) -> str:
        return self.cluster.url.replace("/postgres?", f"/{self._database}?")

    @override
    def mark(self) -> object:
        return self._ask("SELECT sum(upload_sequence) FROM engagements")

    @override
    def is_writing(self) -> bool | None:
        """Rows of interactions: held until the end, also by what was moved in a savepoint."""
        found = self._ask(
            "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE d.datname = current_database() AND l.relation = 'interactions'::regclass"
            " AND l.mode = 'RowExclusiveLock' AND l.granted)"
        )
        return bool(found[0]) if found else None

    def _ask(self, query: LiteralString) -> tuple[Any, ...] | None:
        """Null while the database is away."""
        try:
            if self._asking is None:
                self._asking = psycopg.connect(self.url, autocommit=True)
            return self._asking.execute(query).fetchone()
        except psycopg.OperationalError:
            self._asking = None
            return None

    @override
    def faults(self) -> list[str]:
        """What reading by index finds is what reading all finds; the extension amcheck, where the
        server has it. Checksums of pages are for `checksums`, which needs the server stopped.
        """
        with psycopg.connect(self.url, autocommit=True) as connection:
            found = _differences(connection)
            there = "SELECT 1 FROM pg_available_extensions WHERE name = 'amcheck'"
            if connection.execute(there).fetchone():
                connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
                connection.execute(
                    "SELECT bt_index_check(c.oid, true) FROM pg_class c JOIN pg_am a"
                    " ON a.oid = c.relam WHERE a.amname = 'btree' AND c.relkind = 'i'"
                )
        return found

    @override
    def copy(self, name: str) -> "Postgresql":
        self._let_go()
        database = f"{self._database}_{name}".replace("-", "_")
        with psycopg.connect(self.cluster.url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(database), sql.Identifier(self._database)
                )
            )
        return Postgresql(self.folder / name, self.cluster, database)

    @override
    def _rows(self, query: str) -> list[Record]:
        with psycopg.connect(self.url, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(query.encode()).fetchall()

    @override
    def read(self, *, alive: bool = False) -> State:
        self._let_go()
        # A killed client's last statement may still run: it commits now, or never.
        with psycopg.connect(self.url, autocommit=True) as connection:
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while connection.execute(_OTHERS, [alive]).fetchone():
                assert time.monotonic() < deadline, "a session does not end"
                time.sleep(0.005)
        return super().read()

    def _let_go(self) -> None:
        if self._asking is not None:
            self._asking.close()
            self._asking = None


_OTHERS = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    " AND (state <> 'idle' OR NOT %s)"
)


def _differences(connection: psycopg.Connection[Any]) -> list[str]:
    counts = []
    for name in ("enable_indexscan", "enable_seqscan"):
        with connection.transaction():
            connection.execute(f"SET LOCAL {name} = off".encode())
            connection.execute("SET LOCAL enable_bitmapscan = off")
            counts.append(
                connection.execute(
                    "SELECT count(*), count(*) FILTER (WHERE in_force) FROM interactions"
                    " WHERE engagement_id IN (SELECT engagement_id FROM engagements)"
                ).fetchone()
            )
    return [] if counts[0] == counts[1] else [f"table and index disagree: {counts}"]


def _plain(row: Record) -> Record:
    plain = {name: bytes(v) if isinstance(v, memoryview) else v for name, v in row.items()}
    for name in _IDS:
        if name in plain:
            plain[name] = str(plain[name]).replace("-", "").lower()
    if "in_force" in plain:
        plain["in_force"] = bool(plain["in_force"])
    return plain
