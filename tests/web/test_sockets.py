"""What a real server makes of requests that no decent client sends: nothing is stored by them."""

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from conftest import SECRET
from running_server import PROGRAM, running_server
from sample_logs import ndjson, row

ROW = ndjson([row()])
SIZE = len(ROW)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (SIZE, ROW)
LENGTH = b"Content-Length: %d\r\n" % SIZE
GRACE = 1


@dataclass(frozen=True)
class Server:
    address: str
    key: str
    folder: Path

    def head(self, *more: bytes, key: str | None = None) -> bytes:
        lines = [
            b"POST /v1/uploads HTTP/1.1\r\n",
            b"Host: localhost\r\n",
            f"Authorization: Bearer {key or self.key}\r\n".encode(),
            b"Content-Type: application/x-ndjson\r\n",
            *more,
        ]
        return b"".join(lines) + b"\r\n"

    def talk(self, *parts: bytes | float, cut: bool = False, seconds: float = 10) -> "Said":
        """Sends bytes, pauses for numbers, and reads until the server closes or time is over."""
        port = int(self.address.rpartition(":")[2])
        started = time.monotonic()
        with socket.create_connection(("127.0.0.1", port)) as connection:
            for part in parts:
                if isinstance(part, bytes):
                    connection.sendall(part)
                else:
                    time.sleep(part)
            if cut:
                connection.shutdown(socket.SHUT_WR)
            connection.settimeout(seconds)
            told, closed = b"", False
            try:
                while chunk := connection.recv(65_536):
                    told += chunk
                closed = True
            except TimeoutError:
                pass
            except ConnectionError:
                closed = True
        return Said(told, closed=closed, seconds=time.monotonic() - started)

    def uploads(self) -> int:
        headers = {"Authorization": f"Bearer {self.key}"}
        listed = httpx.get(f"{self.address}/v1/uploads?limit=500", headers=headers)
        return len(listed.json())

    def drafts(self) -> list[Path]:
        return list(self.folder.rglob("draft-*"))


@dataclass(frozen=True)
class Said:
    told: bytes
    closed: bool
    seconds: float

    @property
    def statuses(self) -> list[int]:
        return [int(each[1:4]) for each in self.told.split(b"HTTP/1.1")[1:]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    environment = {
        "VENDORWATCH_DATA_DIR": str(folder / "data"),
        "VENDORWATCH_SECRET_KEY": SECRET,
        "VENDORWATCH_BODY_GRACE": str(GRACE),
        "VENDORWATCH_HEAD_SECONDS": "1",
    }

    def run(*arguments: str) -> dict[str, str]:
        done = subprocess.run(
            [PROGRAM, *arguments, "--json"], env=environment, capture_output=True, check=True
        )
        made: dict[str, str] = json.loads(done.stdout)
        return made

    names = ["--merchant", "Tra Sen", "--vendor", "Hoa Sen", "--time-zone", "Asia/Ho_Chi_Minh"]
    engagement = run("engagement", "create", *names)["engagement_id"]
    key = run("key", "create", "--engagement", engagement, "--scope", "upload")["key"]
    with running_server(environment, folder) as address:
        yield Server(address, key, folder)


@pytest.fixture
def nothing_stored(server: Server) -> Iterator[None]:
    before = server.uploads()
    yield
    assert server.uploads() == before
    assert server.drafts() == []


AMBIGUOUS: dict[str, Callable[[Server], bytes]] = {
    "two lengths": lambda s: s.head(LENGTH, b"Content-Length: %d\r\n" % (SIZE + 1)) + ROW,
    "a list of lengths": lambda s: s.head(b"Content-Length: %d, %d\r\n" % (SIZE, SIZE)) + ROW,
    "a length with a sign": lambda s: s.head(b"Content-Length: +%d\r\n" % SIZE) + ROW,
    "a folded line": lambda s: s.head(b"X-A: a\r\n b\r\n", LENGTH) + ROW,
    "a folded encoding": lambda s: s.head(b"Transfer-Encoding:\r\n chunked\r\n") + CHUNKS,
    "blank before a colon": lambda s: s.head(b"Content-Length : %d\r\n" % SIZE) + ROW,
    "an unknown encoding": lambda s: s.head(b"Transfer-Encoding: xchunked\r\n") + CHUNKS,
    "chunked is not last": lambda s: s.head(b"Transfer-Encoding: chunked, identity\r\n") + CHUNKS,
    "chunked after another": lambda s: s.head(b"Transfer-Encoding: gzip, chunked\r\n") + CHUNKS,
    "chunked twice": lambda s: s.head(CHUNKED, CHUNKED) + CHUNKS,
    "chunks ended by LF": lambda s: s.head(CHUNKED) + CHUNKS.replace(b"\r\n", b"\n"),
    "a chunk below nothing": lambda s: s.head(CHUNKED) + b"-1\r\n" + ROW + b"\r\n0\r\n\r\n",
    "a chunk beyond bounds": lambda s: s.head(CHUNKED) + b"f" * 17 + b"\r\n" + ROW,
    "NUL in a header": lambda s: s.head(b"X-A: a\0b\r\n", LENGTH) + ROW,
    "two hosts": lambda s: s.head(b"Host: other\r\n", LENGTH) + ROW,
    "another's host": lambda s: s.head(LENGTH).replace(b"localhost", b"evil.example") + ROW,
    "no host": lambda s: s.head(LENGTH).replace(b"Host: localhost\r\n", b"") + ROW,
    "chunks in HTTP/1.0": lambda s: s.head(CHUNKED).replace(b"/1.1", b"/1.0") + CHUNKS,
}


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("shape", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_two_servers_could_read_differently(
    server: Server, shape: Callable[[Server], bytes]
) -> None:
    smuggled = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    said = server.talk(shape(server) + smuggled)
    assert said.statuses == [400]
    assert said.closed


def test_of_a_length_and_chunks_the_chunks_count_and_the_connection_ends(server: Server) -> None:
    """RFC 9112, 6.3: whatever a proxy took for the next request is not answered."""
    smuggled = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    said = server.talk(server.head(b"Content-Length: 4\r\n", CHUNKED) + CHUNKS + smuggled)
    assert len(said.statuses) == 1
    assert b'"status":"ok"' not in said.told
    assert said.closed
    assert said.seconds < GRACE


def test_two_equal_lengths_are_one(server: Server) -> None:
    """RFC 9110, 8.6: both say the same, so that what follows is the next request for everybody."""
    smuggled = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    said = server.talk(server.head(LENGTH, LENGTH) + ROW + smuggled)
    assert len(said.statuses) == 2
    assert said.told.endswith(b'{"status":"ok"}')


def test_the_head_of_an_answer_and_then_the_next_one(server: Server) -> None:
    head = b"HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    said = server.talk(head + head.replace(b"HEAD", b"GET"))
    assert said.statuses == [200, 200]
    first, second, body = said.told.split(b"\r\n\r\n")
    assert body == b'{"status":"ok"}'
    length = b"content-length: %d" % len(body)
    assert length in first.lower()
    assert length in second.lower()


CUT: dict[str, Callable[[Server], bytes]] = {
    "the head": lambda s: s.head(LENGTH)[:40],
    "before the body": lambda s: s.head(LENGTH),
    "in the body": lambda s: s.head(LENGTH) + ROW[:20],
    "one byte early": lambda s: s.head(LENGTH) + ROW[:-1],
    "before the last chunk": lambda s: s.head(CHUNKED) + CHUNKS[: -len(b"0\r\n\r\n")],
    "in the last chunk": lambda s: s.head(CHUNKED) + CHUNKS[:-2],
    "in a chunk": lambda s: s.head(CHUNKED) + CHUNKS[:30],
}


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("shape", CUT.values(), ids=CUT)
def test_a_connection_that_ends_early(server: Server, shape: Callable[[Server], bytes]) -> None:
    said = server.talk(shape(server), cut=True)
    assert said.closed
    assert [status for status in said.statuses if status < 400] == []


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("shape", list(CUT.values())[1:], ids=list(CUT)[1:])
def test_a_sender_that_stops(server: Server, shape: Callable[[Server], bytes]) -> None:
    said = server.talk(shape(server))
    assert said.statuses == [408]
    assert b"slow-body" in said.told
    assert said.closed
    assert GRACE <= said.seconds < GRACE + 3


@pytest.mark.usefixtures("nothing_stored")
def test_a_sender_that_drips(server: Server) -> None:
    port = int(server.address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(server.head(LENGTH))
        told, number = b"", 0
        for number in range(40):
            try:
                connection.sendall(ROW[number : number + 1])
                connection.settimeout(0.1)
                told = connection.recv(65_536)
                break
            except TimeoutError:
                continue
    assert told.startswith(b"HTTP/1.1 408 ")
    assert 5 < number < 30


def test_many_slow_senders_keep_nobody_out(server: Server) -> None:
    before = server.uploads()
    with ThreadPoolExecutor(60) as threads:
        slow = [threads.submit(server.talk, server.head(LENGTH) + ROW[:9]) for _ in range(60)]
        time.sleep(0.2)  # they hang, and are found hanging below
        started = time.monotonic()
        assert httpx.get(f"{server.address}/health").is_success
        quick = time.monotonic() - started
        statuses = [each.result().statuses for each in slow]
    assert quick < GRACE
    assert statuses == [[408]] * 60
    assert server.uploads() == before
    assert server.drafts() == []


@pytest.mark.parametrize(
    "start", [b"", b"POST /v1/up", b"GET /health HTTP/1.1\r\nHost: localhost\r\n"]
)
def test_a_connection_that_sends_no_whole_head_is_closed(server: Server, start: bytes) -> None:
    said = server.talk(start)
    assert said.closed
    assert said.told == b""
    assert said.seconds < 4


def test_an_idle_connection_is_closed(server: Server) -> None:
    said = server.talk(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert said.statuses == [200]
    assert said.closed
    assert said.seconds < 4


@pytest.mark.usefixtures("nothing_stored")
def test_a_bad_key_is_refused_before_the_body_is_asked_for(server: Server) -> None:
    said = server.talk(server.head(b"Expect: 100-continue\r\n", LENGTH, key="vw_live_x"))
    assert said.statuses == [401]
    assert said.closed


def test_a_good_key_is_told_to_go_on(server: Server) -> None:
    said = server.talk(server.head(b"Expect: 100-continue\r\n", LENGTH), 0.3, ROW)
    assert said.statuses[0] == 100
    assert said.statuses[1] in {201, 200}


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 300 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 600_000 + b"\r\n\r\n", 431),
    ],
)
def test_a_head_that_is_too_large(server: Server, request_head: bytes, status: int) -> None:
    try:
        said = server.talk(request_head)
    except ConnectionError:
        return  # closed while we were still sending
    assert said.statuses in ([status], [])
    assert said.closed


def test_the_next_version_of_http_is_not_spoken(server: Server) -> None:
    said = server.talk(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert (said.told, said.closed) == (b"", True)


def test_the_log_of_all_that_is_ours(server: Server) -> None:
    for bytes_of in AMBIGUOUS.values():
        server.talk(bytes_of(server))
    server.talk(server.head(LENGTH, b"Connection: close\r\n") + ROW)
    server.uploads()
    lines = (server.folder / "server.log").read_text().splitlines()
    told = [json.loads(line) for line in lines if line.startswith("{")]
    assert {line["status"] for line in told} >= {200, 400, 201}
    assert [line for line in lines if not line.startswith(("{", "vendorwatch listens"))] == []
    assert server.key.rpartition("_")[2] not in "".join(lines)
    assert not [line for line in told if line["event"] != "request"]
