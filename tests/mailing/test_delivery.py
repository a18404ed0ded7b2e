"""Mail through a real SMTP server that misbehaves, on both databases.

What must hold whatever happens: every mail that is expected arrives at least once, no other one
does, and one that arrives twice is the same mail with the same PDF.
"""

import asyncio
from collections import Counter

import pytest
from typing_extensions import override

from mailing.desk import Desk, body, hashes, pdf_text, pdfs
from mailing.mail_server import MailServer, mail_server
from scorecards import sample
from vendorwatch.db.engine import Database
from vendorwatch.mailing import service
from vendorwatch.mailing.model import Notice
from vendorwatch.mailing.schedule import DIGEST_PATIENCE, LEASE
from vendorwatch.mailing.smtp import FolderMailer, SmtpMailer, server_of
from vendorwatch.periods import DAY, SECOND
from vendorwatch.scorecards.render import Renderer, Report
from vendorwatch.vendors.model import Engagement

THREE = ("an@example.org", "binh@example.org", "chi@example.org")
FIRST_PAUSE = 300  # seconds
RIGHT = "right"
DIGESTED = "2026-11"  # both vendors are there when it ends


async def test_a_scorecard_arrives_once(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    await desk.recipient(engagement, "linh@example.org", name="Chị Linh")
    await desk.issue(engagement)
    run = await desk.deliver(server)
    assert run.mails == {"sent": 1}
    assert (await desk.deliver(server)).mails == {}
    [mail] = server.received
    row = await desk.row(engagement)
    assert (row.state, row.message_id, row.attempts) == ("sent", mail.message_id, 1)
    assert row.last_reply == "250 2.0.0 Taken"
    assert mail.to == ["linh@example.org"]
    assert mail.message["To"] == "Chị Linh <linh@example.org>"
    assert mail.message["Subject"] == "Hoa Sen BPO, October 2026: 5 of 13 targets met"
    [name] = pdfs(mail)
    assert name == "Hoa-Sen-BPO_2026-10_r1.pdf"
    assert "Hoa Sen BPO" in pdf_text(pdfs(mail)[name])


async def test_notifications_of_failure_are_asked_for(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    await desk.recipient(engagement, "linh@example.org")
    await desk.issue(engagement)
    await desk.deliver(server)
    [mail] = server.received
    assert mail.options[0] == "RET=HDRS"
    assert mail.options[1] == f"ENVID={mail.message_id.strip('<>')}"
    assert mail.options[2] == "NOTIFY=FAILURE,DELAY"


@pytest.mark.parametrize("answer", ["421 4.3.2 Closing", "450 4.2.1 Later", "451 4.3.0 Later"])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
async def test_what_is_refused_for_now_is_sent_later(
    desk: Desk, server: MailServer, engagement: Engagement, stage: str, answer: str
) -> None:
    await desk.recipient(engagement, "linh@example.org")
    await desk.issue(engagement)
    server.fault(stage, answer)
    assert (await desk.deliver(server)).mails == {"queued": 1}
    assert server.received == []
    row = await desk.row(engagement)
    assert (row.state, row.reason, row.last_reply) == ("queued", "deferred", answer)
    desk.clock.advance(seconds=FIRST_PAUSE - 1)
    assert (await desk.deliver(server)).mails == {}
    desk.clock.advance(seconds=1)
    assert (await desk.deliver(server)).mails == {"sent": 1}
    assert len(server.received) == 1


async def test_one_of_three_is_refused_and_the_others_get_theirs(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    for address in THREE:
        await desk.recipient(engagement, address)
    await desk.issue(engagement)
    server.fault("RCPT", "550 5.1.1 No such user", to="binh@example.org")
    run = await desk.deliver(server)
    assert run.mails == {"sent": 2, "failed": 1}
    assert {mail.to[0] for mail in server.received} == {"an@example.org", "chi@example.org"}
    assert server.connections == 1  # one for all of them
    failed = next(row for row in await desk.rows(engagement) if row.state == "failed")
    assert (failed.reason, failed.last_reply) == ("refused", "550 5.1.1 No such user")
    desk.clock.advance(seconds=5 * DAY // SECOND)
    assert (await desk.deliver(server)).mails == {}


# The test server complains that it takes passwords in the open, and of its own ways.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.filterwarnings("ignore:Session.login_data is deprecated:DeprecationWarning")
async def test_a_refused_password_stops_everything_for_an_hour(
    desk: Desk, engagement: Engagement, stranger: Engagement
) -> None:
    for each in (engagement, stranger):
        for address in THREE:
            await desk.recipient(each, address)
        await desk.issue(each)
    async with mail_server(password=RIGHT) as server:
        wrong = server.url.replace("//", "//us%40er:wrong@")
        run = await desk.deliver(_mailer(wrong, desk))
        assert run.stopped is not None
        assert run.stopped.ending.value == "login"
        assert run.stopped.reply.startswith("535")
        attempts = len(server.logins)
        assert attempts == 1
        desk.clock.advance(seconds=3_599)
        assert (await desk.deliver(_mailer(wrong, desk))).stopped is None
        assert len(server.logins) == attempts
        desk.clock.advance(seconds=1)
        right = server.url.replace("//", "//us%40er:right@")
        assert (await desk.deliver(_mailer(right, desk))).mails == {"sent": 6}
        assert set(server.logins) == {"us@er"}
        assert len(server.received) == 6
    rows = await desk.rows(engagement)
    assert [row.attempts for row in rows] == [1, 1, 1]  # a wrong password is no fault of a mail


def _mailer(url: str, desk: Desk) -> SmtpMailer:
    return SmtpMailer(server_of(url), command_seconds=desk.patience, data_seconds=desk.patience)


async def test_no_server_stops_the_run_and_loses_nothing(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    for address in THREE:
        await desk.recipient(engagement, address)
    await desk.issue(engagement)
    nowhere = MailServer(port=1)
    run = await desk.deliver(nowhere)
    assert run.stopped is not None
    assert run.stopped.ending.value == "unreachable"
    assert run.mails == {"queued": 1}
    desk.clock.advance(seconds=FIRST_PAUSE)
    assert (await desk.deliver(server)).mails == {"sent": 3}


@pytest.mark.parametrize("fault", ["hang", "drop"])
async def test_a_connection_that_ends_before_the_mail_is_tried_again(
    desk: Desk, server: MailServer, engagement: Engagement, fault: str
) -> None:
    desk.patience = 0.5
    await desk.recipient(engagement, "linh@example.org")
    await desk.issue(engagement)
    server.fault("RCPT", fault)
    assert (await desk.deliver(server)).mails == {"queued": 1}
    desk.patience = 5
    desk.clock.advance(seconds=FIRST_PAUSE)
    assert (await desk.deliver(server)).mails == {"sent": 1}
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("stage", "fault", "times"), [("BODY", "drop", 1), ("DATA", "drop", 2), ("DATA", "hang", 2)]
)
async def test_the_ambiguous_end_is_sent_again_as_the_same_mail(
    desk: Desk, server: MailServer, engagement: Engagement, stage: str, fault: str, times: int
) -> None:
    """Whether the server has it is not known: it may come twice, and never not at all."""
    desk.patience = 0.5
    await desk.recipient(engagement, "linh@example.org")
    await desk.issue(engagement)
    server.fault(stage, fault)
    assert (await desk.deliver(server)).mails == {"unknown": 1}
    row = await desk.row(engagement)
    assert (row.state, row.reason) == ("unknown", "unknown")
    desk.patience = 5
    desk.clock.advance(seconds=FIRST_PAUSE)
    assert (await desk.deliver(server)).mails == {"sent": 1}
    assert len(server.received) == times
    assert {mail.message_id for mail in server.received} == {row.message_id}
    assert len({tuple(hashes(mail)) for mail in server.received}) == 1
    assert len({mail.content for mail in server.received}) == 1  # to the last byte


@pytest.mark.parametrize("answer", ["552 5.3.4 Too big", "554 5.2.3 Message length exceeds"])
async def test_what_is_too_large_for_the_server_goes_with_a_link(
    desk: Desk, server: MailServer, engagement: Engagement, answer: str
) -> None:
    await desk.recipient(engagement, "linh@example.org")
    await desk.issue(engagement)
    server.fault("DATA", answer)
    assert (await desk.deliver(server)).mails == {"sent": 1}
    [mail] = server.received
    assert pdfs(mail) == {}
    assert "too large for this mail" in body(mail, "plain")
    assert "/v1/reports/" in body(mail, "plain")


async def test_a_server_that_tells_its_limit_is_not_sent_more(
    desk: Desk, engagement: Engagement
) -> None:
    await desk.recipient(engagement, "linh@example.org")
    await desk.issue(engagement)
    async with mail_server(size_limit=20_000) as server:
        assert (await desk.deliver(server)).mails == {"sent": 1}
        assert [pdfs(mail) for mail in server.received] == [{}]


async def test_our_own_limit_makes_a_link_too(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    desk.sender = type(desk.sender)(
        desk.sender.address, desk.sender.public_url, desk.sender.secret, 20_000, ""
    )
    await desk.recipient(engagement, "linh@example.org")
    await desk.issue(engagement)
    await desk.deliver(server)
    [mail] = server.received
    assert pdfs(mail) == {}
    assert len(mail.content) < 20_000


async def test_it_is_given_up_after_four_days(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    await desk.recipient(engagement, "linh@example.org")
    await desk.issue(engagement)
    started = desk.clock()
    server.fault("RCPT", *["450 4.2.1 Later"] * 100)
    while (await desk.row(engagement)).state == "queued":
        desk.clock.now = (await desk.row(engagement)).next_attempt_at
        await desk.deliver(server)
    row = await desk.row(engagement)
    assert (row.state, row.reason) == ("failed", "given-up")
    assert 4 * DAY - 8 * 3_600 * SECOND < desk.clock() - started <= 4 * DAY
    async with desk.database.write(engagement.scope.of_merchant()) as connection:
        await service.retry(connection, engagement.scope, row.delivery_id, desk.clock())
    server.faults.clear()
    assert (await desk.deliver(server)).mails == {"sent": 1}
    assert server.received[0].message_id == row.message_id


async def test_whoever_was_removed_gets_nothing(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    gone = await desk.recipient(engagement, "linh@example.org")
    await desk.recipient(engagement, "an@example.org")
    await desk.issue(engagement)
    await desk.remove(engagement, gone)
    assert (await desk.deliver(server)).mails == {"skipped": 1, "sent": 1}
    assert [mail.to for mail in server.received] == [["an@example.org"]]
    skipped = [row for row in await desk.rows(engagement) if row.state == "skipped"]
    assert [row.reason for row in skipped] == ["recipient-removed"]
    await desk.issue(engagement, month="2026-11")
    assert len(await desk.rows(engagement)) == 3  # nobody queues for who is gone


async def test_each_gets_what_is_theirs_and_nobody_elses(
    desk: Desk, server: MailServer, engagement: Engagement, rival: Engagement, stranger: Engagement
) -> None:
    await desk.recipient(engagement, "own@hoasen.example", side="vendor")
    await desk.recipient(rival, "own@rival.example", side="vendor")
    await desk.recipient(engagement, "all@trasen.example", every_vendor=True)
    await desk.recipient(stranger, "own@stranger.example", every_vendor=True)
    for each in (engagement, rival, stranger):
        await desk.issue(each)
    assert (await desk.deliver(server)).mails == {"sent": 5}
    got = {
        address: sorted(name for mail in server.messages_to(address) for name in pdfs(mail))
        for address in {mail.to[0] for mail in server.received}
    }
    ours, rivals = "Hoa-Sen-BPO_2026-10_r1.pdf", "Rival-BPO_2026-10_r1.pdf"
    assert got == {
        "own@hoasen.example": [ours],
        "own@rival.example": [rivals],
        "all@trasen.example": [ours, rivals],
        "own@stranger.example": [ours],
    }
    for mail in server.messages_to("own@hoasen.example"):
        for word in (b"Rival", b"Somebody Else", rival.engagement_id.encode()):
            assert word not in mail.content
    [theirs] = server.messages_to("own@stranger.example")
    assert "Trà Sen" not in body(theirs, "plain")
    assert "Trà Sen" not in pdf_text(*pdfs(theirs).values())


async def test_a_digest_is_one_mail_for_all_vendors(
    desk: Desk, server: MailServer, engagement: Engagement, rival: Engagement
) -> None:
    await desk.recipient(engagement, "linh@example.org", kind="digest", every_vendor=True)
    await desk.issue(engagement, month=DIGESTED)
    assert (await desk.deliver(server)).mails == {}  # the other one is still to come
    await desk.issue(rival, month=DIGESTED)
    assert (await desk.deliver(server)).mails == {"sent": 1}
    [mail] = server.received
    assert sorted(pdfs(mail)) == ["Hoa-Sen-BPO_2026-11_r1.pdf", "Rival-BPO_2026-11_r1.pdf"]
    assert mail.message["Subject"] == "November 2026: 2 vendors, 10 of 26 targets met"
    for form in ("plain", "html"):
        assert "Hoa Sen BPO" in body(mail, form)
        assert "Rival BPO" in body(mail, form)
    rows = [*await desk.rows(engagement), *await desk.rows(rival)]
    assert {row.message_id for row in rows} == {mail.message_id}
    assert {row.state for row in rows} == {"sent"}


async def test_a_digest_waits_no_longer_than_a_day(
    desk: Desk, server: MailServer, engagement: Engagement, rival: Engagement
) -> None:
    await desk.recipient(engagement, "linh@example.org", kind="digest", every_vendor=True)
    await desk.issue(engagement, month=DIGESTED)
    desk.clock.now += DIGEST_PATIENCE - 1
    assert (await desk.deliver(server)).mails == {}
    desk.clock.now += 1
    assert (await desk.deliver(server)).mails == {"sent": 1}
    await desk.issue(rival, month=DIGESTED)  # late: a mail of its own, at once
    assert (await desk.deliver(server)).mails == {"sent": 1}
    assert [len(pdfs(mail)) for mail in server.received] == [1, 1]
    assert len({mail.message_id for mail in server.received}) == 2


async def test_a_digest_that_was_begun_stays_as_it_was(
    desk: Desk, server: MailServer, engagement: Engagement, rival: Engagement
) -> None:
    """What is issued meanwhile does not join it: under one Message-ID there is one mail."""
    await desk.recipient(engagement, "linh@example.org", kind="digest", every_vendor=True)
    await desk.issue(engagement)
    desk.clock.now += DIGEST_PATIENCE
    server.fault("DATA", "drop")
    desk.patience = 2
    await desk.deliver(server)
    await desk.issue(rival)
    desk.clock.advance(seconds=FIRST_PAUSE)
    assert (await desk.deliver(server)).mails == {"sent": 2}
    ids = [mail.message_id for mail in server.received]
    assert len(ids) == 3
    assert len(set(ids)) == 2
    first = [mail for mail in server.received if mail.message_id == ids[0]]
    assert len(first) == 2
    assert first[0].content == first[1].content


async def test_a_digest_of_one_vendor_is_sent_at_once(
    desk: Desk, server: MailServer, engagement: Engagement, rival: Engagement
) -> None:
    await desk.recipient(engagement, "linh@example.org", kind="digest")
    await desk.issue(engagement)
    assert (await desk.deliver(server)).mails == {"sent": 1}
    assert server.received[0].message["Subject"].startswith("Hoa Sen BPO, October 2026: ")


async def test_a_revision_says_what_it_replaces(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    await desk.recipient(engagement, "linh@example.org")
    first = await desk.issue(engagement)
    await desk.deliver(server)
    volume = {**sample.document()["volume"], "scored": 4711}
    await desk.issue(engagement, revision=2, replaces=first.scorecard_id, volume=volume)
    await desk.deliver(server)
    before, mail = server.received
    assert mail.message["Subject"].endswith("(revision 2)")
    for form in ("plain", "html"):
        assert "It replaces every earlier one" in body(mail, form)
        assert "Changed since revision 1" in body(mail, form)
        assert "4,711" in body(mail, form)
        assert "Changed since" not in body(before, form)
    assert list(pdfs(mail)) == ["Hoa-Sen-BPO_2026-10_r2.pdf"]


async def test_what_is_replaced_before_it_was_sent_is_not_sent(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    await desk.recipient(engagement, "linh@example.org")
    first = await desk.issue(engagement)
    await desk.issue(engagement, revision=2, replaces=first.scorecard_id)
    assert (await desk.deliver(server)).mails == {"sent": 1}
    assert list(pdfs(server.received[0])) == ["Hoa-Sen-BPO_2026-10_r2.pdf"]
    reasons = {row.subject_key: (row.state, row.reason) for row in await desk.rows(engagement)}
    assert reasons["2026-10/r1"] == ("cancelled", "superseded")


async def test_issuing_twice_queues_once(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    await desk.recipient(engagement, "linh@example.org")
    issued = await desk.issue(engagement)
    for _ in range(2):
        async with desk.database.write(engagement.scope) as connection:
            await service.queue(connection, issued, now=desk.clock())
    assert (await desk.deliver(server)).mails == {"sent": 1}
    async with desk.database.write(engagement.scope) as connection:
        await service.queue(connection, issued, now=desk.clock())
    assert (await desk.deliver(server)).mails == {}


@pytest.mark.parametrize(
    ("kind", "word", "readers"),
    [
        ("approval_reminder", "waits for your approval", ["linh@example.org"]),
        ("missing_data", "days without any interaction", ["linh@example.org", "v@example.org"]),
        ("no_upload", "no log has been received", ["linh@example.org", "v@example.org"]),
    ],
)
async def test_notices(
    desk: Desk,
    server: MailServer,
    engagement: Engagement,
    kind: Notice,
    word: str,
    readers: list[str],
) -> None:
    await desk.recipient(engagement, "linh@example.org")
    desk.clock.advance(seconds=1)
    await desk.recipient(engagement, "LINH@example.org", kind="digest")  # no second notice
    await desk.recipient(engagement, "v@example.org", side="vendor")
    for _ in range(2):
        async with desk.database.write(engagement.scope) as connection:
            await service.queue_notice(
                connection, engagement.scope, f"2026-10/{kind}", kind, desk.clock(),
                facts={"days": ["2026-10-12"]},
            )  # fmt: skip
    await desk.deliver(server)
    assert sorted(mail.to[0] for mail in server.received) == readers
    for mail in server.received:
        assert word in mail.message["Subject"]
        assert "12 October 2026" in body(mail, "plain")


async def test_a_late_worker_marks_nothing(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    """Its server took longer than its lease; meanwhile another one took the mail over and sent it."""
    await desk.recipient(engagement, "linh@example.org")
    await desk.issue(engagement)
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        server.before_answer = None  # the other worker is served at once
        reached.set()
        await go_on.wait()

    server.before_answer = wait
    desk.patience = 60
    late = asyncio.create_task(desk.deliver(server))
    await reached.wait()
    assert (await desk.deliver(server)).mails == {}  # the lease holds
    desk.clock.now += LEASE
    server.fault("DATA", "450 4.2.1 Later")
    second = await desk.deliver(server)
    assert second.mails == {"unknown": 1}  # the first one may have arrived
    before = await desk.row(engagement)
    go_on.set()
    run = await late
    assert (run.mails, run.lost) == ({}, 1)
    assert await desk.row(engagement) == before
    desk.clock.now = before.next_attempt_at
    assert (await desk.deliver(server)).mails == {"sent": 1}
    assert len({mail.message_id for mail in server.received}) == 1
    assert len({mail.content for mail in server.received}) == 1


async def test_two_workers_send_each_mail_once(
    desk: Desk, server: MailServer, engagement: Engagement, database_url: str
) -> None:
    for number in range(12):
        await desk.recipient(engagement, f"n{number}@example.org")
    await desk.issue(engagement)
    other = Database(database_url)
    try:
        second = Desk(other, desk.clock, desk.sender, desk.renderer)
        runs = await asyncio.gather(desk.deliver(server), second.deliver(server))
    finally:
        await other.close()
    assert sum(run.mails["sent"] for run in runs) == 12
    assert len({mail.message_id for mail in server.received}) == len(server.received) == 12


async def test_no_row_is_left_sending(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    """A worker that is cancelled leaves its lease, and the next one takes it over."""
    await desk.recipient(engagement, "linh@example.org")
    await desk.issue(engagement)
    reached = asyncio.Event()

    async def forever() -> None:
        server.before_answer = None
        reached.set()
        await asyncio.Event().wait()

    server.before_answer = forever
    desk.patience = 60
    stopped = asyncio.create_task(desk.deliver(server))
    await reached.wait()
    stopped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopped
    assert await desk.states(engagement) == ["sending"]
    desk.clock.now += LEASE
    assert (await desk.deliver(server)).mails == {"sent": 1}
    assert await desk.states(engagement) == ["sent"]


async def test_one_mail_that_cannot_be_composed_stops_no_other(
    desk: Desk, server: MailServer, engagement: Engagement, stranger: Engagement
) -> None:
    """No font has that character: no PDF with gaps is made."""
    await desk.recipient(engagement, "linh@example.org")
    await desk.recipient(stranger, "an@example.org")
    await desk.issue(engagement, merchant="\U000f0000")
    await desk.issue(engagement, month="2026-09", vendor_scores={"nonsense": True})
    await desk.issue(stranger)
    run = await desk.deliver(server)
    assert run.mails["sent"] >= 1
    assert [mail.to for mail in server.messages_to("an@example.org")] == [["an@example.org"]]
    broken = next(r for r in await desk.rows(engagement) if r.subject_key == "2026-09/r1")
    assert (broken.state, broken.reason) == ("queued", "not-composed")


async def test_no_more_than_asked_for(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    for address in THREE:
        await desk.recipient(engagement, address)
    await desk.issue(engagement)
    assert (await desk.deliver(server, limit=2)).mails == {"sent": 2}
    assert (await desk.deliver(server, limit=2)).mails == {"sent": 1}


async def test_a_folder_instead_of_a_server(
    desk: Desk, engagement: Engagement, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await desk.recipient(engagement, "linh@example.org")
    await desk.issue(engagement)
    folder = tmp_path_factory.mktemp("mail") / "out"
    assert (await desk.deliver(FolderMailer(folder))).mails == {"sent": 1}
    [file] = folder.iterdir()
    assert file.suffix == ".eml"
    assert b"linh@example.org" in file.read_bytes()


class CountingRenderer(Renderer):
    """Renders, and remembers in which languages."""

    def __init__(self) -> None:
        super().__init__()
        self.languages: list[str] = []

    @override
    async def pdf_async(self, report: Report) -> bytes:
        self.languages.append(report.language)
        return await super().pdf_async(report)


async def test_a_pdf_is_made_once_for_all_who_read_it_in_one_language(
    desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    for number, language in enumerate(("en", "vi", "en", "en")):
        await desk.recipient(engagement, f"reader{number}@trasen.example", language=language)
    await desk.issue(engagement)
    desk.renderer = counting = CountingRenderer()
    try:
        await desk.deliver(server)
    finally:
        await asyncio.to_thread(counting.close)
    assert sorted(counting.languages) == ["en", "vi"]
    assert sorted(Counter(hashes(mail)[0] for mail in server.received).values()) == [1, 3]
