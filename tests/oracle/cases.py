"""One interaction as it stood at an instant: replied, given up, resolved, repeated, in time.

Written from the definitions of the metrics only, so that it can contradict the product.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from oracle.clock import DAY, SECOND, Policy, Versions, business_micros

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
            if "seconds" in table:
                return dict(table)
        raise ValueError(f"no {kind} target")

    def span(self, kind: str, until: int) -> int:
        start = self.record["opened_at"]
        if self.target(kind)["clock"] == "calendar":
            return int(until - start)
        channel = self.record["channel"]
        return business_micros(start, until, channel, self.view.versions, self.view.zone)

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
        return self.span("first_reply", end)

    @cached_property
    def resolution_span(self) -> int:
        """To the resolution, or to the as-of instant while there is none."""
        end = self.record["resolved_at"] if self.resolved else self.view.as_of
        return self.span("resolution", end)

    @cached_property
    def reply_outcome(self) -> str:
        if not self.record["first_reply_known"]:
            return "missing"
        late = self.reply_span > self.target("first_reply")["seconds"] * SECOND
        if self.replied:
            return "missed" if late else "met"
        return "missed" if self.given_up or late else "pending"

    @cached_property
    def resolution_outcome(self) -> str:
        if not self.record["resolution_known"]:
            return "missing"
        late = self.resolution_span > self.target("resolution")["seconds"] * SECOND
        if self.resolved:
            return "missed" if late else "met"
        return "missed" if late else "pending"

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
        agent: str | None = self.record["first_reply_agent_id"] or self.record["agent_id"]
        return agent

    @property
    def resolution_agent(self) -> str | None:
        if self.given_up:
            return None
        agent: str | None = self.record["resolved_by_agent_id"] or self.record["agent_id"]
        return agent


def place(record: Record) -> tuple[int, str, str, str]:
    account = record["source_account"] or ""
    return record["opened_at"], record["vendor_id"], record["interaction_id"], account


def same_matter(one: Record, other: Record) -> bool:
    for key in ("topic", "order_ref"):
        if one[key] is not None and other[key] is not None:
            return bool(one[key] == other[key])
    return True
