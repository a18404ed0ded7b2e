"""Figures that checks of product knowledge give."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from vendorwatch.scoring.counting import Counted
from vendorwatch.scoring.figures import VENDOR, Counts, Figure, RateFigure, Who
from vendorwatch.scoring.words import CHANNELS


def figures_of_knowledge(
    counted: Counted, knowledge: pl.DataFrame, answers: pl.DataFrame, everybody: Sequence[Who]
) -> Iterator[tuple[str, Mapping[Who, Figure]]]:
    """Metric by metric. Frames: KNOWLEDGE and ANSWERS, aliases resolved."""
    results, nothing = _results(knowledge), RateFigure(0, 0)
    scores, passes = (
        {who: results[who][at] if who in results else nothing for who in everybody} for at in (0, 1)
    )
    yield "knowledge_score", scores
    yield "knowledge_pass_rate", passes
    coverage = _coverage(counted, answers)
    yield "knowledge_coverage", {who: coverage.get(who, nothing) for who in everybody}


def _results(knowledge: pl.DataFrame) -> dict[Who, tuple[RateFigure, RateFigure]]:
    asked = ~pl.col("excused")
    sums = (
        pl.col("earned", "possible", "questions", "passed").filter(asked).sum(),
        asked.sum().alias("checks"),
        pl.col("excused").sum(),
    )
    everybody = knowledge.select(*sums, agent_id=pl.lit(VENDOR, dtype=pl.String))
    by_agent = knowledge.group_by("agent_id").agg(*sums)
    found = {}
    for due in (*everybody.iter_rows(named=True), *by_agent.iter_rows(named=True)):
        counts = Counts(excluded=due["excused"])
        found[due["agent_id"]] = (
            RateFigure(due["earned"], due["possible"], counts, volume=due["questions"]),
            RateFigure(due["passed"], due["checks"], counts, volume=due["questions"]),
        )
    return found


def _coverage(counted: Counted, answers: pl.DataFrame) -> dict[Who, RateFigure]:
    """Of the topics that an agent met in the month, those that the agent knew about lately."""
    known: dict[str, set[str]] = defaultdict(set)
    asked: dict[str, int] = defaultdict(int)
    for agent, topic, right in answers.select("agent_id", "topic", "right").iter_rows():
        asked[agent] += 1
        if right:
            known[agent].add(topic)
    met, untold = _topics_met(counted)
    found: dict[Who, RateFigure] = {}
    for agent in {*met, *untold, *asked}:
        topics = met.get(agent, set())
        found[agent] = RateFigure(
            len(topics & known[agent]),
            len(topics),
            Counts(missing=untold.get(agent, 0)),
            volume=asked[agent],
        )
    found[VENDOR] = RateFigure(
        sum(figure.numerator for figure in found.values()),
        sum(figure.denominator for figure in found.values()),
        Counts(missing=sum(figure.counts.missing for figure in found.values())),
        # Whoever worked on nothing this month is not on the scorecard, nor are the answers.
        volume=sum(figure.volume for figure in found.values() if figure.denominator),
    )
    return found


def _topics_met(counted: Counted) -> tuple[dict[str, set[str]], dict[str, int]]:
    """By agent: the topics of the interactions that are credited, and how many have none."""
    met: dict[str, set[str]] = defaultdict(set)
    reply, resolution = counted.response.cells, counted.resolution.cells
    worked_on = [
        reply.select("who", "stratum"),
        resolution.filter(pl.col("in_base") > 0).select("who", "stratum"),
    ]
    pairs = (
        pl.concat(worked_on)
        .drop_nulls("who")
        .select("who", topic=pl.col("stratum") // len(CHANNELS))
    )
    for agent, number in pairs.unique().iter_rows():
        if number:
            met[agent].add(counted.measured.topics[number - 1])
    return met, {agent: each.without_topic for agent, each in counted.work.items()}
