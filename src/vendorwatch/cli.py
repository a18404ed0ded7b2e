"""The command group: what every command needs, and each feature's commands."""

import gc
import socket
import sys
from dataclasses import asdict

import click
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from vendorwatch.access.commands import key_commands
from vendorwatch.anomalies.commands import anomalies, contact_counts
from vendorwatch.app import SHUTDOWN_SECONDS
from vendorwatch.closing.commands import approve, close_month, closing, revise
from vendorwatch.db import migrate
from vendorwatch.db.engine import Database
from vendorwatch.demo.commands import demo
from vendorwatch.doctor import doctor
from vendorwatch.interactions.commands import mapping, push
from vendorwatch.knowledge.commands import knowledge
from vendorwatch.mailing.commands import deliver, recipient_commands
from vendorwatch.policies.commands import policy
from vendorwatch.scorecards.commands import score, scorecard, verify
from vendorwatch.settings import Settings
from vendorwatch.telemetry import configure_logging, system_clock
from vendorwatch.terminal import Runtime, emit_json, json_option, masked, pass_runtime, run
from vendorwatch.vendors.commands import agent_commands, engagement_commands
from vendorwatch.worker.commands import worker


@click.group("vendorwatch", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vendorwatch")
@click.pass_context
def cli(context: click.Context) -> None:
    """Scores of outsourced customer support, computed from raw interaction logs.

    Settings come from the environment; `vendorwatch settings` lists them.
    Exit codes: 0 done, 1 done in part, 2 usage or refused input, 3 not found, 4 conflict,
    5 unavailable.
    """
    if context.obj is None:
        settings = Settings.from_env()
        configure_logging(settings.log_level)
        context.obj = Runtime(settings, system_clock)


@cli.command()
@pass_runtime
def serve(runtime: Runtime) -> None:
    """Serve the API until it is told to stop (SIGTERM or Ctrl-C)."""
    settings = runtime.settings
    # What would stop a worker is told here, before there is one: a port in use, an old schema.
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    socket.create_server((settings.host, settings.port), family=family).close()
    runtime.run(_nothing)
    server = Granian(
        "vendorwatch.app:app_from_environment",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        websockets=False,
        # What stands before a server speaks HTTP/1.1 to it, and every request has its own limits so.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=settings.bounds.head_seconds * 1_000, keep_alive=True
        ),
        log_level=LogLevels.warning,
        workers_kill_timeout=SHUTDOWN_SECONDS,
    )
    address = f"http://{settings.bind}"
    server.on_startup(
        lambda: click.echo(f"vendorwatch listens on {address} (docs: {address}/docs)")
    )
    server.serve()
    click.echo("Stopped.")


async def _nothing(database: Database) -> None:
    return None


@cli.command("settings")
@json_option
@pass_runtime
def show_settings(runtime: Runtime, *, as_json: bool) -> None:
    """Show each setting with its value, default and meaning; secrets are masked."""
    values = _values(runtime.settings)
    shown = [
        {
            "variable": setting.variable,
            "value": values[setting.variable],
            "default": setting.default,
            "meaning": setting.meaning,
        }
        for setting in Settings.CATALOGUE
    ]
    if as_json:
        emit_json(shown)
        return
    for item in shown:
        click.echo(f"{item['variable']} = {item['value']}")
        click.echo(f"    {item['meaning']}")
        click.echo(f"    Default: {item['default']}")


def _values(settings: Settings) -> dict[str, str]:
    return {
        "VENDORWATCH_DATA_DIR": str(settings.data_dir),
        "VENDORWATCH_DATABASE_URL": masked(settings.database_url),
        "VENDORWATCH_SECRET_KEY": "***" if settings.secret_key else "(not set)",
        "VENDORWATCH_BIND": settings.bind,
        "VENDORWATCH_PUBLIC_URL": settings.public_url,
        "VENDORWATCH_ALLOWED_HOSTS": settings.allowed_hosts or "(not set)",
        "VENDORWATCH_SMTP_URL": _without_password(settings.smtp_url),
        "VENDORWATCH_MAIL_FROM": settings.mail_from,
        "VENDORWATCH_OPERATORS": settings.operators or "(not set)",
        "VENDORWATCH_MAIL_MAX_BYTES": str(settings.mail_max_bytes),
        "VENDORWATCH_EMBEDDED_WORKER": settings.embedded_worker,
        "VENDORWATCH_LOG_LEVEL": settings.log_level,
        **{
            f"VENDORWATCH_{name.upper()}": str(value)
            for name, value in asdict(settings.bounds).items()
        },
    }


def _without_password(smtp_url: str) -> str:
    if not smtp_url:
        return "(not set)"
    return smtp_url if smtp_url.startswith("file:") else masked(smtp_url)


@cli.group("db")
def db_commands() -> None:
    """The database's schema."""


@db_commands.command("upgrade")
@pass_runtime
def db_upgrade(runtime: Runtime) -> None:
    """Bring the database to this version's schema, in one transaction."""

    async def use_case(database: Database) -> str | None:
        await migrate.upgrade(database)
        return await _current(database)

    click.echo(f"The database is at revision {runtime.run_unprepared(use_case)}.")


@db_commands.command("current")
@json_option
@pass_runtime
def db_current(runtime: Runtime, *, as_json: bool) -> None:
    """Show the database's revision and the one that this version needs."""
    found = runtime.run_unprepared(_current)
    if as_json:
        emit_json({"current": found, "needed": migrate.head()})
        return
    click.echo(f"{found or 'none'} (this version needs {migrate.head()})")


@db_commands.command("check")
@pass_runtime
def db_check(runtime: Runtime) -> None:
    """Exit with 5 unless the database is at this version's schema."""
    runtime.run_unprepared(migrate.require_head)
    click.echo(f"The database is at revision {migrate.head()}, as this version needs.")


async def _current(database: Database) -> str | None:
    async with database.read_as_owner() as connection:
        return await migrate.current(connection)


for _command in (
    agent_commands,
    anomalies,
    contact_counts,
    deliver,
    approve,
    close_month,
    closing,
    demo,
    doctor,
    engagement_commands,
    key_commands,
    knowledge,
    mapping,
    policy,
    push,
    recipient_commands,
    revise,
    score,
    scorecard,
    verify,
    worker,
):
    cli.add_command(_command)


def main() -> None:
    gc.freeze()  # what was imported stays: no collection need look at it again
    sys.exit(run(cli))
