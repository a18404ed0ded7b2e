"""Rules for texts, choices, tags and events."""

import json

from vendorwatch.interactions.mapping.conditions import Cells, Done, Value
from vendorwatch.interactions.mapping.fields import objection
from vendorwatch.interactions.mapping.sources import Draft, Rule, Source, converted, read_source
from vendorwatch.interactions.mapping.values import Translate, identity, read_values


def read_text_rule(draft: Draft) -> Rule | None:
    source = read_source(draft)
    translate = _cut(draft, read_values(draft) or identity(draft))
    if source is None:
        return None
    constant = draft.table.data.get("constant")
    if constant is None:
        return converted(draft, source, translate)
    text = source.raw({}, {}) or ""
    bad = objection(draft.field, text)
    if bad:
        draft.table.wrong("constant", bad)
    return lambda cells, done: text


def _cut(draft: Draft, translate: Translate) -> Translate:
    """Of the key cut: ids and the like are never cut, since two of them could become one."""
    if not draft.table.has("cut"):
        return translate
    most = draft.table.integer("cut", 1)
    if draft.field.kind != "text":
        draft.table.wrong("cut", "cut is for topic and product")
    elif not 1 <= most <= (draft.field.high or most):
        draft.table.wrong("cut", f"cut must lie between 1 and {draft.field.high}")

    def cut(text: str) -> str | None:
        value = translate(text)
        return None if value is None else value[:most].rstrip()

    return cut


def read_tags_rule(draft: Draft) -> Rule | None:
    """A list of texts, as JSON. `split` parts each cell; the empty and the null ones are left out."""
    source = read_source(draft)
    split = draft.table.text("split")
    if split == "":
        draft.table.wrong("split", 'split is the text between two tags, such as ","')
    if source is None:
        return None

    def rule(cells: Cells, done: Done) -> Value:
        texts = _texts(source, cells, done)
        parts = [
            part.strip() for text in texts for part in (text.split(split) if split else [text])
        ]
        tags = [part for part in parts if not draft.is_null(part)]
        return json.dumps(tags, ensure_ascii=False) if tags else None

    return rule


def _texts(source: Source, cells: Cells, done: Done) -> list[str]:
    if source.columns:
        return [cells[column] for column in source.columns]
    return [source.raw(cells, done) or ""]


def read_events_rule(draft: Draft) -> Rule | None:
    """JSON as record.md has it; the record reads it."""
    source = read_source(draft)
    if source is None:
        return None
    return converted(draft, source, lambda text: None if draft.is_null(text) else text)
