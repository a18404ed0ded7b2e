"""What is a day late: nobody should have to notice by themselves that nothing comes."""

from collections.abc import Mapping

from vendorwatch.closing import service as closing
from vendorwatch.db.engine import Database
from vendorwatch.mailing import service as mailing
from vendorwatch.periods import Micros


async def overdue(database: Database, now: Micros) -> Mapping[str, int]:
    """How many `months` are not issued and how many `mails` not sent, 24 hours after they were due."""
    months = await closing.overdue_months(database, now=now)
    async with database.read_as_operator() as connection:
        mails = await mailing.count_overdue(connection, now)
    return {"months": len(months), "mails": mails}
