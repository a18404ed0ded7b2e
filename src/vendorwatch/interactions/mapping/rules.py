"""One field's rule: a column's name, a table, or an array of these of which the first that gives a
value counts.
"""

from collections.abc import Callable

from vendorwatch.interactions.mapping.conditions import (
    Cells,
    ConditionReader,
    Done,
    Value,
)
from vendorwatch.interactions.mapping.faults import Notes
from vendorwatch.interactions.mapping.fields import Field, Kind, kind_of, objection
from vendorwatch.interactions.mapping.instant_rules import read_instant_rule
from vendorwatch.interactions.mapping.number_rules import read_number_rule
from vendorwatch.interactions.mapping.reading import Table
from vendorwatch.interactions.mapping.settings import Settings, Uses
from vendorwatch.interactions.mapping.sources import Draft, Rule
from vendorwatch.interactions.mapping.text_rules import (
    read_events_rule,
    read_tags_rule,
    read_text_rule,
)
from vendorwatch.toml_lines import KeyPath

_READERS: dict[Kind, Callable[[Draft], Rule | None]] = {
    "instant": read_instant_rule,
    "integer": read_number_rule,
    "decimal": read_number_rule,
    "text": read_text_rule,
    "choice": read_text_rule,
    "tags": read_tags_rule,
    "events": read_events_rule,
}


def read_rule(
    value: object, path: KeyPath, field: Field, settings: Settings, notes: Notes
) -> tuple[Rule, Uses]:
    """What is wrong goes into `notes`; the rule is then of no use."""
    uses = Uses()
    items = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
    rules: list[Rule] = []
    for index, item in items:
        where = path if index is None else (*path, index)
        rule = _one(item, where, field, settings, uses, notes)
        if rule is not None:
            rules.append(rule)
    if not items:
        notes.add(path, "bad_value", f"{field.name} has an empty array of rules")
    return _first(rules), uses


def _first(rules: list[Rule]) -> Rule:
    if len(rules) == 1:
        return rules[0]

    def first(cells: Cells, done: Done) -> Value:
        for rule in rules:
            value = rule(cells, done)
            if value is not None:
                return value
        return None

    return first


def _one(
    item: object, path: KeyPath, field: Field, settings: Settings, uses: Uses, notes: Notes
) -> Rule | None:
    if isinstance(item, str):
        item = {"column": item}
    if not isinstance(item, dict):
        detail = (
            f'a rule is the name of a column, such as {field.name} = "Created at", or a table,'
            f' such as {field.name} = {{ column = "Created at" }}'
        )
        notes.add(path, "bad_value", detail)
        return None
    table = Table(item, path, notes)
    draft = _draft(table, field, settings, uses)
    conditions = ConditionReader(settings, uses, fields=True)
    when, unless = conditions.read(table, "when"), conditions.read(table, "unless")
    rule = _READERS[kind_of(field)](draft)
    rule = _with_default(draft, rule) if rule is not None else None
    table.finish()
    if rule is None:
        return None
    if when is not None:
        rule = _only(rule, when, wanted=True)
    return rule if unless is None else _only(rule, unless, wanted=False)


def _draft(table: Table, field: Field, settings: Settings, uses: Uses) -> Draft:
    fold = table.flag("ignore_case")
    nulls = settings.nulls | set(table.texts("null"))
    if fold:
        nulls = frozenset(token.casefold() for token in nulls)
    return Draft(table, field, settings, uses, nulls, fold)


def _with_default(draft: Draft, rule: Rule) -> Rule:
    table = draft.table
    default = table.scalar("default")
    if default is None:
        return rule
    bad = objection(draft.field, default)
    if kind_of(draft.field) in {"instant", "tags", "events"}:
        bad = "a field of this kind has no default"
    if bad:
        table.wrong("default", bad)

    def rule_or_default(cells: Cells, done: Done) -> Value:
        value = rule(cells, done)
        return default if value is None else value

    return rule_or_default


def _only(rule: Rule, condition: Callable[[Cells, Done], bool], *, wanted: bool) -> Rule:
    return lambda cells, done: rule(cells, done) if condition(cells, done) == wanted else None
