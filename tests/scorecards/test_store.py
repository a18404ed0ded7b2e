"""Which uploads a month's scorecard counts."""

import httpx

from conftest import MakeKey
from sample_logs import ndjson, row
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.periods import Month, load_zone
from vendorwatch.scorecards import store
from vendorwatch.vendors.model import Engagement

NOVEMBER = "2026-11-01T00:00:00+07:00"
OPENED_LATER = {"opened_at": "2026-11-20T09:00:00+07:00"}


async def test_an_upload_of_nothing_usable_belongs_to_the_one_month_it_came_in(
    client: httpx.AsyncClient,
    key: MakeKey,
    database: Database,
    engagement: Engagement,
    clock: StoppedClock,
) -> None:
    """A month ends before the instant at which the next one begins."""
    headers = {
        "Authorization": f"Bearer {await key('upload')}",
        "Content-Type": "application/x-ndjson",
    }
    clock.set(NOVEMBER)
    sent = await client.post(
        "/v1/uploads", content=ndjson([row(1, **OPENED_LATER)]), headers=headers
    )
    assert sent.status_code == 422, sent.text

    zone, counted = load_zone(engagement.time_zone), []
    async with database.read(engagement.scope) as connection:
        for month in (Month(2026, 10), Month(2026, 11), Month(2026, 12)):
            found = await store.upload_counts(
                connection, engagement.scope, *month.bounds(zone), known=1
            )
            counted.append((found["uploads"], found["rejected"]))
    assert counted == [(0, 0), (1, 1), (0, 0)]
