"""Which answers of which attempts count, for coverage and item analysis, on both engines."""

import random
from typing import Any

from knowledge.documents import attempt, check, document, load, many, question, withdraw
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.knowledge import service
from vendorwatch.periods import DAY, SECOND
from vendorwatch.vendors.model import Engagement

SUBMITTED = 1_792_462_200 * SECOND  # 2026-10-20T09:10:00+07:00
DUE = 1_792_926_000 * SECOND  # 2026-10-25T18:00:00+07:00
EVER = -(1 << 62)


async def given(
    database: Database, engagement: Engagement, *, after: int = EVER, as_of: int = DUE
) -> list[tuple[str, str, bool]]:
    async with database.read(engagement.scope) as connection:
        return await service.answers_given(connection, engagement.scope, after=after, as_of=as_of)


async def questions(
    database: Database, engagement: Engagement, now: int
) -> dict[str, service.QuestionStanding]:
    async with database.read(engagement.scope) as connection:
        found = await service.question_standings(
            connection, engagement.scope, now=now, with_text=False
        )
    return {each.question_id: each for each in found}


def topics() -> list[dict[str, Any]]:
    return [question("q1", [1], topic="returns"), question("q2", [0, 2], topic="sizing")]


async def test_each_question_of_a_counted_attempt_is_told_once_and_unanswered_is_wrong(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    attempts = [attempt("hs-01", {"q2": [2, 0]}), attempt("hs-02", {"q1": [1], "q2": [0, 1, 2]})]
    contents = document(questions=topics(), attempts=attempts)
    await load(database, engagement, contents, clock())

    assert await given(database, engagement) == [
        ("hs-01", "returns", False),
        ("hs-01", "sizing", True),
        ("hs-02", "returns", True),
        ("hs-02", "sizing", False),
    ]


async def test_the_window_is_open_at_its_start_and_closed_at_its_end(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())

    assert await given(database, engagement, after=SUBMITTED) == []
    assert len(await given(database, engagement, after=SUBMITTED - 1)) == 2
    assert len(await given(database, engagement, as_of=SUBMITTED)) == 2
    assert await given(database, engagement, as_of=SUBMITTED - 1) == []


async def test_a_check_counts_whatever_month_it_is_due_in(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    contents = document(checks=[check("2026-10", ["q1", "q2"], due_at="2027-03-01T00:00:00Z")])
    await load(database, engagement, contents, clock())

    assert len(await given(database, engagement, as_of=SUBMITTED)) == 2


async def test_a_retake_a_late_first_one_a_begun_one_and_an_excused_one_do_not_count(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    everything = {"q1": [1], "q2": [0, 2]}
    begun = attempt("hs-04", everything) | {"submitted_at": None}
    contents = document(
        attempts=[
            attempt("hs-01", {}),
            attempt("hs-01", everything, day=21, number=2),
            attempt("hs-02", everything, day=26),
            attempt("hs-03", everything),
            begun,
            attempt("hs-05", everything, day=19) | {"submitted_at": None},
            attempt("hs-05", everything, day=20, number=2),
        ]
    )
    contents["assignments"] += [
        {"check_id": "2026-10", "agent_id": each} for each in ("hs-04", "hs-05")
    ]
    await load(database, engagement, contents, clock())

    found = await given(database, engagement, as_of=DUE + 5 * DAY)

    assert [(agent, right) for agent, _, right in found] == [
        ("hs-01", False),
        ("hs-01", False),
        ("hs-05", True),
        ("hs-05", True),
    ]


async def test_a_withdrawn_question_is_not_told(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(questions=topics()), clock())

    await withdraw(database, engagement, "q1", clock())

    assert await given(database, engagement) == [("hs-01", "sizing", False)]


async def test_the_version_that_was_asked_decides_what_was_right_and_on_which_topic(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(questions=topics()), clock())
    edited = [question("q1", [0], topic="exchanges")]
    await load(database, engagement, {"questions": edited}, clock())

    assert ("hs-01", "returns", True) in await given(database, engagement)


async def test_rivals_and_strangers_see_none_of_the_answers(
    database: Database,
    engagement: Engagement,
    rival: Engagement,
    stranger: Engagement,
    clock: StoppedClock,
) -> None:
    await load(database, engagement, many(), clock())
    for each in (rival, stranger):
        await load(database, each, many() | {"attempts": []}, clock())

    for each in (rival, stranger):
        assert await given(database, each) == []
        shown = await questions(database, each, clock())
        assert {(q.answers, q.difficulty, q.discrimination) for q in shown.values()} == {
            (0, None, None)
        }
        async with database.read(each.scope) as connection:
            [(_, standing)] = await service.standings(connection, each.scope, now=clock())
        assert (standing.submitted, standing.kr20) == (0, None)


async def test_others_answers_to_the_same_ids_do_not_move_ones_own_figures(
    database: Database,
    engagement: Engagement,
    rival: Engagement,
    stranger: Engagement,
    clock: StoppedClock,
) -> None:
    await load(database, engagement, many(30), clock())
    alone = await questions(database, engagement, clock())
    told = await given(database, engagement)

    await load(database, rival, many(33), clock())
    await load(database, stranger, many(33), clock())
    await withdraw(database, stranger, "q1", clock())

    assert await given(database, engagement) == told
    assert await questions(database, engagement, clock()) == alone
    assert alone["odd"].answers == 30
    assert alone["odd"].difficulty == "0.333333"
    assert alone["odd"].flag == "review_key"


async def test_what_is_not_submitted_by_now_is_not_looked_at(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, many(), clock())

    before = await questions(database, engagement, SUBMITTED - 1)
    after = await questions(database, engagement, SUBMITTED)

    assert {each.answers for each in before.values()} == {0}
    assert {each.answers for each in after.values()} == {30}


async def test_sql_and_the_results_agree_on_what_was_earned(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    """Each question weighs 1: what was right, counted by agent, is what the results earned."""
    dice = random.Random(7)
    ids = [f"q{at}" for at in range(6)]
    agents = [f"hs-{at:02}" for at in range(12)]
    keys = {each: sorted(dice.sample(range(3), dice.randint(1, 3))) for each in ids}
    attempts = []
    for agent in agents:
        day = dice.randint(18, 27)
        for number in range(1, dice.randint(2, 4)):
            chosen = {
                each: dice.sample(range(3), dice.randint(0, 3)) if dice.random() < 0.5 else key
                for each, key in keys.items()
                if dice.random() < 0.9
            }
            one = attempt(agent, chosen, day=day + number - 1, number=number)
            attempts.append(one | ({"submitted_at": None} if dice.random() < 0.2 else {}))
    contents = {
        "questions": [question(each, key, topic=each) for each, key in keys.items()],
        "checks": [check("2026-10", ids)],
        "assignments": [
            {"check_id": "2026-10", "agent_id": agent}
            | ({"excused": "ill"} if dice.random() < 0.2 else {})
            for agent in agents
        ],
        "attempts": attempts,
    }
    await load(database, engagement, contents, clock())
    await withdraw(database, engagement, "q3", clock())

    for as_of in (DUE, DUE + 7 * DAY):
        found = await given(database, engagement, as_of=as_of)
        async with database.read(engagement.scope) as connection:
            results = await service.results_due(connection, engagement.scope, DUE, DUE + 1, as_of)
        counted = [each for each in results if each.submitted and not each.excused]
        assert {agent for agent, _, _ in found} == {each.agent_id for each in counted}
        assert len(found) == 5 * len(counted)
        for each in counted:
            rights = [right for agent, _, right in found if agent == each.agent_id]
            assert sum(rights) == each.earned
