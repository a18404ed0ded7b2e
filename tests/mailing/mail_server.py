"""A real SMTP server on a socket, that can be told to misbehave at a certain point."""

import asyncio
import email
import email.policy
import ssl
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Hook = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Received:
    """A mail that the server has taken into its hands, whatever it answered."""

    mail_from: str
    to: list[str]
    options: list[str]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.content, policy=email.policy.SMTP)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])


@dataclass(slots=True)
class MailServer:
    """`faults` are answers by stage (RCPT, DATA, ...) and address, the next one first; a callable
    is awaited instead of an answer.
    """

    port: int = 0
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    hanging: list[str] = field(default_factory=list)  # whose mails a fault holds up at RCPT
    logins: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    faults: dict[tuple[str, str], deque[str]] = field(default_factory=lambda: defaultdict(deque))
    extensions: list[str] | None = None  # instead of all those that it has
    before_answer: Hook | None = None  # awaited when a mail is received, before that is answered
    on_fault: Callable[[], None] = lambda: None  # told of when a fault begins
    answered: asyncio.Event = field(
        default_factory=asyncio.Event
    )  # a mail, the socket's buffer has it

    def fault(self, stage: str, *answers: str, to: str = "") -> None:
        self.faults[stage, to].extend(answers)

    def next_fault(self, stage: str, to: str = "") -> str | None:
        for key in ((stage, to), (stage, "")):
            if self.faults[key]:
                self.on_fault()
                return self.faults[key].popleft()
        return None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def messages_to(self, address: str) -> list[Received]:
        return [each for each in self.received if each.to == [address]]


class _Handler:
    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def handle_EHLO(  # noqa: N802  named after the command
        self, server: Any, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        if self._server.extensions is not None:
            return [responses[0], *(f"250 {each}" for each in self._server.extensions)]
        return [*responses[:-1], "250-DSN", responses[-1]]

    async def handle_DATA(  # noqa: N802  named after the command
        self, server: "_Protocol", session: Session, envelope: Envelope
    ) -> str:
        [to] = envelope.rcpt_tos
        fault = self._server.next_fault("DATA", to)
        if fault is not None and fault[:1] in "45":
            return fault
        assert isinstance(envelope.content, bytes)
        options = [*self._server.options]
        self._server.options.clear()
        received = Received(str(envelope.mail_from), envelope.rcpt_tos, options, envelope.content)
        self._server.received.append(received)
        if self._server.before_answer is not None:
            await self._server.before_answer()
        if fault == "hang":
            await asyncio.Event().wait()
        if fault == "drop":
            server.transport.abort()
            await asyncio.Event().wait()  # until the connection's end cancels us
        return "250 2.0.0 Taken"


class _Protocol(SMTP):
    """With delivery notifications, which the library lacks, and faults."""

    transport: Any

    def __init__(self, mail_server: MailServer, **options: Any) -> None:
        super().__init__(_Handler(mail_server), enable_SMTPUTF8=False, **options)
        self._mail_server = mail_server

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if transport.get_extra_info("sslcontext") is None:
            self._mail_server.connections += 1

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802  named after the command
        fault = self._mail_server.next_fault("MAIL")
        if fault == "drop":
            self.transport.abort()
            return
        if fault is not None:
            await self.push(fault)
            return
        await super().smtp_MAIL(self._without_options(arg, ("RET", "ENVID")))

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802  named after the command
        address = (arg or "").partition("<")[2].partition(">")[0]
        fault = self._mail_server.next_fault("RCPT", address)
        if fault == "hang":
            self._mail_server.hanging.append(str(self.envelope.mail_from))
            await asyncio.Event().wait()
        if fault == "drop":
            self.transport.abort()
            return
        if fault is not None:
            await self.push(fault)
            return
        await super().smtp_RCPT(self._without_options(arg, ("NOTIFY", "ORCPT")))

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  named after the command
        if self._mail_server.next_fault("BODY") == "drop":
            await self.push("354 Go on")
            await self._reader.readuntil(b"\r\n")  # the first line, and no more
            self.transport.abort()
            return
        await super().smtp_DATA(arg)
        self._mail_server.answered.set()

    def _without_options(self, arg: str | None, names: tuple[str, ...]) -> str:
        kept = []
        for word in (arg or "").split(" "):
            if word.partition("=")[0] in names:
                self._mail_server.options.append(word)
            else:
                kept.append(word)
        return " ".join(kept)


@asynccontextmanager
async def mail_server(
    *,
    password: str | None = None,
    tls: ssl.SSLContext | None = None,
    size_limit: int | None = None,
) -> AsyncIterator[MailServer]:
    """`password`: whoever sends must log in with it. `tls`: STARTTLS is offered."""
    made = MailServer()

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> Any:
        assert isinstance(given, LoginPassword)
        made.logins.append(given.login.decode())
        return AuthResult(success=given.password.decode() == password, handled=False)

    options: dict[str, Any] = {"tls_context": tls, "require_starttls": tls is not None}
    if password is not None:
        options |= {
            "authenticator": authenticate, "auth_required": True, "auth_require_tls": tls is not None,
            "auth_exclude_mechanism": ["LOGIN"],
        }  # fmt: skip
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(
        lambda: _Protocol(made, loop=loop, data_size_limit=size_limit, **options), "127.0.0.1", 0
    )
    made.port = listener.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listener.close()
