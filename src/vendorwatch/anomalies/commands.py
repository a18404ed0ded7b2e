"""`vendorwatch contact-counts ...` and `vendorwatch anomalies`."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import click
import msgspec

from vendorwatch.anomalies import service
from vendorwatch.anomalies.parse import read_counts
from vendorwatch.anomalies.service import Examined
from vendorwatch.anomalies.shown import month_anomalies
from vendorwatch.anomalies.summary import lines
from vendorwatch.db.engine import Database
from vendorwatch.integrity.log import CountedDay
from vendorwatch.periods import Month
from vendorwatch.terminal import (
    Runtime,
    emit_json,
    emit_table,
    engagement_option,
    json_option,
    month_option,
    pass_runtime,
    read_text,
)
from vendorwatch.vendors.service import find_engagement

_File = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("contact-counts")
def contact_counts() -> None:
    """How many contacts the merchant counted itself."""


@contact_counts.command("set")
@engagement_option
@click.argument("file", type=_File)
@json_option
@pass_runtime
def set_counts(runtime: Runtime, engagement: str, file: Path, *, as_json: bool) -> None:
    """Take the counts of FILE, a CSV file with the columns day, contacts and, if you like, channel.

    A day that it names is counted like this from now on; what was said of it before is kept.
    """
    counts = read_counts(read_text(file))

    async def use_case(database: Database) -> int:
        async with database.read_as_operator() as connection:
            scope = (await find_engagement(connection, engagement)).scope
        async with database.write(scope) as connection:
            return await service.set_counts(connection, scope, counts, runtime.clock())

    changed = runtime.run(use_case)
    if as_json:
        emit_json({"received": len(counts), "changed_days": changed})
    else:
        click.echo(f"{len(counts)} counts; {changed} days changed.")


@contact_counts.command("list")
@engagement_option
@month_option
@json_option
@pass_runtime
def list_counts(runtime: Runtime, engagement: str, month: Month, *, as_json: bool) -> None:
    """List what was counted in a month."""

    async def use_case(database: Database) -> Mapping[date, CountedDay]:
        async with database.read_as_operator() as connection:
            scope = (await find_engagement(connection, engagement)).scope
        async with database.read(scope) as connection:
            return await service.counts_of(connection, scope, month)

    cells = [
        {"day": str(day), "channel": channel, "contacts": contacts}
        for day, counted in runtime.run(use_case).items()
        for channel, contacts in counted.items()
    ]
    if as_json:
        emit_json(cells)
        return
    rows = [(each["day"], each["channel"] or "all", each["contacts"]) for each in cells]
    emit_table(("day", "channel", "contacts"), [tuple(map(str, row)) for row in rows])


@click.command()
@engagement_option
@month_option
@json_option
@pass_runtime
def anomalies(runtime: Runtime, engagement: str, month: Month, *, as_json: bool) -> None:
    """Look at a month's log for what is a reason to ask the vendor.

    Contacts that the merchant counted and the log has not, runs of short interactions of one
    customer, gaps in the numbers of interactions, and what is kept out of every metric.
    """
    now = runtime.clock()

    async def use_case(database: Database) -> Examined:
        async with database.read_as_operator() as connection:
            scope = (await find_engagement(connection, engagement)).scope
        async with database.read(scope) as connection:
            return await service.anomalies(connection, scope, month, now=now)

    found = month_anomalies(runtime.run(use_case))
    if as_json:
        emit_json(msgspec.to_builtins(found))
    else:
        click.echo("\n".join(lines(found)))
