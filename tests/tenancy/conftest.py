"""A database in which the three parties of tests/tenancy/world.py are settled already."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from psycopg import sql

from conftest import NOW, database_on, named
from stopped_clock import StoppedClock
from tenancy.world import World, settle

_TEMPLATE = "vendorwatch_settled"


class Settled(NamedTuple):
    template: str  # a path, or the name of a database
    data: Path
    world: World


def _clock() -> StoppedClock:
    clock = StoppedClock(0)
    clock.set(NOW)
    return clock


@pytest.fixture(scope="session")
def settled_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Settled:
    home = tmp_path_factory.mktemp("settled")
    path = home / "settled.db"
    shutil.copyfile(sqlite_template, path)
    world = asyncio.run(settle(f"sqlite:///{path}", home / "data", _clock()))
    return Settled(str(path), home / "data", world)


@pytest.fixture(scope="session")
def settled_postgresql(
    postgresql_server: str, postgresql_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Settled:
    data = tmp_path_factory.mktemp("settled") / "data"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        names = (sql.Identifier(name) for name in (_TEMPLATE, postgresql_template))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
    world = asyncio.run(settle(named(postgresql_server, _TEMPLATE), data, _clock()))
    return Settled(_TEMPLATE, data, world)


@pytest.fixture
def settled(engine_name: str, request: pytest.FixtureRequest) -> Settled:
    found: Settled = request.getfixturevalue(f"settled_{engine_name}")
    return found


@pytest.fixture
def world(settled: Settled) -> World:
    return settled.world


@pytest.fixture
def database_url(
    engine_name: str, settled: Settled, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """Of this test alone, with the three parties in it."""
    shutil.copytree(settled.data, tmp_path / "data")
    if engine_name == "sqlite":
        path = tmp_path / "vendorwatch.db"
        shutil.copyfile(settled.template, path)
        yield f"sqlite:///{path}"
        return
    yield from database_on(request.getfixturevalue("postgresql_server"), template=settled.template)
