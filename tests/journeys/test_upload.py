"""A vendor's engineer sends logs: a real server, a real socket, the real command."""

import csv
import gzip
import json
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from running_server import PROGRAM, free_port, running_server
from sample_logs import csv_file, ndjson, row
from vendorwatch.interactions.client import Client, Log
from vendorwatch.interactions.commands import push
from vendorwatch.settings import Settings
from vendorwatch.terminal import run

Push = Callable[..., tuple[int, str, str]]
_PATIENCE_SECONDS = 20

# What is promised here does not depend on the database.
one_engine = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
def server(settings: Settings, database_url: str, tmp_path: Path) -> Iterator[str]:
    environment = {
        "VENDORWATCH_DATABASE_URL": database_url,
        "VENDORWATCH_DATA_DIR": str(settings.data_dir),
        "VENDORWATCH_SECRET_KEY": settings.secret_key,
    }
    with running_server(environment, tmp_path) as address:
        yield address


@pytest.fixture
async def key_text(key: Callable[..., Awaitable[str]]) -> str:
    return await key("upload", "read")


@pytest.fixture
def api(server: str, key_text: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {key_text}"}
    with httpx.Client(base_url=server, headers=headers) as made:
        yield made


@pytest.fixture
def send(server: str, key_text: str, capsys: pytest.CaptureFixture[str]) -> Push:
    """Exit code, standard output and standard error of `vendorwatch push`."""

    def command(
        file: Path, *options: str, url: str = server, key: str = key_text
    ) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(push, [str(file), "--url", url, "--key", key, *options])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def test_a_log_goes_in_is_mended_and_goes_in_again(
    api: httpx.Client, send: Push, tmp_path: Path
) -> None:
    log = tmp_path / "october.csv"
    log.write_bytes(csv_file([*(row(n) for n in range(1, 9)), row(9, opened_at="soon")]))

    code, output, _ = send(log, "--dry-run", "--json")
    assert (code, json.loads(output)["id"]) == (1, None)
    assert api.get("/v1/uploads").json() == []
    assert not (tmp_path / "october.csv.rejects.csv").exists()

    code, output, _ = send(log, "--json")
    first = json.loads(output)
    assert code == 1
    assert (first["received"], first["created"], first["rejected"]) == (9, 8, 1)
    assert first == api.get(f"/v1/uploads/{first['id']}").json()

    # The same file once more, as a nightly job would after it was cut off.
    assert send(log, "--json") == (1, output, "")
    assert len(api.get("/v1/uploads").json()) == 1

    rejects = tmp_path / "october.csv.rejects.csv"
    (refused,) = csv.DictReader(rejects.read_text().splitlines())
    assert (refused["interaction_id"], refused["vendorwatch_code"]) == ("T-9", "bad_timestamp")
    rejects.write_bytes(rejects.read_bytes().replace(b"soon", b"2026-10-01T02:09:00Z"))
    code, text, _ = send(rejects)
    assert code == 0
    assert "stored" in text
    assert "created 1" in text

    assert len(api.get("/v1/interactions?month=2026-10").json()) == 9
    assert api.get(f"/v1/uploads/{first['id']}/source").content == log.read_bytes()
    # A file that somebody may be mending is not lost when the log is sent yet again.
    assert send(log)[0] == 1
    assert b"2026-10-01T02:09:00Z" in (tmp_path / "october.csv.rejects.csv.old").read_bytes()


@one_engine
def test_exit_codes_tell_a_script_what_happened(send: Push, tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    log.write_bytes(ndjson([row(1, status="?"), row(2, channel="?")]))
    code, output, error = send(log)
    assert code == 2
    assert "rejected 2" in output
    assert "status" in error
    assert (tmp_path / "log.ndjson.rejects.csv").exists()

    log.write_bytes(ndjson([row(1), row(2, status="?")]))
    assert send(log, "--mode", "atomic")[0] == 2
    code, output, error = send(log, key="vw_live_wrong")
    assert (code, output) == (2, "")
    assert "key" in error
    code, _, error = send(log, "--format", "zendesk_csv")
    assert code == 2
    assert "mapped" in error
    assert send(tmp_path / "missing.csv")[0] == 2


@one_engine
def test_a_file_is_compressed_on_its_way(api: httpx.Client, send: Push, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_bytes(csv_file(row(n, topic=f"t{n % 7}") for n in range(5_000)))
    code, output, _ = send(log, "--json")
    receipt = json.loads(output)
    assert (code, receipt["created"]) == (0, 5_000)
    stored = api.get(f"/v1/uploads/{receipt['id']}").json()
    assert stored["content_encoding"] == "gzip"
    assert stored["size_bytes"] < log.stat().st_size / 4
    # Sent once more it is the same upload, in another run and at another time.
    log.touch()
    assert json.loads(send(log, "--json")[1]) == receipt
    plain = json.loads(send(log, "--json", "--no-compress")[1])
    assert (plain["duplicate"], plain["size_bytes"]) == (5_000, log.stat().st_size)
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(log.read_bytes(), 9))
    as_is = json.loads(send(packed, "--json")[1])
    assert (as_is["duplicate"], as_is["size_bytes"]) == (5_000, packed.stat().st_size)


@one_engine
def test_the_same_row_over_and_over_is_no_bomb(send: Push, tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    log.write_bytes(ndjson([row(1)]) * 20_000)
    code, output, _ = send(log, "--json")
    receipt = json.loads(output)
    assert (code, receipt["received"], receipt["created"]) == (0, 20_000, 1)


@one_engine
def test_what_a_cut_line_made_unclear_is_sent_again_to_one_effect(
    server: str, api: httpx.Client, key_text: str, tmp_path: Path
) -> None:
    """The log arrives and is stored, and the answer is lost on the way back."""
    log = tmp_path / "log.csv"
    log.write_bytes(csv_file(row(n) for n in range(2_000)))

    class Cut(httpx.HTTPTransport):
        cuts = 1

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            if self.cuts:
                self.cuts -= 1
                answer.close()
                raise httpx.ReadError("cut")
            return answer

    client = Client(server, key_text, pause=lambda seconds: None, transport=Cut())
    pushed = client.push(Log.at(log), {})
    assert pushed.count("created") == 2_000
    assert [each["id"] for each in api.get("/v1/uploads").json()] == [pushed.upload_id]


def test_nobody_there_is_said_after_three_tries(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.ndjson"
    log.write_bytes(ndjson([row(1)]))
    url = f"http://127.0.0.1:{free_port()}"
    assert run(push, [str(log), "--url", url, "--key", "any"]) == 5
    assert url in capsys.readouterr().err


MAPPING = """
[times]
format = "%d/%m/%Y %H:%M"
zone = "Asia/Ho_Chi_Minh"

[fields]
interaction_id = "No"
channel = { constant = "phone" }
status = { column = "State", values = { Done = "resolved" } }
opened_at = "Opened"
"""


@one_engine
def test_a_file_of_the_vendors_own_goes_in_with_its_mapping(
    server: str, key_text: str, tmp_path: Path
) -> None:
    """As a process of its own, with the key in a file: the way a nightly job does it."""
    (tmp_path / "calls.toml").write_text(MAPPING)
    (tmp_path / "calls.csv").write_text("No,State,Opened\n7,Done,1/10/2026 9:00\n")
    (tmp_path / "key").write_text(key_text + "\n")
    command = [PROGRAM, "push", "calls.csv", "--url", server, "--key-file", "key"]
    command += ["--map", "calls.toml", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["mapping_version"] == 1
    assert key_text not in done.stdout + done.stderr + (tmp_path / "server.log").read_text()


def test_a_connection_that_is_cut_stores_nothing(
    server: str, key_text: str, tmp_path: Path, send: Push, api: httpx.Client
) -> None:
    body = ndjson(row(n) for n in range(50))
    head = (
        f"POST /v1/uploads HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key_text}\r\n"
        f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    chunked = head.replace(f"Content-Length: {len(body)}".encode(), b"Transfer-Encoding: chunked")
    where = urlsplit(server)
    for sent in (
        head,
        head + body[:1],
        head + body[:-1],
        chunked + f"{len(body):x}\r\n".encode() + body + b"\r\n",  # without the last chunk
    ):
        with socket.create_connection((str(where.hostname), int(where.port or 0))) as connection:
            connection.sendall(sent)
    log = tmp_path / "log.ndjson"
    log.write_bytes(body)
    # Were any of them stored, this would be a replay or find duplicates.
    code, output, _ = send(log, "--json")
    receipt = json.loads(output)
    assert (code, receipt["sequence"], receipt["created"]) == (0, 1, 50)
    engagement_id = api.get("/v1/me").json()["engagement_id"]
    folder = tmp_path / "data" / "uploads" / engagement_id
    # The server may need a moment to see that somebody is gone.
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and len(list(folder.iterdir())) > 1:
        time.sleep(0.05)
    assert [each.name for each in folder.iterdir()] == [receipt["sha256"]]
