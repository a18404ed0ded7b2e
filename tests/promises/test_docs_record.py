"""The page of the record against the code that reads records: its examples are tried out."""

import ast
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from vendorwatch import interactions
from vendorwatch.interactions.events import EVENT_FIELDS
from vendorwatch.interactions.fields import Field
from vendorwatch.interactions.instants import parse_instant
from vendorwatch.interactions.model import Limits, measurable
from vendorwatch.interactions.parse import Accepted, Outcome, ReadOptions, Refused, read
from vendorwatch.interactions.record import FIELDS
from vendorwatch.periods import format_instant
from vendorwatch.scoring.metrics import METRICS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "record.md").read_text("utf-8")
NOW = parse_instant("2026-11-02T08:00:00Z")
# What makes a fault of a row; a mapping's own errors only repeat these codes.
FAULTS = {"Fault", "Unusable", "BadInstant", "BadJson", "_refuse", "_bad"}
OF_FILES = {"missing_column", "duplicate_column"}
BASE = {
    "interaction_id": "T-1",
    "channel": "email",
    "status": "open",
    "opened_at": "2026-10-01T02:00:00Z",
}


def section(title: str) -> str:
    found = re.search(rf"^##+ {title}\n(.*?)(?=^##+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def table(title: str) -> dict[str, list[str]]:
    """The other cells by the first one, which is code."""
    rows = re.findall(r"^\| (`.+) \|$", section(title), re.MULTILINE)
    cells = [re.split(r"\s*\|\s*", row) for row in rows]
    return {name.strip("`"): rest for name, *rest in cells}


def read_one(line: bytes, query: str | None = None) -> Outcome:
    zone = ZoneInfo(query.removeprefix("time_zone=")) if query else None
    options = ReadOptions(now=NOW, media="ndjson", time_zone=zone, limits=Limits())
    (outcome,) = read(io.BytesIO(line + b"\n"), options)
    return outcome


def codes_in_the_code() -> set[str]:
    folder = Path(interactions.__file__).parent
    modules = [*folder.glob("*.py"), *folder.glob("formats/*.py")]
    found = {code for module in modules for code in codes_of(ast.parse(module.read_text("utf-8")))}
    return found - OF_FILES


def codes_of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else None
            name = node.func.id if isinstance(node.func, ast.Name) else name
            texts = [each for each in node.args[:2] if name in FAULTS]
        elif isinstance(node, ast.Assign):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            texts = [node.value] if names & {"code", "_NOT_BEFORE_OPENED"} else []
        else:
            continue
        for text in texts:
            for each in ast.walk(text):
                if isinstance(each, ast.Constant) and is_code(each.value):
                    yield str(each.value)


def is_code(value: object) -> bool:
    names = {*FIELDS, *EVENT_FIELDS}
    return (
        isinstance(value, str) and bool(re.fullmatch("[a-z0-9_]{4,}", value)) and value not in names
    )


@pytest.mark.parametrize(("title", "fields"), [("Fields", FIELDS), ("Events", EVENT_FIELDS)])
def test_every_field_stands_there_with_its_limits(title: str, fields: dict[str, Field]) -> None:
    told = table(title)
    assert list(told) == list(fields)
    for name, (kind, need, *_) in told.items():
        field = fields[name]
        assert (need == "R") == field.required, name
        assert set(re.findall("`([a-z_]+)`", kind)) == {*field.choices} or not field.choices, name
        if field.high is not None:
            assert str(field.high) in kind, name
        if field.low is not None:
            assert str(field.low) in kind, name
        if field.kind in {"id", "instant", "integer", "decimal", "text"}:
            assert kind.startswith(field.kind), name


def test_every_reject_code_is_explained() -> None:
    found = codes_in_the_code()
    assert len(found) > 10
    assert set(table("Refused rows")) == found


@pytest.mark.parametrize("code", table("Refused rows"))
def test_the_example_of_a_code_is_refused_for_it(code: str) -> None:
    example = table("Refused rows")[code][-1]
    spans = re.findall("`([^`]+)`", example)
    if not spans:
        assert code == "row_too_large"
        spans = ['"extra_text": "' + 70_000 * "x" + '"']
    charset = "windows-1252" if "windows-1252" in example else "utf-8"
    named = set(re.findall(r'"(\w+)":', spans[0]))
    base = json.dumps({name: value for name, value in BASE.items() if name not in named})
    outcome = read_one(f"{base[:-1]}, {spans[0]}}}".encode(charset), *spans[1:])
    assert isinstance(outcome, Refused)
    assert [fault.code for fault in outcome.faults] == [code]


def test_the_examples_of_records_are_accepted() -> None:
    examples = [json.loads(text) for text in re.findall("```json\n(.*?)```", PAGE, re.DOTALL)]
    plain, with_events = (read_one(json.dumps(example).encode()) for example in examples)
    assert isinstance(plain, Accepted)
    assert isinstance(with_events, Accepted)
    derived = with_events.interaction
    told = re.search("^Of the example: (.*)$", PAGE, re.MULTILINE)
    assert told is not None
    for name, value in re.findall(r"`(\w+)` ([0-9:]+)", told[1]):
        found = getattr(derived, name)
        assert value == (format_instant(found)[11:16] if name.endswith("_at") else str(found))


def test_what_a_metric_needs_is_what_makes_it_measurable() -> None:
    told = table("What each metric needs")
    named = [name for names in told for name in names.replace("`", "").split(", ")]
    assert named == [metric.id for metric in METRICS]
    for names, alternatives in told.items():
        for alternative in alternatives:
            fields = frozenset(re.findall("`([a-z_]+)`", alternative))
            for metric in names.replace("`", "").split(", ") if fields else ():
                assert metric in measurable(fields)
                for field in fields:
                    assert metric not in measurable(fields - {field}), (metric, field)
