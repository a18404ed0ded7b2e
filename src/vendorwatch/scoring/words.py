"""The words that a log has for what has few values: those of the record, and so of what is scored."""

from typing import Literal, get_args

Channel = Literal[
    "email",
    "web_form",
    "chat",
    "messaging",
    "phone",
    "sms",
    "social",
    "marketplace",
    "review",
    "bot",
    "other",
]
Direction = Literal["inbound", "outbound"]
Status = Literal[
    "open",
    "pending",
    "on_hold",
    "resolved",
    "closed",
    "abandoned",
    "merged",
    "spam",
    "withdrawn",
]
Priority = Literal["low", "normal", "high", "urgent"]
ResolvedBy = Literal["agent", "customer", "automation", "unknown"]

CHANNELS: tuple[Channel, ...] = get_args(Channel)
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
STATUSES: tuple[Status, ...] = get_args(Status)
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
RESOLVERS: tuple[ResolvedBy, ...] = get_args(ResolvedBy)
