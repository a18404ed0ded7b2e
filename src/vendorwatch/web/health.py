"""Whether the server lives, and whether it can do its work. Both answer without a key."""

import asyncio

import msgspec
from litestar import get
from litestar.di import NamedDependency

from vendorwatch.db.engine import Database
from vendorwatch.settings import Settings
from vendorwatch.web.problems import problem_responses
from vendorwatch.web.readiness import NotReady, check_database, check_disk


class Health(msgspec.Struct, frozen=True):
    status: str


class Readiness(msgspec.Struct, frozen=True):
    """Each check is `ok`; else the answer is a problem that names what is not."""

    database: str
    schema: str
    disk: str


@get("/health", tags=["server"], summary="The process answers")
async def health() -> Health:
    return Health("ok")


@get(
    "/ready",
    tags=["server"],
    summary="Database, schema and disk can be used",
    responses=problem_responses(NotReady),
)
async def ready(
    database: NamedDependency[Database], settings: NamedDependency[Settings]
) -> Readiness:
    faults = await check_database(database) + await asyncio.to_thread(check_disk, settings.data_dir)
    if faults:
        raise NotReady("; ".join(map(str, faults)), faults=tuple(faults), retry_after_seconds=5)
    return Readiness(database="ok", schema="ok", disk="ok")
