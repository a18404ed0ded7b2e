"""What the OpenAPI document promises is what the application does."""

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from vendorwatch.access.model import SCOPES
from vendorwatch.app import create_app
from vendorwatch.settings import Settings
from vendorwatch.web import documents

DOCUMENT = documents.document(create_app(Settings.from_env({})))
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}
JSON = "application/json"
PROBLEM = "application/problem+json"
UUID = "00000000-0000-4000-8000-000000000000"
TOO_MUCH = b'"' + 9 * 2**20 * b"x" + b'"'
# Each with the content type that it is sent under.
BODIES: list[tuple[str, bytes]] = [
    (JSON, b""),
    (JSON, b"{"),
    (JSON, b'{"unknown": 1}'),
    (JSON, b'[{"agent_id": 7}]'),
    (JSON, b'[{"agent_id": " "}]'),
    (JSON, b'{"scopes": ["read"]}'),
    (JSON, b'{"email": "a@example.org", "name": "A", "language": "en", "kind": "digest"}'),
    (JSON, b'{"overlap_seconds": 0}'),
    (JSON, b'{"approval": "hold"}'),
    (JSON, b'[{"day": "2026-10-01", "contacts": 5}]'),
    (JSON, b'{"reason": "why"}'),
    (JSON, b'{"email": "a@example.org", "name": "A", "language": "vi", "kind": "agents"}'),
    (JSON, b'{"month": "October"}'),
    (JSON, b'{"month": "2026-10", "as_of": "2099-01-01T00:00:00Z"}'),
    (JSON, TOO_MUCH),
    ("text/plain", b"{}"),
    ("application/toml", b"name = "),
    ("application/toml", TOO_MUCH),
    ("text/csv", b"a,a\r\n1,2\r\n"),
    ("text/csv", "interaction_id".encode("utf-16")),
    ("application/x-ndjson", b"{}\n"),
]
QUERIES = ["unknown=1", "limit=0", "cursor=x", "month=October", "format=odd", "language=xx"]


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


def has_example(schema: dict[str, Any]) -> bool:
    """Of its own, or because all of what it is made of has one."""
    if "$ref" in schema:
        return has_example(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    parts = [schema["items"]] if "items" in schema else [*schema.get("properties", {}).values()]
    return "examples" in schema or (bool(parts) and all(map(has_example, parts)))


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What goes in, and what comes out where all is well, by content type."""
    yield from operation.get("requestBody", {}).get("content", {}).items()
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            yield from response["content"].items()


def structs() -> dict[str, list[type[msgspec.Struct]]]:
    found: dict[str, list[type[msgspec.Struct]]] = {}
    waiting = [msgspec.Struct]
    while waiting:
        subclasses = waiting.pop().__subclasses__()
        waiting += subclasses
        for each in subclasses:
            if each.__module__.startswith("vendorwatch."):
                found.setdefault(each.__name__, []).append(each)
    return found


def fits(example: object, struct: type[msgspec.Struct]) -> bool:
    try:
        value = msgspec.convert(example, struct, strict=True)
    except msgspec.ValidationError:
        return False
    return bool(msgspec.json.decode(msgspec.json.encode(value)) == example)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_says_what_it_is_for(operation: dict[str, Any]) -> None:
    assert re.fullmatch(r"[A-Z/].{5,60}", operation["summary"])
    assert operation["tags"]
    assert all(response["description"] for response in operation["responses"].values())
    assert any(status.startswith("2") for status in operation["responses"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_place_in_the_address_is_a_parameter(name: str) -> None:
    told = [p["name"] for p in OPERATIONS[name].get("parameters", []) if p["in"] == "path"]
    assert re.findall(r"\{(\w+)\}", name) == told


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_what_goes_in_and_what_comes_out_has_an_example(operation: dict[str, Any]) -> None:
    for media_type, media in contents(operation):
        if media_type == JSON and media["schema"].get("type") != "string":
            assert "examples" in media or has_example(media["schema"]), media_type


@pytest.mark.parametrize("name", [name for name in SCHEMAS if "examples" in SCHEMAS[name]])
def test_the_example_of_a_schema_is_one(name: str) -> None:
    candidates = structs()[name]
    for example in SCHEMAS[name]["examples"]:
        assert any(fits(example, struct) for struct in candidates)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_error_is_a_problem(operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        if status >= "400":
            assert list(response["content"]) == [PROBLEM]
            assert response["content"][PROBLEM]["schema"] == {
                "$ref": "#/components/schemas/Problem"
            }


def probes(name: str) -> Iterator[dict[str, Any]]:
    """Requests that are wrong in one way each, as keywords of `httpx`."""
    method, path = name.split()
    url = re.sub(r"\{\w+\}", UUID, path.replace("{version}", "7"))
    yield {"url": url}
    yield {"url": url.replace(UUID, "7")}
    yield from ({"url": f"{url}?{query}"} for query in QUERIES)
    if method in {"POST", "PUT"}:
        for media_type, body in BODIES:
            yield {"url": url, "content": body, "headers": {"Content-Type": media_type}}


@pytest.mark.parametrize("name", [name for name in OPERATIONS if " /v1/" in name])
async def test_no_answer_is_a_surprise(
    name: str, client: httpx.AsyncClient, key: Callable[..., Awaitable[str]]
) -> None:
    method, declared = name.split(maxsplit=1)[0], OPERATIONS[name]["responses"]
    keys = [await key(scope) for scope in SCOPES] + [await key(*SCOPES), "unknown"]
    seen = set()
    for text in keys:
        client.headers["Authorization"] = f"Bearer {text}"
        for probe in probes(name):
            answer = await client.request(method, **probe)
            seen.add(str(answer.status_code))
            assert str(answer.status_code) in declared, (probe["url"], answer.text)
            if answer.is_error:
                slug = answer.json()["type"].rpartition("/")[2]
                assert f"`{slug}`:" in declared[str(answer.status_code)]["description"]
    # What is open to whoever has the address knows nothing of keys.
    assert {"400", "401"} & {"400", *declared} <= seen
    # The other way round: a refusal that is promised, and that every caller can provoke.
    assert seen >= declared.keys() & {"403", "404", "415"}


async def test_the_example_of_a_scorecard_has_the_shape_of_one(
    client: httpx.AsyncClient, key: Callable[..., Awaitable[str]]
) -> None:
    client.headers["Authorization"] = f"Bearer {await key('score')}"
    made = (await client.post("/v1/scorecards", json={"month": "2026-10"})).json()
    media = OPERATIONS["POST /v1/scorecards"]["responses"]["201"]["content"][JSON]
    example = media["examples"]["a-month"]["value"]
    assert list(example) == list(made)
    assert list(example["vendor_scores"]) == list(made["vendor_scores"])
    for metric, figure in example["vendor_scores"]["metrics"].items():
        assert list(figure) == list(made["vendor_scores"]["metrics"][metric]), metric
