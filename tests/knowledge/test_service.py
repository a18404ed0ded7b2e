"""Loading documents into the real database, and what is due, on both engines."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from knowledge.documents import attempt, document, load, question
from stopped_clock import StoppedClock
from vendorwatch.db import models
from vendorwatch.db.engine import Database
from vendorwatch.db.locks import lock_merchant
from vendorwatch.knowledge import service
from vendorwatch.knowledge.model import BadKnowledge, KnowledgeConflict
from vendorwatch.knowledge.outcome import AssignmentResult
from vendorwatch.periods import DAY, SECOND, Month, load_zone
from vendorwatch.vendors import service as vendors
from vendorwatch.vendors.model import Engagement

DUE = 1_792_926_000 * SECOND  # 2026-10-25T18:00:00+07:00
START, END = Month(2026, 10).bounds(load_zone("Asia/Ho_Chi_Minh"))
TABLES = (
    models.Question,
    models.Check,
    models.CheckQuestion,
    models.Assignment,
    models.Attempt,
    models.Answer,
)


async def due(
    database: Database, engagement: Engagement, as_of: int = END, start: int = START, end: int = END
) -> list[AssignmentResult]:
    async with database.read(engagement.scope) as connection:
        return await service.results_due(connection, engagement.scope, start, end, as_of)


async def counts(database: Database) -> list[int]:
    async with database.read_as_owner() as connection:
        return [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in TABLES
        ]


async def test_what_was_loaded_is_what_is_due(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    loaded = await load(database, engagement, document(), clock())

    assert loaded == service.Loaded(questions=2, checks=1, assignments=3, attempts=1, unchanged=0)
    common: dict[str, Any] = {
        "check_id": "2026-10",
        "due_at": DUE,
        "questions": 2,
        "withdrawn": 0,
        "possible": 5,
    }
    assert await due(database, engagement) == [
        AssignmentResult(
            agent_id="hs-01", earned=3, passed=True, excuse=None, submitted=True, **common
        ),
        AssignmentResult(
            agent_id="hs-02", earned=0, passed=False, excuse=None, submitted=False, **common
        ),
        AssignmentResult(
            agent_id="hs-03",
            earned=0,
            passed=False,
            excuse="parental leave",
            submitted=False,
            **common,
        ),
    ]


async def test_the_same_document_again_changes_nothing(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())
    before = await counts(database)

    again = await load(database, engagement, document(), clock() + DAY)

    assert again == service.Loaded(questions=0, checks=0, assignments=0, attempts=0, unchanged=7)
    assert await counts(database) == before


async def test_a_check_is_due_by_its_instant_and_not_before(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())

    assert await due(database, engagement, as_of=DUE - 1) == []
    assert len(await due(database, engagement, as_of=DUE)) == 3
    assert await due(database, engagement, start=DUE + 1) == []
    assert len(await due(database, engagement, start=DUE)) == 3
    assert await due(database, engagement, end=DUE) == []
    assert len(await due(database, engagement, end=DUE + 1)) == 3


async def test_a_retake_does_not_count_even_if_it_is_loaded_with_the_first(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    right = {"q1": [1], "q2": [2, 0]}
    retake = attempt("hs-01", right, day=21, number=2)
    late = attempt("hs-02", right, day=26)
    contents = document()
    contents["attempts"] += [retake, late]
    await load(database, engagement, contents, clock())

    first, second, _ = await due(database, engagement)

    assert (first.earned, first.possible) == (3, 5)
    assert (second.earned, second.submitted) == (0, False)


async def test_an_edited_question_is_the_next_version_and_old_checks_keep_theirs(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())
    edited = document(
        questions=[question("q1", [0], 9, stem="Which now?"), question("q2", [0, 2], 2)]
    )
    edited["checks"].append(edited["checks"][0] | {"check_id": "again", "questions": ["q1"]})
    edited["assignments"].append({"check_id": "again", "agent_id": "hs-01"})
    edited["attempts"].append(attempt("hs-01", {"q1": [0]}) | {"check_id": "again"})

    loaded = await load(database, engagement, edited, clock())

    assert (loaded.questions, loaded.checks) == (1, 1)
    results = {(each.agent_id, each.check_id): each for each in await due(database, engagement)}
    assert results["hs-01", "2026-10"].earned == 3
    assert results["hs-01", "again"].earned == 9
    async with database.read_as_owner() as connection:
        version = models.Question.version
        statement = select(version).where(models.Question.question_id == "q1").order_by(version)
        assert (await connection.execute(statement)).scalars().all() == [1, 2]


async def test_an_attempt_that_is_stored_cannot_be_improved(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())
    better = document(attempts=[attempt("hs-01", {"q1": [1], "q2": [0, 2]})])

    with pytest.raises(KnowledgeConflict) as caught:
        await load(database, engagement, better, clock())

    assert [fault.field for fault in caught.value.faults] == ["attempts[0]"]
    assert (await due(database, engagement))[0].earned == 3


@pytest.mark.parametrize(
    "change",
    [
        {"pass_mark": 10},
        {"due_at": "2026-10-26T18:00:00+07:00"},
        {"questions": ["q1"]},
        {"time_limit_seconds": 600},
    ],
)
async def test_a_check_that_is_stored_cannot_be_changed(
    database: Database, engagement: Engagement, clock: StoppedClock, change: dict[str, Any]
) -> None:
    await load(database, engagement, document(), clock())

    with pytest.raises(KnowledgeConflict):
        await load(
            database,
            engagement,
            document(checks=[document()["checks"][0] | change]),
            clock(),
        )


async def test_an_excuse_may_come_later_and_may_be_taken_back(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())
    changed = {
        "assignments": [
            {"check_id": "2026-10", "agent_id": "hs-02", "excused": "in hospital"},
            {"check_id": "2026-10", "agent_id": "hs-03"},
        ]
    }

    loaded = await load(database, engagement, changed, clock())

    assert loaded.assignments == 2
    assert [each.excused for each in await due(database, engagement)] == [False, True, False]


async def test_a_document_with_mistakes_stores_nothing_and_names_them_all(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    contents = document()
    contents["checks"].append(contents["checks"][0] | {"check_id": "b", "questions": ["q1", "q9"]})
    contents["assignments"].append({"check_id": "nowhere", "agent_id": "hs-01"})
    contents["attempts"] += [
        attempt("hs-02", {"q7": [0], "q2": [5]}),
        attempt("hs-77", {}),
        attempt("hs-01", {}, day=19, number=2),
        attempt("hs-03", {}, number=2),
        attempt("hs-03", {}, number=1) | {"submitted_at": "2026-11-20T09:00:00+07:00"},
    ]

    with pytest.raises(BadKnowledge) as caught:
        await load(database, engagement, contents, clock())

    assert {(fault.code, fault.field) for fault in caught.value.faults} == {
        ("unknown_reference", "checks[1].questions[1]"),
        ("unknown_reference", "assignments[3].check_id"),
        ("unknown_reference", "attempts[1].answers[1].question_id"),
        ("out_of_range", "attempts[1].answers[0].chosen"),
        ("unknown_assignment", "attempts[2]"),
        ("attempts_overlap", "attempts[3].started_at"),
        ("attempts_overlap", "attempts[4].started_at"),
        ("future_timestamp", "attempts[5].submitted_at"),
    }
    assert await counts(database) == [0] * len(TABLES)


async def test_an_attempt_cannot_be_left_out_before_another(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    contents = document(attempts=[attempt("hs-01", {"q1": [1]}, number=2)])

    with pytest.raises(BadKnowledge) as caught:
        await load(database, engagement, contents, clock())

    assert [fault.code for fault in caught.value.faults] == ["attempt_missing"]


async def test_vendors_of_one_merchant_share_questions_and_no_results(
    database: Database, engagement: Engagement, rival: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())

    loaded = await load(database, rival, document(attempts=[]), clock())

    assert (loaded.questions, loaded.checks, loaded.assignments) == (0, 0, 3)
    assert [each.earned for each in await due(database, rival)] == [0, 0, 0]
    assert [each.earned for each in await due(database, engagement)] == [3, 0, 0]


async def test_another_merchants_questions_do_not_exist(
    database: Database, engagement: Engagement, stranger: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())

    with pytest.raises(BadKnowledge):
        await load(database, stranger, document(questions=[]), clock())

    assert await due(database, stranger) == []


async def test_an_agent_seen_here_first_is_known_and_not_on_the_roster(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())

    async with database.read(engagement.scope) as connection:
        agents = await vendors.agents(connection, engagement.scope)
    assert [(agent.agent_id, agent.on_roster) for agent in agents] == [
        ("hs-01", False),
        ("hs-02", False),
        ("hs-03", False),
    ]


async def test_two_loads_at_once_make_one_version_each(
    database: Database, engagement: Engagement, rival: Engagement, clock: StoppedClock
) -> None:
    loads = [
        load(database, each, document(attempts=[]), clock()) for each in (engagement, rival) * 2
    ]

    done = await asyncio.gather(*loads)

    assert sorted(each.questions for each in done) == [0, 0, 0, 2]
    assert (await counts(database))[:2] == [2, 1]


@pytest.mark.parametrize("engine_name", ["postgresql"])
async def test_a_load_leaves_those_alone_who_only_refer_to_the_merchant(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    """A row that refers to it holds its key (FOR KEY SHARE), and must not wait for a load."""
    scope = engagement.scope
    whose = scope.of_merchant()
    async with database.write(whose) as loading, database.write(whose) as other:
        await lock_merchant(loading, scope.merchant_id)
        found = await other.execute(
            select(models.Merchant.merchant_id)
            .where(models.Merchant.merchant_id == scope.merchant_id)
            .with_for_update(read=True, key_share=True, nowait=True)
        )
        assert found.scalar_one() == scope.merchant_id


async def test_standings_count_without_the_excused(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    await load(database, engagement, document(), clock())

    async with database.read(engagement.scope) as connection:
        [(due_at, standing)] = await service.standings(connection, engagement.scope, now=clock())

    assert (due_at, standing.due_at) == (DUE, "2026-10-25T11:00:00Z")
    assert (standing.assigned, standing.excused, standing.submitted) == (2, 1, 1)
    assert (standing.passed, standing.earned, standing.possible) == (1, 3, 10)
