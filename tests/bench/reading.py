"""From a database to the finished document."""

import asyncio
from collections.abc import Mapping, Sequence

from bench import bare, frames
from bench.databases import Databases
from bench.filling import fill
from bench.measure import Samples, Timing, in_turns, timed
from bench.receiving import MERCHANT, NOW, new_engagement
from bench.rows import AGENTS, MONTH, ZONE
from vendorwatch.db.engine import Database
from vendorwatch.periods import Month, load_zone
from vendorwatch.scorecards import service
from vendorwatch.scoring.document import canonical_json
from vendorwatch.vendors import service as vendors
from vendorwatch.vendors.model import Engagement

FETCH, DOCUMENT = "bare read", "read and scored"
_MONTH = Month.parse(MONTH)


def measure(where: Databases, sizes: Sequence[int], repetitions: int) -> dict[int, Samples]:
    """By the number of the month's interactions."""
    return {rows: _measure(where, rows, repetitions) for rows in sorted(sizes)}


def _measure(where: Databases, rows: int, repetitions: int) -> Samples:
    with where.fresh() as url:
        engagement = filled(url, rows)
        fetch = bare.Fetch(url, engagement.engagement_id, *_MONTH.bounds(load_zone(ZONE)))
        with asyncio.Runner() as runner:
            database = Database(url)
            try:
                return in_turns(
                    f"reading {rows} interactions, {where.engine}",
                    [
                        lambda: _bare(fetch, rows),
                        lambda: runner.run(_document(database, engagement, rows)),
                    ],
                    repetitions,
                )
            finally:
                fetch.close()
                runner.run(database.close())


def filled(url: str, rows: int) -> Engagement:
    """Its month has `rows` interactions; another vendor of the merchant has a quarter as many.

    They lie in the order in which they were opened, as logs come.
    """
    engagement = asyncio.run(new_engagement(url))
    rival = asyncio.run(_rival(url))
    fill(url, engagement.engagement_id, frames.log(rows, AGENTS).sort("opened_at"))
    fill(url, rival.engagement_id, frames.rivals_log(rows, AGENTS).sort("opened_at"))
    return engagement


async def _rival(url: str) -> Engagement:
    database = Database(url)
    try:
        async with database.write_as_operator() as connection:
            return await vendors.create_engagement(
                connection, merchant=MERCHANT, vendor="Rival BPO", time_zone=ZONE, now=NOW
            )
    finally:
        await database.close()


def _bare(fetch: bare.Fetch, rows: int) -> Mapping[str, Timing]:
    timing, found = fetch.run()
    assert found == rows
    return {FETCH: timing}


async def _document(database: Database, engagement: Engagement, rows: int) -> Mapping[str, Timing]:
    async with database.read(engagement.scope) as connection:
        with timed() as timing:
            computed = await service.compute(
                connection, engagement.engagement_id, _MONTH, as_of=None, now=NOW
            )
            canonical_json(computed.document).encode()
    volume = computed.document["volume"]
    assert isinstance(volume, dict)
    assert volume["in_month"] == rows
    return {DOCUMENT: timing}
