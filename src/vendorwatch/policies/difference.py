"""What differs between two policy files, key by key. Comments and formatting do not count. Pure."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from vendorwatch.scoring.policy_reader import spell
from vendorwatch.toml_lines import KeyPath, find_lines

Value = object
"""What TOML can hold; an empty table stands for itself, others for what is in them."""


@dataclass(frozen=True, slots=True)
class Change:
    """`old` and `new` are written as in the file; None where the key is not there."""

    path: str
    old: str | None
    new: str | None

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        if self.old is None:
            return "added"
        return "removed" if self.new is None else "changed"


def differences(old: str, new: str) -> list[Change]:
    """In the order of the new file; what was removed stands where it stood in the old one.

    Both must be TOML.
    """
    before, after = _values(old), _values(new)
    return [
        Change(spell(path) or "", _written(before.get(path)), _written(after.get(path)))
        for path in _merged(list(before), list(after))
        if path not in before or path not in after or before[path] != after[path]
    ]


def _values(source: str) -> dict[KeyPath, Value]:
    """By path, in the order of the file."""
    text = source.removeprefix("\ufeff")
    found = dict(_leaves(tomllib.loads(text, parse_float=Decimal), ()))
    places = {path: place for place, path in enumerate(find_lines(text))}
    return {path: found[path] for path in sorted(found, key=lambda path: places[path])}


def _leaves(table: Mapping[str, Value], path: KeyPath) -> Iterator[tuple[KeyPath, Value]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), _plain(value)


def _plain(value: Value) -> Value:
    """A day is the same with and without quotes."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def _merged(before: list[KeyPath], after: list[KeyPath]) -> list[KeyPath]:
    merged = list(after)
    known = set(after)
    place = 0
    for path in before:
        if path in known:
            place = merged.index(path) + 1
        else:
            merged.insert(place, path)
            place += 1
    return merged


def _written(value: Value) -> str | None:
    if value is None:
        return None
    if isinstance(value, list):
        return f"[{', '.join(_written(each) or '' for each in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
