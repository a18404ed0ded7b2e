"""Who delivers, to a mail server of the test's own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from mailing.desk import Desk
from mailing.mail_server import MailServer, mail_server
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.mailing.sender import Sender
from vendorwatch.scorecards.render import Renderer
from vendorwatch.settings import Settings


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    made = Renderer()
    yield made
    made.close()


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as made:
        yield made


@pytest.fixture
def desk(database: Database, clock: StoppedClock, settings: Settings, renderer: Renderer) -> Desk:
    return Desk(database, clock, Sender.of(settings), renderer)
