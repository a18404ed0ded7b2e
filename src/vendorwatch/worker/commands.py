"""`vendorwatch worker`."""

import click

from vendorwatch.db.engine import Database
from vendorwatch.settings import Settings
from vendorwatch.supervision import end_with_parent
from vendorwatch.telemetry import configure_library_logging, configure_logging, system_clock
from vendorwatch.terminal import Runtime, pass_runtime
from vendorwatch.worker import queue
from vendorwatch.worker.composition import duties
from vendorwatch.worker.duties import Round
from vendorwatch.worker.loop import keep_on, stop_on_signals


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, and end.")
@pass_runtime
def worker(runtime: Runtime, *, once: bool) -> None:
    """Close months and send mail when they are due, until it is told to stop (SIGTERM or Ctrl-C).

    With PostgreSQL, run as many as you like, on as many machines as you like. With SQLite `serve`
    brings one along.
    """
    if once:
        done = runtime.run(lambda database: _once(runtime, database))
        click.echo(f"{done} done." if done else "Nothing was due.")
        return
    runtime.run(lambda database: _work(runtime, database))


def beside_the_server() -> None:
    """What `serve` starts as a process of its own."""
    settings = Settings.from_env()
    configure_logging(settings.log_level)
    configure_library_logging()
    end_with_parent(grace_seconds=30)
    runtime = Runtime(settings, system_clock)
    runtime.run(lambda database: _work(runtime, database))


async def _once(runtime: Runtime, database: Database) -> int:
    async with duties(runtime.settings, database, runtime.clock) as found:
        work = Round(found, runtime.clock)
        total = 0
        while done := await work.run():
            total += done
        return total


async def _work(runtime: Runtime, database: Database) -> None:
    async with duties(runtime.settings, database, runtime.clock) as found:
        if database.is_postgresql:
            await queue.prepare(database.url)
            await queue.Queue(database.url, found, runtime.clock).work()
        else:
            await keep_on(Round(found, runtime.clock), stop_on_signals())
