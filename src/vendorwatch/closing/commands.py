"""`vendorwatch close-month`, `approve`, `revise` and `closing ...`."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import click
import msgspec

from vendorwatch.audit.model import COMMAND
from vendorwatch.closing import issuing, months, revising, service
from vendorwatch.closing.bodies import read_month, rules_item
from vendorwatch.closing.model import Issuance, State
from vendorwatch.closing.refusals import MonthNotDue
from vendorwatch.closing.shown import (
    ClosingDetail,
    ClosingItem,
    closing_detail,
    closing_item,
    closing_preview,
)
from vendorwatch.closing.states import read_state
from vendorwatch.closing.told import change_lines
from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.errors import VendorwatchError
from vendorwatch.periods import Micros, Month
from vendorwatch.terminal import (
    EXIT_PARTIAL,
    Runtime,
    emit_json,
    emit_table,
    engagement_option,
    json_option,
    month_option,
    pass_runtime,
)
from vendorwatch.vendors.service import engagements, find_engagement

T = TypeVar("T")


@click.command("close-month")
@month_option
@click.option("--engagement", metavar="ID", help="Only this one.")
@click.option("--all", "every", is_flag=True, help="Every engagement.")
@click.option("--dry-run", is_flag=True, help="Compute and tell; keep nothing.")
@json_option
@pass_runtime
def close_month(
    runtime: Runtime,
    month: Month,
    engagement: str | None,
    every: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Freeze a month that is over and settled, and issue its scorecard.

    What stands already stays: the same command again changes nothing. With --all, exit code 1 if a
    month could not be closed.
    """
    if every == (engagement is not None):
        raise click.UsageError("Give one of --engagement and --all.")
    now = runtime.clock()

    async def use_case(database: Database) -> list[dict[str, Any]]:
        async with database.read_as_operator() as connection:
            if engagement is not None:
                scopes = [(await find_engagement(connection, engagement)).scope]
            else:
                scopes = [each.scope for each in await engagements(connection)]
        if engagement is not None:  # its error is the command's own
            return [await _closed(database, scopes[0], month, now, dry_run=dry_run)]
        return [await _tried(database, each, month, now, dry_run=dry_run) for each in scopes]

    found = runtime.run(use_case)
    if as_json:
        emit_json(found)
    else:
        for each in found:
            click.echo(_told(each))
    return EXIT_PARTIAL if any(each["outcome"] == "failed" for each in found) else 0


async def _tried(
    database: Database, scope: Scope, month: Month, now: Micros, *, dry_run: bool
) -> dict[str, Any]:
    """Of many: what fails for one keeps none of the others."""
    try:
        return await _closed(database, scope, month, now, dry_run=dry_run)
    except MonthNotDue as error:
        return _result(scope, month, "not_due", detail=error.detail)
    except VendorwatchError as error:
        return _result(scope, month, "failed", detail=f"{error.title}: {error.detail}")


async def _closed(
    database: Database, scope: Scope, month: Month, now: Micros, *, dry_run: bool
) -> dict[str, Any]:
    if dry_run:
        async with database.read(scope) as connection:
            prepared = await issuing.prepare(connection, scope, month, now)
        if isinstance(prepared, issuing.Prepared):
            scores: Any = prepared.computed.document["vendor_scores"]
            return _result(scope, month, "would_close", score=scores["score"])
        return _result(scope, month, "stood", prepared)
    issuance, is_new = await service.close_month(database, scope, month, by=COMMAND, now=now)
    return _result(scope, month, issuance.state if is_new else "stood", issuance)


def _result(
    scope: Scope, month: Month, outcome: str, issuance: Issuance | None = None, **told: object
) -> dict[str, Any]:
    found = {"engagement_id": scope.engagement_id, "month": str(month), "outcome": outcome}
    if issuance is None:
        return found | told
    return found | {
        "state": issuance.state,
        "revision": issuance.revision,
        "scorecard_id": issuance.scorecard_id,
        "is_late": issuance.is_late,
    }


def _told(result: dict[str, Any]) -> str:
    words = {
        "issued": "issued",
        "held": "frozen, waits for approval",
        "stood": "stood already",
        "would_close": "would be closed",
        "not_due": "not due",
        "failed": "failed",
    }
    told = f"{result['engagement_id']} {result['month']}: {words[result['outcome']]}"
    if "scorecard_id" in result:
        late = ", late" if result["is_late"] else ""
        told += f" (revision {result['revision']}, scorecard {result['scorecard_id']}{late})"
    if "score" in result:
        told += f" with the score {result['score'] or '(not rated)'}"
    return f"{told}: {result['detail']}" if "detail" in result else told


@click.command()
@engagement_option
@month_option
@click.option("--reason", help="Kept beside the decision.")
@json_option
@pass_runtime
def approve(
    runtime: Runtime, engagement: str, month: Month, reason: str | None, as_json: bool
) -> None:
    """Issue a month that is held. One that was issued stays as it is."""
    now = runtime.clock()

    async def use_case(database: Database, scope: Scope) -> ClosingDetail:
        async with database.write(scope) as connection:
            await issuing.approve(connection, scope, month, by=COMMAND, reason=reason, now=now)
        return await _detail(database, scope, month, now)

    _tell(_within(runtime, engagement, use_case), as_json=as_json)


@click.command()
@engagement_option
@month_option
@click.option("--reason", required=True, help="Shown beside the revision.")
@click.option("--dry-run", is_flag=True, help="Show what would change; keep nothing.")
@json_option
@pass_runtime
def revise(
    runtime: Runtime, engagement: str, month: Month, reason: str, dry_run: bool, as_json: bool
) -> None:
    """Issue the next revision of a month, from the records that are in force now.

    As of the instant at which the month was final. The revisions before it stay as they are.
    """
    now = runtime.clock()
    if dry_run:
        _preview(runtime, engagement, month, as_json=as_json)
        return

    async def use_case(database: Database, scope: Scope) -> ClosingDetail:
        await service.revise(database, scope, month, by=COMMAND, reason=reason, now=now)
        return await _detail(database, scope, month, now)

    _tell(_within(runtime, engagement, use_case), as_json=as_json)


def _preview(runtime: Runtime, engagement: str, month: Month, *, as_json: bool) -> None:
    async def use_case(database: Database, scope: Scope) -> revising.Revision:
        return await service.preview(database, scope, month, now=runtime.clock())

    found = closing_preview(month, _within(runtime, engagement, use_case))
    if as_json:
        emit_json(found)
        return
    click.echo(f"{month}: {', '.join(found.differs) or 'nothing'} would be different.")
    click.echo("\n".join(change_lines(found.changes)))


@click.group()
def closing() -> None:
    """How months are closed, and how they stand."""


@closing.command("rules")
@engagement_option
@click.option("--approval", type=click.Choice(["automatic", "hold"]), help="hold: a person issues.")
@click.option(
    "--late-data",
    type=click.Choice(["ask", "automatic"]),
    help="automatic: late data makes a revision by itself.",
)
@click.option(
    "--first-month",
    metavar="YYYY-MM",
    help="Earlier ones are not closed; engagement: the one in which it was created.",
)
@click.option("--last-month", metavar="YYYY-MM", help="Later ones are not closed; none: no end.")
@json_option
@pass_runtime
def closing_rules(
    runtime: Runtime,
    engagement: str,
    approval: str | None,
    late_data: str | None,
    first_month: str | None,
    last_month: str | None,
    as_json: bool,
) -> None:
    """Show the rules, and change those that are named."""
    chosen: dict[str, Any] = {"approval": approval, "late_data": late_data}
    changed = {name: value for name, value in chosen.items() if value is not None}
    if first_month is not None:
        text = None if first_month == "engagement" else first_month
        changed["first_month"] = read_month("first_month", text)
    if last_month is not None:
        changed["last_month"] = read_month(
            "last_month", None if last_month == "none" else last_month
        )

    async def use_case(database: Database, scope: Scope) -> State:
        if not changed:
            async with database.read(scope) as connection:
                return await read_state(connection, scope)
        async with database.write(scope) as connection:
            rules = replace(await issuing.read_rules(connection, scope), **changed)
            return await issuing.set_rules(connection, scope, rules, runtime.clock())

    found = rules_item(_within(runtime, engagement, use_case))
    if as_json:
        emit_json(found)
        return
    click.echo(f"approval     {found.approval}")
    click.echo(f"late data    {found.late_data}")
    click.echo(f"first month  {found.first_month}")
    click.echo(f"last month   {found.last_month or 'none'}")


@closing.command("list")
@engagement_option
@json_option
@pass_runtime
def list_closings(runtime: Runtime, engagement: str, as_json: bool) -> None:
    """List the months, the newest first."""

    async def use_case(database: Database, scope: Scope) -> list[ClosingItem]:
        async with database.read(scope) as connection:
            found = await months.closings(connection, scope, now=runtime.clock())
        return [closing_item(each) for each in found]

    found = _within(runtime, engagement, use_case)
    if as_json:
        emit_json(found)
        return
    known = {True: "yes", False: "no", None: ""}
    emit_table(
        ("month", "state", "due at", "revision", "late", "revisable", "missing days"),
        [
            (
                each.month,
                each.state,
                each.due_at,
                str(each.revision or ""),
                "late" if each.is_late else "",
                known[each.revisable],
                str(len(each.missing_days) or ""),
            )
            for each in found
        ],
    )


def _within(
    runtime: Runtime, engagement: str, use_case: Callable[[Database, Scope], Awaitable[T]]
) -> T:
    async def found(database: Database) -> T:
        async with database.read_as_operator() as connection:
            scope = (await find_engagement(connection, engagement)).scope
        return await use_case(database, scope)

    return runtime.run(found)


async def _detail(database: Database, scope: Scope, month: Month, now: Micros) -> ClosingDetail:
    async with database.read(scope) as connection:
        return closing_detail(*await months.find_closing(connection, scope, month, now=now))


def _tell(detail: ClosingDetail, *, as_json: bool) -> None:
    if as_json:
        emit_json(msgspec.to_builtins(detail))
        return
    newest = detail.revisions[-1]
    click.echo(
        f"{detail.closing.month}: revision {newest.revision} {newest.state}, "
        f"scorecard {newest.scorecard_id}"
    )
    if newest.changes is not None:
        click.echo("\n".join(change_lines(newest.changes)))
