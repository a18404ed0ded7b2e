"""What an agent's page tells besides figures agrees with them, and comes about by rule alone."""

import dataclasses
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.logs import random_scenario
from scoring.inputs import inputs_of
from vendorwatch.scoring.coaching import coaching
from vendorwatch.scoring.explain import explain
from vendorwatch.scoring.inputs import Inputs
from vendorwatch.scoring.reading_list import MOST, REASONS
from vendorwatch.scoring.score import score_month

WENT_WRONG = REASONS[:5]
PART_OF = {  # reason: the metric and the part of it in which such an interaction stands
    "late_reply": ("first_reply_on_time", "denominator"),
    "not_satisfied": ("csat", "denominator"),
    "came_back": ("resolution_rate", "numerator"),
    "weak_review": ("quality", "denominator"),
    "late_resolution": ("resolution_on_time", "denominator"),
    "solved_well": ("first_contact_resolution", "numerator"),
}
Document = dict[str, Any]


def told_of(inputs: Inputs) -> tuple[list[Document], dict[str, Any]]:
    agents: Any = score_month(inputs)["agents"]
    return agents, coaching(inputs, [each["agent_id"] for each in agents])


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(min_value=1_000, max_value=1_000_000))
def test_replies_and_topics_add_up_to_the_agents_figures(seed: int) -> None:
    agents, told = told_of(inputs_of(random_scenario(seed, n=60)))
    for agent in agents:
        mine, metrics = told[agent["agent_id"]], agent["metrics"]
        first = metrics["first_reply_on_time"]
        for name, figure in (
            ("n", "denominator"),
            ("on_time", "numerator"),
            ("pending", "pending"),
        ):
            assert sum(each[name] for each in mine["replies"]) == first[figure]
        for each in mine["replies"]:
            timed = [(met, late) for _, met, late in each["times"]]
            assert sum(met for met, _ in timed) == each["on_time"]
            rest = each["given_up"] + each["unanswered"]
            assert sum(late for _, late in timed) + rest == each["n"] - each["on_time"]
        met = [each for each in mine["topics"] if each["contacts"]]
        coverage = metrics["knowledge_coverage"]
        assert len(met) == coverage["denominator"]
        assert sum(each["right"] > 0 for each in met) == coverage["numerator"]


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(min_value=1_000, max_value=1_000_000))
def test_what_is_to_be_read_is_the_agents_own_and_stands_for_its_reason(seed: int) -> None:
    inputs = inputs_of(random_scenario(seed, n=60))
    agents, told = told_of(inputs)
    for agent in agents:
        mine = told[agent["agent_id"]]["to_read"]
        keys = [(each["source_account"], each["interaction_id"]) for each in mine]
        assert len(keys) == len(set(keys)) == min(MOST, agent["volume"])
        reasons = [each["reason"] for each in mine]
        wrong = [each for each in reasons if each in WENT_WRONG]
        assert wrong[:2] == sorted(wrong[:2], key=REASONS.index) == reasons[: len(wrong[:2])]
        assert "latest" not in reasons[: len(reasons) - reasons.count("latest")]
        for key, each in zip(keys, mine, strict=True):
            metric, part = PART_OF.get(each["reason"], (None, None))
            if metric is not None:
                rows = explain(inputs, metric, part, agent["agent_id"])  # type: ignore[arg-type]  # one of them
                assert key in {(row.source_account, row.interaction_id) for row in rows}


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return inputs_of(random_scenario(3, n=200))


def test_the_worst_stands_first(inputs: Inputs) -> None:
    agents, told = told_of(inputs)
    late = 0
    for agent in agents:
        rows = explain(inputs, "first_reply_on_time", "denominator", agent["agent_id"])
        over = {
            row.interaction_id: row.clock.span - row.clock.target
            for row in rows
            if row.part == "denominator" and row.reason != "given_up"
            if row.clock is not None and row.clock.target is not None
        }
        if not over or any(row.clock and row.clock.target is None for row in rows):
            continue
        first = told[agent["agent_id"]]["to_read"][0]
        assert first["reason"] == "late_reply"
        assert over[first["interaction_id"]] == max(over.values())
        late += 1
    assert late >= 2


def test_the_order_in_which_rows_are_read_changes_nothing(inputs: Inputs) -> None:
    """Not even among those that are alike."""
    dice = random.Random(20261102)
    everybody_late = {"first_reply_at": None}
    records = inputs.interactions.with_columns(
        opened_at=inputs.interactions["opened_at"] // 86_400_000_000 * 86_400_000_000,
        **everybody_late,
    )
    same_day = dataclasses.replace(inputs, interactions=records)
    _, told = told_of(same_day)
    for _ in range(3):
        order = dice.sample(range(records.height), records.height)
        shuffled = dataclasses.replace(same_day, interactions=records[order])
        assert told_of(shuffled)[1] == told


def test_two_interactions_are_all_that_there_is_to_read(inputs: Inputs) -> None:
    records = inputs.interactions.filter(inputs.interactions["direction"] == "inbound")
    agent = records["agent_id"].drop_nulls()[0]
    named = dict.fromkeys(("first_reply_agent_id", "resolved_by_agent_id"))
    few = records.filter(records["agent_id"] == agent)[:2].with_columns(**named)
    agents, told = told_of(dataclasses.replace(inputs, interactions=few))
    assert [each["agent_id"] for each in agents if each["volume"]] == [agent]
    assert len(told[agent]["to_read"]) == agents[0]["volume"]
