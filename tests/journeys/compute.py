"""compute.py URL ENGAGEMENT MONTH NOW: the scorecard's document on standard output."""

import asyncio
import sys

from vendorwatch.db.engine import Database
from vendorwatch.periods import Month
from vendorwatch.scorecards import service
from vendorwatch.scoring.document import canonical_json
from vendorwatch.vendors.service import find_engagement


async def main(url: str, engagement_id: str, month: str, now: str) -> str:
    database = Database(url)
    try:
        async with database.read_as_operator() as connection:
            scope = (await find_engagement(connection, engagement_id)).scope
        async with database.read(scope) as connection:
            computed = await service.compute(
                connection, engagement_id, Month.parse(month), as_of=None, now=int(now)
            )
        return canonical_json(computed.document)
    finally:
        await database.close()


if __name__ == "__main__":
    sys.stdout.buffer.write(asyncio.run(main(*sys.argv[1:])).encode())
