"""`vendorwatch score`, `scorecard` and `verify`."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from msgspec import to_builtins
from rich.console import Console
from rich.progress import track
from typing_extensions import override

from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.interactions.checking import verify_uploads
from vendorwatch.interactions.instants import BadInstant, parse_instant
from vendorwatch.periods import Micros, Month
from vendorwatch.scorecards import service
from vendorwatch.scorecards.comparison import comparison_lines
from vendorwatch.scorecards.inputs import CODE_VERSION
from vendorwatch.scorecards.render import AgentReport, Renderer, Report, languages
from vendorwatch.scorecards.summary import lines
from vendorwatch.scorecards.verification import Result, Verdict
from vendorwatch.scoring.document import Document, canonical_json
from vendorwatch.scoring.policy_file import parse_policy
from vendorwatch.terminal import (
    EXIT_PARTIAL,
    MonthType,
    Runtime,
    emit_json,
    engagement_option,
    json_option,
    month_option,
    pass_runtime,
    read_text,
)
from vendorwatch.vendors.checking import verify_audit
from vendorwatch.vendors.service import find_engagement


class _Instant(click.ParamType[Micros]):
    name = "INSTANT"

    @override
    def convert(self, value: Any, param: Any, ctx: Any) -> Micros:
        try:
            return value if isinstance(value, int) else parse_instant(value)
        except BadInstant as error:
            self.fail(str(error), param, ctx)


_as_of = click.option(
    "--as-of",
    type=_Instant(),
    help="RFC 3339 with an offset. What happened later counts as not happened. "
    "Default: when the month is final, or now.",
)


@click.command()
@engagement_option
@month_option
@_as_of
@click.option(
    "--policy",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What if this file counted: both results side by side.",
)
@json_option
@pass_runtime
def score(
    runtime: Runtime,
    engagement: str,
    month: Month,
    as_of: Micros | None,
    file: Path | None,
    as_json: bool,
) -> None:
    """Compute a month and print it. Stores nothing."""
    sources = (None,) if file is None else (None, _read_policy(file))
    now = runtime.clock()

    async def use_case(database: Database) -> list[Document]:
        async with database.read_as_operator() as connection:
            scope = (await find_engagement(connection, engagement)).scope
        async with database.read(scope) as connection:
            found = [
                await service.compute(
                    connection, engagement, month, as_of=as_of, now=now, policy=source
                )
                for source in sources
            ]
        return [each.document for each in found]

    document, *others = runtime.run(use_case)
    if file is None:
        click.echo(canonical_json(document) if as_json else "\n".join(lines(document)))
    elif as_json:
        click.echo(canonical_json({"in_force": document, "what_if": others[0]}))
    else:
        click.echo("\n".join(comparison_lines(document, others[0], file.name)))


def _read_policy(file: Path) -> str:
    """Raises BadPolicy with all of its mistakes, before anything is computed."""
    source = read_text(file)
    _ = parse_policy(source)
    return source


@click.command()
@engagement_option
@month_option
@_as_of
@click.option(
    "--pdf",
    "target",
    required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where to write it.",
)
@click.option(
    "--language",
    type=click.Choice(languages()),
    default="en",
    show_default=True,
    help="Of the words; names stay as they are.",
)
@click.option("--agent", metavar="ID", help="Instead of the vendor's: the page of one agent.")
@click.option(
    "--agents", "every_agent", is_flag=True, help="Instead of the vendor's: a page for each agent."
)
@pass_runtime
def scorecard(
    runtime: Runtime,
    engagement: str,
    month: Month,
    as_of: Micros | None,
    target: Path,
    language: str,
    agent: str | None,
    *,
    every_agent: bool,
) -> None:
    """Compute a month, keep its scorecard, and write it as PDF."""
    if agent is not None and every_agent:
        raise click.UsageError("Give --agent or --agents.")

    async def use_case(database: Database) -> Report | AgentReport:
        async with database.read_as_operator() as connection:
            scope = (await find_engagement(connection, engagement)).scope
        async with database.read(scope) as connection:
            computed = await service.compute(
                connection, engagement, month, as_of=as_of, now=runtime.clock()
            )
        async with database.write(scope) as connection:
            card = await service.keep(connection, computed, runtime.clock())
            history = await service.history(connection, computed.scope, card)
        if agent is None and not every_agent:
            return Report(card.document, language, history=history)
        async with database.read(scope) as connection:
            _, agents = await service.agent_documents(
                connection, scope, card.scorecard_id, agent=agent
            )
        return AgentReport(card.document, agents, language, of_one=agent is not None)

    report = runtime.run(use_case)
    renderer = Renderer()
    try:
        pdf = renderer.pdf(report)
    finally:
        renderer.close()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(pdf)
    click.echo(str(target), file=sys.stderr)


_TOLD: dict[Result, str] = {
    "identical": "identical",
    "different": "different",
    "not_verifiable": "kept by an earlier version; cannot be verified",
}


@click.command()
@click.option("--scorecard", "scorecard_id", metavar="ID", help="Only this one.")
@click.option("--engagement", metavar="ID", help="All of one engagement.")
@click.option("--month", type=MonthType(), help="With --engagement: only those of one month.")
@click.option("--all", "every", is_flag=True, help="All of every engagement.")
@click.option(
    "--uploads",
    is_flag=True,
    help="Instead of scorecards: the chain of receipts, the stored files and the rows; of "
    "--engagement, or of every one.",
)
@click.option(
    "--audit",
    is_flag=True,
    help="Instead of scorecards: the chain of the audit; of --engagement, or of every one.",
)
@json_option
@pass_runtime
def verify(
    runtime: Runtime,
    scorecard_id: str | None,
    engagement: str | None,
    month: Month | None,
    every: bool,
    uploads: bool,
    audit: bool,
    as_json: bool,
) -> int:
    """Compute kept scorecards again from the records that were known then.

    Says of each that it is identical, or what differs. Exit code 1 if any does. With --uploads:
    names what was removed, reordered or altered since it was received, upload by upload. With
    --audit: names the entries that are gone or altered.
    """
    if uploads or audit:
        if scorecard_id is not None or month is not None or (uploads and audit):
            raise click.UsageError(
                "--uploads and --audit go with --engagement, --all or neither, one at a time."
            )
        check = verify_uploads if uploads else verify_audit
        return check(runtime, None if every else engagement, as_json=as_json)
    _refuse_unclear(scorecard_id, engagement, month, every=every)

    async def use_case(database: Database) -> list[Verdict]:
        async with database.read_as_operator() as connection:
            if scorecard_id is not None:
                scope = await service.place_of(connection, scorecard_id)
                asked = [(scope, scorecard_id)]
            else:
                asked = await service.stored_under(connection, engagement, month)
        return await _verified(database, asked)

    verdicts = runtime.run(use_case)
    if as_json:
        emit_json({"code_version": CODE_VERSION, "scorecards": to_builtins(verdicts)})
    else:
        for verdict in verdicts:
            click.echo("\n".join(_verdict_lines(verdict)))
        click.echo(_verdict_counts(verdicts))
    return EXIT_PARTIAL if any(each.result == "different" for each in verdicts) else 0


def _refuse_unclear(
    scorecard_id: str | None, engagement: str | None, month: Month | None, *, every: bool
) -> None:
    if sum((scorecard_id is not None, engagement is not None, every)) != 1:
        raise click.UsageError("Give one of --scorecard, --engagement and --all.")
    if month is not None and engagement is None:
        raise click.UsageError("--month goes with --engagement.")


async def _verified(database: Database, asked: Sequence[tuple[Scope, str]]) -> list[Verdict]:
    """Each in a transaction of its own: together they may take long."""
    console = Console(stderr=True)
    found = []
    for scope, scorecard_id in track(
        asked, "Verifying", console=console, transient=True, disable=not console.is_terminal
    ):
        async with database.read(scope) as connection:
            found.append(await service.verify(connection, scope, scorecard_id))
    return found


def _verdict_lines(verdict: Verdict) -> list[str]:
    made_by = verdict.code_version
    other = f" (made by {made_by}, this is {CODE_VERSION})" if made_by != CODE_VERSION else ""
    head = f"{verdict.month} {verdict.scorecard_id}: {_TOLD[verdict.result]}{other}"
    return [head, *(f"  {each}" for each in verdict.differences)]


def _verdict_counts(verdicts: Sequence[Verdict]) -> str:
    counts = Counter(each.result for each in verdicts)
    always = ("identical", "different")
    return ", ".join(
        f"{counts[result]} {told}"
        for result, told in _TOLD.items()
        if counts[result] or result in always
    )
