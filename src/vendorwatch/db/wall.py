"""The second wall between tenants: on PostgreSQL the database itself withholds others' rows.

A transaction acts as a role that owns nothing, and names whose rows it is about in settings that
end with it. The policies on the tables (migration 0003) know nothing else. SQLite has no such
thing: there the scope object is the only wall.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, fields, replace

from psycopg import sql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.scope import Reach, Scope

ROLE = "vendorwatch_app"
SETTINGS = tuple(f"vendorwatch.{field.name}" for field in fields(Reach))
_REACH = "vendorwatch_reach"

# The line of those who write interactions of an engagement: any number that makes it another lock
# than somebody else's of the same id.
_LINE = 0x76656E646F72


def entrance(reach: Reach) -> str:
    """A statement that makes the rest of the transaction one of `reach`. All settings are set: nothing
    of before can be left over.

    Of the transaction alone: a connection goes back to the pool as it came.
    """
    settings = {"role": ROLE, **dict(zip(SETTINGS, asdict(reach).values(), strict=True))}
    calls = (f"set_config('{name}', {quoted(value)}, true)" for name, value in settings.items())
    return f"SELECT {', '.join(calls)}"


def queueing(reach: Reach, *, is_waiting: bool) -> str:
    """A statement by which of all transactions about an engagement one is at a time, until it commits.
    Tells whether it is this one's turn, unless it is waiting for that.
    """
    lock = "pg_advisory_xact_lock" if is_waiting else "pg_try_advisory_xact_lock"
    return f"SELECT {lock}(hashtextextended({quoted(reach.engagement)}, {_LINE}))"


def quoted(value: str) -> str:
    """As PostgreSQL reads it in a statement."""
    return sql.Literal(value).as_string()


async def entered(connection: AsyncConnection, reach: Reach) -> None:
    """To be told of what `entrance` did."""
    if connection.dialect.name == "postgresql":
        _ = await connection.execution_options(**{_REACH: reach})


@asynccontextmanager
async def widened(connection: AsyncConnection, scope: Scope) -> AsyncIterator[None]:
    """Meanwhile all that is the merchant's is seen, and the contacts of its other vendors.

    For what a figure needs and no answer shows: whether a customer came back, to whichever vendor.
    """
    async with _reaching(connection, lambda reach: replace(reach, merchant=scope.merchant_id)):
        yield


@asynccontextmanager
async def narrowed(connection: AsyncConnection, scope: Scope) -> AsyncIterator[None]:
    """Meanwhile it is a transaction of that engagement: for what the operator does to one."""
    async with _reaching(connection, lambda _: scope.reach):
        yield


@asynccontextmanager
async def _reaching(
    connection: AsyncConnection, changed: Callable[[Reach], Reach]
) -> AsyncIterator[None]:
    options = await connection.run_sync(lambda plain: plain.get_execution_options())
    reach = options.get(_REACH)
    if reach is None:  # SQLite, and the owner
        yield
        return
    await _assign(connection, changed(reach))
    try:
        yield
    except DBAPIError:
        raise  # the transaction takes no more statements, and ends
    except Exception:
        await _assign(connection, reach)
        raise
    await _assign(connection, reach)


async def _assign(connection: AsyncConnection, reach: Reach) -> None:
    _ = await connection.exec_driver_sql(entrance(reach))
