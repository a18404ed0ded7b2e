"""The OpenAPI document and its page."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from browser import beyond_the_edge, needs_browser

SECURED = "/v1/"


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/openapi.json")).json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def test_is_of_version_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert "/v1/agents" in document["paths"]


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert sorted(set(names)) == sorted(names)
    assert all(operation["summary"] for _, operation in operations(document))


def test_every_error_is_declared_as_a_problem(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], (name, status)
                [content] = answer["content"].values()
                for slug, shown in content["examples"].items():
                    assert shown["value"]["type"].endswith(f"/problems/{slug}")
                    assert shown["value"]["status"] == int(status)
                    assert f"`{slug}`" in answer["description"]
        if SECURED in name:
            assert operation["responses"].keys() >= {"400", "500", "503"}, name


def test_a_key_is_needed_wherever_one_is_asked_for(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    for name, operation in operations(document):
        if operation.get("security"):
            assert "401" in operation["responses"], name
        else:
            assert "401" not in operation["responses"], name
    assert document["paths"]["/v1/me"]["get"]["security"] == [{"key": []}]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    references = re.findall(r"#/components/schemas/([^'\"]+)", str(document))
    assert "Problem" in references
    assert set(references) <= set(schemas)


async def test_the_page_lists_every_operation_and_loads_nothing(
    client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    answer = await client.get("/docs")
    assert answer.headers["Content-Type"].startswith("text/html")
    for name, _ in operations(document):
        method, path = name.split()
        assert f"<h2>{method.upper()} {path}</h2>" in answer.text
    assert "<code>not-ready</code>: " in answer.text
    assert "<script" not in answer.text
    assert not re.search(r"(src|href)=\"(https?:)?//", answer.text)


@needs_browser
async def test_the_page_fits_a_telephone(client: httpx.AsyncClient, tmp_path: Path) -> None:
    page = (await client.get("/docs")).text
    assert beyond_the_edge({"docs": page}, 320, tmp_path) == {"docs": []}
