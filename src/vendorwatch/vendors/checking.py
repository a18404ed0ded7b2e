"""`vendorwatch verify --audit`."""

import click
from msgspec import to_builtins

from vendorwatch.audit import service as audit
from vendorwatch.audit.service import Verified
from vendorwatch.db.engine import Database
from vendorwatch.terminal import EXIT_PARTIAL, Runtime, emit_json
from vendorwatch.vendors import service


def verify_audit(runtime: Runtime, engagement_id: str | None, *, as_json: bool) -> int:
    """The exit code: 0 where nothing is gone or altered, 1 where something is."""

    async def use_case(database: Database) -> list[Verified]:
        async with database.read_as_operator() as connection:
            if engagement_id is None:
                asked = [each.scope for each in await service.engagements(connection)]
            else:
                asked = [(await service.find_engagement(connection, engagement_id)).scope]
        return [await audit.verify(database, scope) for scope in asked]

    found = runtime.run(use_case)
    if as_json:
        emit_json({"engagements": to_builtins(found)})
    else:
        for each in found:
            wrong = len(each.findings) or "nothing"
            click.echo(f"{each.engagement_id}: {each.entries} entries: {wrong} wrong")
            for one in each.findings:
                click.echo(f"  entry {one.sequence}: {one.code}: {one.detail}")
    return EXIT_PARTIAL if any(each.findings for each in found) else 0
