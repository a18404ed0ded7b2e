"""What accepted rows are flagged for: how many, in which fields, and how a receipt says it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from vendorwatch.interactions.fields import show

Flag = Literal["pii-in-text", "direction-controls"]

_MOST_NAMED = 10  # fields, in the order in which they come
_WORDS: dict[Flag, tuple[str, str]] = {
    "pii-in-text": (
        "what looks like an e-mail address, a telephone number or a card number",
        "Stored as sent. Leave such data out of your logs.",
    ),
    "direction-controls": (
        "invisible characters that turn the direction of writing",
        "Stored as sent, and left out where texts are shown.",
    ),
}


@dataclass(slots=True)
class Flagged:
    """`fields`: in which row each was the first time; of as many as are named, and one more."""

    rows: int = 0
    fields: dict[str, int] = field(default_factory=dict)

    def note(self, row: int, fields: Iterable[str]) -> None:
        """Rows come in their order."""
        self.rows += 1
        for name in sorted(map(_shown, fields)):
            if len(self.fields) > _MOST_NAMED:
                break
            self.fields.setdefault(name, row)

    def add(self, other: "Flagged") -> None:
        """Of other rows of the same file."""
        self.rows += other.rows
        for name, row in other.fields.items():
            self.fields[name] = min(row, self.fields.get(name, row))
        self.fields = {name: self.fields[name] for name in self._in_order()[: _MOST_NAMED + 1]}

    def named(self) -> str:
        names = self._in_order()
        others = " and others" if len(names) > _MOST_NAMED else ""
        return ", ".join(sorted(names[:_MOST_NAMED])) + others

    def _in_order(self) -> list[str]:
        return sorted(self.fields, key=lambda name: (self.fields[name], name))


def told(flags: dict[Flag, Flagged]) -> tuple[str, ...]:
    """A warning for each; the same whoever read which rows."""
    return tuple(_told(flag, flags[flag]) for flag in _WORDS if flag in flags)


def _told(flag: Flag, flagged: Flagged) -> str:
    what, then = _WORDS[flag]
    rows = "1 row holds" if flagged.rows == 1 else f"{flagged.rows} rows hold"
    return f"{flag}: {rows} {what} ({flagged.named()}). {then}"


def _shown(name: str) -> str:
    """Short, and without what it is flagged for itself."""
    return show(name)[1:-1]
