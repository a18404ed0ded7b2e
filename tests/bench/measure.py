"""How things are timed: in turns, so that whatever else the machine does hits all of them alike."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from statistics import median

import click

LEAST_REPETITIONS = 5


@dataclass(slots=True)
class Timing:
    """`cpu` is this process's own, all threads together; a database server's is not in it."""

    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def timed(*, collect: bool = True) -> Iterator[Timing]:
    """`collect`: the rubbish of what ran before is not this one's cost. Not where something small
    is timed many times.
    """
    timing = Timing()
    if collect:
        gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    yield timing
    timing.wall = time.perf_counter() - wall
    timing.cpu = time.process_time() - cpu


Trial = Callable[[], Mapping[str, Timing]]
"""Does its set-up untimed, then one or more timed things, each under its name."""


@dataclass(slots=True)
class Samples:
    """Timings by name; the n-th ones of all names were taken one right after the other."""

    of: dict[str, list[Timing]] = field(default_factory=dict)

    def wall(self, name: str) -> float:
        return median(timing.wall for timing in self.of[name])

    def cpu(self, name: str) -> float:
        return median(timing.cpu for timing in self.of[name])

    def quantile(self, name: str, part: float) -> float:
        """The nearest rank, in seconds."""
        walls = sorted(timing.wall for timing in self.of[name])
        return walls[max(0, ceil(part * len(walls)) - 1)]

    def ratios(self, name: str, baseline: str) -> list[float]:
        """Ascending, one for each repetition: how many times as long as the baseline."""
        pairs = zip(self.of[name], self.of[baseline], strict=True)
        return sorted(one.wall / other.wall for one, other in pairs)


def in_turns(
    title: str, trials: Sequence[Trial], repetitions: int, *, warm_up: bool = True
) -> Samples:
    """Each trial once to warm up, uncounted, then all of them in turns."""
    samples = Samples()
    for turn in range(0 if warm_up else 1, repetitions + 1):
        timings: dict[str, Timing] = {}
        for trial in trials:
            timings |= trial()
        told = ", ".join(f"{name} {timing.wall:.3f} s" for name, timing in timings.items())
        which = f"{turn} of {repetitions}" if turn else "warm-up"
        click.echo(f"{title}, {which}: {told}", err=True)
        if turn:
            for name, timing in timings.items():
                samples.of.setdefault(name, []).append(timing)
    return samples
