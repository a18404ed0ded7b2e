"""Vendors that send until they are answered, whatever happens to the server."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from crash.ledger import Ledger
from crash.plans import Author, Plan
from crash.wire import Answer, Broken, Progress, post

_RETRY_SECONDS = 0.05  # our own patience; a server that names a longer one is asked sooner
_STATUSES = {
    "stored": {201, 207},
    "nothing": {200, 207, 422},
    "refused": {422},
    "replayed": {201, 207},
}


@dataclass(slots=True)
class Gate:
    """Open while the server is up; clients wait here while it is down."""

    _event: threading.Event = field(default_factory=threading.Event)

    def open(self) -> None:
        self._event.set()

    def shut(self) -> None:
        self._event.clear()

    def wait(self) -> None:
        self._event.wait()

    @property
    def is_open(self) -> bool:
        return self._event.is_set()


class Client(threading.Thread):
    """Sends one upload after the other. `parked` tells that no request of it is under way."""

    def __init__(
        self,
        author: Author,
        number: int,
        token: str,
        ledger: Ledger,
        gate: Gate,
        port: Callable[[], int],
    ) -> None:
        super().__init__(name=f"client {number}", daemon=True)
        self._author, self._token, self._ledger, self._gate = author, token, ledger, gate
        self._port = port
        self._lock = threading.Lock()
        self.parked = threading.Event()
        self.finish = threading.Event()
        self.progress = Progress()
        self.plan: Plan | None = None
        self.wrong: list[str] = []
        self.answers: dict[int, int] = {}
        self.replays = 0
        self.races = 0
        self.done = 0

    @override
    def run(self) -> None:
        for plan in self._author.plans():
            if self.finish.is_set():
                break
            self.plan = plan
            self._send_until_answered(plan)
            self.plan = None
            self.done += 1
        self.parked.set()

    def ask_for_long(self) -> None:
        """The next one that it sends."""
        self._author.is_long_wanted = True

    def _send_until_answered(self, plan: Plan) -> None:
        """By one sender, or by two that race: then both are answered, and alike."""
        answers: list[Answer] = []
        senders = 2 if plan.races else 1
        while len(answers) < senders:
            if not self._gate.is_open:
                self.parked.set()
                self._gate.wait()
                self.parked.clear()
            left = senders - len(answers)
            found = self._race(plan, left) if left > 1 else [self._send(plan)]
            answers += [each for each in found if each is not None]
            if len(answers) < senders:
                time.sleep(_RETRY_SECONDS)
        for answer in answers:
            self._judge(plan, answer)
        if plan.races:
            self.races += 1
            self._judge_race(plan, answers)

    def _race(self, plan: Plan, senders: int) -> list[Answer | None]:
        """At the same moment, over a connection each; the first sender is the one that is watched."""
        found: list[Answer | None] = []
        others = [
            threading.Thread(
                target=lambda: found.append(self._send(plan, watched=False)), daemon=True
            )
            for _ in range(1, senders)
        ]
        for other in others:
            other.start()
        first = self._send(plan)
        for other in others:
            other.join()
        return [first, *found]

    def _send(self, plan: Plan, *, watched: bool = True) -> Answer | None:
        """Null where it is not known what came of it, or nothing did yet."""
        progress = Progress()
        if watched:
            self.progress = progress
        self._ledger.sending(plan)
        try:
            answer = post(self._port(), self._token, plan, progress)
        except Broken as error:
            self._ledger.unknown(plan, str(error))
            return None
        with self._lock:
            self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
        if answer.status in {409, 429, 503}:
            self._ledger.unknown(plan, str(answer.status))
            return None
        return answer

    def _judge(self, plan: Plan, answer: Answer) -> None:
        replayed = _is_replay(answer)
        self.replays += replayed
        receipt = _receipt(answer)
        self._ledger.acknowledged(plan, answer.status, receipt)
        if answer.status not in _STATUSES[plan.effect]:
            self.wrong.append(f"{plan.name} ({plan.effect}): {answer.status} {answer.body[:300]!r}")
        elif plan.again is not None:
            first = self._ledger.entries[plan.again].receipt
            if not replayed or receipt != first:
                self.wrong.append(f"{plan.name} is {plan.again} again, and got another receipt")

    def _judge_race(self, plan: Plan, answers: list[Answer]) -> None:
        """One effect: one receipt, and at most one who was there first."""
        first, second = map(_receipt, answers)
        if first != second:
            self.wrong.append(f"{plan.name}: two with one key got different receipts")
        if not any(map(_is_replay, answers)):
            self.wrong.append(f"{plan.name}: two with one key were both the first")


def _is_replay(answer: Answer) -> bool:
    return answer.headers.get("idempotency-replayed") == "true"


def _receipt(answer: Answer) -> Any:
    told = answer.json if answer.body else {}
    return told if answer.status < 300 else told.get("upload")
