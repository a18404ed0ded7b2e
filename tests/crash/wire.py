"""HTTP by hand, so that it is known how far a request came when its server died."""

import json
import socket
import time
from dataclasses import dataclass, field
from typing import Any

from crash.plans import Plan

_PATIENCE_SECONDS = 60


class Broken(Exception):
    """The connection ended before the whole answer was there."""


@dataclass(slots=True)
class Progress:
    """Read by others while the request runs. Phases: connecting, body, waiting, answered."""

    phase: str = "connecting"
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def post(port: int, token: str, plan: Plan, progress: Progress) -> Answer:
    """Raises Broken."""
    lines = [
        f"POST /v1/uploads?format=canonical{plan.query} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Authorization: Bearer {token}",
        f"Content-Type: {plan.media}",
        "Connection: close",
        "Transfer-Encoding: chunked" if plan.chunked else f"Content-Length: {len(plan.body)}",
    ]
    if plan.encoding:
        lines.append(f"Content-Encoding: {plan.encoding}")
    if plan.key:
        lines.append(f"Idempotency-Key: {plan.key}")
    try:
        with socket.create_connection(("127.0.0.1", port), _PATIENCE_SECONDS) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            progress.phase = "body"
            _send_body(connection, plan, progress)
            progress.phase = "waiting"
            return _answer(connection, progress)
    except OSError as error:
        raise Broken(f"{progress.phase}: {error!r}") from error


def get(port: int, token: str, path: str) -> Answer:
    """Raises Broken."""
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), _PATIENCE_SECONDS) as connection:
            connection.sendall(head.encode())
            return _answer(connection, Progress())
    except OSError as error:
        raise Broken(repr(error)) from error


def _send_body(connection: socket.socket, plan: Plan, progress: Progress) -> None:
    for start in range(0, len(plan.body), plan.piece):
        piece = plan.body[start : start + plan.piece]
        connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if plan.chunked else piece)
        progress.sent += len(piece)
        if plan.pause and progress.sent < len(plan.body):
            time.sleep(plan.pause)
    if plan.chunked:
        connection.sendall(b"0\r\n\r\n")


def _answer(connection: socket.socket, progress: Progress) -> Answer:
    received = b""
    while piece := connection.recv(65_536):
        progress.phase = "answered"
        received += piece
    head, found, body = received.partition(b"\r\n\r\n")
    if not found:
        raise Broken(f"{progress.phase}: no answer")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    if headers.get("transfer-encoding") != "chunked" and len(body) != int(
        headers.get("content-length", "0")
    ):
        raise Broken(f"{progress.phase}: half an answer")
    return Answer(int(first.split()[1]), headers, body)
