"""From a month that is due to the last mail that the server has taken."""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import log2
from pathlib import Path

from bench import closer, frames
from bench.databases import Databases
from bench.filling import fill
from bench.measure import Samples, Timing, in_turns
from bench.receiving import SECRET
from bench.rows import MONTH, ZONE
from vendorwatch.closing import issuing
from vendorwatch.closing.model import Rules
from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.mailing import service as mailing
from vendorwatch.mailing.model import Asked
from vendorwatch.periods import Month, load_zone
from vendorwatch.vendors import service as vendors

PARTS, PINNED = "parts", "one worker, one core"
ONE, TWO = "one worker", "two workers"
INTERACTIONS, AGENTS, RECIPIENTS = 5_000, 20, 3
LARGE = 50
"""Engagements from which on each contender runs once, without a warm-up, on PostgreSQL alone."""

_MONTH = Month.parse(MONTH)
_CREATED_AT, _ = _MONTH.bounds(load_zone(ZONE))
_PLACE = str(Path(closer.__file__))


@dataclass(frozen=True, slots=True)
class Closed:
    """`parts` are the seconds of each part, of the run that gave the median of their sum."""

    samples: Samples
    parts: Mapping[str, float]


def measure(where: Databases, sizes: Sequence[int], repetitions: int) -> dict[int, Closed]:
    """By the number of engagements."""
    measured = [n for n in sorted(sizes) if n < LARGE or where.engine == "PostgreSQL"]
    return {n: _measure(where, n, repetitions) for n in measured}


def exponent(closed: Mapping[int, Closed]) -> float:
    """By which power the time grows from the smallest to the largest number of engagements."""
    (least, one), *_, (most, other) = sorted(closed.items())
    return log2(other.samples.wall(PINNED) / one.samples.wall(PINNED)) / log2(most / least)


def _measure(where: Databases, n: int, repetitions: int) -> Closed:
    told: list[Mapping[str, float]] = []
    with where.fresh() as url, tempfile.TemporaryDirectory() as folder, _sink() as sink:
        offices = asyncio.run(_filled(url, n + 2))
        run = _Run(where, url, Path(folder), sink, offices)

        def parts() -> Mapping[str, Timing]:
            told.append(run.parts())
            return {PARTS: Timing(wall=sum(told[-1].values()))}

        trials = [parts, lambda: {PINNED: run.closed(1, core=0)}]
        if where.engine == "PostgreSQL":
            trials += [lambda: {ONE: run.closed(1)}, lambda: {TWO: run.closed(2)}]
        title = f"closing {n} engagements, {where.engine}"
        samples = in_turns(title, trials, repetitions if n < LARGE else 1, warm_up=n < LARGE)
    middle = sorted(told, key=lambda parts: sum(parts.values()))[len(told) // 2]
    return Closed(samples, middle)


async def _filled(url: str, n: int) -> list[Scope]:
    """Engagements of as many merchants, each with its readers and a month that is settled."""
    database = Database(url)
    scopes = []
    try:
        for number in range(n):
            async with database.write_as_operator() as connection:
                made = await vendors.create_engagement(
                    connection, merchant=f"Shop {number:03}", vendor="Hoa Sen BPO", time_zone=ZONE,
                    now=_CREATED_AT,
                )  # fmt: skip
            scopes.append(made.scope)
            async with database.write(made.scope) as connection:
                rules = Rules(first_month=_MONTH, last_month=_MONTH)
                await issuing.set_rules(connection, made.scope, rules, _CREATED_AT)
            async with database.write(made.scope.of_merchant()) as connection:
                for reader in range(RECIPIENTS):
                    asked = Asked(
                        email=f"reader-{reader}@shop-{number:03}.example", name="Reader", language="en",
                        side="merchant", kind="scorecard",
                    )  # fmt: skip
                    await mailing.add_recipient(connection, made.scope, asked, _CREATED_AT)
    finally:
        await database.close()
    for number, scope in enumerate(scopes):
        fill(url, scope.engagement_id, frames.log(INTERACTIONS, AGENTS, seed=number))
    return scopes


@contextmanager
def _sink() -> Iterator["_Child"]:
    with _child("sink") as sink:
        yield sink


class _Run:
    """Each run has a copy of the database. The first two engagements are for the warm-up."""

    def __init__(
        self, where: Databases, url: str, folder: Path, sink: "_Child", offices: Sequence[Scope]
    ) -> None:
        self._where, self._url, self._folder, self._sink = where, url, folder, sink
        self._warm_up, self._offices = offices[:2], offices[2:]

    def parts(self) -> Mapping[str, float]:
        order = self._order(self._url) | {
            "engagements": [scope.engagement_id for scope in self._offices],
            "mails": RECIPIENTS,
        }
        with _child("parts", order, core=0) as child:
            found: dict[str, float] = child.go()
        return found

    def closed(self, workers: int, core: int | None = None) -> Timing:
        expected = len(self._offices) * RECIPIENTS
        with self._where.copy(self._url) as url, ExitStack() as stack:
            children = [
                stack.enter_context(
                    _child("worker", self._order(url) | {"warm_up": _named(scope)}, core=core)
                )
                for scope in self._warm_up[:workers]
            ]
            for left in self._warm_up[workers:]:  # it is not to be closed in anybody's time
                asyncio.run(_forget(url, left))
            self._sink.ask("count")
            for child in children:
                child.say("go")
            walls = [child.answer()["wall"] for child in children]
            found = self._sink.ask("count")
        if found != {"mails": expected, "ids": expected}:
            raise AssertionError(f"{found} instead of {expected} mails")
        return Timing(wall=max(walls))

    def _order(self, url: str) -> dict[str, object]:
        return {
            "VENDORWATCH_DATABASE_URL": url,
            "VENDORWATCH_DATA_DIR": str(self._folder),
            "VENDORWATCH_SECRET_KEY": SECRET,
            "VENDORWATCH_SMTP_URL": f"smtp://127.0.0.1:{self._sink.told['port']}",
            "VENDORWATCH_MAIL_FROM": "reports@vendorwatch.example",
        }


def _named(scope: Scope) -> dict[str, str]:
    return {"merchant_id": scope.merchant_id, "engagement_id": scope.engagement_id}


async def _forget(url: str, scope: Scope) -> None:
    """No month of it is closed by rule any more."""
    database = Database(url)
    later = Month(_MONTH.year + 1, 1)
    try:
        async with database.write(scope) as connection:
            rules = Rules(first_month=later)
            await issuing.set_rules(connection, scope, rules, _CREATED_AT)
    finally:
        await database.close()


class _Child:
    """A process that is told a line at a time, and answers in lines of JSON."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.told = self.answer()  # it is ready

    def say(self, what: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a process of the measurement ended: {self._process.wait()}")
        found: dict[str, float] = json.loads(line)
        return found

    def ask(self, what: str) -> dict[str, float]:
        self.say(what)
        return self.answer()

    def go(self) -> dict[str, float]:
        return self.ask("go")


@contextmanager
def _child(
    what: str, order: Mapping[str, object] | None = None, *, core: int | None = None
) -> Iterator[_Child]:
    told = json.dumps(dict(order or {}) | {"core": core})
    with subprocess.Popen(
        [sys.executable, _PLACE, what, told],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield _Child(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
