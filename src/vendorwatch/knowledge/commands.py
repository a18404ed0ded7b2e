"""`vendorwatch knowledge ...`"""

from dataclasses import asdict
from pathlib import Path

import click

from vendorwatch.db.engine import Database
from vendorwatch.knowledge import service
from vendorwatch.knowledge.parse import read_document
from vendorwatch.terminal import Runtime, emit_json, emit_table, pass_runtime
from vendorwatch.vendors.service import find_engagement

_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.group()
def knowledge() -> None:
    """Questions about the products, and how the agents answered."""


@knowledge.command()
@click.argument("file", type=_FILE)
@click.option("--engagement", required=True, metavar="ID", help="Which engagement.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
@pass_runtime
def load(runtime: Runtime, file: Path, engagement: str, as_json: bool) -> None:
    """Store questions, checks, assignments and attempts from a JSON document, or none of them."""
    document = read_document(file.read_bytes())

    async def use_case(database: Database) -> service.Loaded:
        async with database.write() as connection:
            found = await find_engagement(connection, engagement)
            return await service.load(connection, found.scope, document, now=runtime.clock())

    counts = asdict(runtime.run(use_case))
    if as_json:
        emit_json(counts)
    else:
        click.echo(", ".join(f"{name}: {count}" for name, count in counts.items()))


@knowledge.command("list")
@click.option("--engagement", required=True, metavar="ID", help="Which engagement.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
@pass_runtime
def list_checks(runtime: Runtime, engagement: str, as_json: bool) -> None:
    """The checks by due date, and how this engagement's agents did on them so far."""

    async def use_case(database: Database) -> list[service.CheckStanding]:
        async with database.read() as connection:
            found = await find_engagement(connection, engagement)
            return await service.standings(connection, found.scope, now=runtime.clock())

    standings = runtime.run(use_case)
    if as_json:
        emit_json([asdict(each) for each in standings])
        return
    headers = ("check", "due", "questions", "assigned", "excused", "submitted", "passed", "earned")
    emit_table(headers, [_row(each) for each in standings])


def _row(standing: service.CheckStanding) -> tuple[str, ...]:
    return (
        standing.check_id,
        standing.due_at,
        str(standing.questions),
        str(standing.assigned),
        str(standing.excused),
        str(standing.submitted),
        str(standing.passed),
        f"{standing.earned} of {standing.possible}",
    )
