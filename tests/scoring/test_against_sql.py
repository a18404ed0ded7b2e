"""Every count equals that of the same metrics written in SQL and run by DuckDB."""

import dataclasses
from collections import defaultdict
from fractions import Fraction
from typing import Any

import pytest

from bench import frames
from bench.receiving import NOW
from oracle.logs import random_scenario
from scoring.inputs import inputs_of
from sql.figures import NOT_REACHED, VENDOR, Figures, Level, figures, prepared, run, strata
from vendorwatch.periods import DAY
from vendorwatch.scoring.document import decimal_text
from vendorwatch.scoring.inputs import Inputs
from vendorwatch.scoring.score import score_month

COUNTS = ("numerator", "denominator", "pending", "missing", "excluded")
ROWS, AGENTS = 5_000, 40


def in_sql(inputs: Inputs) -> tuple[Figures, dict[str, dict[str | None, Fraction | None]]]:
    connection = prepared(inputs)
    try:
        return figures(run(connection)), {m: adjusted(s) for m, s in strata(connection).items()}
    finally:
        connection.close()


def adjusted(rows: Any) -> dict[str | None, Fraction | None]:
    """Of each agent: the pooled rate times what was observed over what the strata let expect."""
    total: defaultdict[Any, int] = defaultdict(int)
    for row in rows:
        for which in ("numerator", "denominator"):
            total[which] += row[which]
            total[which, row["channel"], row["topic"]] += row[which]
            total[which, row["who"]] += row[which]
    expected: defaultdict[str | None, Fraction] = defaultdict(Fraction)
    for row in rows:
        stratum = row["channel"], row["topic"]
        if row["denominator"]:
            rate = Fraction(total["numerator", *stratum], total["denominator", *stratum])
            expected[row["who"]] += row["denominator"] * rate
    return {
        who: Fraction(total["numerator"], total["denominator"]) * total["numerator", who] / each
        if each
        else None
        for who, each in expected.items()
    }


def assert_the_same(inputs: Inputs) -> None:
    document: Any = score_month(inputs)
    counted, mix = in_sql(inputs)
    volume = document["volume"]
    assert {k: v for k, v in volume["excluded"].items() if v} == counted.excluded
    assert (volume["scored"], volume["unassigned"]) == (counted.scored, counted.unassigned)
    levels = {agent["agent_id"]: agent for agent in document["agents"]}
    for who, level in {VENDOR: document["vendor_scores"], **levels}.items():
        assert_level(who, level["metrics"], counted.metrics.get(who, {}))
        survey = level["metrics"]["csat"]["survey"]
        assert (survey["invited"], survey["answered"]) == counted.surveys.get(who, (0, 0)), who
        if who is not VENDOR:
            assert level["volume"] == counted.volumes.get(who, 0)
            for metric, rates in mix.items():
                value = rates.get(who)
                written = None if value is None else decimal_text(value, 6)
                assert level["metrics"][metric]["adjusted"] == written, (who, metric)


def assert_level(who: str | None, shown: dict[str, Any], counted: Level) -> None:
    for name, metric in shown.items():
        expected = counted.get(name, dict.fromkeys(COUNTS, 0))
        if metric["kind"] != "rate":
            expected = expected | {"numerator": None}
            value = expected.get("value")
            text = value if value in {None, NOT_REACHED} else decimal_text(Fraction(value), 6)
            assert metric["value"] == text, (who, name)
        assert [metric[count] for count in COUNTS] == [expected[count] for count in COUNTS], (
            who,
            name,
        )


@pytest.mark.parametrize("seed", range(2))
def test_of_a_large_log(seed: int) -> None:
    assert_the_same(frames.inputs(ROWS, AGENTS, now=NOW, seed=seed))


def test_of_a_month_that_is_not_over() -> None:
    inputs = frames.inputs(ROWS, AGENTS, now=NOW)
    start = inputs.month.bounds(inputs.zone)[0]
    assert_the_same(dataclasses.replace(inputs, as_of=start + 20 * DAY))


def test_of_agents_with_other_ids() -> None:
    inputs = frames.inputs(ROWS, AGENTS, now=NOW)
    aliases = {f"hs-{number:03}": f"hs-{number + 20:03}" for number in range(10)}
    assert_the_same(dataclasses.replace(inputs, aliases=aliases))


@pytest.mark.parametrize("seed", range(12))
def test_of_unkind_logs(seed: int) -> None:
    assert_the_same(inputs_of(random_scenario(seed)))
