"""Behind every figure stand exactly the interactions that it counts."""

import dataclasses
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.logs import random_scenario
from scoring.inputs import inputs_of
from vendorwatch.scoring.explain import EXPLAINED, Explained, PartName, explain
from vendorwatch.scoring.inputs import Inputs
from vendorwatch.scoring.score import score_month

PARTS: tuple[PartName, ...] = get_args(PartName)
ONE_ROW_AN_INTERACTION = tuple(set(EXPLAINED) - {"next_reply_on_time", "quality"})


def levels(document: dict[str, Any]) -> dict[str | None, dict[str, Any]]:
    agents = {agent["agent_id"]: agent["metrics"] for agent in document["agents"]}
    return {None: document["vendor_scores"]["metrics"], **agents}


def keys(rows: list[Explained]) -> set[tuple[str, str]]:
    return {(row.source_account, row.interaction_id) for row in rows}


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(min_value=1_000, max_value=1_000_000), metric=st.sampled_from(EXPLAINED))
def test_the_counts_add_up_always(seed: int, metric: str) -> None:
    inputs = inputs_of(random_scenario(seed, n=30))
    for who, metrics in levels(score_month(inputs)).items():
        figure = metrics[metric]
        listed = {part: explain(inputs, metric, part, who) for part in PARTS}
        assert {part: len(rows) for part, rows in listed.items()} == {
            part: figure[part] or 0 for part in PARTS
        }
        assert set(listed["numerator"]) <= set(listed["denominator"])
        if metric in ONE_ROW_AN_INTERACTION:
            rest = [part for part in PARTS if part != "numerator"]
            assert sum(map(len, listed.values())) - len(listed["numerator"]) == len(
                set().union(*(keys(listed[part]) for part in rest))
            )


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return inputs_of(random_scenario(3, n=200))


@pytest.mark.parametrize("metric", EXPLAINED)
def test_every_row_has_a_reason_and_its_agent(inputs: Inputs, metric: str) -> None:
    for part in PARTS:
        rows = explain(inputs, metric, part, None)
        assert all(row.reason and row.part for row in rows)
        for agent in {row.agent_id for row in rows} - {None}:
            assert explain(inputs, metric, part, agent) == [
                row for row in rows if row.agent_id == agent
            ]


def test_a_clock_tells_why_a_reply_was_late(inputs: Inputs) -> None:
    rows = explain(inputs, "first_reply_on_time", "denominator", None)
    for row in rows:
        clock = row.clock
        assert clock is not None
        assert (clock.target is None) != (clock.due is None) or clock.target == clock.due
        if row.reason == "given_up":
            continue
        if clock.target is not None:
            assert (clock.span <= clock.target) == (row.part == "numerator")
        elif clock.due is not None:
            came = clock.end if clock.end is not None else inputs.as_of
            assert (came <= clock.due) == (row.part == "numerator")


def test_rows_come_in_the_order_of_time(inputs: Inputs) -> None:
    rows = explain(inputs, "resolution_rate", "denominator", None)
    places = [(row.opened_at, row.source_account, row.interaction_id) for row in rows]
    assert places == sorted(places)
    assert len(places) > 50


def test_a_slice_is_a_part_of_the_whole(inputs: Inputs) -> None:
    whole = explain(inputs, "resolution_rate", "denominator", None)
    parts = [
        explain(inputs, "resolution_rate", "denominator", None, start=start, limit=20)
        for start in range(0, len(whole) + 20, 20)
    ]
    assert [row for part in parts for row in part] == whole


def test_nothing_is_behind_next_replies_that_no_target_is_set_for(inputs: Inputs) -> None:
    version = inputs.policy
    targets = {kind: each for kind, each in version.policy.targets.items() if kind != "next_reply"}
    policy = dataclasses.replace(version.policy, targets=targets)
    without = dataclasses.replace(inputs, policy=dataclasses.replace(version, policy=policy))
    for part in PARTS:
        assert explain(without, "next_reply_on_time", part, None) == []
