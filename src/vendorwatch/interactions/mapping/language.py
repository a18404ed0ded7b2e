"""A mapping file from its source to a Mapping, or to everything that is wrong with it."""

import hashlib
import re
import tomllib
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter

from vendorwatch.errors import Fault
from vendorwatch.interactions.mapping.conditions import ConditionReader
from vendorwatch.interactions.mapping.faults import BadMapping, Notes, nearest, show
from vendorwatch.interactions.mapping.fields import FIELDS
from vendorwatch.interactions.mapping.reading import Table
from vendorwatch.interactions.mapping.rules import read_rule
from vendorwatch.interactions.mapping.settings import Settings, Uses, read_settings
from vendorwatch.interactions.mapping.table import FieldRule, Mapping, SkipRule
from vendorwatch.toml_lines import MOST_DOTS, find_lines, find_long_key

LONGEST_SOURCE = 256 * 1024  # characters

_TOML_PLACE = re.compile(r" \(at line (\d+), column \d+\)$")


def parse_mapping(source: str) -> Mapping:
    """Raises BadMapping with the mistakes, each with its line; see Notes for how many."""
    data, notes = _load(source)
    top = Table(data, (), notes)
    name = top.text("name") or ""
    settings = read_settings(_table(top, "file"), _table(top, "times"))
    skips, skip_uses = _read_skips(top, settings)
    rules = _read_fields(top, settings)
    for key in ("drop", "skip_lines", "delimiter", "encoding", "null", "trim"):
        if key in top.data and top.has(key):
            top.wrong(key, f"{key} belongs under [file]", "unknown_key")
    top.finish()
    ordered = _order(rules, notes)
    if notes.faults:
        count = len(notes.faults)
        raise notes.refusal("one mistake" if count == 1 else f"{count} mistakes")
    return Mapping.of(
        name=name,
        sha256=hashlib.sha256(source.encode()).digest(),
        settings=settings,
        skips=tuple(skips),
        rules=ordered,
        columns=_columns(notes, settings, skip_uses, rules),
    )


def _load(source: str) -> tuple[dict[str, object], Notes]:
    if len(source) > LONGEST_SOURCE:
        raise _one_fault(f"the mapping is longer than {LONGEST_SOURCE} characters", 1)
    if (line := find_long_key(source)) is not None:
        raise _one_fault(f"the line has more than {MOST_DOTS} dots outside of texts", line)
    try:
        source.encode()
        data = tomllib.loads(source.removeprefix("\ufeff"), parse_float=Decimal)
        return data, Notes(find_lines(source.removeprefix("\ufeff")))
    except tomllib.TOMLDecodeError as bad:
        place = _TOML_PLACE.search(str(bad))
        line = int(place[1]) if place else source.count("\n") + 1
        raise _one_fault(f"not TOML: {_TOML_PLACE.sub('', str(bad))}", line) from None
    except UnicodeEncodeError:
        raise _one_fault("the mapping holds a lone surrogate, which is no character", 1) from None
    except RecursionError:
        raise _one_fault("arrays or tables are nested too deeply", 1) from None
    except (ValueError, ArithmeticError):
        raise _one_fault("a number in it is too large", 1) from None


def _one_fault(detail: str, line: int) -> BadMapping:
    fault = Fault(code="malformed", detail=detail, line=line)
    return BadMapping("The mapping cannot be read.", faults=(fault,))


def _table(top: Table, key: str) -> Table:
    return top.table(key) or Table({}, (key,), top.notes)


def _read_skips(top: Table, settings: Settings) -> tuple[list[SkipRule], Uses]:
    uses = Uses()
    rules: list[SkipRule] = []
    names: set[str] = set()
    if not top.has("skip"):
        return rules, uses
    items = top.data["skip"]
    for index, item in enumerate(items if isinstance(items, list) else [items]):
        path = ("skip", index) if isinstance(items, list) else ("skip",)
        if not isinstance(item, dict):
            top.notes.add(path, "bad_value", "write each rule under [[skip]]: rule and when")
            continue
        table = Table(item, path, top.notes)
        rule = table.text("rule")
        when = ConditionReader(settings, uses, fields=False).read(table, "when")
        table.finish()
        if not rule:
            table.notes.add(path, "missing", 'a [[skip]] has a name: rule = "test tickets"')
        if when is None:
            table.notes.add(path, "missing", "a [[skip]] has a condition: when = { ... }")
        if rule in names:
            table.wrong("rule", f"two [[skip]] are called {show(rule or '')}")
        if rule and when is not None:
            rules.append(SkipRule(rule, when))
            names.add(rule)
    return rules, uses


def _read_fields(top: Table, settings: Settings) -> dict[str, FieldRule]:
    table = top.table("fields")
    if table is None:
        if "fields" not in top.data:
            top.notes.add((), "missing", "there is no table [fields]: it says what goes where")
        return {}
    rules: dict[str, FieldRule] = {}
    for name, value in table.data.items():
        field = FIELDS.get(name)
        if field is None:
            close = nearest(name, FIELDS)
            hint = f"; did you mean {close}?" if close else ""
            table.wrong(name, f"the record has no field {name}{hint}", "unknown_field")
            continue
        path = ("fields", name)
        rule, uses = read_rule(value, path, field, settings, top.notes)
        rules[name] = FieldRule(field, top.notes.line(path), rule, uses)
    for field in FIELDS.values():
        if field.required and field.name not in table.data:
            top.notes.add(("fields",), "missing_required", f"{field.name} needs a rule")
    return rules


def _order(rules: dict[str, FieldRule], notes: Notes) -> tuple[FieldRule, ...]:
    """A field that others are computed from comes before them."""
    for rule in rules.values():
        for name, path in rule.uses.fields.items():
            if name in FIELDS and name not in rules:
                notes.add(path, "bad_value", f"{name} has no rule in this mapping")
    graph = {name: [n for n in rule.uses.fields if n in rules] for name, rule in rules.items()}
    try:
        return tuple(rules[name] for name in TopologicalSorter(graph).static_order())
    except CycleError as bad:
        circle = [str(name) for name in bad.args[1]]
        detail = f"these fields wait for each other: {' -> '.join(circle)}"
        notes.add(("fields", circle[0]), "bad_value", detail)
        return ()


def _columns(
    notes: Notes, settings: Settings, skips: Uses, rules: dict[str, FieldRule]
) -> dict[str, int]:
    """Every column that the file must have, and the line that first names it."""
    named = [(column, notes.line(path)) for column, path in skips.columns.items()]
    for rule in rules.values():
        named += [(column, notes.line(path)) for column, path in rule.uses.columns.items()]
    for index, column in enumerate(settings.drop):
        named.append((column, notes.line(("file", "drop", index))))
    lines: dict[str, int] = {}
    for column, line in named:
        lines[column] = min(line, lines.get(column, line))
    return lines
