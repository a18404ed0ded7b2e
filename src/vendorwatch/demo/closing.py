"""The demo's last month closes itself, and its readers get it by mail: into a folder."""

from pathlib import Path

from vendorwatch.closing import issuing
from vendorwatch.closing.model import Rules
from vendorwatch.closing.refusals import BadClosingRequest
from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.mailing import service as mailing
from vendorwatch.mailing.model import Asked
from vendorwatch.periods import Month
from vendorwatch.settings import Settings
from vendorwatch.telemetry import configure_logging
from vendorwatch.terminal import Runtime
from vendorwatch.worker.composition import duties
from vendorwatch.worker.duties import Round

_LANGUAGES = {"hs": "vi", "dc": "hu", "sa": "th"}
"""Of each vendor's own reader, by the vendor's code; the shop's reads English."""


def mail_folder(settings: Settings) -> Path:
    return settings.data_dir / "demo" / "mail"


def close_and_mail(runtime: Runtime, month: Month, vendors: dict[str, Scope]) -> None:
    """As `vendorwatch worker` does it. Again, it closes nothing twice and writes to nobody twice.

    `vendors` by their code. Years later the month is too far back to be closed, and stays open.
    """

    async def use_case(database: Database) -> None:
        now = runtime.clock()
        try:
            for code, scope in vendors.items():
                async with database.write(scope) as connection:
                    rules = Rules(first_month=month, last_month=month)
                    await issuing.set_rules(connection, scope, rules, now)
                async with database.write(scope.of_merchant()) as connection:
                    for asked in _readers(code):
                        await mailing.add_recipient(connection, scope, asked, now)
        except BadClosingRequest:
            return
        async with duties(runtime.settings, database, runtime.clock) as found:
            work = Round(found, runtime.clock)
            while await work.run():
                pass

    configure_logging(runtime.settings.log_level)  # as the demo's own server does
    runtime.run(use_case)


def _readers(code: str) -> list[Asked]:
    return [
        Asked(
            email="care@trasen.example",
            name="Tra Sen",
            language="en",
            side="merchant",
            kind="digest",
            every_vendor=True,
        ),
        Asked(
            email=f"lead@{code}.example",
            name="Team lead",
            language=_LANGUAGES.get(code, "en"),
            side="vendor",
            kind="scorecard",
            every_vendor=False,
        ),
    ]
