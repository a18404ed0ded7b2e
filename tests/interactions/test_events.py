"""What follows from events: the rules of the module, one by one."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from vendorwatch.interactions.events import (
    BadEvents,
    Derived,
    Event,
    derive,
    differing_claims,
    read_events,
)
from vendorwatch.interactions.instants import parse_instant
from vendorwatch.periods import SECOND

MINUTE = 60 * SECOND
OPENED = parse_instant("2026-10-01T09:00:00Z")


def at(minute: float, kind: str, actor: str = "agent", **more: object) -> Event:
    return Event(at=OPENED + int(minute * MINUTE), type=kind, actor=actor, **more)  # type: ignore[arg-type]  # literals


def status(minute: float, to: str) -> Event:
    return at(minute, "status", to=to)


def reply(minute: float, agent: str | None = "ann") -> Event:
    return at(minute, "message", agent_id=agent)


def told(*events: Event) -> Derived:
    return derive(events, OPENED)


def test_nothing_follows_from_no_replies() -> None:
    derived = told(at(0, "message", "customer"))
    assert derived.first_reply_at is None
    assert (derived.customer_messages, derived.agent_replies) == (1, 0)


def test_only_a_public_message_of_a_human_answers_a_customer() -> None:
    derived = told(
        at(1, "message", "bot", agent_id="bot-1"),
        at(2, "message", "automation"),
        at(3, "note", "agent", agent_id="bob"),
        at(4, "message", "agent", agent_id="bob", public=False),
        at(5, "message", "agent", agent_id="ann", public=True),
        at(6, "message", "agent", agent_id="ann"),
    )
    assert derived.first_reply_at == OPENED + 5 * MINUTE
    assert derived.first_reply_agent_id == "ann"
    assert derived.agent_replies == 2
    assert derived.handovers == 0


def test_messages_before_the_customer_came_are_no_replies() -> None:
    derived = told(reply(-1, "bob"), reply(0, "ann"))
    assert derived.first_reply_at == OPENED
    assert derived.first_reply_agent_id == "ann"
    assert derived.agent_replies == 1


def test_private_messages_of_customers_are_not_counted() -> None:
    derived = told(at(-1, "message", "customer"), at(1, "message", "customer", public=False))
    assert derived.customer_messages == 1


def test_the_last_resolution_counts_and_closing_resolves_nothing_anew() -> None:
    derived = told(status(10, "resolved"), status(20, "open"), status(30, "resolved"))
    assert (derived.resolved_at, derived.reopens) == (OPENED + 30 * MINUTE, 1)
    derived = told(status(10, "resolved"), status(99, "closed"))
    assert (derived.resolved_at, derived.reopens) == (OPENED + 10 * MINUTE, 0)


def test_what_was_reopened_last_is_not_resolved() -> None:
    derived = told(status(10, "closed"), status(20, "pending"), status(25, "on_hold"))
    assert (derived.resolved_at, derived.reopens) == (None, 1)


def test_merging_what_was_resolved_does_not_reopen_it() -> None:
    derived = told(status(10, "resolved"), status(20, "merged"))
    assert (derived.resolved_at, derived.reopens) == (OPENED + 10 * MINUTE, 0)


def test_only_changes_of_agent_after_the_first_reply_are_handovers() -> None:
    derived = told(
        at(1, "assigned", "system", agent_id="bob"),
        at(2, "handover", agent_id="cid"),
        reply(3, "ann"),
        reply(4, "ann"),
        at(5, "assigned", "automation", agent_id="ann"),
        at(6, "assigned", "system", agent_id="bob"),
        reply(7, "bob"),
        reply(8, "cid"),
        at(9, "note", agent_id="dan"),
        at(10, "assigned", "system"),
        at(11, "bot_handoff", "bot", agent_id="dan"),
    )
    assert derived.handovers == 2


def test_a_handover_to_nobody_counts_once() -> None:
    assert told(reply(1, "ann"), at(2, "handover"), reply(3, "bob")).handovers == 1


def test_events_of_one_instant_stay_in_the_order_in_which_they_were_sent() -> None:
    assert told(status(5, "resolved"), status(5, "open")).resolved_at is None
    assert told(status(5, "open"), status(5, "resolved")).resolved_at == OPENED + 5 * MINUTE


KINDS = st.one_of(
    st.builds(reply, st.just(0), st.sampled_from(["ann", "bob", None])),
    st.builds(status, st.just(0), st.sampled_from(["open", "resolved", "closed", "merged"])),
    st.just(at(0, "message", "customer")),
    st.just(at(0, "handover")),
    st.just(at(0, "assigned", agent_id="cid")),
)


@given(st.lists(KINDS, max_size=12), st.randoms())
def test_order_in_the_file_does_not_matter_where_instants_differ(
    events: list[Event], random: object
) -> None:
    minutes = count(1)
    in_order = [
        Event(
            at=OPENED + next(minutes) * MINUTE,
            type=event.type,
            actor=event.actor,
            agent_id=event.agent_id,
            to=event.to,
        )
        for event in events
    ]
    shuffled = list(in_order)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random
    derived = derive(in_order, OPENED)
    assert derive(shuffled, OPENED) == derived
    assert derived.handovers <= len(events)
    assert derived.first_reply_at is None or derived.agent_replies > 0


def test_claims_differ_beyond_a_minute_or_by_any_count() -> None:
    derived = told(reply(10), status(20, "resolved"), at(1, "message", "customer"))
    agreeing = {
        "first_reply_at": OPENED + 11 * MINUTE,
        "resolved_at": OPENED + 19 * MINUTE,
        "agent_replies": 1,
        "customer_messages": None,
    }
    assert differing_claims(agreeing, derived) == {}
    claims = differing_claims(
        {
            "first_reply_at": OPENED + 9 * MINUTE - 1,
            "first_reply_agent_id": "bob",
            "resolved_at": None,
            "reopens": 1,
            "agent_replies": 0,
        },
        derived,
    )
    assert claims == {
        "first_reply_at": {
            "claimed": "2026-10-01T09:08:59.999999Z",
            "derived": "2026-10-01T09:10:00Z",
        },
        "first_reply_agent_id": {"claimed": "bob", "derived": "ann"},
        "reopens": {"claimed": 1, "derived": 0},
        "agent_replies": {"claimed": 0, "derived": 1},
    }


def test_a_claim_of_what_never_happened_differs() -> None:
    claims = differing_claims({"first_reply_at": OPENED, "first_reply_agent_id": "ann"}, told())
    assert claims == {"first_reply_at": {"claimed": "2026-10-01T09:00:00Z", "derived": None}}


def test_events_are_read_with_what_we_do_not_know_kept() -> None:
    (event,) = read_events(
        [
            {
                "at": "2026-10-01T09:00:00Z",
                "type": "note",
                "actor": "agent",
                "mood": "ok",
                "to": None,
            }
        ],
        parse_instant,
    )
    assert event == Event(at=OPENED, type="note", actor="agent", extra={"mood": "ok"})


def faults_of(*events: object) -> set[tuple[str, str | None]]:
    try:
        read_events(list(events), parse_instant)
    except BadEvents as bad:
        return {(fault.code, fault.field) for fault in bad.faults}
    return set()


def test_every_mistake_of_every_event_is_told() -> None:
    good = {"at": "2026-10-01T09:00:00Z", "type": "message", "actor": "agent"}
    assert faults_of(
        good,
        "text",
        {**good, "at": "soon", "type": "shout"},
        {"type": "status", "actor": "agent", "at": good["at"]},
        {**good, "type": "status", "to": "done"},
        {**good, "agent_id": " ann", "public": "yes"},
        {**good, "mood": "\ud800"},
        {},
        {**good, "\ud800": 1, "\0": None},
    ) == {
        ("bad_value", "events[1]"),
        ("bad_timestamp", "events[2].at"),
        ("bad_value", "events[2].type"),
        ("missing_required", "events[3].to"),
        ("bad_value", "events[4].to"),
        ("bad_value", "events[5].agent_id"),
        ("bad_value", "events[5].public"),
        ("illegal_character", "events[6].mood"),
        ("missing_required", "events[7].at"),
        ("missing_required", "events[7].type"),
        ("missing_required", "events[7].actor"),
        ("illegal_character", "events[8].\ud800"),
        ("illegal_character", "events[8].\0"),
    }


def test_a_handover_that_names_nobody_counts_and_the_next_name_is_its_end() -> None:
    nameless = reply(1, None), at(2, "handover")
    assert told(*nameless).handovers == 1
    assert told(*nameless, at(3, "handover")).handovers == 2
    assert told(*nameless, reply(3, "bob")).handovers == 1
    assert told(*nameless, reply(3, "bob"), reply(4, "ann")).handovers == 2


def test_a_reply_without_a_name_leaves_the_last_name_standing() -> None:
    derived = told(at(1, "handover", agent_id="ann"), reply(2, None), reply(3, "bob"))
    assert derived.handovers == 1


def test_what_is_resolved_once_more_after_spam_is_resolved_then() -> None:
    derived = told(status(1, "resolved"), status(2, "spam"), status(3, "resolved"))
    assert (derived.resolved_at, derived.reopens) == (OPENED + 3 * MINUTE, 0)


def test_what_is_open_again_after_spam_was_reopened() -> None:
    derived = told(status(1, "resolved"), status(2, "spam"), status(3, "open"))
    assert (derived.resolved_at, derived.reopens) == (None, 1)
