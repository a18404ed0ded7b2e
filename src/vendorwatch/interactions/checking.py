"""`vendorwatch verify --uploads`."""

import click
from msgspec import to_builtins
from rich.console import Console
from rich.progress import track

from vendorwatch.db.engine import Database
from vendorwatch.db.objects import ObjectStore
from vendorwatch.db.scope import Scope
from vendorwatch.interactions import verification
from vendorwatch.interactions.verification import Verified
from vendorwatch.terminal import EXIT_PARTIAL, Runtime, emit_json
from vendorwatch.vendors import service as vendors


def verify_uploads(runtime: Runtime, engagement_id: str | None, *, as_json: bool) -> int:
    """The exit code: 0 where all is as it was received, 1 where something is not."""
    folder = runtime.settings.data_dir / "uploads"
    objects = ObjectStore(folder)

    async def use_case(database: Database) -> list[Verified]:
        async with database.read_as_operator() as connection:
            if engagement_id is None:
                asked = [each.scope for each in await vendors.engagements(connection)]
            else:
                asked = [(await vendors.find_engagement(connection, engagement_id)).scope]
        return await _verified(database, objects, asked)

    found = runtime.run(use_case)
    if as_json:
        emit_json({"engagements": to_builtins(found)})
    else:
        for each in found:
            click.echo("\n".join(_lines(each)))
    if any(finding.code == "source_missing" for each in found for finding in each.findings):
        click.echo(f"Files were looked for in {folder} (VENDORWATCH_DATA_DIR).", err=True)
    return EXIT_PARTIAL if any(each.findings for each in found) else 0


async def _verified(database: Database, objects: ObjectStore, asked: list[Scope]) -> list[Verified]:
    console = Console(stderr=True)
    return [
        await verification.verify_uploads(database, objects, scope)
        for scope in track(
            asked, "Verifying", console=console, transient=True, disable=not console.is_terminal
        )
    ]


def _lines(found: Verified) -> list[str]:
    seen = f"{found.uploads} uploads, {found.rows} rows"
    head = f"{found.engagement_id}: {seen}: {len(found.findings) or 'nothing'} wrong"
    return [
        head,
        *(
            f"  upload {each.sequence}: {each.code}: {each.detail}"
            + (f" ({each.upload_id})" if each.upload_id else "")
            for each in found.findings
        ),
    ]
