"""Fresh databases, built by the migrations, with durability on as in production."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from postgresql_server import postgresql_server
from vendorwatch.db import migrate
from vendorwatch.db.engine import Database

_TEMPLATE = "vendorwatch_template"


class Databases:
    """Copies of a migrated database of one engine; each is gone when its block ends."""

    def __init__(self, engine: str, home: Path, server: str | None) -> None:
        self.engine = engine
        self._home = home
        self._server = server
        self._names = (f"bench_{number}" for number in itertools.count(1))
        if server is None:
            asyncio.run(_migrate(f"sqlite:///{home / _TEMPLATE}.db"))
        else:
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
            asyncio.run(_migrate(_named(server, _TEMPLATE)))

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The address of an empty one."""
        with self._copied(_TEMPLATE) as url:
            yield url

    @contextmanager
    def copy(self, url: str) -> Iterator[str]:
        """The address of one that holds the same as that one, which nobody may be using."""
        with self._copied(url.partition("?")[0].rpartition("/")[2].removesuffix(".db")) as made:
            yield made

    @contextmanager
    def _copied(self, template: str) -> Iterator[str]:
        name = next(self._names)
        if self._server is None:
            path = self._home / f"{name}.db"
            shutil.copyfile(self._home / f"{template}.db", path)
            yield f"sqlite:///{path}"
            for left in self._home.glob(f"{path.name}*"):
                left.unlink()
            return
        made, source = sql.Identifier(name), sql.Identifier(template)
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(made, source))
            yield _named(self._server, name)
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(made))
            # What the copy left to be written must not be written while the next one is timed.
            connection.execute("CHECKPOINT")


@contextmanager
def databases(engines: Sequence[str]) -> Iterator[list[Databases]]:
    with ExitStack() as stack:
        yield [_started(engine, stack) for engine in engines]


def _started(engine: str, stack: ExitStack) -> Databases:
    home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vendorwatch-bench-")))
    if engine == "SQLite":
        return Databases(engine, home, None)
    return Databases(engine, home, stack.enter_context(postgresql_server()))


async def _migrate(url: str) -> None:
    database = Database(url)
    try:
        await migrate.upgrade(database)
    finally:
        await database.close()


def _named(server: str, name: str) -> str:
    before, _, after = server.partition("/postgres?")
    return f"{before}/{name}?{after}"
