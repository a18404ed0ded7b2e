"""Whether the server lives, and whether it can do its work. Both answer without a key."""

import asyncio

import msgspec
from litestar import get
from litestar.di import NamedDependency

from vendorwatch.db.engine import Database
from vendorwatch.settings import Settings
from vendorwatch.web.problems import problem_responses
from vendorwatch.web.readiness import (
    CHECKS,
    Lateness,
    NotReady,
    check_database,
    check_disk,
    check_secret,
)


class Health(msgspec.Struct, frozen=True):
    status: str


class Readiness(msgspec.Struct, frozen=True):
    """Each check is `ok`; else the answer is a problem whose `checks` tell which is not, and why.

    `work` may say instead how many months and mails are a day overdue: the server is ready all the
    same.
    """

    database: str
    schema: str
    disk: str
    secret: str
    work: str


@get("/health", tags=["server"], summary="The process answers")
async def health() -> Health:
    return Health("ok")


@get(
    "/ready",
    tags=["server"],
    summary="Database, schema, disk and secret can be used",
    responses=problem_responses(NotReady),
)
async def ready(
    database: NamedDependency[Database],
    settings: NamedDependency[Settings],
    secret: NamedDependency[bytes],
    lateness: NamedDependency[Lateness],
) -> Readiness:
    faults = await check_database(database)
    faults += await asyncio.to_thread(check_disk, settings.data_dir, settings.bounds.disk_reserve)
    faults += await asyncio.to_thread(check_secret, settings, secret)
    if faults:
        wrong = {fault.code: fault.detail for fault in faults}
        raise NotReady(
            "; ".join(map(str, faults)),
            faults=tuple(faults),
            retry_after_seconds=5,
            extra={"checks": {check: wrong.get(check, "ok") for check in CHECKS}},
        )
    return Readiness(**dict.fromkeys(CHECKS, "ok"), work=await lateness.told())
