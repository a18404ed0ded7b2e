"""Policies over HTTP: set, listed with their months, and each as JSON or as its TOML."""

import httpx
import pytest

from conftest import MakeKey
from vendorwatch.policies.service import default_policy
from vendorwatch.vendors.model import Engagement

DEFAULT = default_policy()
TOML = {"Content-Type": "application/toml"}


@pytest.fixture
async def caller(client: httpx.AsyncClient, key: MakeKey) -> httpx.AsyncClient:
    client.headers["Authorization"] = f"Bearer {await key('manage')}"
    return client


def starting(month: str) -> bytes:
    return DEFAULT.source.replace('"2000-01"', f'"{month}"').encode()


async def set_policy(caller: httpx.AsyncClient, source: bytes) -> httpx.Response:
    return await caller.post("/v1/policies", content=source, headers=TOML)


async def test_a_policy_is_set_once_and_found_again(caller: httpx.AsyncClient) -> None:
    source = b"\xef\xbb\xbf" + starting("2026-10").replace(b"\n", b"\r\n") + b"# th\xc3\xa1ng 10"
    made = await set_policy(caller, source)
    assert made.status_code == 201, made.text
    body = made.json()
    assert (body["version"], body["name"]) == (1, "Standard e-commerce support")
    assert body["effective_months"] == {"first": "2026-10", "last": None}
    assert body["created_at"] == "2026-11-02T08:00:00Z"
    assert made.headers["Location"] == "/v1/policies/1"
    again = await set_policy(caller, source)
    assert (again.status_code, again.json()) == (200, body)
    assert again.headers["ETag"] == made.headers["ETag"]

    for name in ("1", body["policy_id"]):
        found = await caller.get(f"/v1/policies/{name}")
        assert found.json() == body
        assert found.headers["ETag"] == made.headers["ETag"]
        file = await caller.get(f"/v1/policies/{name}.toml")
        assert file.headers["Content-Type"].partition(";")[0] == "application/toml"
        assert file.content == source
        for answer in (found, file):
            unchanged = await caller.get(
                str(answer.url), headers={"If-None-Match": answer.headers["ETag"]}
            )
            assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_the_list_tells_for_which_months_each_counts(caller: httpx.AsyncClient) -> None:
    months = ["2026-07", "2026-12", "2026-10"]
    made = [await set_policy(caller, starting(month)) for month in months]
    listed = (await caller.get("/v1/policies")).json()
    assert [each["version"] for each in listed] == [1, 2, 3]
    assert [each["effective_months"] for each in listed] == [
        {"first": "2026-07", "last": "2026-09"},
        None,
        {"first": "2026-10", "last": None},
    ]
    assert [each["replaced_by"] for each in listed] == [3, 3, None]
    assert all("source" not in each for each in listed)
    # What stands about the first version has changed, and so has its tag.
    first = await caller.get("/v1/policies/1")
    assert first.headers["ETag"] != made[0].headers["ETag"]

    found, address = [], "/v1/policies?limit=2"
    while address:
        answer = await caller.get(address)
        found += answer.json()
        address = answer.links["next"]["url"] if "next" in answer.links else ""
    assert found == listed


async def test_the_default_is_there_under_its_name_and_number(caller: httpx.AsyncClient) -> None:
    for name in ("default", "0"):
        found = (await caller.get(f"/v1/policies/{name}")).json()
        assert (found["version"], found["policy_id"]) == (0, "default")
        assert (found["source"], found["sha256"]) == (DEFAULT.source, DEFAULT.sha256)
        assert (await caller.get(f"/v1/policies/{name}.toml")).content == DEFAULT.source.encode()
    assert (await caller.get("/v1/policies")).json() == []


async def test_every_mistake_is_told_with_its_line(caller: httpx.AsyncClient) -> None:
    bad = starting("2026-13") + b"[targets.first_reply.phone.urgent]\nreply_by = 19\nseconds = 1\n"
    lines = bad.decode().splitlines()
    answer = await set_policy(caller, bad)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"].endswith("/bad-policy")
    urgent = "targets.first_reply.phone.urgent.reply_by"
    assert [(each["field"], each["code"], each["line"]) for each in problem["errors"]] == [
        ("effective_from", "bad-value", 7),
        (urgent, "two-targets", len(lines) - 1),
        (urgent, "bad-value", len(lines) - 1),
    ]
    assert all(each["detail"] for each in problem["errors"])
    assert (await caller.get("/v1/policies")).json() == []


@pytest.mark.parametrize("engine_name", ["sqlite"])  # nothing here reaches the database
@pytest.mark.parametrize(
    ("content", "headers", "status", "slug"),
    [
        (b"name = ", TOML, 422, "bad-policy"),
        (b"", TOML, 422, "bad-policy"),
        (b'name = "\xff"', TOML, 400, "bad-body"),
        (DEFAULT.source.encode(), {"Content-Type": "text/plain"}, 415, "unsupported-media-type"),
        (DEFAULT.source.encode(), {}, 415, "unsupported-media-type"),
        (b"#" * 70_000, TOML, 422, "bad-policy"),
        (b"#" * 300_000, TOML, 413, "body-too-large"),
    ],
)
async def test_what_is_no_policy_is_refused(
    caller: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int, slug: str
) -> None:
    answer = await caller.post("/v1/policies", content=content, headers=headers)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (status, slug)


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_who_may_set_and_who_may_read(client: httpx.AsyncClient, key: MakeKey) -> None:
    for scope, may_set, may_read in (
        ("upload", 403, 403),
        ("score", 403, 403),
        ("read", 403, 200),
        ("manage", 201, 200),
    ):
        client.headers["Authorization"] = f"Bearer {await key(scope)}"
        assert (await set_policy(client, starting("2026-10"))).status_code == may_set
        for path in ("", "/0"):
            assert (await client.get(f"/v1/policies{path}")).status_code == may_read


async def test_another_engagements_policy_is_not_there(
    caller: httpx.AsyncClient, key: MakeKey, rival: Engagement
) -> None:
    made = (await set_policy(caller, starting("2026-10"))).json()
    caller.headers["Authorization"] = f"Bearer {await key('manage', of=rival)}"
    bodies = []
    for name in ("1", "1.toml", made["policy_id"], "01", "-1", "1.toml.toml", "nonsense"):
        answer = await caller.get(f"/v1/policies/{name}")
        assert answer.status_code == 404
        bodies.append({k: v for k, v in answer.json().items() if k != "request_id"})
    assert all(body == bodies[0] for body in bodies)
    assert (await caller.get("/v1/policies")).json() == []
