"""Scorecards that are issued, and people who are to get them."""

import hashlib
import uuid
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from pypdf import PdfReader

from mailing.mail_server import MailServer, Received
from scorecards import sample
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.mailing import service
from vendorwatch.mailing.delivery import Delivered, deliver_due
from vendorwatch.mailing.model import Asked, Delivery, Issued, Recipient
from vendorwatch.mailing.sender import Sender
from vendorwatch.mailing.smtp import Mailer, SmtpMailer, server_of
from vendorwatch.periods import Month
from vendorwatch.scorecards import store as scorecards
from vendorwatch.scorecards.model import Basis, Computed, StoredScorecard
from vendorwatch.scorecards.render import Renderer
from vendorwatch.vendors.model import Engagement

_NOTHING = Basis({}, {}, (), (), 0, 0, 0, None)


@dataclass
class Desk:
    database: Database
    clock: StoppedClock
    sender: Sender
    renderer: Renderer
    patience: float = 5.0  # seconds that the mail server may take for anything
    mailers: list[Mailer] = field(default_factory=list)

    async def recipient(self, engagement: Engagement, email: str, **changes: Any) -> Recipient:
        asked = {"name": "Chị Linh", "language": "en", "side": "merchant", "kind": "scorecard"}
        async with self.database.write(engagement.scope.of_merchant()) as connection:
            found, _ = await service.add_recipient(
                connection,
                engagement.scope,
                Asked(email=email, **(asked | changes)),
                self.clock(),
            )
        return found

    async def remove(self, engagement: Engagement, recipient: Recipient) -> None:
        async with self.database.write(engagement.scope.of_merchant()) as connection:
            await service.remove_recipient(
                connection, engagement.scope, recipient.recipient_id, self.clock()
            )

    async def issue(
        self,
        engagement: Engagement,
        *,
        month: str = "2026-10",
        revision: int = 1,
        replaces: str | None = None,
        **changes: Any,
    ) -> Issued:
        """In one transaction of the engagement, as whoever issues scorecards does it."""
        document = sample.document(
            vendor=engagement.vendor_name, month=month, revision=revision, names=["An"]
        )
        document |= {"engagement_id": engagement.engagement_id} | changes
        document["merchant"] = engagement.merchant_name
        computed = Computed(engagement.scope, document, self.clock(), 0, {}, _NOTHING)
        card = StoredScorecard(str(uuid.uuid4()), document, computed.sha256, self.clock())
        issued = Issued(engagement.scope, card.scorecard_id, Month.parse(month), revision, replaces)
        async with self.database.write(engagement.scope) as connection:
            await scorecards.add_scorecard(connection, computed, card)
            await service.queue(connection, issued, now=self.clock())
        return issued

    async def deliver(self, server: MailServer | Mailer, *, limit: int | None = None) -> Delivered:
        return await deliver_due(
            self.database,
            self.mailer(server) if isinstance(server, MailServer) else server,
            self.renderer,
            sender=self.sender,
            clock=self.clock,
            limit=limit,
        )

    def mailer(self, server: MailServer) -> SmtpMailer:
        return SmtpMailer(
            server_of(server.url), command_seconds=self.patience, data_seconds=self.patience
        )

    async def rows(self, engagement: Engagement) -> list[Delivery]:
        """The oldest first."""
        async with self.database.read(engagement.scope.of_merchant()) as connection:
            return (await service.deliveries(connection, engagement.scope))[::-1]

    async def row(self, engagement: Engagement) -> Delivery:
        [row] = await self.rows(engagement)
        return row

    async def states(self, *engagements: Engagement) -> list[str]:
        return [row.state for each in engagements for row in await self.rows(each)]


def pdfs(mail: Received) -> dict[str, bytes]:
    found = {}
    for part in mail.message.iter_attachments():
        assert part.get_content_type() == "application/pdf"
        content = part.get_content()
        assert isinstance(content, bytes)
        found[str(part.get_filename())] = content
    return found


def hashes(mail: Received) -> list[str]:
    return [hashlib.sha256(each).hexdigest() for each in pdfs(mail).values()]


def pdf_text(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)


def body(mail: Received, form: str) -> str:
    part = mail.message.get_body((form,))
    assert part is not None
    return str(part.get_content())
