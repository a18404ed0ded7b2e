"""Mail that is due is sent: claimed, composed, handed over, marked; each step durable on its own.

A process that dies at any point leaves a lease behind. When it has run out, somebody else sends the
mail, perhaps again, and always under the same Message-ID: SMTP cannot do better.
"""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.engine import Database, DatabaseUnavailable
from vendorwatch.db.locks import lock_merchant
from vendorwatch.db.scope import Scope
from vendorwatch.mailing import keys, store
from vendorwatch.mailing.contents import Contents
from vendorwatch.mailing.model import Delivery, Recipient
from vendorwatch.mailing.schedule import (
    IN_DOUBT,
    LEASE,
    NEVER,
    STOPS,
    Attempt,
    Claimed,
    Ending,
    Waiting,
    after,
    due,
)
from vendorwatch.mailing.sender import Sender
from vendorwatch.mailing.smtp import Mailer, Posted
from vendorwatch.periods import Micros, Month, load_zone
from vendorwatch.scorecards.render import Renderer, RenderFailed
from vendorwatch.telemetry import Clock


@dataclass(slots=True)
class Delivered:
    """What one run did. `mails` counts by how they ended; `lost` are leases that were somebody
    else's when we came back. `stopped` says why no further mail was tried.
    """

    mails: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    stopped: Attempt | None = None

    @property
    def tried(self) -> int:
        return self.mails.total() + self.lost


async def deliver_due(
    database: Database,
    mailer: Mailer,
    renderer: Renderer,
    *,
    sender: Sender,
    clock: Clock,
    limit: int | None = None,
    only: Scope | None = None,
) -> Delivered:
    """Sends up to `limit` mails of all merchants, or of `only` one, the longest wait first.

    One that fails stops no other, unless the mail server itself is what fails.
    """
    run = Delivered()
    contents = Contents(database, renderer, sender)
    delivering = _Delivering(database, mailer, contents, sender, clock, run)
    try:
        scopes = await waiting(database, now=clock())
        for scope in scopes if only is None else [only]:
            await delivering.of_merchant(scope, limit)
            if run.stopped:
                await delivering.postpone(scopes, run.stopped)
                break
    finally:
        await mailer.close()
    return run


async def waiting(database: Database, *, now: Micros) -> list[Scope]:
    """One engagement of each merchant of which some mail may be due, the longest wait first."""
    async with database.read_as_operator() as connection:
        return await store.waiting(connection, now)


@dataclass(frozen=True, slots=True)
class _Delivering:
    database: Database
    mailer: Mailer
    contents: Contents
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
        await lock_merchant(connection, merchant_id)  # two must not take the same mail
        rows = await store.unsent(connection, merchant_id)
        for mail in due(rows, await _digests(connection, rows), now):
            recipient = await store.recipient(connection, merchant_id, mail[0].recipient_id)
            gone = recipient.unreachable if recipient else "recipient-removed"
            if recipient is None or gone is not None:
                await store.change(
                    connection, mail, state="skipped", reason=gone,
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
            content = await self.contents.of(claimed, attach=True)
            if len(content) > self.sender.max_bytes:
                content = await self.contents.of(claimed, attach=False)
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
            without = await self.contents.of(claimed, attach=False)
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

    async def postpone(self, scopes: Sequence[Scope], stopped: Attempt) -> None:
        """Whatever waits is not tried against a server that refuses everything."""
        until = self.clock() + STOPS[stopped.ending]
        for scope in scopes:
            async with self.database.write(scope.of_merchant()) as connection:
                await store.postpone(
                    connection,
                    scope.merchant_id,
                    until,
                    reason=stopped.ending.value,
                    reply=stopped.reply,
                )


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
