"""From a database to the scoring frame, and to the document."""

import asyncio
from collections.abc import Mapping

import polars as pl

from bench import bare
from bench.databases import Databases
from bench.measure import Samples, Timing, in_turns, timed
from bench.receiving import NOW, new_engagement
from bench.rows import MONTH, ZONE, forms, log
from vendorwatch.db.engine import Database
from vendorwatch.periods import Month, load_zone
from vendorwatch.scorecards import service, store
from vendorwatch.scoring.document import canonical_json
from vendorwatch.scoring.frames import INTERACTIONS
from vendorwatch.vendors.model import Engagement

FETCH, FRAME, DOCUMENT = "bare fetch", "into the frame", "read and scored"
_MONTH = Month.parse(MONTH)


def measure(where: Databases, rows: int, repetitions: int) -> Samples:
    with where.fresh() as url:
        engagement = asyncio.run(new_engagement(url))
        bare.insert(url, engagement.engagement_id, bare.cells_of(forms(log(rows))["NDJSON"], NOW))
        fetch = bare.Fetch(url, engagement.engagement_id, *_MONTH.bounds(load_zone(ZONE)))
        with asyncio.Runner() as runner:
            database = Database(url)
            try:
                return in_turns(
                    f"reading {rows} interactions, {where.engine}",
                    [
                        lambda: _bare(fetch, rows),
                        lambda: runner.run(_frame(database, engagement, rows)),
                        lambda: runner.run(_document(database, engagement)),
                    ],
                    repetitions,
                )
            finally:
                fetch.close()
                runner.run(database.close())


def _bare(fetch: bare.Fetch, rows: int) -> Mapping[str, Timing]:
    timing, found = fetch.run()
    assert len(found) == rows
    return {FETCH: timing}


async def _frame(database: Database, engagement: Engagement, rows: int) -> Mapping[str, Timing]:
    start, end = _MONTH.bounds(load_zone(ZONE))
    async with database.read() as connection:
        with timed() as timing:
            frame = await store.interactions(connection, engagement.scope, start, end)
    assert frame.height == rows
    assert frame.schema == pl.Schema(INTERACTIONS)
    return {FRAME: timing}


async def _document(database: Database, engagement: Engagement) -> Mapping[str, Timing]:
    async with database.read() as connection:
        with timed() as timing:
            computed = await service.compute(
                connection, engagement.engagement_id, _MONTH, as_of=None, now=NOW
            )
            canonical_json(computed.document).encode()
    return {DOCUMENT: timing}
