"""Numbers, whatever the export makes of them."""

import pytest

from mapped_cells import apply, refusal

_NUMBERS = [
    ('reopens = "n"', "", "3", "3"),
    ('reopens = "n"', "", "3.0", "3"),
    ('reopens = "n"', "", "007", "7"),
    ('agent_replies = "n"', 'thousands = ","', "1,234", "1234"),
    ('agent_replies = "n"', 'thousands = "."\ndecimal = ","', "1.234,0", "1234"),
    ('reopens = { column = "n", round = true }', "", "2.5", "3"),
    ('handovers = { column = "n", plus = -1 }', "", "3", "2"),
    ('handovers = { column = "n", plus = -1, if_negative = "zero" }', "", "0", "0"),
    ('handovers = { column = "n", plus = -1, if_negative = "null" }', "", "0", None),
    ('csat = { column = "n", scale = [1, 10] }', "", "10", "5"),
    ('csat = { column = "n", scale = [1, 10] }', "", "1", "1"),
    ('csat = { column = "n", scale = [0, 100] }', "", "62.5", "4"),
    ('csat = { column = "n", values = { Good = 5, Bad = "1", "-" = "" } }', "", "Good", "5"),
    ('csat = { column = "n", values = { Good = 5, Bad = "1", "-" = "" } }', "", "-", None),
    ('reopens = { column = "n", values = { Y = 1, N = 0 } }', "", "Y", "1"),
    ('vendor_quality = { column = "n", suffix = "%" }', "", "87.5 %", "87.5"),
    ('vendor_quality = { column = "n", scale = [0, 3] }', "", "1", "33.333333"),
    ('vendor_quality = "n"', 'decimal = ","', "87,50", "87.5"),
    ('handle_seconds = { column = "n", unit = "H:MM:SS" }', "", "0:02:03", "123"),
    ('handle_seconds = { column = "n", unit = "minutes" }', "", "2.5", "150"),
    ('handle_seconds = { sum = ["n", "n"], unit = "minutes" }', "", "2.5", "300"),
    ('handle_seconds = { sum = ["n", "z"] }', "", "2", None),
    ('handle_seconds = { sum = ["n", "z"], if_empty = "zero" }', "", "2", "2"),
]


@pytest.mark.parametrize(("rule", "file", "text", "number"), _NUMBERS)
def test_numbers(rule: str, file: str, text: str, number: str | None) -> None:
    name = rule.partition(" ")[0]
    assert apply(rule, file=file, n=text, z="")[name] == number


_NO_NUMBERS = [
    ('reopens = "n"', "two", "bad_value", "which is not a number"),
    ('reopens = "n"', "1,234", "bad_value", "thousands"),
    ('reopens = "n"', " 1", "bad_value", "trim = true"),
    ('reopens = "n"', "\u0661", "bad_value", "which is not a number"),
    ('reopens = "n"', "1e3", "bad_value", "which is not a number"),
    ('reopens = "n"', "9" * 50, "bad_value", "which is not a number"),
    ('reopens = "n"', "2.5", "bad_value", "round = true"),
    ('reopens = "n"', "-1", "out_of_range", "if_negative"),
    ('csat = { column = "n", scale = [1, 10] }', "11", "out_of_range", "1 to 10"),
    ('vendor_quality = "n"', "50%", "bad_value", 'suffix = "%"'),
    ('handle_seconds = { sum = ["n"] }', "x", "bad_value", 'column "n" holds "x"'),
    ('handle_seconds = { sum = ["n"] }', "0.5", "bad_value", "the sum of n is 0.5"),
]


@pytest.mark.parametrize(("rule", "text", "code", "hint"), _NO_NUMBERS)
def test_what_is_no_such_number(rule: str, text: str, code: str, hint: str) -> None:
    found, detail = refusal(rule, n=text)
    assert found == code
    assert hint in detail
    assert detail.startswith("mapping line 12: ")
