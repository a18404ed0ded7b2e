"""`vendorwatch doctor`: what is wrong on this machine, and how to mend it."""

import ctypes
import ctypes.util
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy import text

from vendorwatch.db import migrate
from vendorwatch.db.engine import Database, driver_url
from vendorwatch.errors import VendorwatchError
from vendorwatch.periods import SECOND, Micros, format_instant, to_micros
from vendorwatch.resources import MIGRATIONS, REPORTS
from vendorwatch.terminal import (
    EXIT_UNAVAILABLE,
    Runtime,
    emit_json,
    json_option,
    masked,
    pass_runtime,
)
from vendorwatch.web.readiness import check_disk

LIBRARIES = {
    "libpango-1.0-0": "pango-1.0",
    "libpangoft2-1.0-0": "pangoft2-1.0",
    "libharfbuzz-subset0": "harfbuzz-subset",
}
"""Debian package -> library. WeasyPrint loads them when the first PDF is made, which is too late."""

FONTS = ("NotoSans", "NotoSansThai")
_FONT_PACKAGE = "fonts-noto-core"
_FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/Library/Fonts",
    "~/.fonts",
    "~/.local/share/fonts",
    "~/Library/Fonts",
)
_LEAST_FREE_BYTES = 1024**3
_MOST_CLOCK_DIFFERENCE: Micros = 5 * SECOND
_EARLIEST: Micros = 1_790_000_000 * SECOND  # September 2026: before this version was made


@dataclass(frozen=True, slots=True)
class Finding:
    """`mend` says what to do; it is empty where nothing is wrong."""

    check: str
    found: str
    mend: str = ""


@click.command()
@json_option
@pass_runtime
def doctor(runtime: Runtime, *, as_json: bool) -> int:
    """Look at libraries, fonts, database, schema, clock and disk; exit with 5 if one is wrong."""
    findings = examine(runtime)
    if as_json:
        emit_json(findings)
    else:
        for finding in findings:
            click.echo(f"{'WRONG' if finding.mend else 'ok':<6}{finding.check}: {finding.found}")
            if finding.mend:
                click.echo(f"      {finding.mend}")
    return EXIT_UNAVAILABLE if any(finding.mend for finding in findings) else 0


def examine(runtime: Runtime) -> list[Finding]:
    folder = runtime.settings.data_dir
    return [
        check_package((MIGRATIONS, REPORTS)),
        *(check_library(package, name) for package, name in LIBRARIES.items()),
        *check_fonts(FONTS, [Path(folder).expanduser() for folder in _FONT_FOLDERS]),
        *_check_database(runtime),
        check_clock(runtime.clock()),
        *_check_disk(folder),
    ]


def check_package(folders: Iterable[Path]) -> Finding:
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    if missing:
        return Finding("package", f"{', '.join(missing)} missing", "Install vendorwatch again.")
    return Finding("package", "complete")


def check_library(package: str, name: str) -> Finding:
    check = f"library {name}"
    for candidate in (f"lib{name}.so.0", ctypes.util.find_library(name)):
        try:
            if candidate:
                ctypes.CDLL(candidate)
                return Finding(check, "found")
        except OSError:
            continue
    return Finding(check, "not found; PDFs need it", f"Install it; on Debian: {_install(package)}")


def check_fonts(families: Iterable[str], folders: Iterable[Path]) -> list[Finding]:
    """Static files are NotoSans-Regular.ttf, variable ones NotoSans[wdth,wght].ttf."""
    files = {path.name for folder in folders for path in folder.rglob("NotoSans*")}
    findings = []
    for family in families:
        starts = (f"{family}-Regular", f"{family}[", f"{family}-VF")
        if any(name.startswith(starts) for name in files):
            findings.append(Finding(f"font {family}", "found"))
        else:
            mend = f"Install it; on Debian: {_install(_FONT_PACKAGE)}"
            findings.append(
                Finding(f"font {family}", "not found; names would be shown as boxes", mend)
            )
    return findings


def check_clock(now: Micros) -> Finding:
    shown = format_instant(now)
    if now < _EARLIEST:
        return Finding("clock", f"{shown} is long past", "Set this machine's clock, by NTP.")
    return Finding("clock", shown)


def check_difference(ours: Micros, theirs: Micros) -> Finding:
    seconds = abs(ours - theirs) / SECOND
    found = f"{seconds:.1f} s from this machine's"
    if abs(ours - theirs) > _MOST_CLOCK_DIFFERENCE:
        return Finding("database clock", found, "Set both clocks by NTP.")
    return Finding("database clock", found)


def _check_database(runtime: Runtime) -> list[Finding]:
    url = driver_url(runtime.settings.database_url)
    is_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    if is_file and not Path(str(url.database)).exists():
        return [Finding("database", "not made yet; the first command makes it")]

    async def use_case(database: Database) -> list[Finding]:
        async with database.read_as_owner() as connection:
            revision = await migrate.current(connection)
            moment = (
                await connection.scalar(text("SELECT clock_timestamp()"))
                if database.is_postgresql
                else None
            )
        findings = [Finding("database", masked(runtime.settings.database_url)), _schema(revision)]
        if moment is not None:
            findings.append(check_difference(runtime.clock(), to_micros(moment)))
        return findings

    try:
        return runtime.run_unprepared(use_case)
    except VendorwatchError as error:
        mend = "See that it runs, and that VENDORWATCH_DATABASE_URL is right."
        return [Finding("database", error.detail, mend)]


def _schema(revision: str | None) -> Finding:
    if revision == migrate.head():
        return Finding("schema", f"revision {revision}")
    return Finding(
        "schema",
        f"revision {revision or 'none'}, and this version needs {migrate.head()}",
        "Run: vendorwatch db upgrade",
    )


def _check_disk(folder: Path) -> list[Finding]:
    faults = check_disk(folder)
    if faults:
        mend = "Give the user that runs vendorwatch a folder of its own: VENDORWATCH_DATA_DIR."
        return [Finding("disk", fault.detail, mend) for fault in faults]
    free = shutil.disk_usage(folder).free
    found = f"{free / 1024**3:.1f} GiB free in {folder}"
    if free < _LEAST_FREE_BYTES:
        return [Finding("disk", found, "Make room: an upload may need more than 1 GiB.")]
    return [Finding("disk", found)]


def _install(package: str) -> str:
    return f"apt-get install -y --no-install-recommends {package}"
