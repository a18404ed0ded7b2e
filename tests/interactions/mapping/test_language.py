"""Every mistake of a mapping file is told at once, with its line."""

import time

import pytest

from mapped_cells import CALLS, OPENED, STATUS, frame, mistakes
from vendorwatch.interactions.mapping import BadMapping, Dialect, parse_mapping
from vendorwatch.toml_lines import find_lines, find_long_key

DOTS = "a." * 101 + "b"


def test_all_mistakes_are_told_at_once_each_with_its_line() -> None:
    told = mistakes("""name = "x"
[file]
delimter = ";"
encoding = "latin1"
[times]
format = ["%d/%m/%Y %H:%M",
          "%m/%d/%Y %H:%M"]
zone = "Saigon"
[fields]
interaction_id = "id"
channel = { constant = "fax" }
opend_at = "x"

[fields.status]
column = "s"
values = { New = "opened" }
[[fields.priority]]
constant = "low"
null_if = { column = "x", equals = "y" }
[[skip]]
rule = "a"
when = { colum = "x", equals = "y" }
""")
    assert [(line, text[:60]) for line, text in told] == [
        (3, "file.delimter: there is no key delimter here; did you mean d"),
        (4, 'file.encoding: encoding must be one of "utf-8", "utf-8-sig",'),
        (6, "times.format[0]: %d/%m/%Y %H:%M and %m/%d/%Y %H:%M read the "),
        (8, "times.zone: 'Saigon' is not an IANA time zone"),
        (9, "fields: opened_at needs a rule"),
        (11, 'fields.channel.constant: "fax" is not one of bot, chat, emai'),
        (12, "fields.opend_at: the record has no field opend_at; did you m"),
        (16, 'fields.status.values.New: "opened" is not one of abandoned, '),
        (19, "fields.priority[0].null_if: there is no key null_if here; di"),
        (22, "skip[0].when: a condition names a column; write a condition "),
        (22, "skip[0].when.colum: there is no key colum here; did you mean"),
    ]


_WRONG = [
    ('csat_at = { column = "x", format = "%d/%m/%Y" }', 'at = "00:00"'),
    ('csat_at = { column = "x", format = "%m/%Y %H:%M" }', "must say the day"),
    ('csat_at = { column = "x", format = "%d/%m/%Y %I:%M" }', "%I (hours 1 to 12) and %p"),
    ('csat_at = { column = "x", format = "%d/%m/%Y %H:%M %Z" }', "%Z is not read"),
    ('csat_at = { column = "x", format = "dd/mm/yyyy" }', "made of directives"),
    ('csat_at = { column = "x", format = "%d/%d/%Y" }', "says the day twice"),
    ('csat_at = { constant = "31/2/2026 10:00" }', "which is not a date"),
    ('csat_at = { field = "opened_at", add = "x" }', "add needs a unit"),
    ('csat_at = { column = "x", unit = "seconds" }', "belongs to `add` or `subtract`"),
    ('csat_at = { column = "x", next_day_if_before = "topic" }', "is not an instant"),
    ('csat_at = { field = "topic" }\ntopic = "x"', "of another kind"),
    ('csat_at = { field = "resolved_at" }', "resolved_at has no rule"),
    ('topic = { field = "topic" }', "wait for each other: topic -> topic"),
    ("topic = 3", "a rule is the name of a column"),
    ("topic = []", "empty array"),
    ("topic = {}", "a rule takes one of column, join, constant, field"),
    ('topic = { column = "a", join = ["b"] }', "this one has column and join"),
    ('topic = { column = "a", other = "b" }', "none here"),
    ('priority = { column = "a", values = { b = "low" }, keep_other = true }', "keep_other"),
    ('csat = { column = "a", scale = [5, 1] }', "lowest and the highest"),
    ('reopens = { column = "a", scale = [5, 10] }', "scale is for"),
    ('reopens = { column = "a", default = 5000 }', "whole number from 0 to 1000"),
    ('topic = { column = "a", when = { column = "b", matches = "x" } }', "did you mean like?"),
    ('topic = { column = "a", when = { column = "b" } }', "write a condition as"),
    ('topic = { column = "a", when = { field = "topik", empty = true } }', "did you mean topic?"),
    ('topic = { column = "a", when = { column = "b", more_than = "3" } }', "without quotes"),
    ('topic = { column = "a", values = { A = "x", a = "y" }, ignore_case = true }', "twice"),
    ('tags = { column = "a", split = "" }', "between two tags"),
    ('agent_id = { column = "a", cut = 5 }', "cut is for topic and product"),
    ('csat_at = { format = "%d/%m/%Y %H:%M", zone = "UTC" }', "this one has none"),
    ("csat = { round = true, plus = 1 }", "this one has none"),
]


@pytest.mark.parametrize(("rule", "hint"), _WRONG)
def test_mistakes_in_rules(rule: str, hint: str) -> None:
    told = mistakes(frame(rest=f"{OPENED}\n{STATUS}\n{rule}"))
    assert len(told) == 1, told
    line, text = told[0]
    assert line == 12
    assert hint in text


@pytest.mark.parametrize(
    ("file", "hint"),
    [
        ('delimiter = ";;"', "one ASCII character"),
        ('delimiter = "\'"\nquote = "\'"', "other than the delimiter"),
        ("skip_lines = -1", "between 0 and 100"),
        ('encoding = "latin-1"', '"windows-1252"'),
        ('decimal = ","\nthousands = ","', "two different characters"),
        ("trim = 1", "true or false"),
        ("null = [1]", "text in quotes"),
    ],
)
def test_mistakes_about_the_file(file: str, hint: str) -> None:
    ((_, text),) = mistakes(frame(f"{OPENED}\n{STATUS}", file=file))
    assert hint in text


def test_a_file_without_quotes_in_another_encoding_below_a_title() -> None:
    file = 'delimiter = "|"\nquote = ""\nencoding = "windows-1252"\nskip_lines = 2'
    mapping = parse_mapping(frame(f"{OPENED}\n{STATUS}", file=file))
    assert mapping.dialect == Dialect("|", "", "windows-1252", 2)


def test_an_instant_needs_a_zone_and_a_format() -> None:
    source = """[fields]
interaction_id = "a"
channel = { constant = "phone" }
status = { constant = "open" }
opened_at = "b"
csat_at = { column = "c", format = "%Y-%m-%d %H:%M" }
resolved_at = { column = "d", format = "epoch_seconds" }
"""
    told = mistakes(source)
    assert [line for line, _ in told] == [5, 6]
    assert "no format is known" in told[0][1]
    assert "no zone is known" in told[1][1]


@pytest.mark.parametrize(
    ("source", "line"),
    [("a = \n", 1), ("a = 1\nb = [1,\n", 3), ("[a]\n[a]\n", 2), ("a = " + "[" * 9999, 1)],
)
def test_what_is_no_toml(source: str, line: int) -> None:
    told = mistakes(source)
    assert len(told) == 1
    assert told[0][0] == line


def test_a_mapping_of_monstrous_size_is_not_read() -> None:
    assert "longer than" in mistakes("#" * 300_000)[0][1]


def test_the_same_source_has_the_same_sum() -> None:
    assert parse_mapping(CALLS).sha256 == parse_mapping(CALLS).sha256
    assert parse_mapping(CALLS).sha256 != parse_mapping(CALLS + "\n").sha256


def test_lines_of_keys() -> None:
    lines = find_lines('''# a comment = "x"
top = 1 # [not.a.table]
"quoted \\u0041.key" = """
a = 1
[b]
"""
dotted . key = \'\'\'
\'\'\'
[table]
array = [
  "a", # comment, with ] and "
  { x = 1, y = { z = "}" } },
]
[[many]]
a = 1
[many.inner]
b = 2
[[many]]
a = 3
''')
    assert lines[("top",)] == 2
    assert lines[("quoted A.key",)] == 3
    assert lines[("dotted",)] == lines[("dotted", "key")] == 7
    assert lines[("table", "array")] == 10
    assert lines[("table", "array", 0)] == 11
    assert lines[("table", "array", 1, "y", "z")] == 12
    assert lines[("many", 0)] == 14
    assert lines[("many", 0, "inner", "b")] == 17
    assert lines[("many", 1, "a")] == 19


def test_a_key_of_very_many_parts_is_refused_before_it_takes_hours() -> None:
    """The server answers nobody else while it reads a mapping."""
    started = time.process_time()
    for key in ("a." * 120_000 + "b", '"a" . ' * 40_000 + "b"):
        ((line, told),) = mistakes(f"[fields]\n{key} = 1\n")
        assert line == 2
        assert "dots" in told
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "source",
    [
        "[fields]\n" + "".join(f"interaction_i{n} = 1\n" for n in range(10_000)),
        "[file]\n" + "".join(f"k{n} = 1\n" for n in range(20_000)),
        "skip = [" + "1," * 100_000 + "]",
        "[[skip]]\nrule = 'a'\nwhen = { column = 'a', empty = true }\n" * 4_000,
    ],
    ids=["fields", "keys", "values", "names"],
)
def test_reading_ends_after_a_hundred_mistakes(source: str) -> None:
    """To say of each what may have been meant takes a hundred times as long as to read it."""
    with pytest.raises(BadMapping, match="more than 100 mistakes") as refused:
        parse_mapping(source)
    assert len(refused.value.faults) == 100


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (f"{DOTS} = 1", 1),
        (f'a = """\n{DOTS}\n"""\n[{DOTS}]', 4),
        (f'# {DOTS}\nb = \'{DOTS}\'\nc = "\\"{DOTS}"', None),
        (f"b = ['''{DOTS}\n''', \"{DOTS}\"]", None),
        ('"""' + '\\"""' * 50_000, None),  # no TOML, which is for others to say
    ],
)
def test_dots_count_where_keys_may_stand(source: str, line: int | None) -> None:
    assert find_long_key(source) == line
