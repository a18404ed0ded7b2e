"""How mail is handed over: encryption, what is trusted, and one connection for many."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from mailing.mail_server import MailServer, mail_server
from vendorwatch.mailing.schedule import Attempt, Ending
from vendorwatch.mailing.smtp import (
    FolderMailer,
    Posted,
    Server,
    SmtpMailer,
    is_this_machine,
    mailer_for,
    server_of,
)

MAIL = Posted(
    "<a@example.org>", "vendorwatch@example.org", "linh@example.org", b"Subject: x\r\n\r\nx\r\n"
)


async def send(server: Server, mail: Posted = MAIL) -> Attempt:
    mailer = SmtpMailer(server, command_seconds=5, data_seconds=5)
    try:
        return await mailer.send(mail)
    finally:
        await mailer.close()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://localhost", Server("localhost", 25, "none")),
        ("smtp://127.0.0.1:2525", Server("127.0.0.1", 2525, "none")),
        ("smtp://[::1]:25", Server("::1", 25, "none")),
        ("smtp://mail.example.org", Server("mail.example.org", 587, "starttls")),
        ("smtps://mail.example.org", Server("mail.example.org", 465, "tls")),
        ("smtps://localhost", Server("localhost", 465, "tls")),
        (
            "smtp://us%40er:p%2Fw@mail.example.org:25",
            Server("mail.example.org", 25, "starttls", "us@er", "p/w"),
        ),
    ],
)
def test_addresses_of_servers(url: str, expected: Server) -> None:
    assert server_of(url) == expected
    assert "p/w" not in repr(server_of(url))


def test_which_hosts_are_this_machine() -> None:
    assert all(map(is_this_machine, ("localhost", "127.0.0.1", "127.8.8.8", "::1")))
    assert not any(map(is_this_machine, ("example.org", "10.0.0.1", "localhost.example.org")))


def test_without_an_address_there_is_no_mailer(tmp_path: Path) -> None:
    assert mailer_for("") is None
    assert isinstance(mailer_for(f"file:{tmp_path}"), FolderMailer)
    assert isinstance(mailer_for("smtps://mail.example.org"), SmtpMailer)


@pytest.fixture
def authority() -> trustme.CA:
    """Made anew for each test; nobody trusts it who is not told to."""
    return trustme.CA()


@pytest.fixture
async def encrypting(authority: trustme.CA) -> AsyncIterator[MailServer]:
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(served)
    async with mail_server(tls=served) as made:
        yield made


async def test_mail_is_encrypted_for_other_machines(
    encrypting: MailServer, authority: trustme.CA
) -> None:
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    attempt = await send(Server("127.0.0.1", encrypting.port, "starttls", trusted=trusted))
    assert attempt.ending is Ending.SENT
    assert len(encrypting.received) == 1


async def test_a_certificate_of_an_unknown_authority_is_refused(encrypting: MailServer) -> None:
    attempt = await send(Server("127.0.0.1", encrypting.port, "starttls"))
    assert attempt.ending is Ending.INSECURE
    assert "certificate" in attempt.reply.lower()
    assert encrypting.received == []


async def test_a_server_without_encryption_gets_neither_mail_nor_password(
    server: MailServer,
) -> None:
    attempt = await send(Server("127.0.0.1", server.port, "starttls", "us", "secret"))
    assert attempt.ending is Ending.INSECURE
    assert "STARTTLS" in attempt.reply
    assert server.received == []
    assert server.logins == []


async def test_nothing_is_asked_of_a_server_that_offers_no_more(server: MailServer) -> None:
    """Without DSN and SIZE among its extensions, as small servers are."""
    server.extensions = ["HELP"]
    attempt = await send(server_of(server.url))
    assert attempt.ending is Ending.SENT
    assert server.received[0].options == []


async def test_a_connection_that_was_closed_meanwhile_is_opened_again(server: MailServer) -> None:
    mailer = SmtpMailer(server_of(server.url), command_seconds=5, data_seconds=5)
    assert (await mailer.send(MAIL)).ending is Ending.SENT
    server.fault("MAIL", "drop")
    assert (await mailer.send(MAIL)).ending is Ending.SENT
    assert (await mailer.send(MAIL)).ending is Ending.SENT
    await mailer.close()
    assert (server.connections, len(server.received)) == (2, 3)


async def test_a_greeting_that_is_none(server: MailServer) -> None:
    nobody = await send(Server("127.0.0.1", 1, "none"))
    assert nobody.ending is Ending.UNREACHABLE
    assert nobody.reply


@pytest.mark.parametrize(
    ("stage", "answer", "ending"),
    [
        ("MAIL", "530 5.7.0 Must log in", Ending.LOGIN),
        ("MAIL", "552 5.3.4 Too big", Ending.TOO_LARGE),
        ("MAIL", "550 5.7.1 Not from you", Ending.REFUSED),
        ("RCPT", "452 4.5.3 Too many", Ending.DEFERRED),
        ("RCPT", "552 5.2.2 Mailbox full", Ending.DEFERRED),
        ("RCPT", "553 5.1.3 Bad address", Ending.REFUSED),
        ("DATA", "451 4.7.1 Greylisted", Ending.DEFERRED),
        ("DATA", "554 5.7.1 Spam", Ending.REFUSED),
        ("DATA", "554 5.3.4 Too big", Ending.TOO_LARGE),
    ],
)
async def test_what_answers_mean(
    server: MailServer, stage: str, answer: str, ending: Ending
) -> None:
    server.fault(stage, answer)
    attempt = await send(server_of(server.url))
    assert (attempt.ending, attempt.reply) == (ending, answer)


async def test_what_a_server_says_is_kept_short_and_plain(server: MailServer) -> None:
    server.fault("RCPT", "550 " + "x" * 400)
    attempt = await send(server_of(server.url))
    assert len(attempt.reply) <= 400


async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    attempt = await FolderMailer(tmp_path / "file").send(MAIL)
    assert attempt.ending is Ending.UNREACHABLE


async def test_a_doubled_mail_is_one_file(tmp_path: Path) -> None:
    mailer = FolderMailer(tmp_path / "mail")
    for _ in range(2):
        assert (await mailer.send(MAIL)).ending is Ending.SENT
    [file] = (tmp_path / "mail").iterdir()
    assert file.read_bytes() == MAIL.content
