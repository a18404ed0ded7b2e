"""What is overdue is noticed once, and told to the operators in one mail."""

import secrets
from collections.abc import Mapping

import structlog

from vendorwatch.alarms import letter, store
from vendorwatch.alarms.model import Alarm, State, due, next_mail
from vendorwatch.closing import service as closing
from vendorwatch.db.engine import Database
from vendorwatch.mailing import keys
from vendorwatch.mailing import service as mailing
from vendorwatch.mailing.compose import Envelope, message
from vendorwatch.mailing.schedule import IN_DOUBT, LEASE, Attempt, after, is_overdue
from vendorwatch.mailing.sender import Sender
from vendorwatch.mailing.smtp import Mailer, Posted
from vendorwatch.periods import Micros, format_instant
from vendorwatch.telemetry import Clock
from vendorwatch.vendors.service import engagements

_log = structlog.get_logger()


async def overdue(database: Database, now: Micros) -> Mapping[str, int]:
    """How many `months` are not issued and how many `mails` not sent, 24 hours after they were due.

    An engagement whose months cannot be told counts as one.
    """
    months = await closing.overdue_months(database, now=now)
    async with database.read_as_operator() as connection:
        mails = await mailing.troubled(connection, now)
    return {"months": len(months), "mails": sum(is_overdue(row, now) for row in mails)}


async def to_raise(database: Database, now: Micros) -> list[Alarm]:
    """What is overdue or given up, and nobody was told of."""
    months = await closing.overdue_months(database, now=now)
    async with database.read_as_operator() as connection:
        mails = await mailing.troubled(connection, now)
        raised = await store.raised(connection)
    return due(State(months, mails, raised), now)


async def raise_due(database: Database, now: Micros) -> list[Alarm]:
    """Each is in the log, and queued for the operators; once, whoever else looks."""
    found = await to_raise(database, now)
    if found:
        async with database.write_as_operator() as connection:
            await store.add(connection, found)
    for each in found:
        _log.error(
            "alarm", kind=each.kind, engagement_id=each.engagement_id,
            subject=each.subject_key, since=format_instant(each.since),
        )  # fmt: skip
    return found


async def is_mail_due(database: Database, now: Micros) -> bool:
    async with database.read_as_operator() as connection:
        unsent, last = await store.unsent(connection), await store.last_sent_at(connection)
    return bool(next_mail(unsent, last, now))


async def tell(database: Database, mailer: Mailer, sender: Sender, *, clock: Clock) -> bool:
    """Sends the operators what they were not told of, if a mail is due; whether one was tried.

    Claimed, handed over and marked as every mail is: see mailing.delivery.
    """
    token = secrets.token_hex(16)
    async with database.write_as_operator() as connection:
        unsent = await store.unsent(connection, claim=True)
        alarms = next_mail(unsent, await store.last_sent_at(connection), clock())
        if not alarms:
            return False
        message_id = alarms[0].message_id or keys.message_id(
            (each.unique_key for each in alarms), sender.host
        )
        await store.claim(
            connection, alarms, message_id=message_id, token=token, until=clock() + LEASE
        )
        about = {each.engagement_id: each for each in await engagements(connection)}
    envelope = Envelope(
        message_id=message_id,
        sender=sender.address,
        to=sender.operators,
        name="",
        language=letter.LANGUAGE,
        date=max(each.raised_at for each in alarms),
    )
    content = message(envelope, letter.text(alarms, about), [])
    posted = Posted(message_id, sender.address.addr_spec, sender.operators, content)
    try:
        attempt = await mailer.send(posted)
    finally:
        await mailer.close()
    await _mark(database, alarms, token, attempt, now=clock())
    return True


async def _mark(
    database: Database, alarms: list[Alarm], token: str, attempt: Attempt, *, now: Micros
) -> None:
    doubtful = any(each.state != "queued" for each in alarms)
    found = after(attempt.ending, alarms[0].attempts + 1, now, doubtful=doubtful)
    async with database.write_as_operator() as connection:
        is_ours = await store.mark(
            connection, alarms, token, found,
            reply=attempt.reply, sent_at=now if found.state == "sent" else None,
        )  # fmt: skip
    if not is_ours:
        _log.warning("alarm_lease_lost")
    elif found.state != "sent":
        _log.error("operators_not_told", reason=found.reason or IN_DOUBT)
