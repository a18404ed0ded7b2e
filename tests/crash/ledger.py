"""The client's own journal: what it sent and what it was told, on disk before it goes on."""

import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crash.plans import Plan


@dataclass(slots=True)
class Entry:
    """`receipt` is null while nothing is acknowledged; `tries` counts requests that were begun."""

    plan: Plan
    tries: int = 0
    status: int | None = None
    receipt: dict[str, Any] | None = None
    unknown: list[str] = field(default_factory=list)


class Ledger:
    """Outside of the system under test. Entries are in the order in which they were first sent."""

    def __init__(self, folder: Path) -> None:
        self._bodies = folder / "bodies"
        self._bodies.mkdir(parents=True)
        self._file = (folder / "journal.ndjson").open("a")
        self._lock = threading.Lock()
        self.entries: dict[str, Entry] = {}

    def sending(self, plan: Plan) -> None:
        """Called before each request."""
        if plan.name not in self.entries:
            body = self._bodies / plan.sha256
            with body.open("wb") as file:
                file.write(plan.body)
                file.flush()
                os.fsync(file.fileno())
        with self._lock:
            entry = self.entries.setdefault(plan.name, Entry(plan))
            entry.tries += 1
        self._note(plan, "sending", key=plan.key, sha256=plan.sha256, size=len(plan.body))

    def acknowledged(self, plan: Plan, status: int, receipt: dict[str, Any] | None) -> None:
        self._note(plan, "acknowledged", status=status, receipt=receipt)
        entry = self.entries[plan.name]
        entry.status, entry.receipt = status, receipt

    def unknown(self, plan: Plan, why: str) -> None:
        self._note(plan, "unknown", why=why)
        self.entries[plan.name].unknown.append(why)

    def body(self, sha256: str) -> bytes:
        return (self._bodies / sha256).read_bytes()

    def close(self) -> None:
        self._file.close()

    def _note(self, plan: Plan, event: str, **told: object) -> None:
        line = json.dumps({"plan": plan.name, "client": plan.client, "event": event, **told})
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
