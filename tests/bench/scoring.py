"""From a frame to the finished document, and how the cost grows."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from bench import frames
from bench.measure import Samples, Timing, in_turns, timed
from bench.receiving import NOW
from bench.rows import AGENTS
from vendorwatch.scoring.document import canonical_json
from vendorwatch.scoring.score import Inputs, score_month

SORT, SCORE = "one sort", "score"
_KEY = ("source_account", "interaction_id")


def measure(sizes: Sequence[int], repetitions: int) -> dict[int, Samples]:
    """By the number of interactions."""
    measured = {}
    for n in sizes:
        given = frames.inputs(n, AGENTS, now=NOW)
        measured[n] = in_turns(
            f"scoring {n} interactions of {AGENTS} agents",
            [lambda given=given: _sort(given), lambda given=given: _score(given)],  # type: ignore[misc]  # a default binds the inputs now
            repetitions,
        )
    return measured


def exponents(costs: Mapping[int, float]) -> list[tuple[int, int, float]]:
    """From one size to the next: cost grows as size to this power."""
    return [
        (one, other, math.log(costs[other] / costs[one]) / math.log(other / one))
        for one, other in pairwise(sorted(costs))
    ]


def _sort(given: Inputs) -> Mapping[str, Timing]:
    with timed() as timing:
        given.interactions.sort(_KEY)
    return {SORT: timing}


def _score(given: Inputs) -> Mapping[str, Timing]:
    with timed() as timing:
        canonical_json(score_month(given)).encode()
    return {SCORE: timing}
