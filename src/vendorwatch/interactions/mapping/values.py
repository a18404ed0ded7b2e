"""Texts of a file turned into the record's own words by a table of values."""

from collections.abc import Callable

from vendorwatch.interactions.mapping.faults import Unusable, show, show_all
from vendorwatch.interactions.mapping.fields import kind_of, objection
from vendorwatch.interactions.mapping.reading import Table
from vendorwatch.interactions.mapping.sources import Draft

Translate = Callable[[str], str | None]

_LISTED = 20  # known values that a message repeats


def read_values(draft: Draft) -> Translate | None:
    """Of the keys values, other and keep_other. None: there is no table of values.

    A value that the table names is taken even if it is also a null token. The empty text on the
    right side is null.
    """
    table = draft.table
    values = table.table("values")
    other = table.scalar("other")
    keep_other = table.flag("keep_other")
    if values is None:
        for key in ("other", "keep_other"):
            if key in table.data:
                table.wrong(key, f"{key} says what becomes of texts that `values` lacks; none here")
        return None
    if keep_other and (other is not None or kind_of(draft.field) == "choice"):
        table.wrong("keep_other", "keep_other goes neither with other nor with a field of choices")
    if other is not None:
        _check(draft, table, "other", other)
    return _translator(draft, _pairs(draft, values), other, keep_other=keep_other)


def _pairs(draft: Draft, values: Table) -> dict[str, str | None]:
    pairs: dict[str, str | None] = {}
    for key in values.data:
        value = values.scalar(key)
        if value is None:
            continue
        _check(draft, values, key, value)
        known = key.casefold() if draft.fold else key
        if pairs.setdefault(known, value or None) != (value or None):
            values.wrong(key, f"{show(key)} stands twice, if case is ignored")
    return pairs


def _check(draft: Draft, table: Table, key: str, value: str) -> None:
    if {"plus", "scale", "unit", "suffix"} & draft.table.data.keys():
        return  # it is not the field's value yet
    bad = objection(draft.field, value) if value else None
    if bad:
        table.wrong(key, bad)


def _translator(
    draft: Draft, pairs: dict[str, str | None], other: str | None, *, keep_other: bool
) -> Translate:
    table: dict[str, str | None] = {**dict.fromkeys(draft.nulls), **pairs}
    fold = draft.fold
    rest = _rest(pairs, other, keep_other=keep_other)

    def translate(text: str) -> str | None:
        key = text.casefold() if fold else text
        return table[key] if key in table else rest(text)

    return translate


def _rest(pairs: dict[str, str | None], other: str | None, *, keep_other: bool) -> Translate:
    """What becomes of texts that nobody foresaw."""
    if keep_other:
        return lambda text: text
    if other is not None:
        return lambda text: other or None
    known = show_all(list(pairs)[:_LISTED]) + (", …" if len(pairs) > _LISTED else "")

    def refuse(text: str) -> str | None:
        hint = "give it a line in `values`, or give `other`"
        if text.strip() in pairs:
            hint = "there is white space around it, which `trim = true` in [file] takes away"
        elif text.casefold() in {key.casefold() for key in pairs}:
            hint = "it differs in case only, which `ignore_case = true` makes one"
        raise Unusable("bad_value", f"which is not among the known values {known}; {hint}")

    return refuse


def identity(draft: Draft) -> Translate:
    """Without a table of values: a field of choices must hold one of them already."""
    if kind_of(draft.field) != "choice":
        is_null = draft.is_null
        return lambda text: None if is_null(text) else text
    choices = draft.field.choices
    known = {(choice.casefold() if draft.fold else choice): choice for choice in choices}
    table: dict[str, str | None] = {**dict.fromkeys(draft.nulls), **known}
    fold = draft.fold

    def translate(text: str) -> str | None:
        key = text.casefold() if fold else text
        if key not in table:
            raise Unusable(
                "bad_value",
                f"which is not one of {', '.join(choices)}; translate it with a table of `values`",
            )
        return table[key]

    return translate
