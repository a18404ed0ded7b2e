"""`vendorwatch key ...`."""

import re
from datetime import datetime
from typing import Any

import click
from typing_extensions import override

from vendorwatch.access import service
from vendorwatch.access.model import DEFAULT_SCOPE, SCOPES, NewKey, StoredKey
from vendorwatch.db.engine import Database
from vendorwatch.periods import DAY, SECOND, Micros, format_instant, to_shown_micros
from vendorwatch.terminal import (
    Runtime,
    emit_json,
    emit_table,
    engagement_option,
    json_option,
    pass_runtime,
)

_UNITS: dict[str, Micros] = {
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3_600 * SECOND,
    "d": DAY,
}
_SPAN = re.compile(r"(?P<number>\d{1,6})(?P<unit>[smhd])", re.ASCII)


@click.group("key")
def key_commands() -> None:
    """API keys; each belongs to one engagement."""


def _parse_instant(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> Micros | None:
    if value is None:
        return None
    try:
        return to_shown_micros(datetime.fromisoformat(value))
    except ValueError as error:
        raise click.BadParameter("write it as 2027-01-31T00:00:00Z") from error


@key_commands.command("create")
@engagement_option
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(list(SCOPES)),
    default=[DEFAULT_SCOPE],
    show_default=True,
    help="May be repeated. " + " ".join(f"{name}: {meaning}." for name, meaning in SCOPES.items()),
)
@click.option(
    "--expires-at",
    callback=_parse_instant,
    metavar="INSTANT",
    help="When it stops working, such as 2027-01-31T00:00:00Z. Default: never.",
)
@json_option
@pass_runtime
def create(
    runtime: Runtime,
    engagement: str,
    scopes: tuple[str, ...],
    expires_at: Micros | None,
    *,
    as_json: bool,
) -> None:
    """Make a key. It is shown this once: only a hash of it is stored."""
    secret = runtime.settings.secret()

    async def use_case(database: Database) -> NewKey:
        async with database.read_as_operator() as connection:
            scope = await service.scope_of(connection, engagement)
        async with database.write(scope) as connection:
            return await service.create_key(
                connection, scope, scopes, secret, runtime.clock(), expires_at
            )

    made = runtime.run(use_case)
    if as_json:
        emit_json(made)
        return
    click.echo(made.key)
    click.echo(f"Keep it now: it cannot be shown again. Its id is {made.key_id}.", err=True)


@key_commands.command("list")
@engagement_option
@json_option
@pass_runtime
def list_keys(runtime: Runtime, engagement: str, *, as_json: bool) -> None:
    """List the keys of an engagement, never the keys' text."""

    async def use_case(database: Database) -> list[StoredKey]:
        async with database.read_as_operator() as connection:
            scope = await service.scope_of(connection, engagement)
        async with database.read(scope) as connection:
            return await service.list_keys(connection, scope)

    found = [_shown(key, runtime.clock()) for key in runtime.run(use_case)]
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("key_id", "state", "scopes", "created", "last used", "expires"),
        [
            (
                str(key["key_id"]),
                str(key["state"]),
                " ".join(key["scopes"]) if isinstance(key["scopes"], list) else "",
                str(key["created_at"]),
                str(key["last_used_at"] or "never"),
                str(key["expires_at"] or "never"),
            )
            for key in found
        ],
    )


class _Span(click.ParamType[Micros]):
    name = "SPAN"

    @override
    def convert(self, value: Any, param: Any, ctx: Any) -> Micros:
        if isinstance(value, int):
            return value
        found = _SPAN.fullmatch(value)
        if not found:
            self.fail("write it as 7d, 12h, 30m or 0s", param, ctx)
        return int(found["number"]) * _UNITS[found["unit"]]


@key_commands.command("rotate")
@click.option(
    "--overlap",
    type=_Span(),
    default="7d",
    show_default=True,
    help="How long the old key stays good: 7d, 12h, 30m or 0s; at most 30d.",
)
@json_option
@click.argument("key_id")
@pass_runtime
def rotate(runtime: Runtime, key_id: str, overlap: Micros, *, as_json: bool) -> None:
    """Make the successor of a key, with the same scopes; the old one expires."""
    secret = runtime.settings.secret()

    async def use_case(database: Database) -> NewKey:
        scope = await database.read_key(key_id, lambda reading: service.holder_of(reading, key_id))
        async with database.write(scope) as connection:
            return await service.rotate_key(
                connection, scope, key_id, overlap=overlap, secret=secret, now=runtime.clock()
            )

    made = runtime.run(use_case)
    if as_json:
        emit_json(made)
        return
    click.echo(made.key)
    click.echo(f"Keep it now: it cannot be shown again. Its id is {made.key_id}.", err=True)


@key_commands.command("revoke")
@json_option
@click.argument("key_id")
@pass_runtime
def revoke(runtime: Runtime, key_id: str, *, as_json: bool) -> None:
    """Make a key useless from the next request on."""

    async def use_case(database: Database) -> StoredKey:
        scope = await database.read_key(key_id, lambda reading: service.holder_of(reading, key_id))
        async with database.write(scope) as connection:
            return await service.revoke_key(connection, scope, key_id, runtime.clock())

    shown = _shown(runtime.run(use_case), runtime.clock())
    if as_json:
        emit_json(shown)
        return
    click.echo(f"{key_id} is revoked since {shown['revoked_at']}.")


def _shown(key: StoredKey, now: Micros) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "state": key.state(now),
        "scopes": sorted(key.scopes),
        "created_at": format_instant(key.created_at),
        "last_used_at": _instant(key.last_used_at),
        "expires_at": _instant(key.expires_at),
        "revoked_at": _instant(key.revoked_at),
    }


def _instant(instant: Micros | None) -> str | None:
    return None if instant is None else format_instant(instant)
