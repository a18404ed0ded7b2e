"""The second wall between tenants: on PostgreSQL the database itself withholds others' rows.

A transaction acts as a role that owns nothing, and names whose rows it is about in settings that
end with it. The policies on the tables (migration 0003) know nothing else. SQLite has no such
thing: there the scope object is the only wall.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, fields, replace

from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.scope import Reach, Scope

ROLE = "vendorwatch_app"
SETTINGS = tuple(f"vendorwatch.{field.name}" for field in fields(Reach))
_REACH = "vendorwatch_reach"

# Of the transaction alone: a connection goes back to the pool as it came. Put together once, as
# every transaction begins with it.
_SETTINGS = (
    func.set_config("role", ROLE, True),
    *(
        func.set_config(f"vendorwatch.{field.name}", bindparam(field.name), True)
        for field in fields(Reach)
    ),
)
_ASSIGN = select(*_SETTINGS)

# The line of those who write interactions of an engagement. The number, any, makes it another lock
# than somebody else's of the same id.
_LINE = func.hashtextextended(bindparam("engagement"), 0x76656E646F72)
_ASSIGN_AND_QUEUE = select(func.pg_advisory_xact_lock(_LINE), *_SETTINGS)
_ASSIGN_IF_FREE = select(func.pg_try_advisory_xact_lock(_LINE), *_SETTINGS)


async def enter(connection: AsyncConnection, reach: Reach) -> None:
    """For the rest of the transaction. All settings are set: nothing of before can be left over."""
    if connection.dialect.name != "postgresql":
        return
    _ = await connection.execution_options(**{_REACH: reach})
    await _assign(connection, reach)


async def enter_in_line(connection: AsyncConnection, reach: Reach, *, is_waiting: bool) -> bool:
    """The same, of those who do so for one engagement only one at a time, until it commits. Whether
    it is this one's turn, always so if it is waiting for it.
    """
    if connection.dialect.name != "postgresql":
        return True
    _ = await connection.execution_options(**{_REACH: reach})
    statement = _ASSIGN_AND_QUEUE if is_waiting else _ASSIGN_IF_FREE
    turn = await connection.scalar(statement, asdict(reach))
    return is_waiting or bool(turn)


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
    _ = await connection.execute(_ASSIGN, asdict(reach))
