"""Seeded random events of one interaction: messages, notes, bots, states and hands."""

import random

from oracle.cases import Case, Record, View
from oracle.clock import DAY, MINUTE
from oracle.contacts import on_the_line
from oracle.events import Event, told_by

NOISE: list[Event] = [
    {"type": "message", "actor": "bot"},
    {"type": "message", "actor": "automation", "public": True},
    {"type": "message", "actor": "agent", "public": False},
    {"type": "message", "actor": "customer", "public": False},
    {"type": "note", "actor": "agent"},
    {"type": "note", "actor": "customer", "public": True},
    {"type": "bot_handoff", "actor": "bot"},
    {"type": "survey_invited", "actor": "system"},
    {"type": "assigned", "actor": "system"},
    {"type": "handover", "actor": "agent"},
]
STATES = ["open", "pending", "on_hold", "resolved", "closed", "resolved", "closed", "merged"]


def pause(dice: random.Random) -> int:
    return dice.choice(
        [0, 0, 1, dice.randrange(3 * MINUTE), dice.randrange(300 * MINUTE), dice.randrange(2 * DAY)]
    )


class Talk:
    """A conversation in the making. `moment` is when its last event happened."""

    def __init__(self, dice: random.Random, opened_at: int, agents: list[str]) -> None:
        self.dice = dice
        self.agents = agents
        self.moment = opened_at
        self.events: list[Event] = []

    def tell(self, event: Event, at: int | None = None) -> None:
        self.moment = self.moment + pause(self.dice) if at is None else at
        self.events.append({"at": self.moment} | event)

    def ask(self) -> None:
        self.tell({"type": "message", "actor": "customer"})

    def answer(self, at: int | None = None) -> None:
        names = {"agent_id": self.dice.choice(self.agents)} if self.dice.random() < 0.7 else {}
        public = {"public": True} if self.dice.random() < 0.3 else {}
        self.tell({"type": "message", "actor": "agent"} | names | public, at)

    def chatter(self) -> None:
        for _ in range(self.dice.choice([0, 0, 1, 2])):
            event = dict(self.dice.choice(NOISE))
            if event["type"] in ("assigned", "handover") and self.dice.random() < 0.7:
                event["agent_id"] = self.dice.choice(self.agents)
            self.tell(event)
        if self.dice.random() < 0.25:
            self.tell({"type": "status", "actor": "agent", "to": self.dice.choice(STATES)})


def converse(
    dice: random.Random, record: Record, view: View | None, shape: str, agents: list[str]
) -> None:
    """Gives the record events, and in place of its own fields those that follow from them."""
    opened_at = record["opened_at"]
    talk = Talk(dice, opened_at, agents)
    talk.tell({"type": "message", "actor": "customer"}, opened_at)
    talk.chatter()
    if record["first_reply_at"] is not None:
        talk.answer(max(talk.moment, record["first_reply_at"]))
        for _ in range(dice.choice([0, 1, 1, 2, 4])):
            exchange(talk, record, view, shape)
    if record["resolved_at"] is not None:
        moment = max(talk.moment, record["resolved_at"])
        talk.tell({"type": "status", "actor": "agent", "to": "resolved"}, moment)
    events = talk.events
    if dice.random() < 0.05:
        # Told of before it began: of this only the customer's messages are counted.
        events.append({"at": opened_at - 1, "type": "message", "actor": "agent"})
    if view is not None and dice.random() < 0.2:
        dice.choice(events)["at"] = view.as_of + dice.choice([0, 1, -1])
    if dice.random() < 0.3:
        dice.shuffle(events)
    record |= {"events": events} | told_by(events, opened_at)
    if view is not None:  # what happened later counts as not happened
        then = told_by([event for event in events if event["at"] <= view.as_of], opened_at)
        record |= {name: then[name] for name in ("resolved_at", "reopens", "handovers")}


def exchange(talk: Talk, record: Record, view: View | None, shape: str) -> None:
    """The customer asks again; perhaps once more; and mostly gets an answer."""
    dice, at = talk.dice, None
    talk.ask()
    asked_at = talk.moment
    talk.chatter()
    if dice.random() < 0.25:
        talk.ask()
    lined = {"on_the_line": 0.9, "at_the_target": 1}.get(shape, 0.15)
    if view is not None and "next_reply" in view.policy["targets"] and dice.random() < lined:
        past = (0,) if shape == "at_the_target" else (0, 1)
        at = on_the_line(dice, Case(record, view), "next_reply", asked_at, past)
        if at is not None and at < talk.moment:
            at = None
    if dice.random() < 0.85:
        talk.answer(at)
