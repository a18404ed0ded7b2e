"""`vendorwatch policy`."""

from dataclasses import dataclass
from pathlib import Path

import click

from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.periods import format_instant
from vendorwatch.policies import service
from vendorwatch.policies.difference import Change, differences
from vendorwatch.policies.model import StoredPolicy, effective_months, read_policy
from vendorwatch.policies.shown import policy_items
from vendorwatch.scoring.policy_reader import load
from vendorwatch.terminal import (
    Runtime,
    emit_json,
    emit_table,
    engagement_option,
    json_option,
    pass_runtime,
    read_text,
)
from vendorwatch.vendors.service import find_engagement

_File = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def policy() -> None:
    """What a merchant and a vendor agreed to measure."""


@policy.command("default")
def show_default() -> None:
    """Print the policy that counts until one is set; a start for your own."""
    _print(service.default_policy())


@policy.command("set")
@engagement_option
@click.argument("file", type=_File)
@json_option
@pass_runtime
def set_policy(runtime: Runtime, engagement: str, file: Path, as_json: bool) -> None:
    """Make FILE the newest version. The same content again changes nothing."""
    source = read_text(file)

    async def use_case(database: Database) -> StoredPolicy:
        async with database.read_as_operator() as connection:
            scope = (await find_engagement(connection, engagement)).scope
        async with database.write(scope) as connection:
            stored, _ = await service.set_policy(connection, scope, source, runtime.clock())
            return stored

    stored = runtime.run(use_case)
    if as_json:
        emit_json(
            {"policy_id": stored.policy_id, "version": stored.version, "sha256": stored.sha256}
        )
    else:
        click.echo(f"Version {stored.version} counts from {stored.effective_from} on.")


@policy.command("show")
@engagement_option
@click.option("--version", type=click.IntRange(0), help="Which; 0 is the default. [the newest]")
@pass_runtime
def show_policy(runtime: Runtime, engagement: str, version: int | None) -> None:
    """Print a version as it was set, byte for byte."""
    versions = _versions(runtime, engagement)
    newest = len(versions) if version is None else version
    _print(service.find_policy(versions, str(newest)))


@policy.command("list")
@engagement_option
@json_option
@pass_runtime
def list_policies(runtime: Runtime, engagement: str, as_json: bool) -> None:
    """List the versions, the oldest first, with the months for which each counts."""
    versions = _versions(runtime, engagement)
    if as_json:
        emit_json(policy_items(versions))
        return
    if not versions:
        click.echo("No policy is set: the default counts (vendorwatch policy default).")
        return
    rows: list[tuple[str, ...]] = [
        (str(each.version), each.name, str(months), each.sha256, format_instant(each.created_at))
        for each, months in zip(versions, effective_months(versions), strict=True)
        if each.created_at is not None
    ]
    emit_table(("version", "name", "effective", "sha256", "set at"), rows)
    first = min(each.effective_from for each in versions)
    click.echo(f"Before {first} the default counts (vendorwatch policy default).")


@policy.command("diff")
@engagement_option
@click.argument("old", required=False)
@click.argument("new", required=False)
@json_option
@pass_runtime
def diff(
    runtime: Runtime, engagement: str, old: str | None, new: str | None, as_json: bool
) -> None:
    """Show what differs between two policies, key by key.

    OLD and NEW are numbers of versions (0: the default) or files. Without them, the newest version
    is compared with the one before; a number alone, with the newest; the newest, with a file alone.
    Comments and formatting do not count.
    """
    versions = _versions(runtime, engagement)
    before, after = (_side(versions, name) for name in _names(versions, old, new))
    changes = differences(before.source, after.source)
    if as_json:
        told = [
            {"key": each.path, "change": each.kind, "old": each.old, "new": each.new}
            for each in changes
        ]
        same = before.sha256 == after.sha256
        emit_json(
            {"old": before.document(), "new": after.document(), "same": same, "changes": told}
        )
        return
    click.echo(f"{before.title} -> {after.title}")
    for change in changes:
        click.echo(f"  {_told(change)}")
    if "hours" in load(before.source) and "hours" not in load(after.source):
        click.echo("  No hours stand in the second one: those of the versions before it go on.")
    if not changes:
        same = before.sha256 == after.sha256
        click.echo("  They are the same." if same else "  Only comments and formatting differ.")


@dataclass(frozen=True, slots=True)
class _Side:
    """One of two policies that are compared: a version, or a file."""

    title: str
    version: int | None
    file: str | None
    sha256: str
    source: str

    def document(self) -> dict[str, str | int | None]:
        return {"version": self.version, "file": self.file, "sha256": self.sha256}


def _names(versions: list[StoredPolicy], old: str | None, new: str | None) -> tuple[str, str]:
    newest = len(versions)
    if old is None:
        if not versions:
            raise NotFound("No policy is set, so there are no two versions to compare.")
        return str(newest - 1), str(newest)
    if new is None:
        return (old, str(newest)) if _is_number(old) else (str(newest), old)
    return old, new


def _side(versions: list[StoredPolicy], name: str) -> _Side:
    if _is_number(name):
        found = service.find_policy(versions, name)
        title = f"version {name}" if found.version else "the default (version 0)"
        return _Side(title, found.version, None, found.sha256, found.source)
    path = Path(name)
    if not path.is_file():
        raise click.BadParameter(f"{name!r} is neither the number of a version nor a file.")
    read = read_policy(read_text(path), name, 0, None)
    return _Side(name, None, name, read.sha256, read.source)


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _told(change: Change) -> str:
    if change.old is None:
        return f"added    {change.path} = {change.new}"
    if change.new is None:
        return f"removed  {change.path} (was {change.old})"
    return f"changed  {change.path}: {change.old} -> {change.new}"


def _versions(runtime: Runtime, engagement: str) -> list[StoredPolicy]:
    """The engagement's own, oldest first."""

    async def use_case(database: Database) -> list[StoredPolicy]:
        async with database.read_as_operator() as connection:
            scope = (await find_engagement(connection, engagement)).scope
        async with database.read(scope) as connection:
            return await service.policies(connection, scope)

    return runtime.run(use_case)


def _print(policy: StoredPolicy) -> None:
    """As bytes, so that neither a terminal's encoding nor its line ends change anything."""
    click.echo(policy.source.encode(), nl=False)
