"""What a claimed mail says, from the rows that it is about."""

from collections import OrderedDict
from collections.abc import Sequence

from vendorwatch.db.engine import Database
from vendorwatch.mailing import agents_letter, letter, notice
from vendorwatch.mailing.compose import Attachment, Envelope, Text, message
from vendorwatch.mailing.keys import Permit
from vendorwatch.mailing.letter import Part, Reader
from vendorwatch.mailing.model import AGENTS, TOLD, Delivery
from vendorwatch.mailing.schedule import Claimed
from vendorwatch.mailing.sender import Sender
from vendorwatch.periods import Micros
from vendorwatch.scorecards.render import AgentReport, Renderer, Report, report_name
from vendorwatch.scorecards.service import agent_documents, find_scorecard, history
from vendorwatch.scoring.document import Document
from vendorwatch.vendors.model import Engagement
from vendorwatch.vendors.service import find_engagement

_KEPT_PDFS = 16


class Contents:
    """The same rows are the same bytes."""

    def __init__(self, database: Database, renderer: Renderer, sender: Sender) -> None:
        self._database = database
        self._renderer = renderer
        self._sender = sender
        self._made: OrderedDict[tuple[str | None, str, str, Micros], bytes] = OrderedDict()

    async def of(self, claimed: Claimed, *, attach: bool) -> bytes:
        engagements = await self._engagements(claimed.rows)
        merchant = next(iter(engagements.values())).merchant_name
        permit = Permit(claimed.scope, claimed.recipient.recipient_id)
        unsubscribe = self._sender.link("unsubscribe", permit)
        recipient = claimed.recipient
        reader = Reader(recipient.language, recipient.email, merchant, unsubscribe)
        attachments: list[Attachment] = []
        if claimed.rows[0].kind in TOLD:
            text = _notice(claimed.rows[0], engagements[claimed.rows[0].engagement_id], reader)
        elif claimed.rows[0].kind == AGENTS:
            text, attachments = await self._agents(claimed.rows[0], reader, attach=attach)
        else:
            text, attachments = await self._scorecards(claimed, engagements, reader, attach=attach)
        envelope = Envelope(
            message_id=claimed.message_id,
            sender=self._sender.address,
            to=recipient.email,
            name=recipient.name,
            language=recipient.language,
            date=max(row.created_at for row in claimed.rows),
            unsubscribe=unsubscribe,
        )
        return message(envelope, text, attachments)

    async def _engagements(self, rows: Sequence[Delivery]) -> dict[str, Engagement]:
        found = {}
        for row in rows:
            async with self._database.read(row.scope) as connection:
                found[row.engagement_id] = await find_engagement(connection, row.engagement_id)
        return found

    async def _scorecards(
        self,
        claimed: Claimed,
        engagements: dict[str, Engagement],
        reader: Reader,
        *,
        attach: bool,
    ) -> tuple[Text, list[Attachment]]:
        parts, attachments = [], []
        for row in sorted(claimed.rows, key=lambda row: engagements[row.engagement_id].vendor_name):
            report = await report_of(self._database, row, claimed.recipient.language)
            link = self._sender.link("report", Permit(row.scope, row.delivery_id))
            replaced = await self._replaced(row)
            parts.append(Part(report.document, link, is_attached=attach, replaced=replaced))
            if attach:
                pdf = await self._pdf(row, report)
                attachments.append(Attachment(report_name(report), pdf))
        return letter.text(parts, reader), attachments

    async def _replaced(self, row: Delivery) -> Document | None:
        replaced = (row.facts or {}).get("replaces")
        if replaced is None:
            return None
        async with self._database.read(row.scope) as connection:
            return (await find_scorecard(connection, row.scope, str(replaced))).document

    async def _agents(
        self, row: Delivery, reader: Reader, *, attach: bool
    ) -> tuple[Text, list[Attachment]]:
        async with self._database.read(row.scope) as connection:
            card = await find_scorecard(connection, row.scope, row.scorecard_id or "")
        attachments = []
        if attach and card.document["agents"]:
            report = await report_of(self._database, row, reader.language)
            attachments = [Attachment(report_name(report), await self._pdf(row, report))]
        link = self._sender.link("report", Permit(row.scope, row.delivery_id))
        return agents_letter.text(card.document, link, reader, is_attached=attach), attachments

    async def _pdf(self, row: Delivery, report: Report | AgentReport) -> bytes:
        """Most of a mail's time; readers of one scorecard come one after the other."""
        key = (row.scorecard_id, row.kind, report.language, row.created_at)
        if key not in self._made:
            self._made[key] = await self._renderer.pdf_async(report)
            if len(self._made) > _KEPT_PDFS:
                self._made.popitem(last=False)
        return self._made[key]


async def report_of(database: Database, row: Delivery, language: str) -> Report | AgentReport:
    """What a delivery's PDF is made from. Raises NotFound for one without a scorecard."""
    async with database.read(row.scope) as connection:
        if row.kind == AGENTS:
            card, agents = await agent_documents(
                connection, row.scope, row.scorecard_id or "", agent=None
            )
            return AgentReport(card.document, agents, language, issued=row.created_at)
        card = await find_scorecard(connection, row.scope, row.scorecard_id or "")
        before = await history(connection, row.scope, card)
    return Report(card.document, language, issued=row.created_at, history=before)


def _notice(row: Delivery, engagement: Engagement, reader: Reader) -> Text:
    about = notice.About(
        kind=row.kind,  # type: ignore[arg-type]  # one of TOLD: the caller has looked
        vendor=engagement.vendor_name,
        engagement_id=row.engagement_id,
        month=row.month,
        facts=row.facts or {},
    )
    return notice.text(about, reader)
