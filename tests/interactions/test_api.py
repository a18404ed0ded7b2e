"""Uploads over HTTP: what is answered, what is stored, and what is refused before anybody reads."""

import base64
import csv
import gzip
import hashlib
import io
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from sample_logs import csv_file, ndjson, row
from stopped_clock import StoppedClock
from vendorwatch.vendors.model import Engagement

Send = Callable[..., Awaitable[httpx.Response]]
MakeKey = Callable[..., Awaitable[str]]
NDJSON, CSV, JSON = "application/x-ndjson", "text/csv", "application/json"
COUNTS = ("received", "created", "revised", "duplicate", "rejected", "skipped")
BAD = {"opened_at": "yesterday"}

# What is promised here is decided before rows reach a database: one engine is enough.
no_rows = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
async def caller(client: httpx.AsyncClient, key: MakeKey) -> httpx.AsyncClient:
    client.headers["Authorization"] = f"Bearer {await key('upload')}"
    return client


@pytest.fixture
def send(caller: httpx.AsyncClient) -> Send:
    async def post(
        body: bytes, content_type: str = NDJSON, /, query: str = "", **headers: str
    ) -> httpx.Response:
        given = {"Content-Type": content_type} | headers
        named = [(n.replace("_", "-").encode(), v.encode("latin-1")) for n, v in given.items()]
        return await caller.post(f"/v1/uploads{query}", content=body, headers=named)

    return post


def counts(receipt: dict[str, Any]) -> tuple[int, ...]:
    return tuple(receipt[name] for name in COUNTS)


def problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"].startswith("application/problem+json")
    return response.status_code, response.json()["type"].rpartition("/")[2]


async def test_a_stored_upload_is_answered_with_its_receipt(
    send: Send, caller: httpx.AsyncClient
) -> None:
    body = ndjson([row(1, colour="red"), row(2, direction="outbound"), row(3, status="spam")])
    response = await send(body)
    receipt = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"/v1/uploads/{receipt['id']}"
    assert counts(receipt) == (3, 3, 0, 0, 0, 0)
    assert receipt["status"] == "stored"
    assert receipt["format"] == "canonical"
    assert receipt["excluded"] == 2
    assert receipt["claims_differ"] == 0
    assert receipt["first_opened_at"] == "2026-10-01T02:01:00Z"
    assert receipt["last_opened_at"] == "2026-10-01T02:03:00Z"
    assert receipt["extra_columns"] == ["colour"]
    assert "first_reply_on_time" in receipt["measurable"]
    assert "csat" not in receipt["measurable"]
    assert receipt["sha256"] == hashlib.sha256(body).hexdigest()
    assert receipt["previous_sha256"] is None
    assert (await caller.get(receipt["links"]["self"])).json() == receipt
    assert (await caller.get("/v1/uploads")).json() == [receipt]


async def test_the_three_forms_of_one_log_are_the_same_interactions(send: Send) -> None:
    rows = [row(1), row(2)]
    assert counts((await send(ndjson(rows))).json()) == (2, 2, 0, 0, 0, 0)
    as_array = json.dumps(rows).encode()
    assert counts((await send(as_array, JSON)).json()) == (2, 0, 0, 2, 0, 0)
    packed = await send(gzip.compress(ndjson(rows)), Content_Encoding="gzip")
    assert counts(packed.json()) == (2, 0, 0, 2, 0, 0)
    assert counts((await send(csv_file(rows), CSV)).json()) == (2, 0, 0, 2, 0, 0)


async def test_some_refused_rows_give_207_and_can_be_mended_and_sent_again(
    send: Send, caller: httpx.AsyncClient
) -> None:
    rows = [row(1), row(2, opened_at="soon", topic='=a, "b"'), row(3)]
    response = await send(csv_file(rows), CSV)
    receipt = response.json()
    assert response.status_code == 207
    assert receipt["status"] == "partial"
    assert counts(receipt) == (3, 2, 0, 0, 1, 0)

    listed = await caller.get(receipt["links"]["rejects"])
    (reject,) = map(json.loads, listed.text.splitlines())
    assert (reject["row"], reject["line"], reject["outcome"]) == (2, 3, "rejected")
    assert (reject["field"], reject["code"]) == ("opened_at", "bad_timestamp")
    assert reject["raw"].encode() in csv_file(rows)
    assert reject["offset"] == csv_file(rows).index(reject["raw"].encode())

    table = (await caller.get(receipt["links"]["rejects"] + "?format=csv")).content
    assert reject["raw"].encode() + b"," in table
    mended = table.replace(b"soon", b"2026-10-01T01:00:00Z")
    again = (await send(mended, CSV)).json()
    assert counts(again) == (1, 1, 0, 0, 0, 0)
    assert again["extra_columns"] == []


async def test_a_row_that_cannot_be_split_keeps_its_bytes(
    send: Send, caller: httpx.AsyncClient
) -> None:
    body = csv_file([row(1)]) + b"T-2,email\r\nT-\xff,email,open,x,,,,,\r\n"
    receipt = (await send(body, CSV)).json()
    assert counts(receipt) == (3, 1, 0, 0, 2, 0)
    short, bad = map(json.loads, (await caller.get(receipt["links"]["rejects"])).text.splitlines())
    assert short["raw"] == "T-2,email"
    assert base64.b64decode(bad["raw_base64"]).startswith(b"T-\xff,email")
    assert "raw" not in bad
    table = (await caller.get(receipt["links"]["rejects"] + "?format=csv")).content
    first, second = csv.DictReader(io.StringIO(table.decode("latin-1"), newline=""))
    assert first["vendorwatch_raw"] == "T-2,email"
    assert first["interaction_id"] == ""
    assert b"\r\nT-\xff,email,open,x,,,,,,3," in table
    assert second["vendorwatch_raw"] == ""

    ends = b",open,2026-10-01T01:00:00Z,,,,,"
    mended = table.replace(b'"T-2,email"', b'"T-2,email%b"' % ends).replace(b"T-\xff", b"T-3")
    again = (await send(mended, CSV)).json()
    assert counts(again) == (2, 1, 0, 0, 1, 0)
    (left,) = map(json.loads, (await caller.get(again["links"]["rejects"])).text.splitlines())
    assert (left["code"], left["field"]) == ("bad_timestamp", "opened_at")


async def test_numbers_that_are_not_the_records_keep_their_digits(
    send: Send, caller: httpx.AsyncClient
) -> None:
    digits = {"a": "0.10", "b": "9007199254740993.0", "c": "9007199254740993", "d": "1e16"}
    numbers = ", ".join(f'"{name}": {number}' for name, number in digits.items())
    line = json.dumps(row(1)).encode()[:-1] + f', {numbers}, "e": -0.0}}\n'.encode()
    assert counts((await send(line)).json()) == (1, 1, 0, 0, 0, 0)
    (kept,) = (await caller.get("/v1/interactions")).json()
    shown = {name: str(value) for name, value in kept["extra"].items()}
    assert shown == digits | {"d": "1E+16", "e": "0"}
    again = line.replace(b"1e16", b"1E+16").replace(b"-0.0", b"0")
    assert counts((await send(again)).json()) == (1, 0, 0, 1, 0, 0)
    assert counts((await send(line.replace(b"0.10", b"0.11"))).json()) == (1, 0, 1, 0, 0, 0)


@no_rows
async def test_more_other_columns_than_a_receipt_names_are_said_to_be_there(send: Send) -> None:
    for columns, warnings in ((1_000, []), (1_001, ["more-extra-columns"])):
        others = {f"x{n:04}": "" for n in range(columns)}
        receipt = (await send(ndjson([row(columns) | others]))).json()
        assert receipt["extra_columns"] == sorted(others)[:1_000]
        assert receipt["warnings"] == warnings


async def test_what_rows_are_flagged_for_stands_in_the_receipt_whenever_it_is_shown(
    send: Send, caller: httpx.AsyncClient
) -> None:
    plain = (await send(ndjson([row(8)]))).json()
    assert plain["warnings"] == []
    rows = [
        row(1, topic="linh@shop.example"),
        row(2, tags=["+84 912 345 678"], paid="4111 1111 1111 1111"),
        row(3, agent_id="linh\u202e"),
        row(4),
    ]
    body = ndjson(rows)
    dry = (await send(body, query="?dry_run=true")).json()
    first = (await send(body)).json()
    personal, turned = first["warnings"]
    assert personal.startswith("pii-in-text: 2 rows hold ")
    assert "(extra.paid, tags, topic)" in personal
    assert turned.startswith("direction-controls: 1 row holds ")
    assert "(agent_id)" in turned
    assert dry["warnings"] == first["warnings"]
    assert counts(first) == (4, 4, 0, 0, 0, 0)
    replay = await send(body)
    assert replay.headers["Idempotency-Replayed"] == "true"
    assert replay.json() == first
    assert (await caller.get(f"/v1/uploads/{first['id']}")).json() == first
    # The same rows under another key are not even read, and flagged all the same.
    again = (await send(body, Idempotency_Key="another")).json()
    assert (again["duplicate"], again["warnings"]) == (4, first["warnings"])
    for receipt in (plain, first, again):
        hashed = {k: v for k, v in receipt.items() if k not in {"receipt_sha256", "links"}}
        text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(text.encode()).hexdigest() == receipt["receipt_sha256"]
    # What was sent is what is kept.
    shown = (await caller.get("/v1/interactions/T-3")).json()
    assert shown["interaction"]["agent_id"] == "linh\u202e"


async def test_a_card_number_refuses_its_row_and_is_not_repeated(
    send: Send, caller: httpx.AsyncClient
) -> None:
    sent = [row(1, topic="refund to 4111 1111 1111 1111"), row(2, note="4111 1111 1111 1111")]
    receipt = (await send(ndjson(sent))).json()
    assert counts(receipt) == (2, 1, 0, 0, 1, 0)
    rejects = (await caller.get(receipt["links"]["rejects"] + "?format=ndjson")).text
    (refused,) = map(json.loads, rejects.splitlines())
    assert (refused["field"], refused["code"]) == ("topic", "card_number")
    assert "1111" not in refused["message"]


async def test_a_refused_row_of_json_can_be_mended_in_the_table(
    send: Send, caller: httpx.AsyncClient
) -> None:
    receipt = (await send(ndjson([row(1), row(2, channel="fax"), row(3, status="?")]))).json()
    table = (await caller.get(receipt["links"]["rejects"] + "?format=csv")).content
    again = (await send(table.replace(b'""fax""', b'""email""'), CSV)).json()
    assert counts(again) == (2, 1, 0, 0, 1, 0)
    assert again["extra_columns"] == []


@pytest.mark.parametrize(
    "odd",
    [
        b'"\\ud800":1',
        b'"x\\u0000":1',
        b'"events":[{"at":"2026-10-01T09:00:00Z","type":"note","actor":"agent","\\udfff":1}]',
        b'"events":[{"at":"2026-10-01T09:00:00Z","type":"note","actor":"agent","\\u0000":1}]',
    ],
)
async def test_a_key_that_cannot_be_written_spoils_its_row_only(send: Send, odd: bytes) -> None:
    bad = ndjson([row(1)]).removesuffix(b"}\n") + b"," + odd + b"}\n"
    answer = await send(bad + ndjson([row(2)]))
    assert answer.status_code == 207
    assert counts(answer.json()) == (2, 1, 0, 0, 1, 0)
    assert answer.json()["extra_columns"] == []


@pytest.mark.parametrize("under", [{"Idempotency_Key": "first"}, {}])
async def test_when_every_row_is_refused_the_same_log_gets_the_same_422_and_a_mended_one_its_key(
    send: Send, caller: httpx.AsyncClient, under: dict[str, str]
) -> None:
    refused = ndjson([row(1, **BAD, channel="?"), row(2, **BAD)])
    response = await send(refused, **under)
    assert problem(response) == (422, "rows-refused")
    receipt = response.json()["upload"]
    assert receipt["status"] == "rejected"
    assert counts(receipt) == (2, 0, 0, 0, 2, 0)
    assert {e["code"] for e in response.json()["errors"]} == {"bad_timestamp", "bad_value"}
    assert (await caller.get(receipt["links"]["self"])).json() == receipt
    assert "Idempotency-Replayed" not in response.headers
    mended = await send(ndjson([row(1)]), **under)
    assert mended.status_code == 201
    for _ in range(2):
        again = await send(refused, **under)
        assert again.headers["Idempotency-Replayed"] == "true"
        told, first = again.json(), response.json()
        assert told.pop("request_id") != first.pop("request_id")
        assert told == first
    assert len((await caller.get("/v1/uploads")).json()) == 2
    anew = await send(refused, Idempotency_Key="another")
    assert anew.json()["upload"]["id"] != receipt["id"]
    assert (await send(ndjson([row(3)]), **under)).status_code == (422 if under else 201)


async def test_atomic_stores_nothing_of_a_log_with_a_bad_row(
    send: Send, caller: httpx.AsyncClient
) -> None:
    response = await send(ndjson([row(1), row(2, **BAD)]), query="?mode=atomic")
    assert problem(response) == (422, "rows-refused")
    assert response.json()["errors"][0]["row"] == 2
    assert (await caller.get("/v1/uploads")).json() == []
    assert (await caller.get("/v1/interactions")).json() == []
    assert (await caller.get("/v1/agents")).json() == []
    assert (await send(ndjson([row(1)]), query="?mode=atomic")).status_code == 201


async def test_a_dry_run_says_what_would_happen_and_leaves_nothing(
    send: Send, caller: httpx.AsyncClient
) -> None:
    body = ndjson([row(1), row(2), row(2, topic="sizing"), row(3, **BAD)])
    response = await send(body, query="?dry_run=true")
    receipt = response.json()
    assert response.status_code == 207
    assert (receipt["id"], receipt["status"], receipt["links"]) == (None, "partial", {})
    assert counts(receipt) == (4, 2, 1, 0, 1, 0)
    for address in ("/v1/uploads", "/v1/interactions", "/v1/agents"):
        assert (await caller.get(address)).json() == []
    real = (await send(body)).json()
    assert counts(real) == counts(receipt)
    assert real["sequence"] == 1
    assert (await send(ndjson([row(9)]), query="?dry_run=true")).status_code == 200


async def test_the_same_request_again_is_answered_with_the_first_receipt(send: Send) -> None:
    body = ndjson([row(1), row(2, **BAD)])
    first = await send(body)
    again = await send(body)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers


async def test_a_key_belongs_to_one_body_and_its_parameters(send: Send) -> None:
    first = await send(ndjson([row(1)]), Idempotency_Key="night 1".replace(" ", "-"))
    assert first.status_code == 201
    other = await send(ndjson([row(2)]), Idempotency_Key="night-1")
    assert problem(other) == (422, "idempotency-key-reused")
    other = await send(ndjson([row(1)]), query="?mode=atomic", Idempotency_Key='"night-1"')
    assert problem(other) == (422, "idempotency-key-reused")
    replay = await send(ndjson([row(1)]), Idempotency_Key='"night-1"')
    assert replay.json() == first.json()


@no_rows
async def test_a_key_that_cannot_be_told_apart_is_refused(send: Send) -> None:
    for given in ("", "x" * 300, "a b", "ключ".encode().decode("latin-1"), "a\tb", "'; DROP--"):
        response = await send(ndjson([row(1)]), Idempotency_Key=given)
        assert problem(response) == (400, "bad-idempotency-key")


async def test_while_the_first_request_runs_its_key_is_answered_with_409(
    send: Send, caller: httpx.AsyncClient
) -> None:
    body = ndjson([row(1)])
    answers: list[httpx.Response] = []

    async def slowly() -> AsyncIterator[bytes]:
        yield body[:10]
        answers.append(await send(body, Idempotency_Key="k"))
        yield body[10:]

    headers = {"Content-Type": NDJSON, "Idempotency-Key": "k"}
    first = await caller.post("/v1/uploads", content=slowly(), headers=headers)
    assert first.status_code == 201
    assert problem(answers[0]) == (409, "request-in-flight")
    assert int(answers[0].headers["Retry-After"]) > 0
    assert (await send(body, Idempotency_Key="k")).json() == first.json()


def sha(name: str, body: bytes) -> str:
    algorithm = {"sha-256": "sha256", "sha-512": "sha512"}[name]
    return f"{name}=:{base64.b64encode(hashlib.new(algorithm, body).digest()).decode()}:"


@no_rows
async def test_a_body_is_taken_only_if_it_is_what_its_digest_says(send: Send) -> None:
    body = ndjson([row(1)])
    for name in ("sha-256", "sha-512"):
        wrong = await send(body, Content_Digest=sha(name, b"other"))
        assert problem(wrong) == (400, "digest-mismatch")
    repr_wrong = await send(
        body, Content_Digest=sha("sha-256", body), Repr_Digest=sha("sha-256", b"")
    )
    assert problem(repr_wrong) == (400, "digest-mismatch")
    weak = await send(body, Content_Digest="md5=:1B2M2Y8AsgTpgAmY7PhCfg==:")
    assert problem(weak) == (400, "weak-digest")
    for malformed in ("sha-256=abc", "sha-256=:!!:", "sha-256", "sha-256=:YQ==:", ""):
        assert problem(await send(body, Content_Digest=malformed)) == (400, "bad-digest")
    both = ", ".join((sha("sha-256", body), sha("sha-512", body)))
    assert (await send(body, Content_Digest=both)).status_code == 201


@no_rows
async def test_other_content_types_are_refused(send: Send) -> None:
    for content_type in (
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin1",
        "text/csv; charset=utf-8; charset=utf-8",
        "text/csv; charset",
        "csv",
        "",
    ):
        assert problem(await send(b"x", content_type)) == (415, "unsupported-media-type")


@no_rows
async def test_a_header_that_came_twice_is_refused_even_if_it_says_the_same(
    caller: httpx.AsyncClient,
) -> None:
    body = ndjson([row(1)])
    for name, value, expected in (
        ("Content-Type", NDJSON, (415, "unsupported-media-type")),
        ("Content-Encoding", "identity", (415, "unsupported-encoding")),
        ("Content-Digest", sha("sha-256", body), (400, "bad-digest")),
        ("Repr-Digest", sha("sha-256", body), (400, "bad-digest")),
        ("Idempotency-Key", "one", (400, "bad-idempotency-key")),
    ):
        given = [("Content-Type", NDJSON)] if name != "Content-Type" else []
        headers = [*given, (name, value), (name, value)]
        response = await caller.post("/v1/uploads", content=body, headers=headers)
        assert problem(response) == expected
    assert (await caller.get("/v1/uploads")).json() == []


@no_rows
@pytest.mark.parametrize("end", [";", "; ", ";;charset=utf-8", "; ;charset=utf-8;"])
async def test_nothing_may_stand_between_semicolons(send: Send, end: str) -> None:
    """RFC 9110, 5.6.6; some clients write it so."""
    assert (await send(ndjson([row()]), NDJSON + end)).status_code == 201


async def test_a_version_that_no_column_holds_is_not_there(
    send: Send, caller: httpx.AsyncClient
) -> None:
    for version in (10**6, 2**63, 10**23):
        answer = await send(b"a\n1\n", CSV, query=f"?format=mapped&mapping={version}")
        assert problem(answer) == (422, "no-mapping")
        found = await caller.get(f"/v1/mappings/{version}")
        assert problem(found) == (404, "not-found")


@no_rows
async def test_utf_8_may_be_said(send: Send) -> None:
    assert (await send(csv_file([row(1)]), 'text/csv; charset="UTF-8"')).status_code == 201


@no_rows
async def test_other_content_encodings_are_refused(send: Send) -> None:
    for encoding in ("br", "gzip, gzip", "deflate", "compress"):
        response = await send(ndjson([row(1)]), Content_Encoding=encoding)
        assert problem(response) == (415, "unsupported-encoding")
        assert response.headers["Accept-Encoding"] == "gzip, zstd, identity"


@no_rows
async def test_compressed_data_must_be_declared(send: Send) -> None:
    response = await send(gzip.compress(ndjson([row(1)])))
    assert problem(response) == (415, "unsupported-encoding")
    damaged = await send(gzip.compress(ndjson([row(1)]))[:-4], Content_Encoding="gzip")
    assert problem(damaged) == (400, "bad-encoding")


@no_rows
async def test_a_body_of_another_length_than_declared_is_refused(send: Send) -> None:
    response = await send(ndjson([row(1)]), Content_Length="5")
    assert problem(response) == (400, "content-length")
    response = await send(ndjson([row(1)]), Content_Length=str(2**40))
    assert problem(response) == (413, "upload-too-large")


async def test_an_empty_body_is_no_upload_and_a_header_alone_is_one(send: Send) -> None:
    assert problem(await send(b"")) == (400, "empty-upload")
    header = csv_file([row(1)]).splitlines(keepends=True)[0]
    response = await send(header, CSV)
    assert response.status_code == 201
    assert response.json()["received"] == 0
    assert response.json()["warnings"] == ["no-rows"]


@no_rows
async def test_parameters_are_checked(send: Send) -> None:
    for query, expected in {
        "?format=zendesk_csv": (422, "unsupported-format"),
        "?format=mapped": (422, "no-mapping"),
        "?mapping=1": (400, "bad-parameter"),
        "?time_zone=Mars": (400, "bad-parameter"),
        "?mode=some": (400, "bad-parameter"),
        "?dry_run=maybe": (400, "bad-parameter"),
        "?wrong=1": (400, "bad-parameter"),
    }.items():
        assert problem(await send(ndjson([row(1)]), query=query)) == expected


@no_rows
async def test_times_without_an_offset_need_a_zone(send: Send) -> None:
    body = ndjson([row(1, opened_at="2026-10-01T09:00:00")])
    response = await send(body)
    assert response.json()["errors"][0]["code"] == "timezone_required"
    assert (await send(body, query="?time_zone=Asia/Ho_Chi_Minh")).status_code == 201


async def test_the_source_comes_back_as_it_was_sent(send: Send, caller: httpx.AsyncClient) -> None:
    plain = ndjson([row(1)])
    sent = gzip.compress(plain)
    receipt = (await send(sent, Content_Encoding="gzip")).json()
    async with caller.stream("GET", receipt["links"]["source"]) as response:
        raw = b"".join([chunk async for chunk in response.aiter_raw()])
    assert raw == sent
    assert response.headers["Content-Type"] == NDJSON
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Content-Digest"] == sha("sha-256", sent)
    assert (await caller.get(receipt["links"]["source"])).content == plain


async def test_receipts_form_a_chain_that_a_vendor_can_check(
    send: Send, caller: httpx.AsyncClient
) -> None:
    for number in (1, 2, 3):
        await send(ndjson([row(number)]))
    await send(ndjson([row(4, **BAD)]))
    previous = None
    for receipt in reversed((await caller.get("/v1/uploads")).json()):
        assert receipt["previous_sha256"] == previous
        document = {k: v for k, v in receipt.items() if k not in {"receipt_sha256", "links"}}
        canonical = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        previous = hashlib.sha256(canonical.encode()).hexdigest()
        assert receipt["receipt_sha256"] == previous


async def test_uploads_are_listed_in_pages(send: Send, caller: httpx.AsyncClient) -> None:
    sent = [(await send(ndjson([row(n)]))).json()["id"] for n in range(3)]
    first = await caller.get("/v1/uploads?limit=2")
    second = await caller.get(first.links["next"]["url"])
    assert [each["id"] for each in first.json() + second.json()] == sent[::-1]
    assert "next" not in second.links


async def test_interactions_in_force_are_found_by_what_they_are(
    send: Send, caller: httpx.AsyncClient
) -> None:
    await send(
        ndjson(
            [
                row(1, agent_id="an", channel="chat", tags=["vip"]),
                row(2, opened_at="2026-09-30T16:59:59Z", status="open", resolved_at=None),
                row(3, opened_at="2026-09-30T17:00:00Z"),
            ]
        )
    )

    async def found(query: str) -> list[str]:
        response = await caller.get(f"/v1/interactions?{query}")
        assert response.status_code == 200, response.text
        return [each["interaction_id"] for each in response.json()]

    assert await found("") == ["T-2", "T-3", "T-1"]
    assert await found("month=2026-10") == ["T-3", "T-1"]  # midnight in Ho Chi Minh City
    assert await found("month=2026-09") == ["T-2"]
    assert await found("opened_from=2026-09-30T17:00:00Z&opened_to=2026-10-01T00:00:00Z") == ["T-3"]
    assert await found("agent=an") == ["T-1"]
    assert await found("channel=chat&status=resolved") == ["T-1"]
    assert await found("status=open") == ["T-2"]
    page = await caller.get("/v1/interactions?limit=1&month=2026-10")
    page = await caller.get(page.links["next"]["url"])
    assert [each["interaction_id"] for each in page.json()] == ["T-1"]
    assert page.json()[0]["tags"] == ["vip"]
    for wrong in ("month=10", "opened_from=now", "channel=fax", "cursor=x"):
        response = await caller.get(f"/v1/interactions?{wrong}")
        assert response.status_code == 400


async def test_one_interaction_is_shown_with_all_its_revisions(
    send: Send, caller: httpx.AsyncClient
) -> None:
    name = "PO/7 á?"
    first = (await send(ndjson([row(1, interaction_id=name, topic="sizing")]))).json()
    second = (await send(ndjson([row(1, interaction_id=name)]))).json()
    response = await caller.get("/v1/interactions/PO%2F7%20%C3%A1%3F")
    assert response.status_code == 200
    shown = response.json()
    assert [each["upload_id"] for each in shown["revisions"]] == [first["id"], second["id"]]
    assert shown["interaction"] == shown["revisions"][1]
    assert shown["interaction"]["topic"] == "returns"
    assert shown["interaction"]["opened_at"] == "2026-10-01T02:01:00Z"
    assert shown["interaction"]["in_force"] is True
    assert shown["revisions"][0]["in_force"] is False
    other = await caller.get("/v1/interactions/PO%2F7%20%C3%A1%3F?source_account=vn")
    assert other.status_code == 404


async def test_customers_are_kept_only_as_hashes_of_the_merchant(
    send: Send, caller: httpx.AsyncClient, database_url: str
) -> None:
    await send(
        ndjson([row(1, customer_ref="minh@example.com"), row(2, customer_ref="minh@example.com")])
    )
    one, two = (await caller.get("/v1/interactions")).json()
    assert one["customer_ref"] == two["customer_ref"]
    assert len(one["customer_ref"]) == 64
    assert one["customer_ref"] != hashlib.sha256(b"minh@example.com").hexdigest()
    assert one["order_ref"] is None


async def test_what_belongs_to_others_is_not_there(
    send: Send,
    caller: httpx.AsyncClient,
    key: MakeKey,
    rival: Engagement,
    stranger: Engagement,
) -> None:
    receipt = (await send(ndjson([row(1), row(2, **BAD)]))).json()
    addresses = [
        f"/v1/uploads/{receipt['id']}",
        f"/v1/uploads/{receipt['id']}/rejects",
        f"/v1/uploads/{receipt['id']}/source",
        "/v1/interactions/T-1",
        "/v1/mappings/1",
    ]
    for other in (rival, stranger):
        caller.headers["Authorization"] = f"Bearer {await key('upload', 'read', of=other)}"
        for address in addresses:
            foreign = await caller.get(address)
            unknown = await caller.get(address.replace(receipt["id"], str(uuid.uuid4())))
            assert problem(foreign) == (404, "not-found")
            assert foreign.json() | {"request_id": ""} == unknown.json() | {"request_id": ""}
        assert (await caller.get("/v1/uploads")).json() == []
        assert (await caller.get("/v1/interactions")).json() == []
    assert (await caller.get("/v1/uploads/not-a-uuid")).status_code == 404
    assert (await caller.get(f"/v1/uploads/{receipt['id'].upper()}")).status_code == 404


@no_rows
async def test_a_key_needs_the_scope(caller: httpx.AsyncClient, key: MakeKey) -> None:
    caller.headers["Authorization"] = f"Bearer {await key('score')}"
    for method, address in (
        ("POST", "/v1/uploads"),
        ("GET", "/v1/uploads"),
        ("GET", "/v1/interactions"),
        ("POST", "/v1/mappings"),
        ("GET", "/v1/mappings"),
    ):
        response = await caller.request(method, address)
        assert problem(response) == (403, "insufficient-scope")
    assert (await caller.get("/v1/limits")).status_code == 200
    caller.headers["Authorization"] = f"Bearer {await key('read')}"
    assert (await caller.post("/v1/uploads")).status_code == 403
    assert (await caller.get("/v1/uploads")).status_code == 200


MAPPING = """
[file]
delimiter = ";"

[times]
format = "%d/%m/%Y %H:%M"
zone = "Asia/Ho_Chi_Minh"

[fields]
interaction_id = "No"
channel = { constant = "email" }
status = { column = "State", values = { Done = "resolved", New = "open" } }
opened_at = "Opened"
"""
EXPORT = b'No;State;Opened;Shop\r\n7;Done;1/10/2026 9:00;A\r\n8;Lost;1/10/2026 9:05;"A;B"\r\n'


async def test_a_vendors_own_file_is_read_with_a_mapping(
    send: Send, caller: httpx.AsyncClient
) -> None:
    toml = {"Content-Type": "application/toml"}
    set_ = await caller.post("/v1/mappings", content=MAPPING, headers=toml)
    assert (set_.status_code, set_.json()["version"]) == (201, 1)
    assert set_.json()["sha256"] == hashlib.sha256(MAPPING.encode()).hexdigest()

    response = await send(EXPORT, CSV, query="?format=mapped")
    receipt = response.json()
    assert response.status_code == 207
    assert (receipt["format"], receipt["mapping_version"]) == ("mapped", 1)
    assert counts(receipt) == (2, 1, 0, 0, 1, 0)
    shown = (await caller.get("/v1/interactions/7")).json()["interaction"]
    assert (shown["opened_at"], shown["status"]) == ("2026-10-01T02:00:00Z", "resolved")

    # The rejects are written as the file was, so that the same mapping reads them again.
    table = (await caller.get(receipt["links"]["rejects"] + "?format=csv")).content
    assert b'8;Lost;1/10/2026 9:05;"A;B";2;3;' in table
    mended = await send(table.replace(b"8;Lost", b"8;New"), CSV, query="?format=mapped&mapping=1")
    assert counts(mended.json()) == (1, 1, 0, 0, 0, 0)


@no_rows
@pytest.mark.parametrize("around", [1, 400])  # read where it is received, and in other processes
@pytest.mark.parametrize("where", ['{"\\ud800":1}', '{"events":[{"\\ud800":1}]}'])
async def test_half_a_character_in_a_name_refuses_its_row_alone(
    send: Send, caller: httpx.AsyncClient, around: int, where: str
) -> None:
    bad = json.dumps(row(0)).removesuffix("}") + f", {where.removeprefix('{')}\n"
    answer = await send(bad.encode() + ndjson(row(n) for n in range(1, around + 1)))
    receipt = answer.json()
    assert (answer.status_code, receipt["created"], receipt["rejected"]) == (207, around, 1)
    rejects = (await caller.get(receipt["links"]["rejects"])).text
    assert "illegal_character" in rejects


@no_rows
async def test_a_row_tells_no_more_than_a_hundred_mistakes(
    send: Send, caller: httpx.AsyncClient
) -> None:
    empty, strange = row(1, events=[{}] * 5_000), row(2, events=[{"\ud800": 1}])
    strange |= {f"\0{n}": 1 for n in range(1_000)}
    lines = [json.dumps(each).encode() for each in (empty, strange, row(3))]
    answer = await send(b"\n".join(lines))
    assert (answer.status_code, answer.json()["rejected"]) == (207, 2)
    rejects = (await caller.get(answer.json()["links"]["rejects"])).text.splitlines()
    assert [len(json.loads(line)["errors"]) for line in rejects] == [100, 100]


async def test_a_key_whose_mapping_has_changed_since_is_told_so(
    send: Send, caller: httpx.AsyncClient
) -> None:
    toml, named = {"Content-Type": "application/toml"}, {"Idempotency_Key": "nightly"}
    for version in (1, 2):
        mapping = MAPPING.replace("New", "New" if version == 1 else "Lost")
        assert (await caller.post("/v1/mappings", content=mapping, headers=toml)).is_success
        if version == 1:
            first = await send(EXPORT, CSV, query="?format=mapped", **named)
            assert (first.status_code, first.json()["rejected"]) == (207, 1)
    refused = await send(EXPORT, CSV, query="?format=mapped", **named)
    assert problem(refused) == (422, "idempotency-key-reused")
    told = refused.json()["detail"]
    assert "version 1 of the mapping; this would be with version 2" in told
    # What it advises works.
    again = await send(EXPORT, CSV, query="?format=mapped&mapping=1", **named)
    assert (again.headers["Idempotency-Replayed"], again.json()) == ("true", first.json())
    anew = await send(EXPORT, CSV, query="?format=mapped", Idempotency_Key="anew")
    assert counts(anew.json()) == (2, 1, 0, 1, 0, 0)


@no_rows
async def test_mappings_have_versions(caller: httpx.AsyncClient) -> None:
    async def post(source: str, content_type: str = "application/toml") -> httpx.Response:
        headers = {"Content-Type": content_type}
        return await caller.post("/v1/mappings", content=source, headers=headers)

    first = await post(MAPPING)
    again = await post(MAPPING)
    assert (again.status_code, again.json()) == (200, first.json())
    other = await post("# new\n" + MAPPING)
    assert other.json()["version"] == 2
    assert (await caller.get(other.headers["Location"])).json()["source"] == "# new\n" + MAPPING
    assert (await post(MAPPING)).json()["version"] == 3
    assert [m["version"] for m in (await caller.get("/v1/mappings")).json()] == [3, 2, 1]
    bad = await post(MAPPING.replace('"Opened"', '{ column = "Opened", zone = "Mars" }') + "x = 1")
    assert problem(bad) == (422, "bad-mapping")
    assert all(fault["line"] for fault in bad.json()["errors"])
    assert problem(await post(MAPPING, "text/plain")) == (415, "unsupported-media-type")
    assert (await caller.get("/v1/mappings/9")).status_code == 404


@no_rows
async def test_limits_are_published(caller: httpx.AsyncClient) -> None:
    limits = (await caller.get("/v1/limits")).json()
    assert limits["wire_bytes"] == 512 * 2**20
    assert limits["decoded_bytes"] == 2 * 2**30
    assert (limits["ratio"], limits["row_bytes"], limits["rows"]) == (200, 65_536, 1_000_000)


async def test_accounts_and_clock(send: Send, clock: StoppedClock) -> None:
    receipt = (
        await send(ndjson([row(1, source_account="vn"), row(1, source_account="th")]))
    ).json()
    assert counts(receipt) == (2, 2, 0, 0, 0, 0)
    assert receipt["received_at"] == "2026-11-02T08:00:00Z"
    clock.set("2026-10-01T00:00:00+00:00")
    response = await send(ndjson([row(7)]))
    assert {e["code"] for e in response.json()["errors"]} == {"future_timestamp"}
