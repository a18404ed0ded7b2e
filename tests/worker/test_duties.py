"""A round does what is due, tells what fails, and stops for nothing."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from child_process import sign_in
from stopped_clock import StoppedClock
from vendorwatch.db.engine import DatabaseUnavailable
from vendorwatch.periods import SECOND, Micros
from vendorwatch.worker.duties import Duty, Piece, Round
from vendorwatch.worker.loop import beside, keep_on


class Chores:
    """Things that are due until they are done; `broken` ones cannot be done."""

    def __init__(self, *names: str, broken: Sequence[str] = ()) -> None:
        self.left = list(names)
        self.broken = set(broken)
        self.tried: Counter[str] = Counter()

    async def due(self, now: Micros) -> Sequence[Piece]:
        return [{"chore": name} for name in self.left]

    async def do(self, piece: Piece, now: Micros) -> bool:
        name = piece["chore"]
        self.tried[name] += 1
        if name in self.broken:
            raise RuntimeError(name)
        self.left.remove(name)
        return True


async def test_one_that_fails_stops_no_other_and_waits_longer_each_time(
    clock: StoppedClock,
) -> None:
    chores = Chores("a", "b", "c", broken=["b"])
    work = Round([Duty("tidy", chores.due, chores.do)], clock)
    assert await work.run() == 2
    assert chores.left == ["b"]
    started, tries = clock(), []
    for _ in range(30):
        before = chores.tried["b"]
        await work.run()
        if chores.tried["b"] > before:
            tries.append((clock() - started) // SECOND)
        clock.now += 10 * SECOND
    assert tries == [30, 90, 210]
    chores.broken.clear()
    clock.now += 3_600 * SECOND
    assert await work.run() == 1
    assert chores.left == []


async def test_what_one_duty_makes_due_for_a_later_one_is_done_as_well(
    clock: StoppedClock,
) -> None:
    posted = Chores()
    written = Chores("letter")

    async def write(piece: Piece, now: Micros) -> bool:
        posted.left.append(piece["chore"])
        return await written.do(piece, now)

    duties = [Duty("write", written.due, write), Duty("post", posted.due, posted.do)]
    assert await Round(duties, clock).run() == 2
    assert posted.left == []


async def test_a_piece_that_hangs_is_given_up(clock: StoppedClock) -> None:
    chores = Chores("a")

    async def hang(piece: Piece, now: Micros) -> bool:
        return await asyncio.Event().wait()

    duty = Duty("hang", chores.due, hang, patience_seconds=0.01)
    assert await Round([duty], clock).run() == 0


async def test_a_database_that_does_not_answer_ends_nothing(clock: StoppedClock) -> None:
    async def nobody_knows(now: Micros) -> Sequence[Piece]:
        raise DatabaseUnavailable("gone")

    chores = Chores("a")
    duties = [Duty("ask", nobody_knows, chores.do), Duty("tidy", chores.due, chores.do)]
    assert await Round(duties, clock).run() == 1


async def test_it_keeps_on_until_it_is_told_to_stop(clock: StoppedClock) -> None:
    stop = asyncio.Event()
    chores = Chores("a", "b")

    async def do(piece: Piece, now: Micros) -> bool:
        did = await chores.do(piece, now)
        if not chores.left:
            stop.set()
        return did

    await asyncio.wait_for(keep_on(Round([Duty("tidy", chores.due, do)], clock), stop), 10)
    assert chores.left == []


async def test_a_worker_that_dies_is_started_again_and_ends_with_its_block(
    tmp_path: Path,
) -> None:
    async with beside(partial(sign_in, tmp_path)):
        first = await asyncio.to_thread(_await_other_than, tmp_path, None)
        os.kill(first, signal.SIGKILL)
        second = await asyncio.to_thread(_await_other_than, tmp_path, first)
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


def _await_other_than(folder: Path, last: int | None) -> int:
    for _ in range(3_000):
        path = folder / "worker"
        if path.exists() and int(path.read_text(encoding="ascii")) != last:
            return int(path.read_text(encoding="ascii"))
        time.sleep(0.01)
    raise AssertionError("no worker signed in")
