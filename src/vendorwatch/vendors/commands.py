"""`vendorwatch engagement ...` and `vendorwatch agent ...`."""

from pathlib import Path

import click
import msgspec

from vendorwatch.db.engine import Database
from vendorwatch.terminal import (
    Runtime,
    emit_json,
    emit_table,
    engagement_option,
    json_option,
    pass_runtime,
)
from vendorwatch.vendors import service
from vendorwatch.vendors.model import Agent, Engagement, RosterReceipt
from vendorwatch.vendors.parse import COLUMNS, read_roster


@click.group("engagement")
def engagement_commands() -> None:
    """Which vendor works for which merchant."""


@engagement_commands.command("create")
@click.option("--merchant", required=True, help="Name of the shop.")
@click.option("--vendor", required=True, help="Name of the firm that answers its customers.")
@click.option(
    "--time-zone",
    required=True,
    help="The merchant's IANA zone, such as Asia/Ho_Chi_Minh: its months are counted there.",
)
@json_option
@pass_runtime
def create(runtime: Runtime, merchant: str, vendor: str, time_zone: str, *, as_json: bool) -> None:
    """Create an engagement; the same names again are the same engagement."""

    async def use_case(database: Database) -> Engagement:
        async with database.write_as_operator() as connection:
            return await service.create_engagement(
                connection,
                merchant=merchant,
                vendor=vendor,
                time_zone=time_zone,
                now=runtime.clock(),
            )

    made = runtime.run(use_case)
    ids = {
        "engagement_id": made.engagement_id,
        "merchant_id": made.merchant_id,
        "vendor_id": made.vendor_id,
    }
    if as_json:
        emit_json(ids)
        return
    click.echo(f"{made.vendor_name} works for {made.merchant_name} ({made.time_zone}).")
    for name, value in ids.items():
        click.echo(f"{name}  {value}")


@engagement_commands.command("list")
@json_option
@pass_runtime
def list_engagements(runtime: Runtime, *, as_json: bool) -> None:
    """List all engagements."""

    async def use_case(database: Database) -> list[Engagement]:
        async with database.read_as_operator() as connection:
            return await service.engagements(connection)

    found = [_shown(engagement) for engagement in runtime.run(use_case)]
    if as_json:
        emit_json(found)
        return
    columns = ("engagement_id", "merchant", "vendor", "time_zone")
    emit_table(columns, [tuple(item[name] for name in columns) for item in found])


@click.group("agent")
def agent_commands() -> None:
    """The people who answer customers."""


@agent_commands.command("import")
@engagement_option
@json_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_runtime
def import_agents(runtime: Runtime, engagement: str, file: Path, *, as_json: bool) -> None:
    entries = read_roster(file.read_bytes())

    async def use_case(database: Database) -> RosterReceipt:
        async with database.read_as_operator() as connection:
            scope = (await service.find_engagement(connection, engagement)).scope
        async with database.write(scope) as connection:
            return await service.put_roster(connection, scope, entries, runtime.clock())

    receipt = runtime.run(use_case)
    if as_json:
        emit_json(receipt)
        return
    click.echo(f"{receipt.received} agents: {receipt.created} created, {receipt.updated} updated.")


import_agents.help = (
    "Take a roster from a CSV file: new agents are added, known ones updated, others kept.\n\n"
    f"Columns: {', '.join(COLUMNS)}. Only agent_id is needed; dates are YYYY-MM-DD; languages and "
    "aliases are separated by semicolons."
)


@agent_commands.command("list")
@engagement_option
@json_option
@pass_runtime
def list_agents(runtime: Runtime, engagement: str, *, as_json: bool) -> None:
    """List the agents, those only seen in logs included."""

    async def use_case(database: Database) -> list[Agent]:
        async with database.read_as_operator() as connection:
            scope = (await service.find_engagement(connection, engagement)).scope
        async with database.read(scope) as connection:
            return await service.agents(connection, scope)

    agents = runtime.run(use_case)
    if as_json:
        emit_json(msgspec.to_builtins(agents))
        return
    emit_table(
        ("agent_id", "name", "team", "on_roster"),
        [
            (agent.agent_id, agent.name or "", agent.team or "", "yes" if agent.on_roster else "no")
            for agent in agents
        ],
    )


def _shown(engagement: Engagement) -> dict[str, str]:
    return {
        "engagement_id": engagement.engagement_id,
        "merchant_id": engagement.merchant_id,
        "vendor_id": engagement.vendor_id,
        "merchant": engagement.merchant_name,
        "vendor": engagement.vendor_name,
        "time_zone": engagement.time_zone,
    }
