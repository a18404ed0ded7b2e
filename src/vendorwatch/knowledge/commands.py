"""`vendorwatch knowledge ...`"""

from dataclasses import asdict
from pathlib import Path

import click

from vendorwatch.db.engine import Database
from vendorwatch.knowledge import service
from vendorwatch.knowledge.parse import read_document
from vendorwatch.terminal import (
    Runtime,
    emit_json,
    emit_table,
    engagement_option,
    json_option,
    pass_runtime,
)
from vendorwatch.vendors.service import find_engagement

_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.group()
def knowledge() -> None:
    """Questions about the products, and how the agents answered."""


@knowledge.command()
@click.argument("file", type=_FILE)
@engagement_option
@json_option
@pass_runtime
def load(runtime: Runtime, file: Path, engagement: str, as_json: bool) -> None:
    """Store questions, checks, assignments and attempts from a JSON document, or none of them."""
    document = read_document(file.read_bytes())

    async def use_case(database: Database) -> service.Loaded:
        async with database.read_as_operator() as connection:
            scope = (await find_engagement(connection, engagement)).scope
        async with database.write(scope.of_merchant()) as connection:
            return await service.load(connection, scope, document, now=runtime.clock())

    counts = asdict(runtime.run(use_case))
    if as_json:
        emit_json(counts)
    else:
        click.echo(", ".join(f"{name}: {count}" for name, count in counts.items()))


@knowledge.command("list")
@engagement_option
@json_option
@pass_runtime
def list_checks(runtime: Runtime, engagement: str, as_json: bool) -> None:
    """The checks by due date, and how this engagement's agents did on them so far."""

    async def use_case(database: Database) -> list[service.CheckStanding]:
        async with database.read_as_operator() as connection:
            scope = (await find_engagement(connection, engagement)).scope
        async with database.read(scope.of_merchant()) as connection:
            found = await service.standings(connection, scope, now=runtime.clock())
            return [standing for _, standing in found]

    standings = runtime.run(use_case)
    if as_json:
        emit_json(standings)
    else:
        emit_table(_CHECK, [_check_row(each) for each in standings])


@knowledge.command()
@engagement_option
@json_option
@pass_runtime
def items(runtime: Runtime, engagement: str, as_json: bool) -> None:
    """How hard each question is, and whether those who know the rest get it right.

    Over this engagement's agents; from 30 counted answers on. `review_key`: those who know the rest
    get it wrong, so that its key may be wrong.
    """

    async def use_case(database: Database) -> list[service.QuestionStanding]:
        async with database.read_as_operator() as connection:
            scope = (await find_engagement(connection, engagement)).scope
        async with database.read(scope.of_merchant()) as connection:
            return await service.question_standings(
                connection, scope, now=runtime.clock(), with_text=True
            )

    standings = runtime.run(use_case)
    if as_json:
        emit_json(standings)
    else:
        emit_table(_QUESTION, [_question_row(each) for each in standings])


@knowledge.command()
@click.argument("question_id")
@engagement_option
@click.option(
    "--version", required=True, type=click.IntRange(min=1), help="Which version of the question."
)
@click.option("--reason", required=True, help="What is wrong with it; kept for ever.")
@json_option
@pass_runtime
def withdraw(
    runtime: Runtime, question_id: str, engagement: str, version: int, reason: str, as_json: bool
) -> None:
    """Take one version of a question out of every score, for all vendors of the merchant.

    It cannot be taken back. Scorecards that were issued stay as they are.
    """

    async def use_case(database: Database) -> service.Withdrawn:
        async with database.read_as_operator() as connection:
            scope = (await find_engagement(connection, engagement)).scope
        async with database.write(scope.of_merchant()) as connection:
            return await service.withdraw(
                connection, scope, question_id, version, reason=reason, now=runtime.clock()
            )

    done = runtime.run(use_case)
    if as_json:
        emit_json(done)
    else:
        click.echo(
            f"{done.question_id} version {done.version}: "
            f"withdrawn at {done.withdrawn_at}, {done.reason}"
        )


_CHECK = (
    "check",
    "due",
    "questions",
    "withdrawn",
    "assigned",
    "excused",
    "submitted",
    "passed",
    "earned",
    "KR-20",
)


def _check_row(standing: service.CheckStanding) -> tuple[str, ...]:
    return (
        standing.check_id,
        standing.due_at,
        str(standing.questions),
        str(standing.withdrawn),
        str(standing.assigned),
        str(standing.excused),
        str(standing.submitted),
        str(standing.passed),
        f"{standing.earned} of {standing.possible}",
        standing.kr20 or "-",
    )


_QUESTION = (
    "question",
    "version",
    "topic",
    "weight",
    "answers",
    "difficulty",
    "discrimination",
    "flag",
    "withdrawn",
)


def _question_row(standing: service.QuestionStanding) -> tuple[str, ...]:
    return (
        standing.question_id,
        str(standing.version),
        standing.topic,
        str(standing.weight),
        str(standing.answers),
        standing.difficulty or "-",
        standing.discrimination or "-",
        standing.flag or "-",
        f"{standing.withdrawn_at}, {standing.withdrawn_reason}" if standing.withdrawn_at else "-",
    )
