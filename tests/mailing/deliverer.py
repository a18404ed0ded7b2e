"""Delivers what is due, in a process of its own that a test may kill.

Its arguments are the URL of the database, the folder of the data, and the port of the mail server.
"""

import asyncio
import sys

from vendorwatch.db.engine import Database
from vendorwatch.mailing.delivery import deliver_due
from vendorwatch.mailing.sender import Sender
from vendorwatch.mailing.smtp import SmtpMailer, server_of
from vendorwatch.periods import Micros
from vendorwatch.scorecards.render import Renderer
from vendorwatch.settings import Settings


async def main(url: str, data: str, secret: str, port: str, now: Micros) -> None:
    settings = Settings.from_env(
        {
            "VENDORWATCH_DATABASE_URL": url,
            "VENDORWATCH_DATA_DIR": data,
            "VENDORWATCH_SECRET_KEY": secret,
        }
    )
    database, renderer = Database(url), Renderer()
    try:
        await deliver_due(
            database,
            SmtpMailer(server_of(f"smtp://127.0.0.1:{port}")),
            renderer,
            sender=Sender.of(settings),
            clock=lambda: now,
        )
    finally:
        renderer.close()
        await database.close()


if __name__ == "__main__":
    url, data, secret, port, now = sys.argv[1:]
    asyncio.run(main(url, data, secret, port, int(now)))
