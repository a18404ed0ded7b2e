"""One interaction as it stood at an instant: replied, given up, resolved, repeated, in time.

Written from the definitions of the metrics only, so that it can contradict the product.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from oracle.clock import DAY, SECOND, Policy, Versions, business_micros, first_due

Record = dict[str, Any]


@dataclass(frozen=True)
class View:
    """What a computation looks at: from where in time, under which policy, beside which others."""

    as_of: int
    policy: Policy
    versions: Versions
    zone: ZoneInfo
    everyone: list[Record] = field(default_factory=list)

    @property
    def repeat_window(self) -> int:
        return int(self.policy.get("repeat_window_days", 7)) * DAY

    def happened(self, instant: int | None) -> bool:
        return instant is not None and instant <= self.as_of

    def exclusion(self, record: Record) -> str | None:
        status = record["status"]
        if record["direction"] == "outbound":
            return "outbound"
        if status in ("spam", "merged", "withdrawn"):
            return str(status)
        limit = self.policy.get("short_abandon_seconds", 5) * SECOND
        if (
            record["channel"] in ("phone", "chat")
            and status == "abandoned"
            and not self.happened(record["first_reply_at"])
            and self.happened(record["abandoned_at"])
            and record["abandoned_at"] - record["opened_at"] <= limit
        ):
            return "short_abandoned"
        return None


@dataclass(frozen=True)
class Case:
    """One scored interaction, as it stood at the as-of instant."""

    record: Record
    view: View

    def target(self, kind: str) -> dict[str, Any]:
        targets = self.view.policy["targets"][kind]
        channel = targets.get(self.record["channel"], {})
        urgent = channel.get(self.record["priority"], {})
        for table in (urgent, channel, targets["default"]):
            if "seconds" in table or "reply_by" in table:
                return {"clock": "calendar", **table}
        raise ValueError(f"no {kind} target")

    def span(self, kind: str, start: int, until: int) -> int:
        if self.target(kind)["clock"] == "calendar":
            return until - start
        channel = self.record["channel"]
        return business_micros(start, until, channel, self.view.versions, self.view.zone)

    def late(self, kind: str, start: int, until: int) -> bool:
        """Whether more than the target has passed at `until`."""
        target = self.target(kind)
        if "seconds" in target:
            return self.span(kind, start, until) > int(target["seconds"]) * SECOND
        channel = self.record["channel"] if target["clock"] == "business" else None
        versions, zone = self.view.versions, self.view.zone
        due = first_due(start, until, target["reply_by"], channel, versions, zone)
        return due is not None and until > due

    def outcome(self, kind: str, start: int, end: int | None) -> str:
        """Met, missed or pending, of what had ended by the as-of instant or had not."""
        if end is not None and self.view.happened(end):
            return "missed" if self.late(kind, start, end) else "met"
        return "missed" if self.late(kind, start, self.view.as_of) else "pending"

    @cached_property
    def replied(self) -> bool:
        return self.view.happened(self.record["first_reply_at"])

    @cached_property
    def given_up(self) -> bool:
        abandoned_at = self.record["abandoned_at"]
        gone = abandoned_at is None or self.view.happened(abandoned_at)
        return self.record["status"] == "abandoned" and not self.replied and gone

    @cached_property
    def resolved(self) -> bool:
        return (
            self.view.happened(self.record["resolved_at"])
            and self.record["status"] in ("resolved", "closed")
            and self.record["resolved_by"] != "automation"
        )

    @cached_property
    def reply_span(self) -> int:
        """To the reply, or to the as-of instant while there is none."""
        end = self.record["first_reply_at"] if self.replied else self.view.as_of
        return self.span("first_reply", self.record["opened_at"], end)

    @cached_property
    def resolution_span(self) -> int:
        """To the resolution, or to the as-of instant while there is none."""
        end = self.record["resolved_at"] if self.resolved else self.view.as_of
        return self.span("resolution", self.record["opened_at"], end)

    @cached_property
    def reply_outcome(self) -> str:
        if not self.record["first_reply_known"]:
            return "missing"
        if self.given_up:
            return "missed"
        return self.outcome("first_reply", self.record["opened_at"], self.record["first_reply_at"])

    @cached_property
    def resolution_outcome(self) -> str:
        if not self.record["resolution_known"]:
            return "missing"
        end = self.record["resolved_at"] if self.resolved else None
        return self.outcome("resolution", self.record["opened_at"], end)

    @cached_property
    def runs(self) -> list[str]:
        """What became of each run of customer messages after the first reply, begun by then."""
        return [
            self.outcome("next_reply", asked_at, answered_at)
            for asked_at, answered_at in self.record["next_replies"] or []
            if self.view.happened(asked_at)
        ]

    @property
    def runs_unknown(self) -> bool:
        """There may have been runs, and the log has no events to tell."""
        could = self.replied or not self.record["first_reply_known"]
        return could and self.record["next_replies"] is None

    @cached_property
    def window_complete(self) -> bool:
        start = self.record["resolved_at"] if self.resolved else self.record["opened_at"]
        return bool(start + self.view.repeat_window <= self.view.as_of)

    @cached_property
    def repeated(self) -> bool:
        last = self.record["resolved_at"] + self.view.repeat_window
        return any(
            other["customer_ref"] == self.record["customer_ref"]
            and place(other) > place(self.record)
            and other["opened_at"] <= last
            and self.view.happened(other["opened_at"])
            and self.view.exclusion(other) is None
            and same_matter(self.record, other)
            for other in self.view.everyone
        )

    @property
    def response_agent(self) -> str | None:
        return credited(self.record, "first_reply_agent_id")

    @property
    def resolution_agent(self) -> str | None:
        return None if self.given_up else credited(self.record, "resolved_by_agent_id")

    @property
    def stratum(self) -> tuple[str, str | None]:
        return self.record["channel"], self.record["topic"]


def credited(record: Record, key: str) -> str | None:
    agent: str | None = record[key] or record["agent_id"]
    return agent


def place(record: Record) -> tuple[int, str, str, str]:
    account = record["source_account"] or ""
    return record["opened_at"], record["vendor_id"], record["interaction_id"], account


def same_matter(one: Record, other: Record) -> bool:
    for key in ("topic", "order_ref"):
        if one[key] is not None and other[key] is not None:
            return bool(one[key] == other[key])
    return True
