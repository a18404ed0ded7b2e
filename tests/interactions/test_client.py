"""The client behind `vendorwatch push`: what it sends, and when it tries again.

The server here is a fake that fails on demand; tests/journeys runs the same client against the
real one.
"""

import base64
import gzip
import hashlib
import os
import re
from pathlib import Path

import httpx
import pytest

from vendorwatch.interactions.client import (
    Client,
    Log,
    ServerConflict,
    ServerKnowsNot,
    ServerRefused,
    ServerUnavailable,
    ServerUnreachable,
    UnknownFileType,
)

RECEIPT = {"id": "u1", "status": "stored", "rejected": 0}


class Server:
    """Gives the listed answers, one a request, and remembers what came."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[httpx.Request, bytes]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((request, request.read()))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def problem(status: int, **more: object) -> httpx.Response:
    headers = {"Retry-After": str(more.pop("wait"))} if "wait" in more else {}
    return httpx.Response(status, json={"title": "No", "detail": "why", **more}, headers=headers)


def client(server: Server, pauses: list[float] | None = None) -> Client:
    waited = [] if pauses is None else pauses
    return Client("http://s", "key", pause=waited.append, transport=httpx.MockTransport(server))


@pytest.fixture
def log(tmp_path: Path) -> Log:
    path = tmp_path / "log.csv"
    path.write_bytes(b"interaction_id\r\n" + b"x" * 600_000)
    return Log.at(path)


@pytest.mark.parametrize("compress", [True, False])
def test_the_file_is_sent_with_its_length_and_digest(log: Log, compress: bool) -> None:
    server = Server(httpx.Response(201, json=RECEIPT))
    told: list[tuple[str, int]] = []
    sender = client(server)
    sender.progress = lambda what, done: told.append((what, done))
    assert sender.push(log, {"mode": "atomic"}, compress=compress).receipt == RECEIPT
    ((request, content),) = server.requests
    assert (gzip.decompress(content) if compress else content) == log.path.read_bytes()
    assert request.headers.get("Content-Encoding") == ("gzip" if compress else None)
    assert request.url == "http://s/v1/uploads?mode=atomic"
    assert request.headers["Authorization"] == "Bearer key"
    assert request.headers["Content-Type"] == "text/csv"
    assert request.headers["Content-Length"] == str(len(content))
    assert "Transfer-Encoding" not in request.headers
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert request.headers["Content-Digest"] == f"sha-256=:{digest}:"
    # Of the file, whatever goes over the line; in pieces: a long file is never whole in memory.
    size = log.path.stat().st_size
    for what in ("reading", "sending"):
        sizes = [done for each, done in told if each == what]
        assert len(sizes) > 1
        assert sizes == sorted(sizes)
        assert sizes[-1] == size


def test_the_name_tells_what_a_file_is(tmp_path: Path) -> None:
    for name, expected in {
        "a.csv": ("text/csv", None),
        "a.b.NDJSON": ("application/x-ndjson", None),
        "a.jsonl.gz": ("application/x-ndjson", "gzip"),
        "a.json.zst": ("application/json", "zstd"),
    }.items():
        found = Log.at(tmp_path / name)
        assert (found.content_type, found.content_encoding) == expected
    for name in ("a", "a.gz", "a.xlsx", "csv", ".csv.gz.zip"):
        with pytest.raises(UnknownFileType):
            Log.at(tmp_path / name)


def test_a_compressed_file_is_sent_compressed(tmp_path: Path) -> None:
    path = tmp_path / "log.ndjson.gz"
    path.write_bytes(gzip.compress(b"{}"))
    server = Server(httpx.Response(201, json=RECEIPT))
    client(server).push(Log.at(path), {})
    ((request, body),) = server.requests
    assert request.headers["Content-Encoding"] == "gzip"
    assert body == path.read_bytes()


def test_a_busy_server_is_asked_again_after_the_pause_that_it_names(log: Log) -> None:
    answers = [problem(503, wait=7), problem(429), httpx.Response(201, json=RECEIPT)]
    server, pauses = Server(*answers), list[float]()
    assert client(server, pauses).push(log, {}).receipt == RECEIPT
    assert pauses == [7, 2]
    [body] = {body for _, body in server.requests}
    assert gzip.decompress(body) == log.path.read_bytes()
    assert len({request.headers["Idempotency-Key"] for request, _ in server.requests}) == 1


def sent(log: Log, parameters: dict[str, str], **options: bool) -> tuple[str | None, bytes]:
    """Its key and its bytes."""
    server = Server(httpx.Response(201, json=RECEIPT))
    client(server).push(log, parameters, **options)
    ((request, body),) = server.requests
    return request.headers.get("Idempotency-Key"), body


def test_the_same_file_is_the_same_upload_whenever_it_is_sent(log: Log, tmp_path: Path) -> None:
    first = sent(log, {"mode": "atomic", "time_zone": "UTC"})
    other = tmp_path / "renamed.csv"
    other.write_bytes(log.path.read_bytes())
    os.utime(other, (1, 1))
    assert sent(Log.at(other), {"time_zone": "UTC", "mode": "atomic"}) == first
    assert re.fullmatch(r"[A-Za-z0-9._:~+/=-]{1,200}", first[0] or "")


def test_what_is_to_be_read_otherwise_is_another_upload(log: Log) -> None:
    keys = [
        sent(log, {})[0],
        sent(log, {"mode": "atomic"})[0],
        sent(log, {"format": "mapped", "mapping": "1"})[0],
        sent(log, {"format": "mapped", "mapping": "2"})[0],
        sent(log, {}, compress=False)[0],
    ]
    assert None not in keys
    assert len(set(keys)) == len(keys)
    # The server's newest mapping may be another one next time.
    assert sent(log, {"format": "mapped"})[0] is None


def test_a_log_that_looks_like_a_bomb_is_sent_as_it_is(log: Log) -> None:
    bomb = problem(413, type="https://vendorwatch.org/problems/decompressed-too-large")
    server = Server(bomb, httpx.Response(201, json=RECEIPT))
    assert client(server).push(log, {}).receipt == RECEIPT
    request, body = server.requests[1]
    assert body == log.path.read_bytes()
    assert "Content-Encoding" not in request.headers
    with pytest.raises(ServerRefused):
        client(Server(bomb)).push(log, {}, compress=False)


def test_a_lost_connection_is_tried_three_times_with_growing_pauses(log: Log) -> None:
    server, pauses = Server(*(httpx.ReadError("gone") for _ in range(3))), list[float]()
    with pytest.raises(ServerUnreachable):
        client(server, pauses).push(log, {})
    assert len(server.requests) == 3
    assert pauses == [1, 2]


def test_a_server_that_says_tomorrow_is_not_waited_for(log: Log) -> None:
    pauses: list[float] = []
    server = Server(problem(429, wait=86_400))
    with pytest.raises(ServerUnavailable, match="why"):
        client(server, pauses).push(log, {})
    assert pauses == []


def test_what_came_too_slowly_is_sent_again(log: Log) -> None:
    server = Server(problem(408), httpx.Response(201, json=RECEIPT))
    assert client(server).push(log, {}).receipt == RECEIPT


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ServerRefused),
        (401, ServerRefused),
        (403, ServerRefused),
        (404, ServerKnowsNot),
        (415, ServerRefused),
        (500, ServerUnavailable),
    ],
)
def test_a_refusal_is_final(log: Log, status: int, error: type[Exception]) -> None:
    server = Server(problem(status, errors=[{"code": "c", "detail": "d", "row": 3}]))
    with pytest.raises(error) as caught:
        client(server).push(log, {})
    assert "why" in str(caught.value)
    assert [str(fault) for fault in getattr(caught.value, "faults", ())] == ["row 3: d"]
    assert len(server.requests) == 1


def test_three_busy_answers_are_told_as_they_are(log: Log) -> None:
    with pytest.raises(ServerUnavailable):
        client(Server(*(problem(503) for _ in range(3)))).push(log, {})
    with pytest.raises(ServerConflict):
        client(Server(*(problem(409) for _ in range(3)))).push(log, {})


def test_an_upload_without_a_good_row_still_has_its_receipt(log: Log) -> None:
    rejected = {"id": "u2", "status": "rejected", "rejected": 2}
    server = Server(problem(422, upload=rejected, errors=[{"code": "c", "detail": "d"}]))
    pushed = client(server).push(log, {})
    assert pushed.receipt == rejected
    assert [fault.code for fault in pushed.faults] == ["c"]


def test_something_else_at_the_address_is_said_to_be_so(log: Log) -> None:
    with pytest.raises(ServerRefused, match="URL"):
        client(Server(httpx.Response(200, text="<html>"))).push(log, {})


def test_rejects_are_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "x.rejects.csv"
    client(Server(httpx.Response(200, content=b"a,b\r\n"))).save_rejects("u1", target)
    assert target.read_bytes() == b"a,b\r\n"
    target.unlink()
    with pytest.raises(ServerKnowsNot):
        client(Server(problem(404))).save_rejects("u1", target)
    assert not target.exists()


def test_a_mapping_is_set_before_it_is_used() -> None:
    server = Server(httpx.Response(201, json={"version": 4}), problem(422, detail="line 2"))
    assert client(server).set_mapping("[fields]") == 4
    ((request, body),) = server.requests
    assert (request.url.path, body) == ("/v1/mappings", b"[fields]")
    assert request.headers["Content-Type"] == "application/toml"
    with pytest.raises(ServerRefused, match="line 2"):
        client(server).set_mapping("")
