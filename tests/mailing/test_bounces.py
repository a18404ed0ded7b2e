"""Mail that comes back: who is written to no more, who is told, and how it is undone."""

from dataclasses import replace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import MakeKey
from mailing.desk import Desk, body
from mailing.mail_server import MailServer
from mailing.reports import AUTOMATIC_REPLY, EXIM, POSTFIX, report
from vendorwatch.alarms import service as alarms
from vendorwatch.mailing import returned, service
from vendorwatch.mailing.bounces import MOST_BYTES, Bounce, read_report
from vendorwatch.mailing.model import Delivery, Recipient
from vendorwatch.mailing.smtp import SmtpMailer, server_of
from vendorwatch.vendors.model import Engagement

ID = f"<{'0123456789abcdef' * 4}@scores.example.org>"
SAID = "smtp; 550 5.1.1 <linh@example.org>: no such user"


@pytest.mark.parametrize(
    ("form", "said"), [(POSTFIX, SAID), (EXIM, "smtp; 550 no mailbox")], ids=["postfix", "exim"]
)
def test_reports_of_two_servers_are_read(form: str, said: str) -> None:
    assert read_report(report(ID, form=form)) == Bounce(ID, "5.1.1", said, is_dead=True)


def test_the_envelopes_id_is_enough() -> None:
    """A server need not return the headers; it writes our id as we wrote it (RFC 3461)."""
    envelope = ID.strip("<>").replace("@", "+40")
    found = read_report(report("", envelope=envelope))
    assert found is not None
    assert found.message_id == ID


@pytest.mark.parametrize(
    ("status", "dead"),
    [("5.1.1", True), ("5.1.10", True), ("5.2.1", True), ("5.4.4", True),
     ("5.2.2", False), ("5.7.1", False), ("5.0.0", False)],
)  # fmt: skip
def test_an_address_is_dead_only_where_the_report_says_so(status: str, *, dead: bool) -> None:
    """A full mailbox, or a server that takes us for a spammer, is no dead address."""
    found = read_report(report(ID, status=status))
    assert found is not None
    assert found.is_dead == dead


@pytest.mark.parametrize(
    "content",
    [
        report(ID, action="delayed", status="4.4.7"),
        report(ID, action="failed", status="4.4.7"),
        report(ID, action="delivered", status="2.0.0"),
        report(ID, form=AUTOMATIC_REPLY),
        report("<made-up@example.org>"),
        report(f"{ID} {ID}"),
        report(ID).replace(b"multipart/report", b"multipart/mixed"),
        report(ID) + b" " * MOST_BYTES,
        b"",
        b"\x00\xff",
    ],
)
def test_whatever_else_comes_says_nothing(content: bytes) -> None:
    assert read_report(content) is None


@given(
    cut=st.integers(0, 1200),
    junk=st.binary(max_size=60),
    form=st.sampled_from([POSTFIX, EXIM, AUTOMATIC_REPLY]),
)
def test_no_mail_makes_it_fail(cut: int, junk: bytes, form: str) -> None:
    whole = report(ID, form=form)
    for content in (whole[:cut] + junk, whole[:cut] + junk + whole[cut:], junk):
        found = read_report(content)
        assert found is None or found.message_id.startswith("<")


async def sent(
    desk: Desk, server: MailServer, engagement: Engagement
) -> tuple[Recipient, Delivery]:
    linh = await desk.recipient(engagement, "linh@example.org")
    await desk.recipient(engagement, "an@example.org")
    await desk.issue(engagement)
    await desk.deliver(server)
    rows = await desk.rows(engagement)
    [row] = [each for each in rows if each.recipient_id == linh.recipient_id]
    assert row.state == "sent"
    return linh, row


async def take(desk: Desk, content: bytes) -> list[Delivery]:
    bounce = read_report(content)
    if bounce is None:
        return []
    async with desk.database.read_as_operator() as connection:
        scope = await returned.place_of(connection, bounce)
    if scope is None:
        return []
    async with desk.database.write(scope.of_merchant()) as connection:
        return await returned.bounced(connection, scope, bounce, desk.clock())


async def test_who_cannot_be_reached_gets_no_more_until_they_are_restored(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    linh, row = await sent(desk, server, engagement)
    for _ in range(2):  # servers, too, repeat themselves
        [failed] = await take(desk, report(row.message_id or ""))
        assert (failed.state, failed.reason, failed.last_reply) == ("failed", "bounced", SAID)
    server.received.clear()
    await desk.issue(engagement, month="2026-11")
    assert (await desk.deliver(server)).mails == {"skipped": 1, "sent": 1}
    assert [mail.to for mail in server.received] == [["an@example.org"]]
    await alarms.raise_due(desk.database, desk.clock())
    mailer, ops = (
        SmtpMailer(server_of(server.url)),
        replace(desk.sender, operators="ops@example.org"),
    )
    assert await alarms.tell(desk.database, mailer, ops, clock=desk.clock)
    told = body(server.messages_to("ops@example.org")[0], "plain")
    assert "bounced: " + SAID in " ".join(told.split()), told
    assert "recipient-bounced" in told
    [skipped] = [each for each in await desk.rows(engagement) if each.state == "skipped"]
    assert (skipped.recipient_id, skipped.reason) == (linh.recipient_id, "recipient-bounced")

    server.received.clear()
    scope = engagement.scope
    async with desk.database.write(scope.of_merchant()) as connection:
        await returned.restore(connection, scope, linh.recipient_id, desk.clock())
        await service.retry(connection, scope, skipped.delivery_id, desk.clock())
    assert (await desk.deliver(server)).mails == {"sent": 1}
    assert [mail.to for mail in server.received] == [["linh@example.org"]]


async def test_an_address_is_dead_for_all_that_is_sent_there(
    desk: Desk, server: MailServer, engagement: Engagement, rival: Engagement, stranger: Engagement
) -> None:
    """Of the same merchant; what another merchant has heard is the other one's affair."""
    _, row = await sent(desk, server, engagement)
    await desk.recipient(engagement, "Linh@example.org", kind="agents")
    await desk.recipient(rival, "linh@example.org")
    await desk.recipient(stranger, "linh@example.org")
    await take(desk, report(row.message_id or ""))
    bounced = {}
    for party in (engagement, rival, stranger):
        async with desk.database.read(party.scope.of_merchant()) as connection:
            found = await service.recipients(connection, party.scope)
        bounced[party.engagement_id] = sorted(
            (each.email, each.bounced_at is not None) for each in found
        )
    assert bounced == {
        engagement.engagement_id: [
            ("Linh@example.org", True), ("an@example.org", False), ("linh@example.org", True),
        ],
        rival.engagement_id: [("linh@example.org", True)],
        stranger.engagement_id: [("linh@example.org", False)],
    }  # fmt: skip


async def test_a_mail_that_is_refused_for_itself_fails_alone(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    linh, row = await sent(desk, server, engagement)
    [failed] = await take(desk, report(row.message_id or "", status="5.7.1"))
    assert (failed.state, failed.reason) == ("failed", "bounced")
    async with desk.database.read(engagement.scope.of_merchant()) as connection:
        found = await service.find_recipient(connection, engagement.scope, linh.recipient_id)
    assert found.bounced_at is None


async def test_a_report_of_no_mail_of_ours_changes_nothing(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    """However right the address: whoever forges one does not know the id."""
    _, row = await sent(desk, server, engagement)
    forged = f"<{'f' * 64}@{(row.message_id or '').partition('@')[2]}"
    assert await take(desk, report(forged)) == []
    assert await take(desk, report(row.message_id or "", form=AUTOMATIC_REPLY)) == []
    assert await desk.states(engagement) == ["sent", "sent"]


async def test_by_hand_over_http(
    client: httpx.AsyncClient, key: MakeKey, desk: Desk, engagement: Engagement, rival: Engagement
) -> None:
    linh = await desk.recipient(engagement, "linh@example.org")
    path = f"/v1/recipients/{linh.recipient_id}/bounced"
    client.headers["Authorization"] = f"Bearer {await key('manage')}"
    told = [(await client.post(path)).json()["bounced_at"] for _ in range(2)]
    assert told == ["2026-11-02T08:00:00Z"] * 2
    [listed] = (await client.get("/v1/recipients")).json()
    assert listed["bounced_at"] == told[0]
    for _ in range(2):
        assert (await client.delete(path)).json()["bounced_at"] is None
    audit = (await client.get("/v1/audit")).json()
    actions = [each["action"] for each in audit]
    assert [actions.count(f"recipient.{each}") for each in ("bounced", "restored")] == [1, 1]
    theirs = {"Authorization": f"Bearer {await key('manage', of=rival)}"}
    assert (await client.post(path, headers=theirs)).status_code == 404
    assert (await client.delete(path, headers=theirs)).status_code == 404
