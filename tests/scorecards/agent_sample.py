"""What is behind one agent's figures, as an agent's page is told it; written out, computed by nobody."""

from collections.abc import Sequence
from typing import Any

from scorecards import sample
from vendorwatch.scorecards.agent_document import agent_document
from vendorwatch.scorecards.render import AgentReport

Json = dict[str, Any]

NOTHING: Json = {"replies": [], "topics": [], "to_read": []}
EMAIL: Json = {
    "channel": "email",
    "n": 60,
    "on_time": 53,
    "given_up": 0,
    "unanswered": 2,
    "pending": 1,
    "targets": [3600, 14400],
    "times": [[30, 1, 0], [37, 6, 0], [41, 24, 0], [45, 22, 0], [51, 0, 3], [58, 0, 2]],
}
PHONE: Json = {
    "channel": "phone",
    "n": 12,
    "on_time": 11,
    "given_up": 1,
    "unanswered": 0,
    "pending": 0,
    "targets": [30, 30],
    "times": [[8, 4, 0], [12, 7, 0]],
}
TOPICS: list[Json] = [
    {"topic": "returns", "contacts": 41, "asked": 4, "right": 2},
    {"topic": "sizing", "contacts": 22, "asked": 3, "right": 3},
    {"topic": "delivery", "contacts": 19, "asked": 0, "right": 0},
    {"topic": "payment", "contacts": 11, "asked": 2, "right": 1},
    {"topic": "gift_cards", "contacts": 2, "asked": 1, "right": 0},
    {"topic": "warranty", "contacts": 3, "asked": 2, "right": 2},
]


def read(reason: str, number: int, **beside: Any) -> Json:
    return {
        "reason": reason,
        "source_account": "",
        "interaction_id": f"TS-10{number}",
        "opened_at": "2026-10-12T03:11:31Z",
        "channel": "email",
        "topic": "returns",
        "beside": beside,
    }


LATE = read("late_reply", 1, reached=True, lasted="187200.000000", target="14400.000000")
BACK = read("came_back", 2, reopened=True, handed_over=False, repeated=True)
WELL = read("solved_well", 3, csat=5)
OTHERS = [
    read("not_satisfied", 4, csat=1),
    read("weak_review", 5, share="2/5"),
    read("late_resolution", 6, reached=False, lasted="400000.000000", target=None),
    read("latest", 7),
]
WORK: Json = {"replies": [EMAIL, PHONE], "topics": TOPICS, "to_read": [LATE, BACK, WELL]}
UNASKED: Json = WORK | {
    "topics": [each | {"asked": 0, "right": 0} for each in TOPICS],
    "to_read": [*OTHERS[:2], OTHERS[3]],
}
TWO: Json = {
    "replies": [EMAIL | {"n": 2, "on_time": 1, "unanswered": 0, "times": [[43, 1, 0], [55, 0, 1]]}],
    "topics": [TOPICS[2]],
    "to_read": [OTHERS[2], WELL],
}

LONG_TOPIC = "đổi-trả-phiếu-quà-tặng-đã-hết-hạn-hoặc-không-sử-dụng-được-nữa"

CROWDED: Json = {
    "replies": [
        EMAIL | {"channel": channel, "given_up": 3}
        for channel in ("email", "web_form", "chat", "marketplace", "social", "messaging")
    ],
    "topics": [
        each | {"topic": f"{each['topic']} {n} {LONG_TOPIC}"} for n in (1, 2) for each in TOPICS
    ],
    "to_read": [
        LATE
        | {
            "source_account": "tra-sen-vietnam",
            "topic": LONG_TOPIC,
            "beside": OTHERS[2]["beside"] | {"target": "1"},
        },
        BACK | {"beside": {"reopened": True, "handed_over": True, "repeated": True}},
        OTHERS[2],
    ],
}

# By place in sample.NAMES: two contacts alone, no knowledge checks, nothing at all, and everything.
FEW, NOT_ASKED, IDLE, FULL, LONG, THAI = 4, 3, 5, 1, 23, 12
_WORK = {FEW: TWO, NOT_ASKED: UNASKED, IDLE: NOTHING, FULL: CROWDED}


def card() -> Json:
    made = sample.with_peers(sample.with_new_metrics(sample.document()))
    few = made["agents"][FEW]
    few["volume"] = 2
    few["not_rated"] = ["response", "resolution", "knowledge"]
    for figures in few["metrics"].values():
        if figures["denominator"]:
            figures |= {"denominator": 2, "rated": False}
            figures["evidence"] = figures["evidence"] and "too_few"
    return made


def report(
    language: str = "en", *, only: Sequence[int] | None = None, issued: int | None = None
) -> AgentReport:
    """Pages of the agents of `card` at these places; of all without."""
    document = card()
    history = [sample.document(month="2026-08"), sample.document(month="2026-09")]
    places = range(len(document["agents"])) if only is None else only
    agents = [
        agent_document(document, history, f"a{place:03}", _WORK.get(place, WORK))
        for place in places
    ]
    one = only is not None and len(only) == 1
    return AgentReport(document, agents, language, issued, of_one=one)
