"""What the demo shop is like: the files under fixtures/demo, read strictly."""

from pathlib import Path
from typing import Any, Literal

import msgspec

from vendorwatch.knowledge.record import Question
from vendorwatch.scoring.words import Channel


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A misspelt key is a mistake, not a default."""


class Topic(_Part, frozen=True):
    weight: int
    effort: float


class Arrivals(_Part, frozen=True):
    hours: tuple[int, ...]
    weekdays: tuple[int, ...]


class Outcomes(_Part, frozen=True):
    outbound: float
    spam: float
    merged: float
    withdrawn: float


class CheckPlan(_Part, frozen=True):
    title: str
    questions: int
    pass_mark: int
    due_day: int
    due_hour: int
    time_limit_seconds: int


class Character(_Part, frozen=True):
    chat_wait: float
    phone_wait: float
    write_minutes: float
    spread: float
    resolve_hours: float
    quality: float
    handover: float
    knowledge: float
    invites: tuple[float, float]
    trouble: int
    peak_hours: tuple[int, ...] = ()
    peak_from_day: int = 32
    peak_slowdown: float = 1.0


class Vendor(_Part, frozen=True):
    name: str
    code: str
    log: Literal["ndjson", "csv", "mapped"]
    names: str
    agents: int
    monthly: int
    english: float
    source: str
    teams: tuple[str, ...]
    channels: dict[Channel, int]
    character: Character
    messages: bool = False  # its help desk exports what was written


class Names(_Part, frozen=True):
    given_first: bool
    family: tuple[str, ...]
    given: tuple[str, ...]


class Description(_Part, frozen=True):
    """`questions`, `rubric` and the texts of `policy` and `mapping` stand in files of their own.

    `policies` are those of vendors with another agreement, by code; `reviews` are so many a month.
    """

    seed: int
    merchant: str
    time_zone: str
    months: tuple[str, ...]
    customers: int
    holidays: tuple[str, ...]
    sale_days: tuple[str, ...]
    sale_rush: float
    exported_days: int
    settled_days: int
    sent_twice: int
    arrivals: Arrivals
    outcomes: Outcomes
    reviews: int
    topics: dict[str, Topic]
    products: dict[str, int]
    check: CheckPlan
    vendors: tuple[Vendor, ...]
    names: dict[str, Names] = {}
    questions: tuple[Question, ...] = ()
    policy: str = ""
    policies: dict[str, str] = {}
    mapping: str = ""
    rubric: dict[str, Any] = {}


def read_description(folder: Path) -> Description:
    shop = msgspec.toml.decode((folder / "shop.toml").read_bytes(), type=Description)
    names = msgspec.toml.decode((folder / "names.toml").read_bytes(), type=dict[str, Names])
    questions = msgspec.toml.decode(
        (folder / "questions.toml").read_bytes(), type=dict[str, tuple[Question, ...]]
    )
    return msgspec.structs.replace(
        shop,
        names=names,
        questions=questions["questions"],
        policy=(folder / "policy.toml").read_text(encoding="utf-8"),
        policies={
            vendor.code: file.read_text(encoding="utf-8")
            for vendor in shop.vendors
            if (file := folder / f"policy-{vendor.code}.toml").exists()
        },
        rubric=msgspec.toml.decode((folder / "rubric.toml").read_bytes()),
        mapping=(folder / "mapping.toml").read_text(encoding="utf-8"),
    )
