"""What a field may hold, told by its annotation, and what is wrong with a value that it may not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

import msgspec
from msgspec import inspect

from vendorwatch.errors import Fault

_SHOWN = 60  # characters of a value that a message repeats

FAULTS_OF_A_ROW = 100
"""Of a row that are told: as many as its bytes could be wrong, and would say nothing more."""


@dataclass(frozen=True, slots=True)
class Field:
    """`kind` is instant, id, text, url, language, integer, decimal, choice, boolean, tags or events.

    `low` and `high` bound an integer's value, a text's length or a list's; `wanted` says it all in
    words that follow "is not".
    """

    name: str
    kind: str
    required: bool
    low: int | None
    high: int | None
    choices: tuple[str, ...]
    wanted: str
    annotation: object


def describe(struct: type[msgspec.Struct], leave_out: Collection[str]) -> dict[str, Field]:
    """In the order of the class."""
    return {
        info.name: _describe(info)
        for info in msgspec.structs.fields(struct)
        if info.name not in leave_out
    }


def mistakes(
    values: Mapping[str, object], table: Mapping[str, Field], known_bad: Collection[str]
) -> list[Fault]:
    """Of each field on its own; those of `known_bad` have been told before."""
    faults = []
    for name, field in table.items():
        if name in known_bad:
            continue
        if name not in values:
            if field.required:
                faults.append(Fault("missing_required", f"{name} is missing", field=name))
            continue
        try:
            msgspec.convert(values[name], field.annotation)
        except msgspec.ValidationError:
            faults.append(refuse(field, values[name]))
    return faults


def refuse(field: Field, value: object) -> Fault:
    code = "out_of_range" if _is_outside(field, value) else "bad_value"
    return Fault(code, f"{show(value)} is not {field.wanted}", field=field.name)


def show(value: object) -> str:
    """As JSON would write it, cut where it is long, with nothing that a terminal would act on."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, str):
        return str(value)[:_SHOWN]
    cut = value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in cut) + '"'


def _is_outside(field: Field, value: object) -> bool:
    if field.kind != "integer" or isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    low, high = field.low, field.high
    return (low is not None and value < low) or (high is not None and value > high)


def _describe(info: msgspec.structs.FieldInfo) -> Field:
    kind, low, high, choices = _shape(inspect.type_info(info.type))
    return Field(
        name=info.encode_name,
        kind=kind,
        required=info.required,
        low=low,
        high=high,
        choices=choices,
        wanted=_words(kind, low, high, choices),
        annotation=info.type,
    )


def _shape(shape: inspect.Type) -> tuple[str, int | None, int | None, tuple[str, ...]]:
    if isinstance(shape, inspect.UnionType):
        shape = next(t for t in shape.types if not isinstance(t, inspect.NoneType))
    kind = ""
    if isinstance(shape, inspect.Metadata):
        kind = str((shape.extra_json_schema or {}).get("title"))
        shape = shape.type
    if isinstance(shape, inspect.LiteralType):
        return "choice", None, None, tuple(map(str, shape.values))
    if isinstance(shape, inspect.BoolType):
        return "boolean", None, None, ()
    if isinstance(shape, inspect.IntType):
        return kind, shape.ge, shape.le, ()
    if isinstance(shape, inspect.StrType | inspect.VarTupleType):
        return kind, shape.min_length, shape.max_length, ()
    raise TypeError(f"no field can be a {shape}")


def _words(kind: str, low: int | None, high: int | None, choices: tuple[str, ...]) -> str:
    length = f"{low} to {high}" if low else f"at most {high}"
    by_kind = {
        "id": f"text of {length} characters without white space around it",
        "text": f"text of {length} characters",
        "integer": f"a whole number from {low} to {high}",
        "decimal": "a decimal number from 0 to 100",
        "choice": f"one of {', '.join(choices)}",
        "boolean": "true or false",
        "url": f"an http or https address of at most {high} characters",
        "language": "a language tag such as en or pt-BR",
        "tags": f"a list of at most {high} texts",
        "events": "a list of events",
        "instant": "an instant",
    }
    return by_kind[kind]
