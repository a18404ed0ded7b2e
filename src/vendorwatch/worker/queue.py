"""On PostgreSQL, Procrastinate wakes the workers and spreads what is due over them.

The queue knows nothing that matters: what is due follows from our own tables. It has a schema of its
own in the database, made anew for another release of Procrastinate, whatever it held.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata

import psycopg
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import DeleteJobCondition, Job
from procrastinate.schema import SchemaManager
from psycopg import sql
from sqlalchemy.engine import URL
from typing_extensions import override

from vendorwatch.db.engine import DatabaseUnavailable
from vendorwatch.db.migrate import MigrationRefused
from vendorwatch.telemetry import Clock
from vendorwatch.worker.duties import Duty, attempt, pieces, told

SCHEMA = "vendorwatch_queue"
_SEARCH_PATH = f"-c search_path={SCHEMA}"
_LOCK = 0x7175657565  # "queue": two workers that start at once must not both make it
_RELEASE = f"procrastinate {metadata.version('procrastinate')}"
_EVERY_MINUTE = "* * * * *"
_FIRST_PAUSE, _LONGEST_PAUSE = 30, 3_600  # seconds
_SILENT_SECONDS = 60  # a worker that has not been heard of for so long has died
_CONNECTIONS = 4


class PieceFailed(Exception):
    """Tells Procrastinate to try again; what went wrong is in the log."""


class _Later(BaseRetryStrategy):
    """For ever, as what is due stays due; pauses grow to an hour."""

    @override
    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        pause = min(_FIRST_PAUSE * 2 ** min(job.attempts, 7), _LONGEST_PAUSE)
        return RetryDecision(retry_in={"seconds": pause})


async def prepare(url: URL) -> None:
    """Makes the queue's tables where they are not there, or are another release's.

    Raises MigrationRefused where the user may not, and DatabaseUnavailable.
    """
    with _told():
        await _prepare(url)


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong with the queue's own connections, in our words."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise MigrationRefused(
            f"The worker makes the schema {SCHEMA} for its queue, and its user may not. As the owner "
            "of the database run: GRANT CREATE ON DATABASE ... TO ...; or drop the schema if another "
            "user has made it."
        ) from error
    except (psycopg.OperationalError, ConnectorException) as error:
        raise DatabaseUnavailable("The queue's database does not answer.") from error


async def _prepare(url: URL) -> None:
    made = sql.Identifier(SCHEMA)
    async with await psycopg.AsyncConnection.connect(_address(url)) as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        found = await connection.execute(
            "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s",
            [SCHEMA],
        )
        if await found.fetchone() == (_RELEASE,):
            return
        await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(made))
        await connection.execute(sql.SQL("CREATE SCHEMA {}").format(made))
        await connection.execute(
            sql.SQL("COMMENT ON SCHEMA {} IS {}").format(made, sql.Literal(_RELEASE))
        )
        await connection.execute(sql.SQL("SET LOCAL search_path = {}").format(made))
        await connection.execute(SchemaManager.get_schema())


class Queue:
    """One worker process's way to the queue. `work` returns when it is cancelled or told to stop."""

    def __init__(self, url: URL, duties: Sequence[Duty], clock: Clock) -> None:
        self._duties = duties
        self._clock = clock
        self.app = App(
            connector=PsycopgConnector(
                conninfo=_address(url),
                kwargs={"options": _SEARCH_PATH},
                min_size=1,
                max_size=_CONNECTIONS,
            )
        )
        for duty in duties:
            self.app.task(name=duty.name, retry=_Later())(_doing(duty, clock))
        waking = self.app.task(name="wake", queueing_lock="wake")(self._on_the_minute)
        self.app.periodic(cron=_EVERY_MINUTE)(waking)

    async def work(self, *, concurrency: int = 1, until_empty: bool = False) -> None:
        """`until_empty`: ends when nothing is left in the queue, instead of waiting for more."""
        with _told():
            await self._work(concurrency, until_empty=until_empty)

    async def _work(self, concurrency: int, *, until_empty: bool) -> None:
        async with self.app.open_async():
            await self.wake()
            await self.app.run_worker_async(
                concurrency=concurrency,
                wait=not until_empty,
                delete_jobs=DeleteJobCondition.SUCCESSFUL,
                install_signal_handlers=not until_empty,
            )

    async def wake(self) -> int:
        """Puts into the queue what is due and is not in it yet; how many pieces that were."""
        await self._take_over()
        put = 0
        for duty in self._duties:
            for piece in await pieces(duty, self._clock()):
                # One in the queue and one at work at most: the second finds that it is done.
                key = f"{duty.name} {told(piece)}"
                job = self.app.configure_task(duty.name, lock=key, queueing_lock=key)
                try:
                    await job.defer_async(**piece)
                    put += 1
                except AlreadyEnqueued:
                    continue
        return put

    async def _on_the_minute(self, timestamp: int) -> None:
        await self.wake()

    async def _take_over(self) -> None:
        """What a worker had in hand that died is given to the others."""
        manager = self.app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=_SILENT_SECONDS):
            await manager.retry_job(job)


def _doing(duty: Duty, clock: Clock) -> Callable[..., Awaitable[None]]:
    async def do(**piece: str) -> None:
        if await attempt(duty, piece, clock) is None:
            raise PieceFailed(f"{duty.name}: {told(piece)}")
        await asyncio.sleep(0)  # heartbeats come through between two pieces of hard work

    return do


def _address(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
