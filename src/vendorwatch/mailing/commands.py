"""`vendorwatch recipient ...` and `vendorwatch deliver`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import IO, Any

import click
import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.mailing import returned, service
from vendorwatch.mailing.bounces import MOST_BYTES, read_report
from vendorwatch.mailing.delivery import Delivered, deliver_due
from vendorwatch.mailing.model import (
    SIDES,
    WANTED,
    Asked,
    Delivery,
    MailNotConfigured,
    Side,
    Wanted,
)
from vendorwatch.mailing.sender import Sender
from vendorwatch.mailing.shown import (
    DeliveryItem,
    RecipientItem,
    delivery_item,
    recipient_item,
)
from vendorwatch.mailing.smtp import mailer_for
from vendorwatch.periods import Micros
from vendorwatch.scorecards.render import Renderer, languages
from vendorwatch.terminal import (
    EXIT_PARTIAL,
    EXIT_UNAVAILABLE,
    Runtime,
    emit_json,
    emit_table,
    engagement_option,
    json_option,
    pass_runtime,
)
from vendorwatch.vendors.service import find_engagement

_Decision = Callable[[AsyncConnection, Scope, str, Micros], Awaitable[Delivery]]


@click.group("recipient")
def recipient_commands() -> None:
    """Who gets scorecards and notices by mail."""


@recipient_commands.command("add")
@engagement_option
@click.option("--email", required=True, help="One address.")
@click.option("--name", required=True, help="How the mail calls them.")
@click.option(
    "--language",
    type=click.Choice(languages()),
    default="en",
    show_default=True,
    help="Of the mail and of the PDF.",
)
@click.option(
    "--kind",
    type=click.Choice(WANTED),
    default="digest",
    show_default=True,
    help="digest: one mail a month about every vendor; scorecard: one a scorecard; agents: the "
    "agents' scorecards.",
)
@click.option(
    "--side",
    type=click.Choice(SIDES),
    default="merchant",
    show_default=True,
    help="A vendor's people get what is of this engagement.",
)
@click.option(
    "--every-vendor", is_flag=True, help="Of all the merchant's vendors, not of this one alone."
)
@json_option
@pass_runtime
def add(
    runtime: Runtime,
    engagement: str,
    email: str,
    name: str,
    language: str,
    kind: Wanted,
    side: Side,
    *,
    every_vendor: bool,
    as_json: bool,
) -> None:
    """Add somebody; the same again is the one that is there."""
    asked = Asked(
        email=email, name=name, language=language, side=side, kind=kind, every_vendor=every_vendor
    )

    async def use_case(database: Database) -> RecipientItem:
        scope = await _scope(database, engagement)
        async with database.write(scope.of_merchant()) as connection:
            found, _ = await service.add_recipient(connection, scope, asked, runtime.clock())
        return recipient_item(found)

    made = runtime.run(use_case)
    if as_json:
        emit_json(made)
        return
    click.echo(f"{made.email} gets the {made.kind} mails. Id: {made.recipient_id}")


@recipient_commands.command("list")
@engagement_option
@json_option
@pass_runtime
def list_recipients(runtime: Runtime, engagement: str, *, as_json: bool) -> None:
    """List who is written to about an engagement, removed ones included."""

    async def use_case(database: Database) -> list[RecipientItem]:
        scope = await _scope(database, engagement)
        async with database.read(scope.of_merchant()) as connection:
            return [recipient_item(each) for each in await service.recipients(connection, scope)]

    found = runtime.run(use_case)
    if as_json:
        emit_json(found)
        return
    columns = (
        "recipient_id",
        "email",
        "name",
        "language",
        "kind",
        "side",
        "removed_at",
        "bounced_at",
    )
    emit_table(columns, [_cells(each, columns) for each in found])


@recipient_commands.command("remove")
@engagement_option
@json_option
@click.argument("recipient_id")
@pass_runtime
def remove(runtime: Runtime, engagement: str, recipient_id: str, *, as_json: bool) -> None:
    """Write to somebody no more; what waits for them is not sent."""

    async def use_case(database: Database) -> RecipientItem:
        scope = await _scope(database, engagement)
        async with database.write(scope.of_merchant()) as connection:
            return recipient_item(
                await service.remove_recipient(connection, scope, recipient_id, runtime.clock())
            )

    found = runtime.run(use_case)
    if as_json:
        emit_json(found)
        return
    click.echo(f"{found.email} gets nothing since {found.removed_at}.")


@recipient_commands.command("restore")
@engagement_option
@json_option
@click.argument("recipient_id")
@pass_runtime
def restore(runtime: Runtime, engagement: str, recipient_id: str, *, as_json: bool) -> None:
    """Write again to somebody whose mail came back: the address is right now.

    What was skipped meanwhile is sent if it is retried.
    """

    async def use_case(database: Database) -> RecipientItem:
        scope = await _scope(database, engagement)
        async with database.write(scope.of_merchant()) as connection:
            return recipient_item(
                await returned.restore(connection, scope, recipient_id, runtime.clock())
            )

    found = runtime.run(use_case)
    if as_json:
        emit_json(found)
        return
    click.echo(f"{found.email} is written to again.")


@click.group("deliver", invoke_without_command=True)
@click.option(
    "--list", "only_list", is_flag=True, help="Send nothing; list what became of each mail."
)
@json_option
@click.pass_context
def deliver(context: click.Context, *, only_list: bool, as_json: bool) -> int:
    """Send the mail that is due, of all merchants.

    Exit code 1 if some mail was given up or put off, 5 if the mail server takes nothing. Run it as
    often as you like: what is not due is left alone.
    """
    if context.invoked_subcommand is not None:
        return 0
    runtime = context.ensure_object(Runtime)
    if only_list:
        _list(runtime, as_json=as_json)
        return 0
    run = _deliver(runtime)
    told = {"mails": dict(run.mails), "lost_leases": run.lost, "stopped": _stopped(run)}
    if as_json:
        emit_json(told)
    else:
        counts = ", ".join(f"{count} {state}" for state, count in sorted(run.mails.items()))
        click.echo(counts or "No mail is due.")
    if run.stopped:
        click.echo(f"Stopped, the rest waits: {_stopped(run)}", err=True)
        return EXIT_UNAVAILABLE
    return EXIT_PARTIAL if set(run.mails) - {"sent", "skipped"} else 0


def _deliver(runtime: Runtime) -> Delivered:
    """Raises MailNotConfigured."""
    settings = runtime.settings
    mailer = mailer_for(settings.smtp_url)
    if mailer is None:
        raise MailNotConfigured("VENDORWATCH_SMTP_URL is not set; mail waits.")
    sender = Sender.of(settings)

    async def use_case(database: Database) -> Delivered:
        renderer = Renderer()
        try:
            return await deliver_due(database, mailer, renderer, sender=sender, clock=runtime.clock)
        finally:
            await asyncio.to_thread(renderer.close)

    return runtime.run(use_case)


def _stopped(run: Delivered) -> str | None:
    return None if run.stopped is None else f"{run.stopped.ending.value}: {run.stopped.reply}"


def _list(runtime: Runtime, *, as_json: bool) -> None:
    async def use_case(database: Database) -> list[DeliveryItem]:
        async with database.read_as_operator() as connection:
            return [delivery_item(each) for each in await service.deliveries(connection, None)]

    found = runtime.run(use_case)
    if as_json:
        emit_json(found)
        return
    columns = ("delivery_id", "subject_key", "kind", "state", "reason", "attempts", "sent_at")
    emit_table(columns, [_cells(each, columns) for each in found])


@deliver.command("retry")
@json_option
@click.argument("delivery_id")
@pass_runtime
def retry(runtime: Runtime, delivery_id: str, *, as_json: bool) -> None:
    """Try a mail again from now on, under the same Message-ID."""
    _decide(runtime, delivery_id, service.retry, as_json=as_json)


@deliver.command("cancel")
@json_option
@click.argument("delivery_id")
@pass_runtime
def cancel(runtime: Runtime, delivery_id: str, *, as_json: bool) -> None:
    """Do not send a mail that waits."""
    _decide(runtime, delivery_id, service.cancel, as_json=as_json)


def _decide(runtime: Runtime, delivery_id: str, decide: _Decision, *, as_json: bool) -> None:
    async def use_case(database: Database) -> DeliveryItem:
        scope = await _place(database, delivery_id)
        async with database.write(scope.of_merchant()) as connection:
            return delivery_item(await decide(connection, scope, delivery_id, runtime.clock()))

    _tell(runtime.run(use_case), as_json=as_json)


@deliver.command("bounced")
@json_option
@click.argument("report", type=click.File("rb"))
@pass_runtime
def bounced(runtime: Runtime, report: IO[bytes], *, as_json: bool) -> None:
    """Read a mail that a mail server sent back, from a file or from - (standard input).

    The mail that it is about has failed; whose address is dead is written to no more. Whatever is
    no such report of a mail of ours changes nothing, so that all mail to the sender's address may
    be piped in here.
    """
    bounce = read_report(report.read(MOST_BYTES + 1))

    async def use_case(database: Database) -> list[DeliveryItem]:
        if bounce is None:
            return []
        async with database.read_as_operator() as connection:
            scope = await returned.place_of(connection, bounce)
        if scope is None:
            return []
        async with database.write(scope.of_merchant()) as connection:
            rows = await returned.bounced(connection, scope, bounce, runtime.clock())
        return [delivery_item(each) for each in rows]

    found = runtime.run(use_case)
    if as_json:
        emit_json(found)
    elif not found:
        click.echo("It is no report of a mail of ours that failed for good. Nothing was changed.")
    for each in [] if as_json else found:
        click.echo(f"{each.subject_key} ({each.kind}) is {each.state}: {each.last_reply}")


def _tell(found: DeliveryItem, *, as_json: bool) -> None:
    if as_json:
        emit_json(found)
        return
    click.echo(f"{found.subject_key} ({found.kind}) is {found.state}.")


async def _scope(database: Database, engagement: str) -> Scope:
    async with database.read_as_operator() as connection:
        return (await find_engagement(connection, engagement)).scope


async def _place(database: Database, delivery_id: str) -> Scope:
    async with database.read_as_operator() as connection:
        return await service.place_of(connection, delivery_id)


def _cells(item: msgspec.Struct, columns: tuple[str, ...]) -> tuple[str, ...]:
    shown: dict[str, Any] = msgspec.to_builtins(item)
    return tuple("" if shown[name] is None else str(shown[name]) for name in columns)
