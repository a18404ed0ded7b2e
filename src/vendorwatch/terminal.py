"""What every command shares: the database for one use case, output, and exit codes."""

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from sqlalchemy import make_url
from typing_extensions import override

from vendorwatch.db import migrate
from vendorwatch.db.engine import Database
from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.periods import Month
from vendorwatch.settings import Settings
from vendorwatch.telemetry import Clock

T = TypeVar("T")

EXIT_PARTIAL = 1
EXIT_UNAVAILABLE = 5
_EXIT_USAGE = 2
_EXIT_BROKEN = 70  # a mistake of ours; Python's own 1 would read as "partial"
_EXIT_INTERRUPTED = 130

EXIT_CODES: dict[Kind, int] = {
    Kind.MALFORMED: 2,
    Kind.REFUSED: 2,
    Kind.UNAUTHENTICATED: 2,
    Kind.FORBIDDEN: 2,
    Kind.NOT_FOUND: 3,
    Kind.CONFLICT: 4,
    Kind.TOO_LARGE: 2,
    Kind.UNSUPPORTED: 2,
    Kind.TOO_MANY: 5,
    Kind.TOO_SLOW: EXIT_UNAVAILABLE,
    Kind.UNAVAILABLE: EXIT_UNAVAILABLE,
}
if _forgotten := set(Kind) - EXIT_CODES.keys():
    raise RuntimeError(f"no exit code for {_forgotten}")


class UnreadableText(VendorwatchError):
    """A file that a command was given is not text in UTF-8.

    Save it as UTF-8. Spreadsheets and editors on Windows often write another encoding.
    """

    kind = Kind.REFUSED
    slug = "unreadable-text"
    title = "The file is not text in UTF-8"


def read_text(path: Path) -> str:
    """Raises UnreadableText."""
    try:
        return path.read_bytes().decode()  # line ends as they are: sources are kept as sent
    except UnicodeDecodeError as error:
        detail = f"{path}: byte {error.start} begins no character of UTF-8."
        raise UnreadableText(detail) from error


@dataclass(frozen=True, slots=True)
class Runtime:
    """What commands get as click's object."""

    settings: Settings
    clock: Clock

    def run(self, use_case: Callable[[Database], Awaitable[T]]) -> T:
        """With a database of this version's schema: see db.migrate.prepare."""
        return asyncio.run(self._with_database(use_case, migrate.prepare))

    def run_unprepared(self, use_case: Callable[[Database], Awaitable[T]]) -> T:
        """With the database as it is, whatever its schema."""
        return asyncio.run(self._with_database(use_case, _as_it_is))

    async def _with_database(
        self,
        use_case: Callable[[Database], Awaitable[T]],
        first: Callable[[Database], Awaitable[None]],
    ) -> T:
        database = Database(self.settings.database_url)
        try:
            await first(database)
            return await use_case(database)
        finally:
            await database.close()


pass_runtime = click.make_pass_decorator(Runtime)


async def _as_it_is(database: Database) -> None:
    return None


class MonthType(click.ParamType[Month]):
    name = "YYYY-MM"

    @override
    def convert(self, value: Any, param: Any, ctx: Any) -> Month:
        try:
            return value if isinstance(value, Month) else Month.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


engagement_option = click.option(
    "--engagement", required=True, metavar="ID", help="Which engagement."
)
month_option = click.option("--month", required=True, type=MonthType(), help="As 2026-10.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")


def emit_json(value: object) -> None:
    """One JSON value on standard output, and nothing else there."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def emit_table(headers: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    for row in (headers, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def masked(database_url: str) -> str:
    """Fit to be shown: without the password, wherever in the address it stands."""
    url = make_url(database_url)
    if "password" in url.query:
        url = url.update_query_dict({"password": "***"})
    return url.render_as_string(hide_password=True)


def run(command: click.Command, arguments: list[str] | None = None) -> int:
    """The exit code. Every error that we mean to raise is told on standard error in plain words."""
    try:
        return _run(command, arguments)
    except click.ClickException as error:
        error.show()
        return _EXIT_USAGE
    except click.Abort:
        click.echo("Stopped.", err=True)
        return _EXIT_INTERRUPTED
    except VendorwatchError as error:
        _tell(error)
        return EXIT_CODES[error.kind]
    except OSError as error:  # a full disk, a folder of somebody else, a port in use
        click.echo(str(error), err=True)
        return EXIT_UNAVAILABLE
    except Exception:  # noqa: BLE001  the last line of defence: told in full, never swallowed
        traceback.print_exc(file=sys.stderr)
        return _EXIT_BROKEN


def _run(command: click.Command, arguments: list[str] | None) -> int:
    """A command that returns a number means it as its exit code."""
    try:
        result = command.main(arguments, prog_name="vendorwatch", standalone_mode=False)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    return result if isinstance(result, int) else 0


def _tell(error: VendorwatchError) -> None:
    click.echo(
        f"{error.title}: {error.detail}" if not error.faults else f"{error.title}:", err=True
    )
    for fault in error.faults:
        click.echo(f"  {fault}", err=True)
