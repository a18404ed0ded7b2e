"""Vendors that send until they are answered, whatever happens to the server."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

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
        self.parked = threading.Event()
        self.finish = threading.Event()
        self.progress = Progress()
        self.plan: Plan | None = None
        self.wrong: list[str] = []
        self.answers: dict[int, int] = {}
        self.replays = 0
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

    def _send_until_answered(self, plan: Plan) -> None:
        while True:
            if not self._gate.is_open:
                self.parked.set()
                self._gate.wait()
                self.parked.clear()
            self.progress = Progress()
            self._ledger.sending(plan)
            try:
                answer = post(self._port(), self._token, plan, self.progress)
            except Broken as error:
                self._ledger.unknown(plan, str(error))
                time.sleep(_RETRY_SECONDS)
                continue
            self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
            if answer.status in {409, 429, 503}:
                self._ledger.unknown(plan, str(answer.status))
                time.sleep(_RETRY_SECONDS)
                continue
            self._judge(plan, answer)
            return

    def _judge(self, plan: Plan, answer: Answer) -> None:
        replayed = answer.headers.get("idempotency-replayed") == "true"
        self.replays += replayed
        told = answer.json if answer.body else {}
        receipt = told if answer.status < 300 else told.get("upload")
        self._ledger.acknowledged(plan, answer.status, receipt)
        if answer.status not in _STATUSES[plan.effect]:
            self.wrong.append(f"{plan.name} ({plan.effect}): {answer.status} {answer.body[:300]!r}")
        elif plan.again is not None:
            first = self._ledger.entries[plan.again].receipt
            if not replayed or receipt != first:
                self.wrong.append(f"{plan.name} is {plan.again} again, and got another receipt")
