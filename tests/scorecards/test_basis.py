"""What is kept beside a scorecard is enough to compute it again, and no more."""

from collections import Counter
from dataclasses import replace

import pytest

from knowledge import documents
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.periods import Month
from vendorwatch.policies import service as policies
from vendorwatch.scorecards import service, store
from vendorwatch.scorecards.inputs import inputs_now, inputs_then
from vendorwatch.scorecards.model import Basis, Computed, Topic
from vendorwatch.scoring.score import score_month
from vendorwatch.vendors.model import Engagement

OCTOBER = Month.parse("2026-10")
BASIS = Basis(
    names={"hoa": "Hoa", "mai": None, "an": "An"},
    aliases={"h1": "hoa", "desk 7": "mai"},
    knowledge=[("h1", "c2", 2, 5, 3, True, False), ("an", "c1", 2, 5, 0, False, True)],
    answers=[
        ("an", "returns", False, 2),
        ("h1", "returns", True, 4),
        ("hoa", "brewing", False, 1),
        ("hoa", "returns", False, 3),
    ],
    reviews=7,
    policies=0,
    now=1,
    default_policy="name = ...",
)


async def computed(database: Database, engagement: Engagement, now: int) -> Computed:
    async with database.read(engagement.scope) as connection:
        return await service.compute(
            connection, engagement.engagement_id, OCTOBER, as_of=None, now=now
        )


async def keep(database: Database, card: Computed, now: int) -> str:
    async with database.write(card.scope) as connection:
        return (await service.keep(connection, card, now)).scorecard_id


def test_it_survives_being_stored() -> None:
    assert Basis.from_json(BASIS.to_json()) == BASIS


def test_names_are_those_of_the_document_and_aliases_are_all() -> None:
    kept = BASIS.about(["hoa"])
    assert kept.names == {"hoa": "Hoa"}
    assert replace(kept, names=BASIS.names) == BASIS


def test_of_each_topic_it_is_known_what_was_asked_and_what_was_right() -> None:
    assert BASIS.topics() == [
        Topic("an", "returns", 2, 0),
        Topic("hoa", "brewing", 1, 0),
        Topic("hoa", "returns", 7, 4),
    ]


def test_results_are_in_order_and_carry_the_agents_own_ids() -> None:
    assert [tuple(each.values()) for each in BASIS.results()] == [
        ("an", "c1", 2, 5, 0, False, True),
        ("hoa", "c2", 2, 5, 3, True, False),
    ]


async def test_alike_answers_are_kept_once_and_counted_as_often_as_given(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    topics = {f"q{number}": ("returns", "brewing")[number % 2] for number in range(50)}
    right = {name: number % 5 > 0 for number, name in enumerate(topics)}
    contents = documents.document(
        questions=[documents.question(name, [0], topic=topic) for name, topic in topics.items()],
        checks=[documents.check("2026-10", [*topics])],
        assignments=[{"check_id": "2026-10", "agent_id": "an"}],
        attempts=[documents.attempt("an", {name: [0 if right[name] else 1] for name in topics})],
    )
    await documents.load(database, engagement, contents, clock())
    async with database.read(engagement.scope) as connection:
        inputs, _, basis = await inputs_now(
            connection, engagement, OCTOBER, as_of=None, now=clock(), instead=None
        )
    given = Counter(("an", topics[name], right[name]) for name in topics)
    assert sorted(basis.answers) == sorted((*alike, count) for alike, count in given.items())
    assert len(basis.answers) == 4
    assert Counter(inputs.answers.rows()) == given


async def test_no_answer_is_none(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    async with database.read(engagement.scope) as connection:
        inputs, _, _ = await inputs_now(
            connection, engagement, OCTOBER, as_of=None, now=clock(), instead=None
        )
    assert inputs.answers.height == 0


async def test_a_scorecard_is_computed_again_under_the_default_policy_of_its_release(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    """As if an earlier release, whose package had another default, had kept it."""
    today = policies.default_policy()
    card = await computed(database, engagement, clock())
    assert (card.policy_version, card.basis.default_policy) == (0, today.source)
    scorecard_id = await keep(database, card, clock())
    earlier = today.source.replace("repeat_window_days = 7", "repeat_window_days = 3")
    assert earlier != today.source
    basis = replace(card.basis, default_policy=earlier)
    async with database.read(engagement.scope) as connection:
        kept = await store.kept(connection, engagement.scope, scorecard_id)
        assert kept is not None
        inputs = await inputs_then(connection, kept, basis, str(card.document["code_version"]))
    assert inputs.policy.version == 0
    assert inputs.policy.sha256 != today.sha256
    old = replace(card, document=score_month(inputs), basis=basis)
    assert old.sha256 != card.sha256
    for each in (scorecard_id, await keep(database, old, clock())):
        async with database.read(engagement.scope) as connection:
            verdict = await service.verify(connection, engagement.scope, each)
        assert (verdict.result, verdict.differences) == ("identical", ())


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_the_default_policy_is_kept_only_where_it_counted(
    database: Database, engagement: Engagement, clock: StoppedClock
) -> None:
    async with database.write(engagement.scope) as connection:
        source = policies.default_policy().source
        await policies.set_policy(connection, engagement.scope, source, clock())
    card = await computed(database, engagement, clock())
    assert (card.policy_version, card.basis.default_policy) == (1, None)
