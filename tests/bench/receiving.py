"""From an upload's first byte to its receipt, through the whole application."""

import asyncio
import gc
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from bench import bare
from bench.databases import Databases
from bench.measure import Samples, Timing, in_turns, timed
from bench.rows import ZONE, Form, forms, log
from vendorwatch.access import service as access
from vendorwatch.app import create_app
from vendorwatch.db.engine import Database
from vendorwatch.periods import Micros
from vendorwatch.settings import Settings
from vendorwatch.vendors import service as vendors
from vendorwatch.vendors.model import Engagement

NOW: Micros = 1_793_606_400_000_000  # 2026-11-02T08:00:00Z: September is over
MERCHANT, VENDOR = "Trà Sen", "Hoa Sen BPO"
BARE, FIRST, AGAIN = "bare insert", "first", "again"
SECRET = "of the measurements, and of nothing else"  # noqa: S105  protects nothing
_CHUNK = 64 * 1024  # as a server hands a body on


def measure(
    where: Databases, rows: int, chosen: tuple[str, ...], repetitions: int
) -> dict[str, Samples]:
    """By the form of the upload."""
    sent = forms(log(rows))
    cells = bare.cells_of(sent["NDJSON"], NOW)
    gc.freeze()  # the prepared rows are no work for the collector while others are timed
    return {
        name: in_turns(
            f"receiving {rows} rows of {name}, {where.engine}",
            [lambda: _bare(where, cells), lambda form=sent[name]: _upload(where, form, rows)],  # type: ignore[misc]  # a default binds the form now
            repetitions,
        )
        for name in chosen
    }


def _bare(where: Databases, cells: list[bare.Cells]) -> Mapping[str, Timing]:
    with where.fresh() as url:
        engagement = asyncio.run(new_engagement(url))
        return {BARE: bare.insert(url, engagement.engagement_id, cells)}


async def new_engagement(url: str, vendor: str = VENDOR) -> Engagement:
    database = Database(url)
    try:
        async with database.write_as_operator() as connection:
            return await vendors.create_engagement(
                connection, merchant=MERCHANT, vendor=vendor, time_zone=ZONE, now=NOW
            )
    finally:
        await database.close()


def _upload(where: Databases, form: Form, rows: int) -> Mapping[str, Timing]:
    with where.fresh() as url, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_through_the_application(url, Path(folder), form, rows))


async def _through_the_application(
    url: str, folder: Path, form: Form, rows: int
) -> Mapping[str, Timing]:
    async with served(url, folder) as client:
        # The server has been up for a while: its connections are open, its temporary tables are
        # made, its readers are started.
        for n in (1, 3_000):
            before = [row | {"interaction_id": f"before {n} {i}"} for i, row in enumerate(log(n))]
            await send(client, forms(before)["NDJSON"], f"before-{n}", created=n)
        first = await send(client, form, "first", created=rows)
        again = await send(client, form, "again", duplicate=rows)
    return {FIRST: first, AGAIN: again}


@asynccontextmanager
async def served(url: str, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The application in this process, called by a vendor with a key."""
    settings = Settings.from_env(environment(url, folder))
    key = await new_key(url)
    app = create_app(settings, clock=lambda: NOW)
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # its ASGI types are looser
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        app.lifespan(),
        httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers
        ) as client,
    ):
        yield client


def environment(url: str, folder: Path) -> dict[str, str]:
    """Of a server with that database."""
    return {
        "VENDORWATCH_DATABASE_URL": url,
        "VENDORWATCH_DATA_DIR": str(folder),
        "VENDORWATCH_SECRET_KEY": SECRET,
        "VENDORWATCH_LOG_LEVEL": "warning",
    }


async def new_key(url: str, vendor: str = VENDOR) -> str:
    """To send the logs of a new engagement."""
    engagement = await new_engagement(url, vendor)
    database = Database(url)
    try:
        async with database.write(engagement.scope) as connection:
            made = await access.create_key(
                connection, engagement.scope, ("upload",), SECRET.encode(), NOW
            )
            return made.key
    finally:
        await database.close()


async def send(
    client: httpx.AsyncClient,
    form: Form,
    key: str,
    *,
    created: int = 0,
    duplicate: int = 0,
    collect: bool = True,
) -> Timing:
    headers = {**form.headers, "Idempotency-Key": key, "Content-Length": str(len(form.body))}
    with timed(collect=collect) as timing:
        answer = await client.post("/v1/uploads", content=_chunks(form.body), headers=headers)
    receipt = answer.json()
    if answer.status_code != httpx.codes.CREATED or (receipt["created"], receipt["duplicate"]) != (
        created,
        duplicate,
    ):
        raise AssertionError(f"not what was sent: {answer.status_code} {answer.text[:1000]}")
    return timing


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _CHUNK):
        yield body[start : start + _CHUNK]
