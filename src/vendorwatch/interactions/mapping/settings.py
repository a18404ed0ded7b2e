"""What a mapping says once for all fields: the tables [file] and [times]."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from vendorwatch.interactions.formats.delimited import Dialect
from vendorwatch.interactions.mapping.amounts import ReadNumber, number_reader
from vendorwatch.interactions.mapping.faults import Notes
from vendorwatch.interactions.mapping.moments import Format, compile_format, contradict
from vendorwatch.interactions.mapping.reading import Table
from vendorwatch.periods import load_zone
from vendorwatch.toml_lines import KeyPath

ENCODINGS = ("utf-8", "utf-8-sig", "windows-1252")
_MOST_SKIPPED_LINES = 100


@dataclass(frozen=True, slots=True)
class Settings:
    dialect: Dialect
    trim: bool
    nulls: frozenset[str]  # the empty cell is always among them
    number: ReadNumber
    drop: tuple[str, ...]
    formats: tuple[Format, ...]
    zone: ZoneInfo | None
    told: frozenset[str]  # the keys of [times], be they right or wrong


@dataclass(slots=True)
class Uses:
    """What a rule or condition refers to, gathered while it is compiled."""

    columns: dict[str, KeyPath] = field(default_factory=dict)  # and where the mapping names each
    values: set[str] = field(default_factory=set)  # the columns whose text becomes a value
    fields: dict[str, KeyPath] = field(default_factory=dict)


def read_settings(file: Table, times: Table) -> Settings:
    decimal = file.choice("decimal", (".", ","), ".")
    thousands = file.choice("thousands", ("", ",", ".", " ", "'", "\u00a0", "\u202f"), "")
    if thousands == decimal:
        file.wrong("thousands", "decimal and thousands must be two different characters")
        thousands = ""
    settings = Settings(
        dialect=_read_dialect(file),
        trim=file.flag("trim"),
        nulls=frozenset({"", *file.texts("null")}),
        number=number_reader(decimal, thousands),
        drop=file.texts("drop"),
        formats=read_formats(times),
        zone=times.checked("zone", load_zone),
        told=frozenset(times.data),
    )
    file.finish()
    times.finish()
    return settings


def _read_dialect(file: Table) -> Dialect:
    delimiter = _one_character(file, "delimiter", ",")
    quote = file.text("quote", '"') or ""
    impossible = {"\r", "\n", "\0", delimiter}
    if len(quote) > 1 or not quote.isascii() or quote in impossible:
        file.wrong("quote", 'quote is one ASCII character other than the delimiter, or "" for none')
    encoding = file.choice("encoding", ENCODINGS, "utf-8")
    skip_lines = file.integer("skip_lines")
    if not 0 <= skip_lines <= _MOST_SKIPPED_LINES:
        file.wrong("skip_lines", f"skip_lines must lie between 0 and {_MOST_SKIPPED_LINES}")
    return Dialect(delimiter, quote, encoding, skip_lines)


def _one_character(file: Table, key: str, default: str) -> str:
    value = file.text(key, default)
    if value is not None and len(value) == 1 and value.isascii() and value not in "\r\n\0":
        return value
    file.wrong(key, f'{key} must be one ASCII character, such as ";" or "\\t" for a tab')
    return default


def read_formats(table: Table) -> tuple[Format, ...]:
    """Of the key `format`: one text or several, tried in their order."""
    formats: list[Format] = []
    for index, text in enumerate(table.texts("format")):
        try:
            formats.append(compile_format(text))
        except ValueError as bad:
            _wrong_format(table, index, f'"{text}": {bad}')
    clash = contradict(tuple(formats))
    if clash:
        _wrong_format(
            table, 0, f"{clash[0]} and {clash[1]} read the same text as two different days"
        )
    return tuple(formats)


def _wrong_format(table: Table, index: int, detail: str) -> None:
    notes: Notes = table.notes
    many = isinstance(table.data["format"], list)
    path: KeyPath = (*table.path, "format", index) if many else (*table.path, "format")
    notes.add(path, "bad_value", detail)
