"""Texts and choices: null tokens, tables of values, joins, alternatives."""

from mapped_cells import OPENED, apply, frame, refusal
from vendorwatch.interactions.mapping import Mapped, parse_mapping


def test_texts_are_taken_as_they_are_unless_trimmed() -> None:
    assert apply('agent_id = "a"', a=" 007 ")["agent_id"] == " 007 "
    assert apply('agent_id = "a"', file="trim = true", a=" 007 ")["agent_id"] == "007"


def test_null_tokens_of_the_file_and_of_a_field() -> None:
    rule = 'agent_id = { column = "a", null = ["n/a"] }\ntopic = "a"'
    assert apply(rule, file='null = ["?"]', a="?") | {"x": None} == apply(
        rule, file='null = ["?"]', a=""
    ) | {"x": None}
    fields = apply(rule, file='null = ["?"]', a="n/a")
    assert (fields["agent_id"], fields["topic"]) == (None, "n/a")
    folded = 'agent_id = { column = "a", null = ["n/a"], ignore_case = true }'
    assert apply(folded, a="N/A")["agent_id"] is None


def test_values_translate_and_unknown_ones_are_refused_with_the_known() -> None:
    rule = 'priority = { column = "p", values = { "3 - Moderate" = "normal", "none" = "" } }'
    assert apply(rule, p="3 - Moderate")["priority"] == "normal"
    assert apply(rule, p="none")["priority"] is None
    assert apply(rule, p="")["priority"] is None
    code, detail = refusal(rule, p="5 - Planning")
    assert code == "bad_value"
    assert detail == (
        'mapping line 12: column "p" holds "5 - Planning", which is not among the known values'
        ' "3 - Moderate", "none"; give it a line in `values`, or give `other`'
    )
    assert "trim = true" in refusal(rule, p="none ")[1]
    assert "ignore_case = true" in refusal(rule, p="3 - moderate")[1]


def test_other_values() -> None:
    rule = 'priority = { column = "p", values = { a = "low" }, other = "normal" }'
    assert apply(rule, p="z")["priority"] == "normal"
    assert apply(rule.replace('"normal"', '""'), p="z")["priority"] is None
    assert (
        apply('topic = { column = "p", values = { a = "b" }, keep_other = true }', p="z")["topic"]
        == "z"
    )
    folded = 'priority = { column = "p", values = { A = "low" }, ignore_case = true }'
    assert apply(folded, p="a")["priority"] == "low"


def test_a_value_in_the_table_is_taken_even_if_it_is_a_null_token() -> None:
    rule = 'priority = { column = "p", values = { "?" = "low", "" = "high" } }'
    assert apply(rule, file='null = ["?"]', p="?")["priority"] == "low"
    assert apply(rule, p="")["priority"] == "high"


def test_a_choice_without_a_table_must_be_one_already() -> None:
    assert apply('priority = "p"', p="low")["priority"] == "low"
    code, detail = refusal('priority = "p"', p="Low")
    assert code == "bad_value"
    assert "which is not one of" in detail
    assert apply('priority = { column = "p", ignore_case = true }', p="Low")["priority"] == "low"


def test_joined_ids_need_all_their_parts() -> None:
    rule = 'order_ref = { join = ["a", "b"] }'
    assert apply(rule, a="1", b="2")["order_ref"] == "1-2"
    assert apply(rule, a="1", b="")["order_ref"] is None
    skipping = 'order_ref = { join = ["a", "b"], separator = "", skip_empty = true }'
    assert apply(skipping, a="1", b="")["order_ref"] == "1"
    assert apply(skipping, a="", b="")["order_ref"] is None


def test_the_first_rule_that_gives_a_value() -> None:
    assert apply('agent_id = ["a", "b"]', a="", b="2")["agent_id"] == "2"
    rule = """[[fields.status]]
constant = "abandoned"
when = { column = "answered", equals = "N" }
[[fields.status]]
column = "resolved"
values = { Y = "resolved", N = "open" }"""
    source = frame(rest=f"{OPENED}\n{rule}")
    row = {"opened": "1/2/2026 10:00", "answered": "Y", "resolved": "Y"}
    for change, status in (({}, "resolved"), ({"answered": "N"}, "abandoned")):
        mapped = parse_mapping(source).apply(row | change)
        assert isinstance(mapped, Mapped)
        assert mapped.fields["status"] == status


def test_a_default_stands_for_null_but_not_where_the_rule_does_notapply() -> None:
    rule = (
        'priority = { column = "p", default = "normal", unless = { column = "q", equals = "x" } }'
    )
    assert apply(rule, p="", q="")["priority"] == "normal"
    assert apply(rule, p="", q="x")["priority"] is None


def test_another_field_as_the_source() -> None:
    rule = 'agent_id = "a"\nfirst_reply_agent_id = { field = "agent_id" }'
    assert apply(rule, a="Ann")["first_reply_agent_id"] == "Ann"


def test_tags() -> None:
    assert apply('tags = { column = "t", split = "," }', t="a, b;c,,")["tags"] == '["a", "b;c"]'
    assert apply('tags = { join = ["t", "u"] }', t="a,b", u="")["tags"] == '["a,b"]'
    assert apply('tags = "t"', t="")["tags"] is None


def test_one_column_may_feed_several_fields() -> None:
    rule = 'product = "p"\ntopic = "p"'
    fields = apply(rule, p="x")
    assert (fields["product"], fields["topic"]) == ("x", "x")


def test_long_topics_are_cut_only_where_the_mapping_says_so() -> None:
    assert apply('topic = { column = "t", cut = 5 }', t="Late parcel")["topic"] == "Late"
    assert apply('topic = "t"', t="x" * 65)["topic"] == "x" * 65  # which the record then refuses
