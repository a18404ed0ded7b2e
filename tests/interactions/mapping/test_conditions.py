"""Conditions under which rules and skips apply."""

import pytest

from mapped_cells import apply, refusal

_CONDITIONS = [
    ('{ column = "c", equals = "x" }', "x", True),
    ('{ column = "c", equals = "x" }', "X", False),
    ('{ column = "c", equals = "x", ignore_case = true }', "X", True),
    ('{ column = "c", equals = 0 }', "0.0", True),
    ('{ column = "c", equals = 0 }', "", False),
    ('{ column = "c", equals = "0" }', "0.0", False),
    ('{ column = "c", not_equals = 0 }', "1", True),
    ('{ column = "c", not_equals = "x" }', "x", False),
    ('{ column = "c", in = ["x", "y"] }', "y", True),
    ('{ column = "c", in = [1, "y"] }', "1.0", True),
    ('{ column = "c", not_in = ["x", "y"] }', "y", False),
    ('{ column = "c", empty = true }', "?", True),
    ('{ column = "c", empty = false }', "", False),
    ('{ column = "c", like = "INC*7?" }', "INC0078", True),
    ('{ column = "c", like = "INC*7?" }', "INC007", False),
    ('{ column = "c", like = ["a", "*z"] }', "xyz", True),
    ('{ column = "c", not_like = "*test*" }', "a test call", False),
    ('{ column = "c", like = "a.c" }', "abc", False),
    ('{ column = "c", less_than = 2 }', "1.5", True),
    ('{ column = "c", at_most = 2 }', "2", True),
    ('{ column = "c", more_than = 2.5 }', "2.5", False),
    ('{ column = "c", at_least = 1, at_most = 3 }', "4", False),
    ('{ column = "c", less_than = 2 }', "", False),
    ('{ all = [{ column = "c", like = "a*" }, { column = "c", like = "*z" }] }', "abz", True),
    ('{ all = [{ column = "c", like = "a*" }, { column = "c", like = "*z" }] }', "ab", False),
    ('{ any = [{ column = "c", like = "a*" }, { column = "c", like = "*z" }] }', "ab", True),
    ('[{ column = "c", like = "a*" }, { column = "c", like = "*z" }]', "z", True),
    ('{ not = { column = "c", equals = "x" } }', "x", False),
    ('{ field = "topic", equals = "x" }', "x", True),
    ('{ field = "topic", empty = true }', "", True),
    ('{ field = "opened_at", empty = true }', "", False),
]


@pytest.mark.parametrize(("condition", "text", "holds"), _CONDITIONS)
def test_conditions(condition: str, text: str, *, holds: bool) -> None:
    rule = f'topic = "c"\nproduct = {{ constant = "p", when = {condition} }}'
    assert (apply(rule, file='null = ["?"]', c=text)["product"] == "p") == holds
    rule = f'topic = "c"\nproduct = {{ constant = "p", unless = {condition} }}'
    assert (apply(rule, file='null = ["?"]', c=text)["product"] is None) == holds


def test_a_comparison_with_what_is_no_number_refuses_the_row() -> None:
    rule = 'product = { constant = "p", when = { column = "c", less_than = 2 } }'
    code, detail = refusal(rule, c="few")
    assert (code, "which is not a number" in detail) == ("bad_value", True)


def test_wildcards_take_no_more_time_for_a_malicious_cell() -> None:
    pattern = "*a" * 30 + "b"
    rule = f'product = {{ constant = "p", when = {{ column = "c", like = "{pattern}" }} }}'
    assert apply(rule, c="a" * 60_000)["product"] is None
