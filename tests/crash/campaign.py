"""Kill, look, start again; and in the end compare with a server that nobody ever killed."""

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from click.testing import CliRunner

from crash.clients import Client, Gate
from crash.invariants import Checker, Violation
from crash.ledger import Ledger
from crash.plans import Author, Plan
from crash.server import Nursery, Server
from crash.sites import Postgresql, Site, State
from crash.wire import Progress, post
from vendorwatch.cli import cli

_CLIENTS = 4
_VENDORS = ("Hoa Sen BPO", "Rival BPO")
_PATIENCE_SECONDS = 60
_AIM_SECONDS = 1.5  # after which a moment that does not come is not waited for
_WARM_UP_SECONDS = 0.25
_LONG_SECONDS = 6  # the same for a long log, which has to be made first
_LONG_WRITTEN_SECONDS = 0.05  # from the first rows of a long log in the table to the commit, or so
AIMS = ("any", "body", "work", "source", "commit", "answer", "restart", "long")


@dataclass(frozen=True, slots=True)
class Tenants:
    """Of a site: engagements by hexadecimal id, and the key of each."""

    engagements: list[str]
    tokens: list[str]


@dataclass(slots=True)
class Results:
    """`phases` counts kills by the furthest that an upload had come when the server died;
    `uploads` counts the uploads that were under way; `long` counts the long ones of them that were
    being read or stored, `long_written` those of them beside which rows were written and not yet
    committed; of `acknowledged` those are `long_stored` that are long.
    """

    kills: int = 0
    long: int = 0
    long_written: int = 0
    long_stored: int = 0
    phases: Counter[str] = field(default_factory=Counter)
    uploads: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    sent: int = 0
    acknowledged: int = 0
    retried: int = 0
    replays: int = 0
    races: int = 0
    rows: int = 0

    def add(self, other: "Results") -> None:
        for name in ("phases", "uploads", "answers"):
            getattr(self, name).update(getattr(other, name))
        self.violations += other.violations
        for name in ("kills", "long", "long_written", "long_stored", "sent", "acknowledged",
                     "retried", "replays", "races", "rows"):  # fmt: skip
            setattr(self, name, getattr(self, name) + getattr(other, name))


def prepare(site: Site) -> Tenants:
    """The schema, two vendors and their keys, made by the commands that an operator would use."""
    _command(site, "db", "upgrade")
    engagements, tokens = [], []
    for vendor in _VENDORS:
        names = ("--merchant", "Trà Sen", "--vendor", vendor, "--time-zone", "Asia/Ho_Chi_Minh")
        made = _command(site, "engagement", "create", *names, "--json")["engagement_id"]
        scopes = ("--scope", "upload", "--scope", "read")
        key = _command(site, "key", "create", "--engagement", made, *scopes, "--json")["key"]
        engagements.append(made.replace("-", ""))
        tokens.append(key)
    return Tenants(engagements, tokens)


def _command(site: Site, *arguments: str) -> dict[str, str]:
    others = dict.fromkeys(n for n in os.environ if n.startswith("VENDORWATCH_"))
    ran = CliRunner().invoke(
        cli, list(arguments), env=others | site.environment, catch_exceptions=False
    )
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout) if "--json" in arguments else {}


class Campaign:
    """One database from its first upload to its last, killed many times on the way."""

    def __init__(
        self,
        site: Site,
        tenants: Tenants,
        *,
        seed: int,
        nursery: Nursery | None,
        tell: Callable[[str], None],
    ) -> None:
        self._site, self._tenants, self._tell = site, tenants, tell
        self._dice = random.Random(seed)
        self._pristine = site.copy("pristine")
        self._ledger = Ledger(site.folder / "ledger")
        self._checker = Checker(site, self._ledger, tenants.engagements)
        self._server = Server(site.environment, site.folder, nursery)
        self._nursery = nursery
        self._gate = Gate()
        self.results = Results()
        self._clients = [
            Client(
                Author(seed, number, _CLIENTS),
                number,
                tenants.tokens[number % len(tenants.tokens)],
                self._ledger,
                self._gate,
                lambda: self._server.port,
            )
            for number in range(_CLIENTS)
        ]

    def run(self, kills: int, *, database_too: bool = False) -> Results:
        """`database_too`: every third kill is the database's, under a server that lives on."""
        for client in self._clients:
            client.start()
        try:
            for number in range(kills):
                if database_too and number % 3 == 2:
                    self._restart_database()
                else:
                    # The first one at a long log: so that a short campaign has one, too.
                    self._cycle(self._dice.choice(AIMS) if number else "long")
            self._finish()
        finally:
            self._gate.shut()
            self._server.kill()
        self._ledger.close()
        return self.results

    def _cycle(self, aim: str) -> None:
        self._start()
        if aim == "restart":
            time.sleep(self._dice.uniform(0, 1.2 * self._server.start_seconds))
            self._kill()
            self._look([], "restart")
            return
        self._server.await_ready()
        self._gate.open()
        time.sleep(self._dice.uniform(0, _WARM_UP_SECONDS))
        self._wait_for(aim)
        under_way = [(c.plan, c.progress.phase, c.progress.sent) for c in self._clients]
        writing = self._site.is_writing()
        self._kill()
        self._gate.shut()
        self._park()
        self._look(
            [(plan, phase, sent) for plan, phase, sent in under_way if plan], None, writing=writing
        )

    def _kill(self) -> None:
        if not self._server.is_alive:
            told = f"the server ended by itself: {self._server.last_words()}"
            self._note([Violation("died", told)])
        self._server.kill()

    def _start(self) -> None:
        if not self._server.is_started:
            self._server.start()

    def _wait_for(self, aim: str) -> None:
        """Returns at a moment of that kind, or when none comes."""
        until = time.monotonic() + _AIM_SECONDS
        site, clients = self._site, self._clients
        if aim == "any":
            time.sleep(self._dice.uniform(0, 0.4))
        elif aim == "body":
            _spin(
                until, lambda: any(c.progress.phase == "body" and c.progress.sent for c in clients)
            )
        elif aim == "work":
            _spin(until, lambda: any(c.progress.phase == "waiting" for c in clients))
            time.sleep(self._dice.uniform(0, 0.03))
        elif aim == "long":
            if not any(c.plan and c.plan.is_long for c in clients):
                self._dice.choice(clients).ask_for_long()
            _spin(time.monotonic() + _LONG_SECONDS, self._is_long_written)
            time.sleep(self._dice.uniform(0, _LONG_WRITTEN_SECONDS))
        elif aim == "source":
            before = site.sources().keys()
            _spin(until, lambda: site.sources().keys() != before)
        else:
            before_ = site.mark()
            _spin(until, lambda: site.mark() != before_)
            if aim == "answer":
                time.sleep(self._dice.uniform(0, 0.004))

    def _is_long_written(self) -> bool:
        """Some of its rows are in the table, and it is not committed; or another upload's rows are,
        beside a long one that is only read yet.
        """
        waits = any(
            c.plan and c.plan.is_long and c.progress.phase == "waiting" for c in self._clients
        )
        return waits and bool(self._site.is_writing())

    def _park(self) -> None:
        for client in self._clients:
            assert client.parked.wait(_PATIENCE_SECONDS), f"{client.name} does not come back"

    def _look(
        self,
        under_way: list[tuple[Plan, str, int]],
        phase: str | None,
        *,
        writing: bool | None = None,
    ) -> None:
        state = self._site.read(alive=self._server.is_started)
        found = self._checker.check(state, at_the_end=False)
        found += [Violation("integrity", told) for told in self._site.faults()]
        phases = [self._phase(state, *each, writing=writing) for each in under_way]
        self.results.kills += 1
        self.results.uploads.update(phases)
        long = [
            told
            for (plan, *_), told in zip(under_way, phases, strict=True)
            if plan.is_long and told in _AT_WORK
        ]
        self.results.long += len(long)
        self.results.long_written += bool(writing) * len(long)
        self.results.phases[phase or max(phases, key=_ORDER.index, default="idle")] += 1
        self._note(found)

    def _phase(
        self, state: State, plan: Plan, phase: str, sent: int, *, writing: bool | None
    ) -> str:
        if plan.effect not in {"stored", "refused"}:
            return "leaves nothing"
        if phase in {"connecting", "body"}:
            return f"{phase}" if sent < len(plan.body) else "waiting"
        if phase == "answered":
            return "answered"
        name = self._tenants.engagements[plan.client % len(_VENDORS)], plan.sha256
        rows = [
            row
            for row in state.tables["uploads"]
            if (row["engagement_id"], row["sha256"].hex()) == name
            and plan.key in {row["idempotency_key"], None}
        ]
        if rows:
            return "committed, not answered"
        if name in state.sources:
            return "source kept, not committed"
        return "waiting, database writing" if writing else "waiting"

    def _note(self, found: list[Violation]) -> None:
        for client in self._clients:
            found += [Violation("answer", told) for told in client.wrong]
            client.wrong.clear()
        for violation in found:
            self._tell(f"VIOLATION {violation.kind}: {violation.told}")
        self.results.violations += found

    def _restart_database(self) -> None:
        """The server stays: it says 503 while the database is away, and comes back by itself."""
        assert isinstance(self._site, Postgresql)
        self._start()
        self._server.await_ready()
        self._gate.open()
        time.sleep(self._dice.uniform(0, _WARM_UP_SECONDS))
        self._wait_for(self._dice.choice(("any", "work", "commit", "answer", "long")))
        under_way = [(c.plan, c.progress.phase, c.progress.sent) for c in self._clients]
        writing = self._site.is_writing()
        self._site.cluster.stop(signal.SIGQUIT)
        time.sleep(self._dice.uniform(0, 0.2))
        self._site.cluster.start()
        self._await_answers()
        if not self._server.is_alive:
            self._kill()
        self._gate.shut()
        self._park()
        self._look(
            [(p, phase, sent) for p, phase, sent in under_way if p], "database", writing=writing
        )

    def _await_answers(self) -> None:
        """Every client gets on with its work again."""
        before = {client: client.done for client in self._clients}

        def stuck() -> list[Client]:
            return [client for client, done in before.items() if client.done == done]

        _spin(time.monotonic() + _PATIENCE_SECONDS, lambda: not stuck(), pause=0.01)
        self._note([Violation("stuck", f"{client.name} is not answered") for client in stuck()])

    def _finish(self) -> None:
        """Every upload is answered; then all must be as if nobody had killed anything."""
        for client in self._clients:
            client.finish.set()
        self._start()
        self._server.await_ready()
        self._gate.open()
        for client in self._clients:
            client.join(_PATIENCE_SECONDS)
            assert not client.is_alive(), f"{client.name} is never answered: {client.plan}"
        self._server.stop()
        state = self._site.read()
        found = self._checker.check(state, at_the_end=True)
        found += [Violation("integrity", told) for told in self._site.faults()]
        self._note(found)
        self._count(state)
        self._compare_with_clean(state)

    def _count(self, state: State) -> None:
        entries = self._ledger.entries.values()
        self.results.sent = len(entries)
        self.results.acknowledged = sum(entry.status is not None for entry in entries)
        self.results.long_stored = sum(
            entry.status is not None and entry.plan.is_long for entry in entries
        )
        self.results.retried = sum(entry.tries > 1 for entry in entries)
        self.results.rows = len(state.tables["interactions"])
        for client in self._clients:
            self.results.answers.update(client.answers)
            self.results.replays += client.replays
            self.results.races += client.races

    def _compare_with_clean(self, state: State) -> None:
        """I2 and I6: each upload once, those of one client in their order, else in any."""
        server = Server(self._pristine.environment, self._pristine.folder, self._nursery)
        server.start()
        try:
            server.await_ready()
            for plan in self._shuffled():
                token = self._tenants.tokens[plan.client % len(self._tenants.tokens)]
                post(server.port, token, plan, Progress())
        finally:
            server.stop()
        if self._pristine.read().hash() != state.hash():
            self._note([Violation("altered", "the end is not that of a run without kills")])

    def _shuffled(self) -> Iterator[Plan]:
        waiting = [
            [e.plan for e in self._ledger.entries.values() if e.plan.client == number]
            for number in range(_CLIENTS)
        ]
        while queues := [queue for queue in waiting if queue]:
            yield self._dice.choice(queues).pop(0)


_ORDER = (
    "leaves nothing",
    "connecting",
    "body",
    "waiting",
    "waiting, database writing",
    "answered",
    "source kept, not committed",
    "committed, not answered",
)

_AT_WORK = ("waiting", "waiting, database writing", "source kept, not committed")


def _spin(until: float, reached: Callable[[], bool], *, pause: float = 0.0005) -> None:
    while not reached() and time.monotonic() < until:
        time.sleep(pause)
