"""The real database, built by the real migrations: SQLite and PostgreSQL, always."""

import asyncio
import itertools
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest
from litestar import Litestar
from psycopg import sql

from postgresql_server import postgresql_server as server_from_wheel
from stopped_clock import StoppedClock
from vendorwatch.access import service as access
from vendorwatch.app import create_app
from vendorwatch.cli import cli
from vendorwatch.db import migrate
from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.settings import Settings
from vendorwatch.telemetry import configure_logging
from vendorwatch.terminal import run
from vendorwatch.vendors import service as vendors
from vendorwatch.vendors.model import Engagement

SECRET = "of the tests, and of nothing else at all"  # noqa: S105  protects nothing
NOW = "2026-11-02T08:00:00+00:00"
_TEMPLATE = "vendorwatch_template"
_names = itertools.count(1)

MakeKey = Callable[..., Awaitable[str]]


@pytest.fixture(scope="session", autouse=True)
def _logging() -> None:
    """As a server logs; the library's own default prints every local variable."""
    configure_logging("info")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a server of this test process alone; nothing in it outlives the tests."""
    with server_from_wheel("fsync=off", "synchronous_commit=off", "full_page_writes=off") as found:
        yield found


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """The name of a migrated database that tests copy."""
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
    asyncio.run(_migrate(named(postgresql_server, _TEMPLATE)))
    return _TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_database_url(
    engine_name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """A database without a table."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: str = request.getfixturevalue("postgresql_server")
    yield from database_on(server, template="template1")


@pytest.fixture
def database_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database of this test alone, on either engine."""
    if engine_name == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        path = tmp_path / "vendorwatch.db"
        shutil.copyfile(template, path)
        yield f"sqlite:///{path}"
        return
    server: str = request.getfixturevalue("postgresql_server")
    yield from database_on(server, template=request.getfixturevalue("postgresql_template"))


def database_on(server: str, *, template: str) -> Iterator[str]:
    name = sql.Identifier(f"test_{next(_names)}")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, sql.Identifier(template))
        )
        yield named(server, name.as_string().strip('"'))
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> StoppedClock:
    """Stands at 2026-11-02T08:00:00Z: October is over and settled."""
    stopped = StoppedClock(0)
    stopped.set(NOW)
    return stopped


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings.from_env(
        {
            "VENDORWATCH_DATABASE_URL": database_url,
            "VENDORWATCH_DATA_DIR": str(tmp_path / "data"),
            "VENDORWATCH_SECRET_KEY": SECRET,
        }
    )


@pytest.fixture
async def engagement(database: Database, clock: StoppedClock) -> Engagement:
    """Hoa Sen BPO works for Tra Sen."""
    async with database.write_as_operator() as connection:
        return await vendors.create_engagement(
            connection,
            merchant="Trà Sen",
            vendor="Hoa Sen BPO",
            time_zone="Asia/Ho_Chi_Minh",
            now=clock(),
        )


@pytest.fixture
async def rival(database: Database, clock: StoppedClock, engagement: Engagement) -> Engagement:
    """Another vendor of the same merchant."""
    async with database.write_as_operator() as connection:
        return await vendors.create_engagement(
            connection,
            merchant=engagement.merchant_name,
            vendor="Rival BPO",
            time_zone="Asia/Bangkok",
            now=clock(),
        )


@pytest.fixture
async def stranger(database: Database, clock: StoppedClock) -> Engagement:
    """A vendor of the same name that works for another merchant."""
    async with database.write_as_operator() as connection:
        return await vendors.create_engagement(
            connection,
            merchant="Somebody Else",
            vendor="Hoa Sen BPO",
            time_zone="Europe/Budapest",
            now=clock(),
        )


@pytest.fixture
def key(database: Database, clock: StoppedClock, engagement: Engagement) -> MakeKey:
    """Makes keys of `engagement`, or of another one, and gives their text."""

    async def make(*scopes: str, of: Engagement | Scope = engagement) -> str:
        scope = of.scope if isinstance(of, Engagement) else of
        async with database.write(scope) as connection:
            made = await access.create_key(
                connection, scope, scopes or ("upload",), SECRET.encode(), clock()
            )
        return made.key

    return make


class Ran(NamedTuple):
    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What `--json` printed: JSON and nothing else."""
        return json.loads(self.out)


@pytest.fixture
def command(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    """Runs `vendorwatch ...` on the test's database, in this process. Not for async tests."""
    for name, value in settings.environment().items():
        if name.startswith("VENDORWATCH_"):
            monkeypatch.setenv(name, value)

    def invoke(*arguments: str) -> Ran:
        capsys.readouterr()
        exit_code = run(cli, list(arguments))
        return Ran(exit_code, *capsys.readouterr())

    return invoke


@pytest.fixture
async def app(settings: Settings, clock: StoppedClock) -> AsyncIterator[Litestar]:
    made = create_app(settings, clock=clock)
    async with running(made):
        yield made


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """Without a key; pass `headers={"Authorization": f"Bearer {await key('read')}"}`."""
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # its ASGI types are looser
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as made:
        yield made


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[None]:
    """The application's lifespan, in one task from start to end: fixtures have no such task."""
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            started.set()
            await stop.wait()

    life = asyncio.create_task(live())
    start = asyncio.create_task(started.wait())
    await asyncio.wait({life, start}, return_when=asyncio.FIRST_COMPLETED)
    start.cancel()
    try:
        if started.is_set():
            yield
    finally:
        stop.set()
        await life


async def _migrate(url: str) -> None:
    database = Database(url)
    try:
        await migrate.upgrade(database)
    finally:
        await database.close()


def named(server: str, name: str) -> str:
    before, _, after = server.partition("/postgres?")
    return f"{before}/{name}?{after}"
