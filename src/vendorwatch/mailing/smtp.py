"""Hands mail to a server, or writes it into a folder. It decides nothing: it tells how it ended."""

import asyncio
import hashlib
import ipaddress
import os
import re
import secrets
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from vendorwatch.mailing.schedule import Attempt, Ending
from vendorwatch.scorecards.render.names import displayable

_CONNECT_SECONDS, _COMMAND_SECONDS = 30.0, 60.0
_QUIT_SECONDS = 5.0  # a goodbye that nobody needs
_DATA_SECONDS = 600.0  # RFC 5321, 4.5.3.2.6: what a server may take after the final dot
_REPLY = 400  # graphemes that are kept of a server's words
_SECURE, _SUBMISSION, _PLAIN = 465, 587, 25
_TOO_LARGE = re.compile(
    r"\b5\.(?:3\.4|2\.3)\b"
)  # RFC 3463: too big for the system, for the mailbox
_EXCEEDED, _LOGIN_NEEDED = 552, (530, 534, 535, 538)
_PERMANENT = 500  # from here on, the same again is refused again
_CLOSING = 421


@dataclass(frozen=True, slots=True)
class Posted:
    """A mail as it goes over the wire. `sender` and `to` are bare addresses."""

    message_id: str
    sender: str
    to: str
    content: bytes = field(repr=False)


class Mailer(Protocol):
    """Never raises for what a server says or does."""

    async def send(self, mail: Posted) -> Attempt: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Server:
    """`security` is one of tls, starttls and none; none is for this machine alone."""

    host: str
    port: int
    security: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    trusted: ssl.SSLContext | None = field(default=None, repr=False)


def mailer_for(url: str) -> Mailer | None:
    """None where no address is set. The address must be one that the settings let through."""
    if not url:
        return None
    if url.startswith("file:"):
        return FolderMailer(Path(url.removeprefix("file:")))
    return SmtpMailer(server_of(url))


def server_of(url: str) -> Server:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "smtps":
        security, port = "tls", _SECURE
    elif is_this_machine(host):
        security, port = "none", _PLAIN
    else:
        security, port = "starttls", _SUBMISSION
    return Server(
        host=host,
        port=parts.port or port,
        security=security,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class FolderMailer:
    """One .eml file a mail, named after its Message-ID: a doubled one is the same file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, mail: Posted) -> Attempt:
        try:
            path = await asyncio.to_thread(self._write, mail)
        except OSError as error:
            return Attempt(Ending.UNREACHABLE, f"cannot write to the folder: {error.strerror}")
        return Attempt(Ending.SENT, f"written to {path.name}")

    def _write(self, mail: Posted) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(mail.message_id.encode()).hexdigest()[:32]
        path = self._folder / f"{name}.eml"
        draft = self._folder / f".{name}.{secrets.token_hex(4)}"
        with draft.open("xb") as file:
            file.write(mail.content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        return path

    async def close(self) -> None:
        return None


class SmtpMailer:
    """One connection for many mails, one recipient for each. Not for two tasks at once."""

    def __init__(
        self,
        server: Server,
        *,
        command_seconds: float = _COMMAND_SECONDS,
        data_seconds: float = _DATA_SECONDS,
    ) -> None:
        self._server = server
        self._data_seconds = data_seconds
        self._command_seconds = command_seconds
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, mail: Posted) -> Attempt:
        client, problem = await self._connected()
        if client is None:
            return problem
        try:
            await self._begin(client, mail)
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError):
            # A connection that was idle may be gone. Nothing of the mail was sent: once more.
            self._drop()
            client, problem = await self._connected()
            if client is None:
                return problem
            return await self._send_over(client, mail, begun=False)
        except aiosmtplib.SMTPResponseException as error:
            return await self._refused(client, error)
        return await self._send_over(client, mail, begun=True)

    async def _send_over(self, client: aiosmtplib.SMTP, mail: Posted, *, begun: bool) -> Attempt:
        try:
            if not begun:
                await self._begin(client, mail)
            await client.rcpt(mail.to, options=_recipient_options(client))
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError) as error:
            self._drop()
            return Attempt(Ending.DEFERRED, _said(error.message))
        except aiosmtplib.SMTPResponseException as error:
            return await self._refused(client, error)
        return await self._hand_over(client, mail)

    async def _hand_over(self, client: aiosmtplib.SMTP, mail: Posted) -> Attempt:
        try:
            answer = await client.data(mail.content, timeout=self._data_seconds)
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError) as error:
            self._drop()
            return Attempt(Ending.UNKNOWN, _said(error.message))
        except aiosmtplib.SMTPResponseException as error:
            return await self._refused(client, error)
        return Attempt(Ending.SENT, _said(answer.message, answer.code))

    async def _begin(self, client: aiosmtplib.SMTP, mail: Posted) -> None:
        options = []
        if client.supports_extension("size"):
            options.append(f"SIZE={len(mail.content)}")
        if client.supports_extension("dsn"):
            options += ["RET=HDRS", f"ENVID={_xtext(mail.message_id.strip('<>'))}"]
        await client.mail(mail.sender, options=options)

    async def _connected(self) -> tuple[aiosmtplib.SMTP | None, Attempt]:
        """The second is why there is no first."""
        if self._client is not None and self._client.is_connected:
            return self._client, _NO_PROBLEM
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=self._command_seconds,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=server.trusted,
        )
        problem = await _connect(client, server)
        if problem is not None:
            client.close()
            return None, problem
        self._client = client
        return client, _NO_PROBLEM

    async def _refused(
        self, client: aiosmtplib.SMTP, error: aiosmtplib.SMTPResponseException
    ) -> Attempt:
        attempt = Attempt(_ending_of(error), _said(error.message, error.code))
        if error.code == _CLOSING or attempt.ending is Ending.LOGIN:
            self._drop()
        else:
            with suppress(aiosmtplib.SMTPException):
                await client.rset()
        return attempt

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None

    async def close(self) -> None:
        if self._client is not None and self._client.is_connected:
            with suppress(aiosmtplib.SMTPException):
                await self._client.quit(timeout=_QUIT_SECONDS)
        self._drop()


_NO_PROBLEM = Attempt(Ending.SENT, "")


async def _connect(client: aiosmtplib.SMTP, server: Server) -> Attempt | None:
    """What is in the way, or None."""
    try:
        await client.connect(timeout=_CONNECT_SECONDS)
        await client.ehlo()
        if server.username is not None:
            await client.login(server.username, server.password or "")
    except aiosmtplib.SMTPResponseException as error:
        is_login = isinstance(error, aiosmtplib.SMTPAuthenticationError)
        refused = is_login and error.code >= _PERMANENT
        ending = Ending.LOGIN if refused else Ending.UNREACHABLE
        return Attempt(ending, _said(error.message, error.code))
    except (aiosmtplib.SMTPException, OSError) as error:
        return Attempt(_why_not(error, server), _said(str(error)))
    return None


def _why_not(error: Exception, server: Server) -> Ending:
    """Where the server said nothing, or not what is needed."""
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return Ending.INSECURE
    if isinstance(error, OSError):  # refused, timed out, cut: the library's errors are these, too
        return Ending.UNREACHABLE
    # No STARTTLS, or no way to log in that we know.
    needs_tls = server.security == "starttls" and "STARTTLS" in str(error).upper()
    return Ending.INSECURE if needs_tls else Ending.LOGIN


def _ending_of(error: aiosmtplib.SMTPResponseException) -> Ending:
    if error.code in _LOGIN_NEEDED:
        return Ending.LOGIN
    if isinstance(error, aiosmtplib.SMTPRecipientRefused):
        # RFC 5321, 4.5.3.1.10: a 552 here means too many recipients, or a full mailbox: later.
        later = error.code < _PERMANENT or error.code == _EXCEEDED
        return Ending.DEFERRED if later else Ending.REFUSED
    if error.code == _EXCEEDED or (error.code >= _PERMANENT and _TOO_LARGE.search(error.message)):
        return Ending.TOO_LARGE
    return Ending.REFUSED if error.code >= _PERMANENT else Ending.DEFERRED


def _recipient_options(client: aiosmtplib.SMTP) -> list[str]:
    return ["NOTIFY=FAILURE,DELAY"] if client.supports_extension("dsn") else []


def _xtext(text: str) -> str:
    """RFC 3461: what is no plain character is +HH."""
    return "".join(
        each if "!" <= each <= "~" and each not in "+=" else f"+{ord(each):02X}" for each in text
    )


def _said(text: str, code: int | None = None) -> str:
    return displayable(f"{code} {text}" if code is not None else text, _REPLY)
