"""`vendorwatch policy`, `score` and `scorecard`."""

import sys
from pathlib import Path
from typing import Any

import click
from typing_extensions import override

from vendorwatch.db.engine import Database
from vendorwatch.interactions.instants import BadInstant, parse_instant
from vendorwatch.periods import Micros, Month
from vendorwatch.scorecards import service
from vendorwatch.scorecards.model import StoredPolicy
from vendorwatch.scorecards.render import Renderer, Report, languages
from vendorwatch.scorecards.summary import lines
from vendorwatch.scoring.document import Document, canonical_json
from vendorwatch.terminal import Runtime, emit_json, pass_runtime, read_text
from vendorwatch.vendors.service import find_engagement


class _Month(click.ParamType[Month]):
    name = "YYYY-MM"

    @override
    def convert(self, value: Any, param: Any, ctx: Any) -> Month:
        try:
            return value if isinstance(value, Month) else Month.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Instant(click.ParamType[Micros]):
    name = "INSTANT"

    @override
    def convert(self, value: Any, param: Any, ctx: Any) -> Micros:
        try:
            return value if isinstance(value, int) else parse_instant(value)
        except BadInstant as error:
            self.fail(str(error), param, ctx)


_engagement = click.option("--engagement", required=True, metavar="ID", help="Which engagement.")
_month = click.option("--month", required=True, type=_Month(), help="As 2026-10.")
_as_of = click.option(
    "--as-of",
    type=_Instant(),
    help="RFC 3339 with an offset. What happened later counts as not happened. "
    "Default: when the month is final, or now.",
)
_json = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")


@click.group()
def policy() -> None:
    """What a merchant and a vendor agreed to measure."""


@policy.command("default")
def show_default() -> None:
    """Print the policy that counts until one is set; a start for your own."""
    click.echo(service.default_policy().source, nl=False)


@policy.command("set")
@_engagement
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_json
@pass_runtime
def set_policy(runtime: Runtime, engagement: str, file: Path, as_json: bool) -> None:
    """Make FILE the newest version. The same content again changes nothing."""
    source = read_text(file)

    async def use_case(database: Database) -> StoredPolicy:
        async with database.write() as connection:
            found = await find_engagement(connection, engagement)
            return await service.set_policy(connection, found.scope, source, runtime.clock())

    stored = runtime.run(use_case)
    if as_json:
        emit_json(
            {"policy_id": stored.policy_id, "version": stored.version, "sha256": stored.sha256}
        )
    else:
        click.echo(f"Version {stored.version} counts from {stored.effective_from} on.")


@policy.command("show")
@_engagement
@pass_runtime
def show_policy(runtime: Runtime, engagement: str) -> None:
    """Print the newest version as it was set."""

    async def use_case(database: Database) -> list[StoredPolicy]:
        async with database.read() as connection:
            found = await find_engagement(connection, engagement)
            return await service.policies(connection, found.scope)

    versions = runtime.run(use_case)
    click.echo((versions or [service.default_policy()])[-1].source, nl=False)


@click.command()
@_engagement
@_month
@_as_of
@_json
@pass_runtime
def score(
    runtime: Runtime, engagement: str, month: Month, as_of: Micros | None, as_json: bool
) -> None:
    """Compute a month and print it. Stores nothing."""

    async def use_case(database: Database) -> Document:
        async with database.read() as connection:
            computed = await service.compute(
                connection, engagement, month, as_of=as_of, now=runtime.clock()
            )
        return computed.document

    document = runtime.run(use_case)
    click.echo(canonical_json(document) if as_json else "\n".join(lines(document)))


@click.command()
@_engagement
@_month
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
@pass_runtime
def scorecard(
    runtime: Runtime,
    engagement: str,
    month: Month,
    as_of: Micros | None,
    target: Path,
    language: str,
) -> None:
    """Compute a month, keep its scorecard, and write it as PDF."""

    async def use_case(database: Database) -> Report:
        async with database.read() as connection:
            computed = await service.compute(
                connection, engagement, month, as_of=as_of, now=runtime.clock()
            )
        async with database.write() as connection:
            card = await service.keep(connection, computed, runtime.clock())
            history = await service.history(connection, computed.scope, card)
        return Report(card.document, language, history=history)

    report = runtime.run(use_case)
    renderer = Renderer()
    try:
        pdf = renderer.pdf(report)
    finally:
        renderer.close()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(pdf)
    click.echo(str(target), file=sys.stderr)
