"""What follows from events, read off conversations that are short enough to be followed by eye."""

import pytest

from oracle.events import Event, told_by

CUSTOMER: Event = {"type": "message", "actor": "customer"}
AGENT: Event = {"type": "message", "actor": "agent"}
SILENT: Event = {"first_reply_at": None, "resolved_at": None, "reopens": 0, "handovers": 0}


def told(*events: tuple[int, Event]) -> Event:
    """Of an interaction opened at 100."""
    return told_by([{"at": at} | event for at, event in events], 100)


def status(to: str) -> Event:
    return {"type": "status", "actor": "agent", "to": to}


@pytest.mark.parametrize(
    ("events", "runs"),
    [
        ([], []),
        ([(100, CUSTOMER), (110, CUSTOMER)], []),
        ([(100, CUSTOMER), (110, AGENT)], []),
        ([(110, AGENT), (120, CUSTOMER)], [[120, None]]),
        # The clock starts at the first message of the run; the next run needs a reply before it.
        ([(110, AGENT), (120, CUSTOMER), (130, CUSTOMER), (140, AGENT)], [[120, 140]]),
        (
            [(110, AGENT), (120, CUSTOMER), (130, AGENT), (140, AGENT), (150, CUSTOMER)],
            [[120, 130], [150, None]],
        ),
        # Not bots, not notes, nothing that the customer cannot see.
        (
            [
                (110, AGENT),
                (120, CUSTOMER),
                (130, {"type": "message", "actor": "bot"}),
                (131, {"type": "message", "actor": "automation"}),
                (132, {"type": "note", "actor": "agent"}),
                (133, AGENT | {"public": False}),
                (140, AGENT | {"public": True}),
            ],
            [[120, 140]],
        ),
        ([(110, {"type": "message", "actor": "bot"}), (120, CUSTOMER), (130, AGENT)], []),
        ([(110, AGENT), (120, CUSTOMER | {"public": False}), (130, AGENT)], []),
        # Told in another order; of one instant in the order in which they were sent.
        ([(140, AGENT), (120, CUSTOMER), (110, AGENT)], [[120, 140]]),
        ([(110, AGENT), (120, CUSTOMER), (120, AGENT)], [[120, 120]]),
        ([(110, AGENT), (120, AGENT), (120, CUSTOMER)], [[120, None]]),
        # Before it was opened nothing starts a clock.
        ([(90, AGENT), (95, CUSTOMER), (100, CUSTOMER), (110, AGENT)], []),
    ],
)
def test_runs_of_customer_messages(
    events: list[tuple[int, Event]], runs: list[list[int | None]]
) -> None:
    assert told(*events)["next_replies"] == runs


def test_the_example_of_the_reference() -> None:
    found = told(
        (100, CUSTOMER),
        (104, AGENT | {"agent_id": "linh"}),
        (130, status("resolved")),
        (300, {"type": "status", "actor": "customer", "to": "open"}),
        (310, {"type": "assigned", "actor": "system", "agent_id": "an"}),
        (320, status("resolved")),
    )
    assert found == {
        "first_reply_at": 104,
        "first_reply_agent_id": "linh",
        "resolved_at": 320,
        "reopens": 1,
        "handovers": 1,
        "next_replies": [],
    }


@pytest.mark.parametrize(
    ("states", "resolved_at", "reopens"),
    [
        (["open"], None, 0),
        (["resolved", "closed"], 100, 0),
        (["resolved", "pending", "open"], None, 1),
        (["resolved", "open", "closed", "on_hold", "resolved"], 104, 2),
        (["resolved", "merged"], 100, 0),
        (["resolved", "merged", "open"], None, 1),
        (["resolved", "merged", "closed"], 102, 0),
    ],
)
def test_resolutions(states: list[str], resolved_at: int | None, reopens: int) -> None:
    found = told(*((100 + n, status(to)) for n, to in enumerate(states)))
    assert found == SILENT | {
        "resolved_at": resolved_at,
        "reopens": reopens,
        "next_replies": [],
    }


def assigned(agent: str | None) -> Event:
    return {"type": "assigned", "actor": "system", "agent_id": agent}


@pytest.mark.parametrize(
    ("events", "handovers"),
    [
        ([assigned("a"), AGENT | {"agent_id": "b"}], 0),
        ([AGENT | {"agent_id": "a"}, assigned("b"), assigned("b"), assigned(None)], 1),
        ([assigned("a"), AGENT, AGENT | {"agent_id": "b"}, assigned("a")], 2),
        ([AGENT, assigned("a")], 0),
        ([AGENT | {"agent_id": "a"}, {"type": "handover", "actor": "agent"}, assigned("b")], 1),
        ([AGENT | {"agent_id": "a"}, {"type": "bot_handoff", "actor": "bot", "agent_id": "b"}], 0),
        ([AGENT | {"agent_id": "a"}, {"type": "note", "actor": "agent", "agent_id": "b"}], 0),
    ],
)
def test_changes_of_hands(events: list[Event], handovers: int) -> None:
    found = told(*((100 + number, event) for number, event in enumerate(events)))
    assert found["handovers"] == handovers
