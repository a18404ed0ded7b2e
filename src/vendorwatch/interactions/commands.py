"""`vendorwatch push` and `vendorwatch mapping`."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from vendorwatch.db.engine import Database
from vendorwatch.interactions import service
from vendorwatch.interactions.client import Client, Log, Pushed
from vendorwatch.interactions.mapping import parse_mapping
from vendorwatch.interactions.model import SHOWN_FAULTS, StoredMapping
from vendorwatch.interactions.parse import ReadOptions
from vendorwatch.interactions.preview import Preview, preview
from vendorwatch.interactions.record import Interaction
from vendorwatch.interactions.sending import OnProgress
from vendorwatch.periods import format_instant
from vendorwatch.terminal import (
    EXIT_PARTIAL,
    Runtime,
    emit_json,
    emit_table,
    engagement_option,
    json_option,
    pass_runtime,
    read_text,
)
from vendorwatch.vendors import service as vendors

_VISIBLE = re.compile("[!-~]+").fullmatch
_EXIT_NONE = 2
_SHOWN_ROWS = 10
_SHOWN_FIELDS = (
    "interaction_id",
    "channel",
    "status",
    "opened_at",
    "first_reply_at",
    "resolved_at",
    "agent_id",
    "topic",
)
_COUNTS = ("received", "created", "revised", "duplicate", "rejected", "skipped")
_File = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_File)
@click.option("--url", required=True, help="Of the server: https://scores.example.com")
@click.option("--key", help="The API key; - reads it from standard input.")
@click.option(
    "--key-file",
    type=_File,
    help="A file that holds the key: it then stands in no list of processes.",
)
@click.option("--format", "format_", help="auto, canonical or mapped.")
@click.option("--time-zone", help="Of instants without an offset: Asia/Ho_Chi_Minh")
@click.option("--date-order", help="dmy, mdy or ymd.")
@click.option(
    "--map", "mapping", type=_File, help="A mapping to set first; FILE is then read with it."
)
@click.option("--mode", type=click.Choice(["partial", "atomic"]), help="atomic: all rows or none.")
@click.option(
    "--compress/--no-compress",
    default=True,
    help="Compress a file that is not compressed yet while it is sent. Default: do.",
)
@click.option("--dry-run", is_flag=True, help="Say what would happen, and store nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt, and nothing else.")
def push(
    file: Path,
    url: str,
    key: str | None,
    key_file: Path | None,
    format_: str | None,
    time_zone: str | None,
    date_order: str | None,
    mapping: Path | None,
    mode: str | None,
    *,
    compress: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Send the log FILE to a server and print the receipt.

    Refused rows are written to FILE.rejects.csv. Exit code 0: all rows are stored, 1: some, 2: none.
    Sending the same file again does no harm.
    """
    log = Log.at(file)
    with _progress(file) as progress:
        client = Client(url.rstrip("/"), _read_key(key, key_file), progress=progress)
        parameters = {"format": format_, "time_zone": time_zone, "date_order": date_order}
        parameters |= {"mode": mode, "dry_run": "true" if dry_run else None}
        if mapping is not None:
            version = client.set_mapping(read_text(mapping))
            parameters |= {"format": "mapped", "mapping": str(version)}
        given = {name: value for name, value in parameters.items() if value is not None}
        pushed = client.push(log, given, compress=compress)
    rejects = _save_rejects(client, pushed, file)
    if as_json:
        emit_json(pushed.receipt)
    else:
        _tell(file, pushed, rejects)
    if not pushed.count("rejected"):
        return 0
    return _EXIT_NONE if pushed.receipt["status"] == "rejected" else EXIT_PARTIAL


def _read_key(key: str | None, key_file: Path | None) -> str:
    if (key is None) == (key_file is None):
        raise click.UsageError("Give the key by --key or by --key-file.")
    if key_file is not None:
        found = read_text(key_file).strip()
    else:
        found = sys.stdin.readline().strip() if key == "-" else str(key)
    if not _VISIBLE(found):
        raise click.UsageError("That is no API key: it is empty, or holds what no key holds.")
    return found


@contextmanager
def _progress(file: Path) -> Iterator[OnProgress]:
    """A bar on standard error, where somebody can see it: of the file's bytes, also where fewer go
    over the line.
    """
    if not sys.stderr.isatty():
        yield lambda what, done: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(file.name, total=file.stat().st_size)
        yield lambda what, done: bar.update(task, description=f"{what} {file.name}", completed=done)


def _save_rejects(client: Client, pushed: Pushed, file: Path) -> Path | None:
    """A file from an earlier time is kept as .old: somebody may be mending it."""
    if not pushed.count("rejected") or pushed.upload_id is None:
        return None
    target = file.with_name(f"{file.name}.rejects.csv")
    fresh = file.with_name(f"{file.name}.rejects.new")
    client.save_rejects(pushed.upload_id, fresh)
    if target.exists() and target.read_bytes() != fresh.read_bytes():
        target.replace(file.with_name(f"{file.name}.rejects.csv.old"))
    fresh.replace(target)
    return target


def _tell(file: Path, pushed: Pushed, rejects: Path | None) -> None:
    receipt = pushed.receipt
    upload = f"upload {pushed.upload_id}" if pushed.upload_id else "dry run, nothing is stored"
    click.echo(f"{file.name}: {receipt['status']} ({upload})")
    click.echo("  " + ", ".join(f"{name} {pushed.count(name)}" for name in _COUNTS))
    for name, words in (
        ("excluded", "rows count for no metric (outbound, spam, merged, withdrawn)"),
        ("claims_differ", "rows claim what their events contradict"),
    ):
        if pushed.count(name):
            click.echo(f"  {pushed.count(name)} {words}")
    extra = receipt["extra_columns"]
    if isinstance(extra, list) and extra:
        click.echo(f"  kept, but not part of the record: {', '.join(map(str, extra))}")
    warnings = receipt["warnings"]
    told = [*pushed.faults, *(warnings if isinstance(warnings, list) else ())]
    for fault in told[:_SHOWN_ROWS]:
        click.echo(f"  {fault}", err=True)
    if rejects is not None:
        click.echo(f"  rejected rows: {rejects}")


@click.group()
def mapping() -> None:
    """How a vendor's own CSV file is read."""


@mapping.command("set")
@click.argument("file", type=_File)
@engagement_option
@json_option
@pass_runtime
def set_mapping(runtime: Runtime, file: Path, engagement: str, *, as_json: bool) -> None:
    """Store FILE as the newest mapping; the newest one again changes nothing."""
    source = read_text(file)

    async def use_case(database: Database) -> StoredMapping:
        async with database.read_as_operator() as connection:
            scope = (await vendors.find_engagement(connection, engagement)).scope
        async with database.write(scope) as connection:
            stored, _ = await service.set_mapping(connection, scope, source, now=runtime.clock())
        return stored

    stored = runtime.run(use_case)
    if as_json:
        emit_json({"version": stored.version, "sha256": stored.sha256.hex()})
    else:
        click.echo(f"Mapping version {stored.version}, SHA-256 {stored.sha256.hex()}")


@mapping.command("show")
@engagement_option
@click.option("--version", type=int, help="The newest, if not given.")
@json_option
@pass_runtime
def show_mapping(runtime: Runtime, engagement: str, version: int | None, *, as_json: bool) -> None:
    """Print a stored mapping as it was set."""

    async def use_case(database: Database) -> StoredMapping:
        async with database.read_as_operator() as connection:
            scope = (await vendors.find_engagement(connection, engagement)).scope
        async with database.read(scope) as connection:
            return await service.find_mapping(connection, scope, version)

    stored = runtime.run(use_case)
    if as_json:
        found = {"version": stored.version, "sha256": stored.sha256.hex()}
        emit_json(
            found | {"created_at": format_instant(stored.created_at), "source": stored.source}
        )
    else:
        click.echo(stored.source, nl=False)


@mapping.command("check")
@click.argument("file", type=_File)
@click.option("--sample", type=_File, help="A log to try it on; nothing is stored or sent.")
@json_option
@pass_runtime
def check_mapping(runtime: Runtime, file: Path, sample: Path | None, *, as_json: bool) -> int:
    """Say everything that is wrong with FILE, and what it makes of a sample.

    Exit code 0: every row of the sample is read, 1: some, 2: none, or the mapping is wrong.
    """
    parsed = parse_mapping(read_text(file))
    if sample is None:
        emit_json({"status": "ok"}) if as_json else click.echo(f"{file.name}: ok")
        return 0
    log = Log.at(sample)
    options = ReadOptions(
        now=runtime.clock(),
        media=log.media,
        format="mapped",
        encoding=log.content_encoding or "identity",
        mapping=parsed,
    )
    with sample.open("rb") as opened:
        made = preview(opened, options, show=_SHOWN_ROWS)
    emit_json(_summary(made)) if as_json else _show(made)
    if not made.rejected:
        return 0
    return EXIT_PARTIAL if made.accepted else _EXIT_NONE


def _summary(made: Preview) -> dict[str, object]:
    return {
        "received": made.received,
        "accepted": made.accepted,
        "rejected": made.rejected,
        "skipped": made.skipped,
        "refusals": [
            {"code": code, "field": field, "rows": rows, "example": made.examples[code, field]}
            for (code, field), rows in made.refusals.most_common(SHOWN_FAULTS)
        ],
        "skips": dict(made.skips.most_common()),
        "extra_columns": list(made.extra_columns),
        "first": [dict(zip(_SHOWN_FIELDS, _cells(each), strict=True)) for each in made.shown],
    }


def _show(made: Preview) -> None:
    if made.shown:
        emit_table(_SHOWN_FIELDS, [_cells(each) for each in made.shown])
        click.echo()
    click.echo(
        f"{made.received} rows: {made.accepted} read, {made.rejected} refused, {made.skipped} skipped"
    )
    for (code, field), rows in made.refusals.most_common(SHOWN_FAULTS):
        click.echo(f"  {rows} x {code} {field}: for example {made.examples[code, field]}")
    for rule, rows in made.skips.most_common():
        click.echo(f"  {rows} skipped: {rule}")
    if made.extra_columns:
        click.echo(f"  kept, but not mapped: {', '.join(made.extra_columns)}")


def _cells(interaction: Interaction) -> tuple[str, ...]:
    return tuple(_cell(name, getattr(interaction, name)) for name in _SHOWN_FIELDS)


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    return format_instant(value) if name.endswith("_at") and isinstance(value, int) else str(value)


COMMANDS = (push, mapping)
