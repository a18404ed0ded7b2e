"""From frames in memory to the finished document, beside the same counts in SQL on DuckDB."""

import gc
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import click
import duckdb

from bench import frames
from bench.measure import Samples, Timing, in_turns, timed
from bench.receiving import NOW
from bench.rows import AGENTS
from sql.figures import prepared, run
from vendorwatch.scoring.document import canonical_json
from vendorwatch.scoring.inputs import Inputs
from vendorwatch.scoring.score import score_month

SCORE, SQL = "score", "DuckDB"
LARGE = 2_000_000
"""From here on, each has a process of its own, one after the other: both would not fit."""
LARGE_REPETITIONS = 3


@dataclass(frozen=True, slots=True)
class Scored:
    samples: Samples
    repetitions: int
    input_bytes: int
    peaks: Mapping[str, int]  # bytes above what the process held before, by contender

    def per_byte(self, name: str) -> float:
        return self.peaks[name] / self.input_bytes


def measure(sizes: Sequence[int], repetitions: int) -> dict[int, Scored]:
    """By the number of interactions."""
    return {
        n: _alone(n, LARGE_REPETITIONS) if n >= LARGE else _together(n, repetitions)
        for n in sorted(sizes)
    }


def exponents(costs: Mapping[int, float]) -> list[tuple[int, int, float]]:
    """From one size to the next: cost grows as size to this power."""
    return [
        (one, other, math.log(costs[other] / costs[one]) / math.log(other / one))
        for one, other in pairwise(sorted(costs))
    ]


def score(given: Inputs) -> Timing:
    with timed() as timing:
        canonical_json(score_month(given)).encode()
    return timing


def count(connection: duckdb.DuckDBPyConnection) -> Timing:
    with timed() as timing:
        run(connection)
    return timing


def _together(n: int, repetitions: int) -> Scored:
    samples = _in_turns(n, repetitions)
    gc.collect()  # what those held is not in the way of what comes
    memory = _alone(n, 1)
    return Scored(samples, repetitions, memory.input_bytes, memory.peaks)


def _in_turns(n: int, repetitions: int) -> Samples:
    given = frames.inputs(n, AGENTS, now=NOW)
    with prepared(given) as connection:
        return in_turns(
            f"scoring {n} interactions of {AGENTS} agents",
            [lambda: {SQL: count(connection)}, lambda: {SCORE: score(given)}],
            repetitions,
        )


def _alone(n: int, repetitions: int) -> Scored:
    samples, seen = Samples(), []
    with tempfile.TemporaryDirectory(prefix="vendorwatch-bench-") as home:
        _child("write", n, Path(home))
        for turn in range(repetitions):
            for name in (SQL, SCORE):
                found = _child(name, n, Path(home))
                seen.append((name, found))
                samples.of.setdefault(name, []).append(Timing(found["wall"], found["cpu"]))
                click.echo(
                    f"scoring {n} interactions in a process of its own, {turn + 1} of "
                    f"{repetitions}: {name} {found['wall']:.3f} s, "
                    f"{found['peak'] / 2**20:.0f} MiB more at the peak",
                    err=True,
                )
    peaks = {
        name: int(median(found["peak"] for which, found in seen if which == name))
        for name in (SQL, SCORE)
    }
    return Scored(samples, repetitions, int(seen[0][1]["input_bytes"]), peaks)


def _child(what: str, n: int, folder: Path) -> dict[str, float]:
    script = Path(__file__).with_name("alone.py")
    done = subprocess.run(
        [sys.executable, script, what, str(n), folder],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found
