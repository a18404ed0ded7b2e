"""No type is bent into another."""

import re
from typing import Any

import httpx
import msgspec
import pytest

from conftest import MakeKey
from vendorwatch.access.model import SCOPES
from vendorwatch.app import create_app
from vendorwatch.settings import Settings
from vendorwatch.web.strict import BadContent, convert

PATHS: dict[str, Any] = create_app(Settings.from_env({})).openapi_schema.to_schema()["paths"]
READ = {path: item["get"] for path, item in PATHS.items() if "get" in item}


class Sample(msgspec.Struct, forbid_unknown_fields=True):
    number: int = 0
    flag: bool = False
    text: str = ""


@pytest.mark.parametrize(
    "value",
    [
        {"number": "1"},
        {"number": 1.5},
        {"number": True},
        {"flag": "true"},
        {"flag": 1},
        {"text": 1},
    ],
)
def test_a_value_of_another_type_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(BadContent) as raised:
        convert(value, Sample)
    [fault] = raised.value.faults
    assert (fault.field, fault.row) == (next(iter(value)), None)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(BadContent, match="unknown field `score`"):
        convert({"score": 100}, Sample)


def test_what_fits_is_taken() -> None:
    assert convert({"number": 1, "flag": True, "text": "x"}, Sample) == Sample(1, True, "x")


async def test_a_nul_in_an_address_is_refused_wherever_it_stands(
    client: httpx.AsyncClient, key: MakeKey
) -> None:
    """SQLite would compare it, PostgreSQL breaks off: neither is asked."""
    headers = {"Authorization": f"Bearer {await key(*SCOPES)}"}
    answers = {}
    for path, operation in READ.items():
        places = [each for each in operation.get("parameters", ()) if each["in"] == "query"]
        for name in (each["name"] for each in places):
            target = f"{re.sub(r'{[^}]+}', 'x', path)}?{name}=a%00b"
            answers[target] = await client.get(target, headers=headers)
    assert len(answers) > 20
    for target, answer in answers.items():
        assert answer.status_code == 400, (target, answer.text)
        assert answer.json()["type"].endswith("/bad-parameter")
        [fault] = answer.json()["errors"]
        assert f"?{fault['field']}=" in target
        assert fault["code"] == "illegal_character"


async def test_a_nul_in_a_path_is_nobodys_id(client: httpx.AsyncClient, key: MakeKey) -> None:
    headers = {"Authorization": f"Bearer {await key(*SCOPES)}"}
    tried = [path for path in READ if "{" in path]
    for path in tried:
        answer = await client.get(re.sub(r"{[^}]+}", "a%00b", path), headers=headers)
        assert answer.status_code == 404, (path, answer.text)
    assert "/v1/interactions/{interaction_id}" in tried
