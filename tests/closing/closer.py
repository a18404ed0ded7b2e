"""A closer in a process of its own, which tells where it is and waits to be told to go on.

Arguments: the database's address, the instant, an engagement as `merchant/engagement`, and what to
do: `close` all that is due; `computed` or `written`: stop there, with nothing committed.
"""

import asyncio
import sys

from vendorwatch.closing import issuing, service
from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.periods import Month

OCTOBER = Month(2026, 10)


async def main(url: str, now: int, scope: Scope, what: str) -> None:
    database = Database(url)
    if what == "close":
        stop("ready")
        outcomes = [
            await service.do(database, scope, each.month, each.action, now=now)
            for scope, each in await service.due_now(database, now=now)
            if each.action == "close"
        ]
        sys.stdout.write(" ".join(outcomes))
        await database.close()
        return
    async with database.read(scope) as connection:
        prepared = await issuing.prepare(connection, scope, OCTOBER, now)
    assert isinstance(prepared, issuing.Prepared)
    if what == "computed":
        stop("computed")
    async with database.write(scope) as connection:
        _ = await issuing.freeze(connection, prepared, now=now)
        stop("written")


def stop(where: str) -> None:
    sys.stdout.write(f"{where}\n")
    sys.stdout.flush()
    sys.stdin.readline()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), Scope(*sys.argv[3].split("/")), sys.argv[4]))
