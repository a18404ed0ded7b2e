"""A withdrawn question leaves every result, for ever and for all vendors, on both engines."""

import asyncio
from typing import Any

import pytest

from knowledge.documents import attempt, check, document, load, many, question, withdraw
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.errors import NotFound
from vendorwatch.knowledge import service
from vendorwatch.knowledge.model import BadKnowledge
from vendorwatch.knowledge.outcome import AssignmentResult
from vendorwatch.knowledge.withdrawals import BadWithdrawal, withdrawal_reason
from vendorwatch.periods import DAY, SECOND
from vendorwatch.vendors.model import Engagement

DUE = 1_792_926_000 * SECOND  # 2026-10-25T18:00:00+07:00


async def due(database: Database, engagement: Engagement) -> list[AssignmentResult]:
    async with database.read(engagement.scope) as connection:
        return await service.results_due(connection, engagement.scope, DUE, DUE + 1, DUE)


async def questions(
    database: Database, engagement: Engagement, now: int
) -> list[service.QuestionStanding]:
    async with database.read(engagement.scope) as connection:
        return await service.question_standings(
            connection, engagement.scope, now=now, with_text=True
        )


def figures(result: AssignmentResult) -> tuple[object, ...]:
    return result.questions, result.withdrawn, result.earned, result.possible, result.passed


async def test_a_withdrawn_question_leaves_possible_earned_questions_and_the_pass_decision(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    contents = document()
    contents["attempts"].append(attempt("hs-02", {"q2": [2, 0]}))
    await load(database, engagement, contents, clock())
    before = [figures(each) for each in await due(database, engagement)]

    await withdraw(database, engagement, "q1", clock())

    assert before[:2] == [(2, 0, 3, 5, True), (2, 0, 2, 5, False)]
    first, second, excused = await due(database, engagement)
    assert figures(first) == (1, 1, 0, 2, False)
    assert figures(second) == (1, 1, 2, 2, True)
    assert [each.excuse for each in (first, second, excused)] == [None, None, "parental leave"]


async def test_who_is_left_without_a_question_is_left_out_like_an_excused_one(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())

    for question_id in ("q1", "q2"):
        await withdraw(database, engagement, question_id, clock())

    results = await due(database, engagement)
    assert [each.excuse for each in results] == [
        "every question was withdrawn",
        "every question was withdrawn",
        "parental leave",
    ]
    assert all(each.excused for each in results)
    assert {figures(each) for each in results} == {(0, 2, 0, 0, False)}
    async with database.read(engagement.scope) as connection:
        [(_, standing)] = await service.standings(connection, engagement.scope, now=clock())
    assert (standing.questions, standing.withdrawn) == (0, 2)
    assert (standing.assigned, standing.excused, standing.possible) == (0, 3, 0)


async def test_withdrawing_again_changes_nothing_and_the_first_reason_stays(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())

    first = await withdraw(database, engagement, "q1", clock(), reason=" hai đáp án\n đúng ")
    again = await withdraw(database, engagement, "q1", clock() + DAY, reason="another")

    assert first == again
    assert first == service.Withdrawn(
        question_id="q1",
        version=1,
        reason="hai đáp án đúng",
        withdrawn_at="2026-11-02T08:00:00Z",
    )
    shown = {each.question_id: each for each in await questions(database, engagement, clock())}
    assert shown["q1"].withdrawn_at == first.withdrawn_at
    assert shown["q1"].withdrawn_reason == first.reason
    assert shown["q2"].withdrawn_at is None
    assert shown["q2"].withdrawn_reason is None


async def test_two_withdrawals_at_once_are_one(
    database: Database, engagement: Engagement, rival: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())

    done = await asyncio.gather(
        *(
            withdraw(database, each, "q1", clock() + at, reason=f"reason {at}")
            for at, each in enumerate((engagement, rival) * 2)
        )
    )

    assert len(set(done)) == 1


async def test_only_the_version_that_was_named_is_withdrawn(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())
    edited = {
        "questions": [question("q1", [0], 9)],
        "checks": [check("again", ["q1"])],
        "assignments": [{"check_id": "again", "agent_id": "hs-01"}],
        "attempts": [attempt("hs-01", {"q1": [0]}, check_id="again")],
    }
    await load(database, engagement, edited, clock())

    await withdraw(database, engagement, "q1", clock(), version=1)

    results = {(each.agent_id, each.check_id): each for each in await due(database, engagement)}
    assert figures(results["hs-01", "2026-10"]) == (1, 1, 0, 2, False)
    assert figures(results["hs-01", "again"]) == (1, 0, 9, 9, True)
    shown = [
        (each.question_id, each.version, each.withdrawn_at is None)
        for each in await questions(database, engagement, clock())
    ]
    assert shown == [("q1", 1, False), ("q1", 2, True), ("q2", 1, True)]


async def test_a_withdrawal_is_the_merchants_and_no_other_merchants(
    database: Database,
    engagement: Engagement,
    rival: Engagement,
    stranger: Engagement,
    clock: StoppedClock,
) -> None:
    for each in (engagement, rival, stranger):
        await load(database, each, document(), clock())

    await withdraw(database, engagement, "q1", clock())

    assert [each.withdrawn for each in await due(database, rival)] == [1, 1, 1]
    assert [each.withdrawn for each in await due(database, stranger)] == [0, 0, 0]
    theirs = await questions(database, stranger, clock())
    assert [each.withdrawn_at for each in theirs] == [None, None]


@pytest.mark.parametrize(
    ("question_id", "version", "words"),
    [
        ("q9", 1, "no question 'q9'"),
        ("q1", 2, "no version 2 of the question 'q1'; it has 1"),
        ("q1", 10**30, "no version 1000"),
        ("q\x001", 1, "no question"),
        ("q\ud800", 1, "no question"),
    ],
)
async def test_what_the_merchant_has_not_asked_is_not_found(
    database: Database,
    engagement: Engagement,
    clock: StoppedClock,
    question_id: str,
    version: int,
    words: str,
) -> None:
    await load(database, engagement, document(), clock())

    with pytest.raises(NotFound) as caught:
        await withdraw(database, engagement, question_id, clock(), version=version)

    assert words in caught.value.detail
    assert [each.withdrawn for each in await due(database, engagement)] == [0, 0, 0]


async def test_another_merchants_question_is_not_found(
    database: Database, engagement: Engagement, stranger: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())

    with pytest.raises(NotFound):
        await withdraw(database, stranger, "q1", clock())


async def test_an_id_is_found_however_its_accents_were_typed(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    contents = {"questions": [question("l\u00ea", [0])]}
    await load(database, engagement, contents, clock())

    done = await withdraw(database, engagement, "le\u0302", clock())

    assert done.question_id == "l\u00ea"


@pytest.mark.parametrize("reason", ["", " \n", "x" * 201, "half \ud800", "a\x00b"])
def test_a_reason_that_says_nothing_or_cannot_be_kept_is_refused(reason: str) -> None:
    with pytest.raises(BadWithdrawal):
        withdrawal_reason(reason)


async def test_a_new_check_cannot_ask_what_was_withdrawn_and_a_stored_one_stays(
    database: Database, engagement: Engagement, rival: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())
    await withdraw(database, engagement, "q2", clock())
    asked: dict[str, Any] = {"checks": [check("next", ["q1", "q2"])]}

    with pytest.raises(BadKnowledge) as caught:
        await load(database, rival, asked, clock())
    again = await load(database, engagement, document(), clock())
    mended = asked | {"questions": [question("q2", [0], 2)]}
    loaded = await load(database, rival, mended, clock())

    assert [(each.code, each.field) for each in caught.value.faults] == [
        ("withdrawn", "checks[0].questions[1]")
    ]
    assert again.unchanged == 7
    assert (loaded.questions, loaded.checks) == (1, 1)


async def test_a_withdrawn_question_leaves_the_rest_scores_and_kr_20_and_keeps_its_own_figures(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, many(), clock())
    before = {each.question_id: each for each in await questions(database, engagement, clock())}

    await withdraw(database, engagement, "odd", clock())

    after = {each.question_id: each for each in await questions(database, engagement, clock())}
    assert before["odd"].flag == after["odd"].flag == "review_key"
    assert before["odd"].discrimination == after["odd"].discrimination == "-1.000000"
    assert before["q1"].discrimination is None  # `odd` and `q2` together are one in every attempt
    assert after["q1"].discrimination == "1.000000"
    async with database.read(engagement.scope) as connection:
        [(_, standing)] = await service.standings(connection, engagement.scope, now=clock())
    assert standing.kr20 == "1.000000"
