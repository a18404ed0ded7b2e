"""Uploads in any order and any form, against a dict that does what docs/reference says."""

import asyncio
import gzip
import itertools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from fuzz.profiles import effort
from vendorwatch.db.engine import Database
from vendorwatch.vendors import service as vendors
from vendorwatch.vendors.model import Engagement

Row = dict[str, Any] | None  # None is a row that must be refused
MakeKey = Callable[..., Awaitable[str]]
_numbers = itertools.count()

names = st.sampled_from(["A", "B", "007", "ị"])
moments = st.sampled_from(
    [None, "2026-10-03T00:00:00Z", "2026-10-04T07:00:00+07:00", "2026-10-05T00:00:00Z"]
)
rows = st.builds(
    lambda name, moment, status, topic, direction: {
        "interaction_id": name,
        "channel": "email",
        "status": status,
        "opened_at": "2026-10-01T00:00:00Z",
        **({"source_updated_at": moment} if moment else {}),
        **({"topic": topic} if topic else {}),
        **({"direction": direction} if direction else {}),
    },
    names,
    moments,
    st.sampled_from(["open", "resolved", "spam"]),
    st.sampled_from([None, "returns", "trả lại"]),
    st.sampled_from([None, "inbound", "outbound"]),
)
files = st.lists(st.one_of(rows, rows, rows, st.none()), min_size=1, max_size=6)
BAD = b'{"interaction_id": "half'


def written(each: Row) -> bytes:
    return BAD if each is None else json.dumps(each).encode()


def content(each: dict[str, Any]) -> tuple[object, ...]:
    """Equal for rows that mean the same, however they are written."""
    moment = {None: 0, "2026-10-03T00:00:00Z": 3, "2026-10-04T07:00:00+07:00": 4}
    return (
        moment.get(each.get("source_updated_at"), 5),
        each["status"],
        each.get("topic"),
        each.get("direction") or "inbound",
    )


@dataclass
class Model:
    """`in_force` by interaction; `uploads` are those that left a receipt, in their order."""

    revisions: dict[str, set[tuple[object, ...]]] = field(default_factory=dict)
    in_force: dict[str, tuple[object, ...]] = field(default_factory=dict)
    uploads: list[dict[str, Any]] = field(default_factory=list)

    def counts(self, sent: list[Row]) -> dict[str, int]:
        """Of a receipt; and the model is changed accordingly."""
        counts = dict.fromkeys(("created", "revised", "duplicate", "rejected", "excluded"), 0)
        for each in sent:
            if each is None:
                counts["rejected"] += 1
                continue
            name, told = each["interaction_id"], content(each)
            counts["excluded"] += told[1] == "spam" or told[3] == "outbound"
            known = self.revisions.setdefault(name, set())
            if told in known:
                counts["duplicate"] += 1
                continue
            counts["revised" if known else "created"] += 1
            known.add(told)
            rival = self.in_force.get(name)
            if rival is None or told[0] >= rival[0]:  # type: ignore[operator]  # both are numbers
                self.in_force[name] = told
        return counts | {"received": len(sent), "skipped": 0}

    def copied(self) -> "Model":
        revisions = {name: set(known) for name, known in self.revisions.items()}
        return Model(revisions, dict(self.in_force), list(self.uploads))


@dataclass(frozen=True)
class World:
    """How a machine, which runs in a thread, reaches the application and makes new vendors."""

    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient
    newcomer: Callable[[], Awaitable[str]]

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        asked = self.client.request(method, url, **options)
        return asyncio.run_coroutine_threadsafe(asked, self.loop).result(60)

    def token(self) -> str:
        made = self.newcomer()
        return asyncio.run_coroutine_threadsafe(_awaited(made), self.loop).result(60)


async def _awaited(made: Awaitable[str]) -> str:
    return await made


class Uploads(RuleBasedStateMachine):
    """One vendor, and beside it a rival who must never see a thing."""

    world: ClassVar[World]
    stored: Bundle[tuple[dict[str, str], bytes, dict[str, Any]]] = Bundle("stored")
    refused: Bundle[str] = Bundle("refused")

    @initialize()
    def begin(self) -> None:
        self.model = Model()
        self.token, self.rival = self.world.token(), self.world.token()

    def _post(
        self, body: bytes, key: str | None, query: str = "", **headers: str
    ) -> httpx.Response:
        told = {"Content-Type": "application/x-ndjson", **headers}
        if key:
            told["Idempotency-Key"] = key
        return self._ask("POST", f"/v1/uploads{query}", content=body, headers=told)

    def _ask(self, method: str, url: str, *, token: str = "", **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token}", **options.pop("headers", {})}
        answer = self.world.request(method, url, headers=headers, **options)
        assert answer.status_code < 500, answer.text
        return answer

    @rule(target=stored, sent=files, gzipped=st.booleans(), keyed=st.booleans(), salt=st.booleans())
    def send(self, sent: list[Row], gzipped: bool, keyed: bool, salt: bool) -> Any:
        if all(each is None for each in sent):
            return multiple()
        key = f"key-{next(_numbers)}" if keyed else None
        # Without a key, the same bytes would be the same upload.
        body = b"\n".join(map(written, sent)) + b"\n" * (1 + (0 if keyed else next(_numbers)))
        headers = {"Content-Encoding": "gzip"} if gzipped else {}
        if gzipped:
            body = gzip.compress(body, mtime=0)
        answer = self._post(body, key, **headers)
        receipt = self._stored(answer, sent, body)
        return (headers | ({"Idempotency-Key": key} if key else {}), body, receipt)

    def _stored(self, answer: httpx.Response, sent: list[Row], body: bytes) -> dict[str, Any]:
        assert answer.status_code == (207 if None in sent else 201), answer.text
        receipt: dict[str, Any] = answer.json()
        counts = self.model.counts(sent)
        assert {name: receipt[name] for name in counts} == counts
        self._chained(receipt)
        source = self._ask("GET", f"/v1/uploads/{receipt['id']}/source")
        assert source.content in {body, gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body}
        bad = [number for number, each in enumerate(sent, start=1) if each is None]
        rejects = self._ask("GET", f"/v1/uploads/{receipt['id']}/rejects?format=ndjson").text
        assert [json.loads(line)["row"] for line in rejects.splitlines()] == bad
        return receipt

    def _chained(self, receipt: dict[str, Any]) -> None:
        last = self.model.uploads[-1] if self.model.uploads else None
        assert receipt["previous_sha256"] == (last and last["receipt_sha256"])
        assert receipt["sequence"] == len(self.model.uploads) + 1
        self.model.uploads.append(receipt)

    @rule(again=stored)
    def send_again(self, again: tuple[dict[str, str], bytes, dict[str, Any]]) -> None:
        headers, body, receipt = again
        told = {"Content-Type": "application/x-ndjson", **headers}
        answer = self._ask("POST", "/v1/uploads", content=body, headers=told)
        assert answer.headers["Idempotency-Replayed"] == "true"
        assert answer.json() == receipt

    @rule(again=stored)
    def reuse_a_key_for_other_bytes(
        self, again: tuple[dict[str, str], bytes, dict[str, Any]]
    ) -> None:
        headers, body, _ = again
        if "Idempotency-Key" not in headers or "Content-Encoding" in headers:
            return
        answer = self._post(body + b"\n", headers["Idempotency-Key"])
        assert answer.status_code == 422
        assert answer.json()["type"].endswith("/idempotency-key-reused")

    @rule(sent=files)
    def send_atomically(self, sent: list[Row]) -> None:
        body = b"\n".join(map(written, sent))
        answer = self._post(body, f"key-{next(_numbers)}", "?mode=atomic")
        if None not in sent:
            self._stored(answer, sent, body)
            return
        assert answer.status_code == 422
        assert answer.json()["type"].endswith("/rows-refused")

    @rule(sent=files)
    def try_out(self, sent: list[Row]) -> None:
        answer = self._post(b"\n".join(map(written, sent)), None, "?dry_run=true")
        counts = self.model.copied().counts(sent)
        told = answer.json()
        if all(each is None for each in sent):
            assert answer.status_code == 422
            return
        assert answer.status_code == (207 if None in sent else 200)
        assert told["id"] is None
        assert {name: told[name] for name in counts} == counts

    @rule(target=refused, number=st.integers(1, 3))
    def send_nothing_but_bad_rows(self, number: int) -> str:
        key = f"key-{next(_numbers)}"
        answer = self._post(b"\n".join([BAD] * number), key)
        assert answer.status_code == 422
        receipt = answer.json()["upload"]
        assert (receipt["received"], receipt["rejected"]) == (number, number)
        self._chained(receipt)
        again = self._post(b"\n".join([BAD] * number), key)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert (again.status_code, again.json()["upload"]) == (422, receipt)
        assert again.json()["errors"] == answer.json()["errors"]
        return key

    @rule(target=stored, key=consumes(refused), sent=rows)
    def mend_what_was_refused_under_the_same_key(self, key: str, sent: dict[str, Any]) -> Any:
        body = written(sent)
        return {"Idempotency-Key": key}, body, self._stored(self._post(body, key), [sent], body)

    @invariant()
    def what_is_in_force_is_the_newest(self) -> None:
        if not hasattr(self, "model"):
            return
        listed = self._ask("GET", "/v1/interactions?limit=500").json()
        actual = {
            each["interaction_id"]: (each["status"], each["topic"], each["direction"])
            for each in listed
        }
        assert len(actual) == len(listed)
        assert actual == {name: told[1:] for name, told in self.model.in_force.items()}

    @override
    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        for name, known in self.model.revisions.items():
            found = self._ask("GET", f"/v1/interactions/{name}").json()["revisions"]
            assert len(found) == len(known)
        listed = self._ask("GET", "/v1/uploads?limit=500").json()
        assert [each["id"] for each in reversed(listed)] == [u["id"] for u in self.model.uploads]
        for path in ("/v1/interactions", "/v1/uploads"):
            assert self._ask("GET", path, token=self.rival).json() == []


@pytest.fixture
def newcomer(database: Database, key: MakeKey) -> Callable[[], Awaitable[str]]:
    """Another vendor each time, and its key."""

    async def make() -> str:
        async with database.write_as_operator() as connection:
            made: Engagement = await vendors.create_engagement(
                connection,
                merchant="Trà Sen",
                vendor=f"vendor {next(_numbers)}",
                time_zone="Asia/Ho_Chi_Minh",
                now=0,
            )
        return await key("upload", "read", of=made)

    return make


async def test_uploads_do_what_a_dict_does(
    client: httpx.AsyncClient, newcomer: Callable[[], Awaitable[str]]
) -> None:
    world = World(asyncio.get_running_loop(), client, newcomer)
    machine = type("Machine", (Uploads,), {"world": world})
    await asyncio.to_thread(
        run_state_machine_as_test,
        machine,
        settings=settings(effort(5, 300), stateful_step_count=12),
    )
