"""Mail that is due is sent: claimed, composed, handed over, marked; each step durable on its own.

A process that dies at any point leaves a lease behind. When it has run out, somebody else sends the
mail, perhaps again, and always under the same Message-ID: SMTP cannot do better.
"""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from urllib.parse import urlsplit

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.engine import Database, DatabaseUnavailable
from vendorwatch.db.scope import Scope
from vendorwatch.mailing import keys, letter, notice, store
from vendorwatch.mailing.compose import Attachment, Envelope, Text, message
from vendorwatch.mailing.keys import Permit
from vendorwatch.mailing.letter import Part, Reader
from vendorwatch.mailing.model import TOLD, Delivery, Recipient
from vendorwatch.mailing.schedule import (
    IN_DOUBT,
    LEASE,
    NEVER,
    STOPS,
    Attempt,
    Ending,
    Waiting,
    after,
    due,
)
from vendorwatch.mailing.smtp import Mailer, Posted
from vendorwatch.periods import Month, load_zone
from vendorwatch.scorecards.render import Renderer, RenderFailed, Report, file_name
from vendorwatch.scorecards.service import find_scorecard, history
from vendorwatch.settings import Settings
from vendorwatch.telemetry import Clock
from vendorwatch.vendors.model import Engagement
from vendorwatch.vendors.service import find_engagement


@dataclass(frozen=True, slots=True)
class Sender:
    """As whom we write, and where our links lead."""

    address: Address
    public_url: str
    secret: bytes = field(repr=False)
    max_bytes: int
    operators: str

    @classmethod
    def of(cls, settings: Settings) -> "Sender":
        name, address = parseaddr(settings.mail_from)
        return cls(
            address=Address(name, addr_spec=address),
            public_url=settings.public_url,
            secret=settings.secret(),
            max_bytes=settings.mail_max_bytes,
            operators=settings.operators,
        )

    @property
    def host(self) -> str:
        return urlsplit(self.public_url).hostname or "localhost"

    def link(self, purpose: keys.Purpose, permit: Permit) -> str:
        path = {"unsubscribe": "unsubscribe", "report": "reports"}[purpose]
        return f"{self.public_url}/v1/{path}/{keys.sign(permit, purpose, self.secret)}"


@dataclass(slots=True)
class Delivered:
    """What one run did. `mails` counts by how they ended; `lost` are leases that were somebody
    else's when we came back. `stopped` says why no further mail was tried.
    """

    mails: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    failed: list[tuple[Delivery, str]] = field(default_factory=list)
    stopped: Attempt | None = None

    @property
    def tried(self) -> int:
        return self.mails.total() + self.lost


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail that is ours until the lease runs out."""

    rows: Sequence[Delivery]
    recipient: Recipient
    message_id: str
    token: str
    attempts: int
    doubtful: bool

    @property
    def scope(self) -> Scope:
        return self.rows[0].scope


async def deliver_due(
    database: Database,
    mailer: Mailer,
    renderer: Renderer,
    *,
    sender: Sender,
    clock: Clock,
    limit: int | None = None,
) -> Delivered:
    """Sends up to `limit` mails of all merchants, the longest wait first.

    One that fails stops no other, unless the mail server itself is what fails.
    """
    run = Delivered()
    delivering = _Delivering(database, mailer, renderer, sender, clock, run)
    try:
        async with database.read_as_operator() as connection:
            scopes = await store.waiting(connection, clock())
        for scope in scopes:
            await delivering.of_merchant(scope, limit)
            if run.stopped:
                await delivering.postpone(scopes)
                break
        await delivering.tell_operators()
    finally:
        await mailer.close()
    return run


@dataclass(frozen=True, slots=True)
class _Delivering:
    database: Database
    mailer: Mailer
    renderer: Renderer
    sender: Sender
    clock: Clock
    run: Delivered

    async def of_merchant(self, scope: Scope, limit: int | None) -> None:
        while not self.run.stopped and (limit is None or self.run.tried < limit):
            async with self.database.write(scope.of_merchant()) as connection:
                claimed = await self._claim(connection, scope)
            if claimed is None:
                return
            await self._deliver(claimed)

    async def _claim(self, connection: AsyncConnection, scope: Scope) -> Claimed | None:
        """Those whose recipient is gone are marked on the way."""
        now, merchant_id = self.clock(), scope.merchant_id
        await store.lock(connection, merchant_id)
        rows = await store.unsent(connection, merchant_id)
        for mail in due(rows, await _digests(connection, rows), now):
            recipient = await store.recipient(connection, merchant_id, mail[0].recipient_id)
            if recipient is None or recipient.removed_at is not None:
                await store.change(
                    connection, mail, state="skipped", reason="recipient-removed",
                    next_attempt_at=NEVER, leased_until=None, lease_token=None,
                )  # fmt: skip
                self.run.mails["skipped"] += 1
                continue
            return await self._take(connection, mail, recipient)
        return None

    async def _take(
        self, connection: AsyncConnection, mail: list[Delivery], recipient: Recipient
    ) -> Claimed:
        fixed = mail[0].message_id
        doubtful = any(row.state != "queued" for row in mail)
        claimed = Claimed(
            rows=mail,
            recipient=recipient,
            message_id=fixed or keys.message_id((r.unique_key for r in mail), self.sender.host),
            token=secrets.token_hex(16),
            attempts=mail[0].attempts + 1,
            doubtful=doubtful,
        )
        await store.claim(
            connection,
            mail,
            message_id=claimed.message_id,
            token=claimed.token,
            until=self.clock() + LEASE,
            reason=IN_DOUBT if doubtful else None,
        )
        return claimed

    async def _deliver(self, claimed: Claimed) -> None:
        try:
            content = await self._content(claimed, attach=True)
            if len(content) > self.sender.max_bytes:
                content = await self._content(claimed, attach=False)
        except DatabaseUnavailable:
            raise  # concerns every mail
        except RenderFailed as error:
            await self._mark(claimed, Attempt(Ending.NOT_COMPOSED, error.detail))
            return
        except Exception:  # noqa: BLE001  a mistake of ours in one mail must not hold up the others
            structlog.get_logger().error("mail_not_composed", exc_info=True)
            await self._mark(
                claimed, Attempt(Ending.NOT_COMPOSED, "a mistake of ours: see the log")
            )
            return
        attempt = await self._attempt(claimed, content)
        if attempt is None:
            self.run.lost += 1
            return
        await self._mark(claimed, attempt)

    async def _attempt(self, claimed: Claimed, content: bytes) -> Attempt | None:
        """None where the lease was lost before anything was sent."""
        async with self.database.write(claimed.scope.of_merchant()) as connection:
            until = self.clock() + LEASE
            if not await store.renew(connection, claimed.rows, claimed.token, until):
                return None
        attempt = await self._send(claimed, content)
        if attempt.ending is Ending.TOO_LARGE:
            without = await self._content(claimed, attach=False)
            attempt = await self._send(claimed, without)
        return attempt

    async def _send(self, claimed: Claimed, content: bytes) -> Attempt:
        return await self.mailer.send(
            Posted(
                message_id=claimed.message_id,
                sender=self.sender.address.addr_spec,
                to=claimed.recipient.email,
                content=content,
            )
        )

    async def _mark(self, claimed: Claimed, attempt: Attempt) -> None:
        now = self.clock()
        found = after(attempt.ending, claimed.attempts, now, doubtful=claimed.doubtful)
        if attempt.ending in STOPS:
            self.run.stopped = attempt
            structlog.get_logger().error("mail_stopped", reason=attempt.ending.value)
        async with self.database.write(claimed.scope.of_merchant()) as connection:
            is_ours = await store.mark(
                connection,
                claimed.rows,
                claimed.token,
                found,
                reply=attempt.reply,
                sent_at=now if found.state == "sent" else None,
            )
        if not is_ours:
            self.run.lost += 1
            structlog.get_logger().warning("mail_lease_lost", message_id=claimed.message_id)
            return
        self.run.mails[found.state] += 1
        if found.state == "failed" or found.reason == "given-up":
            self.run.failed += [(row, attempt.reply) for row in claimed.rows]

    async def _content(self, claimed: Claimed, *, attach: bool) -> bytes:
        engagements = await self._engagements(claimed.rows)
        merchant = next(iter(engagements.values())).merchant_name
        permit = Permit(claimed.scope, claimed.recipient.recipient_id)
        unsubscribe = self.sender.link("unsubscribe", permit)
        recipient = claimed.recipient
        reader = Reader(recipient.language, recipient.email, merchant, unsubscribe)
        attachments: list[Attachment] = []
        if claimed.rows[0].kind in TOLD:
            text = _notice(claimed.rows[0], engagements[claimed.rows[0].engagement_id], reader)
        else:
            text, attachments = await self._scorecards(claimed, engagements, reader, attach=attach)
        envelope = Envelope(
            message_id=claimed.message_id,
            sender=self.sender.address,
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
            async with self.database.read(row.scope) as connection:
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
            report = await report_of(self.database, row, claimed.recipient.language)
            link = self.sender.link("report", Permit(row.scope, row.delivery_id))
            parts.append(Part(report.document, link, is_attached=attach))
            if attach:
                pdf = await self.renderer.pdf_async(report)
                attachments.append(Attachment(file_name(report.document), pdf))
        return letter.text(parts, reader), attachments

    async def postpone(self, scopes: Sequence[Scope]) -> None:
        """Whatever waits is not tried against a server that refuses everything."""
        assert self.run.stopped is not None  # noqa: S101  the caller has looked
        until = self.clock() + STOPS[self.run.stopped.ending]
        for scope in scopes:
            async with self.database.write(scope.of_merchant()) as connection:
                await store.postpone(connection, scope.merchant_id, until)

    async def tell_operators(self) -> None:
        """Of mails that are given up. What stops the server stops this one, too: it is in the log,
        in the answer of the command, and in the rows.
        """
        if not self.run.failed or not self.sender.operators or self.run.stopped:
            return
        rows = [row for row, _ in self.run.failed]
        text = notice.failures(self.run.failed)
        envelope = Envelope(
            message_id=keys.message_id(
                [(*row.unique_key[:3], "failed") for row in rows], self.sender.host
            ),
            sender=self.sender.address,
            to=self.sender.operators,
            name="",
            language="en",
            date=self.clock(),
        )
        posted = Posted(
            envelope.message_id,
            self.sender.address.addr_spec,
            self.sender.operators,
            message(envelope, text, []),
        )
        attempt = await self.mailer.send(posted)
        if attempt.ending is not Ending.SENT:
            structlog.get_logger().error("operators_not_told", reason=attempt.ending.value)


async def report_of(database: Database, row: Delivery, language: str) -> Report:
    """What a delivery's PDF is made from. Raises NotFound for one without a scorecard."""
    async with database.read(row.scope) as connection:
        card = await find_scorecard(connection, row.scope, row.scorecard_id or "")
        before = await history(connection, row.scope, card)
    return Report(card.document, language, issued=row.created_at, history=before)


async def _digests(
    connection: AsyncConnection, rows: Sequence[Delivery]
) -> dict[tuple[str, str], Waiting]:
    """Of each recipient and month of which a digest is not begun yet."""
    found: dict[tuple[str, str], Waiting] = {}
    for row in rows:
        key = (row.recipient_id, row.month)
        if row.kind != "digest" or row.message_id is not None or key in found:
            continue
        recipient = await store.recipient(connection, row.merchant_id, row.recipient_id)
        issued = await store.digest_engagements(connection, row.merchant_id, *key)
        every = issued
        if recipient is not None and recipient.engagement_id is None:
            _, end = Month.parse(row.month).bounds(load_zone("UTC"))
            every = await store.engagements(connection, row.merchant_id, before=end)
        found[key] = Waiting(issued, every)
    return found


def _notice(row: Delivery, engagement: Engagement, reader: Reader) -> Text:
    about = notice.About(
        kind=row.kind,  # type: ignore[arg-type]  # one of TOLD: the caller has looked
        vendor=engagement.vendor_name,
        engagement_id=row.engagement_id,
        month=row.month,
        facts=row.facts or {},
    )
    return notice.text(about, reader)
