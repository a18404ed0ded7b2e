"""A month of twelve contacts and one check, small enough to be worked out on paper."""

from datetime import datetime
from typing import Any

from oracle.clock import micros
from oracle.logs import parsed
from oracle.scores import scorecard


def at(text: str) -> int:
    return micros(datetime.fromisoformat(text))


POLICY = """
name = "By hand"
effective_from = "2026-01"
settling_days = 7
repeat_window_days = 7
short_abandon_seconds = 5
balance = true
minimum_volume = { vendor = 4, agent = 2, knowledge = 3 }
[hours.default]
mon = ["09:00-18:00"]
tue = ["09:00-18:00"]
wed = ["09:00-18:00"]
thu = ["09:00-18:00"]
fri = ["09:00-18:00"]
holidays = ["2026-09-02"]
[targets.first_reply]
default = { seconds = 14400, clock = "business" }
chat = { seconds = 60, clock = "calendar", urgent = { seconds = 30, clock = "calendar" } }
[targets.resolution]
default = { seconds = 64800, clock = "business" }
chat = { seconds = 3600, clock = "calendar" }
[dimensions.response]
weight = 30
[dimensions.response.metrics]
first_reply_on_time = { weight = 70, target = 0.90, floor = 0.30 }
first_reply_p90 = { weight = 30, target = 3600, floor = 36000 }
[dimensions.resolution]
weight = 50
[dimensions.resolution.metrics]
resolution_on_time = { weight = 60, target = 0.90, floor = 0.40 }
reopen_rate = { weight = 40, target = 0.05, floor = 0.55 }
[dimensions.knowledge]
weight = 20
[dimensions.knowledge.metrics]
knowledge_score = { weight = 1, target = 0.9, floor = 0.5 }
"""
BLANK: dict[str, Any] = {
    "source_account": "",
    "vendor_id": "ours",
    "channel": "email",
    "direction": "inbound",
    "status": "resolved",
    "resolved_by": "unknown",
    "first_reply_known": True,
    "resolution_known": True,
} | dict.fromkeys(
    [
        "priority",
        "first_reply_at",
        "resolved_at",
        "abandoned_at",
        "agent_id",
        "first_reply_agent_id",
        "customer_ref",
        "resolved_by_agent_id",
        "order_ref",
        "topic",
        "reopens",
        "handovers",
        "csat_invited_at",
        "csat_at",
        "csat",
        "events",
        "next_replies",
    ]
)


def here(text: str) -> int:
    """An instant written in Ho Chi Minh City's local time, September 2026 unless it says more."""
    return at((text if text.startswith("2026") else f"2026-09-{text}") + "+07:00")


def contact(number: int, opened: str, **fields: Any) -> dict[str, Any]:
    record = BLANK | {"interaction_id": str(number), "opened_at": here(opened)} | fields
    for key in ("first_reply_at", "resolved_at", "abandoned_at", "csat_at", "csat_invited_at"):
        if record[key] is not None:
            record[key] = here(record[key])
    return record


def ten_contacts() -> list[dict[str, Any]]:
    clean = {"reopens": 0, "handovers": 0}
    return [
        # A holiday between: one hour and one hour of open time; resolved after one and three.
        contact(1, "01T17:00", agent_id="ann", first_reply_at="03T10:00", resolved_at="03T12:00")
        | clean
        | {"customer_ref": "c1", "topic": "returns", "csat": 4},
        # Reply on the line; resolution a microsecond past two open days. Another topic of c1.
        contact(2, "07T09:00", agent_id="ann", first_reply_at="07T13:00")
        | {"resolved_at": here("09T09:00:00.000001"), "reopens": 1, "handovers": 0}
        | {"customer_ref": "c1", "topic": "sizing", "csat": 2, "csat_at": here("09T09:30")},
        # Reply a microsecond past the line, resolution on it.
        contact(3, "07T09:00", agent_id="bob", resolved_at="09T09:00", handovers=1)
        | {"first_reply_at": here("07T13:00:00.000001")},
        # The urgent chat: half a minute; solved by another; the customer comes back elsewhere.
        contact(4, "08T20:00", agent_id="bob", first_reply_at="08T20:00:30", channel="chat")
        | clean
        | {"priority": "urgent", "resolved_at": here("08T20:10"), "resolved_by_agent_id": "cat"}
        | {"customer_ref": "c2", "topic": "returns", "csat_invited_at": here("08T20:11")},
        # Given up: whoever closed it gets no credit.
        contact(5, "10T10:00", channel="chat", status="abandoned", abandoned_at="10T10:00:10")
        | {"resolved_by_agent_id": "nobody"},
        contact(6, "10T11:00", channel="phone", status="abandoned", abandoned_at="10T11:00:05"),
        contact(7, "11T10:00", direction="outbound", agent_id="nobody"),
        contact(8, "30T17:00", status="open", agent_id="ann", reopens=0),
        contact(9, "12T10:00", status="spam", agent_id="nobody"),
        # The month's last microsecond; the source has no column of replies; closed by a timer.
        contact(10, "30T23:59:59.999999", status="closed", agent_id="bob")
        | clean
        | {"resolved_at": here("2026-10-01T10:00"), "resolved_by": "automation"}
        | {"first_reply_known": False, "customer_ref": "c3"},
        contact(11, "2026-08-31T23:59:59.999999", agent_id="nobody"),
        contact(12, "2026-10-01T00:00", agent_id="nobody"),
    ]


def asked(
    agent_id: str, attempts: list[dict[str, Any]], *, excused: bool = False
) -> dict[str, Any]:
    return {
        "agent_id": agent_id,
        "check_id": "september",
        "due_at": here("15T12:00"),
        "pass_mark": 75,
        "excused": excused,
        "questions": [
            {"weight": weight, "topic": topic, "withdrawn": False}
            for weight, topic in ((2, "returns"), (1, "sizing"), (1, "returns"))
        ],
        "attempts": attempts,
    }


def by_hand(policy_text: str = POLICY, **changes: Any) -> dict[str, Any]:
    policy = parsed(policy_text)
    retake = {"submitted_at": here("14T10:00"), "correct": [True, True, True]}
    first = {"submitted_at": here("13T10:00"), "correct": [True, False, True]}
    late = {"submitted_at": here("15T12:00:00.000001"), "correct": [True, True, True]}
    arguments = {
        "records": ten_contacts(),
        "pool": [
            # Exactly a repeat window after contact 4 was resolved, with another vendor, by phone.
            contact(1, "15T20:10", vendor_id="other", channel="phone", customer_ref="c2"),
            # At the very instant of contact 1, of a vendor that stands before ours: no repeat of it.
            contact(2, "01T17:00", vendor_id="other", customer_ref="c1", topic="returns"),
        ],
        "knowledge": [
            asked("ann", [retake, first]),
            asked("bob", [late]),
            asked("cat", [], excused=True),
        ],
        "reviews": [],
        "policy": policy,
        "policies": [("2026-01", policy)],
        "month": "2026-09",
        "zone": "Asia/Ho_Chi_Minh",
        "as_of": None,
        "now": at("2026-11-01T00:00Z"),
        "names": {"ann": "Ann"},
    }
    return scorecard(**(arguments | changes))
