"""The monthly checks of product knowledge, and how each agent answered."""

import random
from datetime import datetime, timedelta

from vendorwatch.demo.description import Description
from vendorwatch.demo.desk import Agent, Desk
from vendorwatch.knowledge.record import Question
from vendorwatch.periods import Month, load_zone

Item = dict[str, object]
_MINUTES_A_QUESTION = 1.4
_HARDER = {1: 0.0, 2: 0.05, 3: 0.1}  # by weight
_EVERYTHING_RIGHT = 0.12  # a retake is better


def knowledge_document(shop: Description, desk: Desk) -> dict[str, list[Item]]:
    """In the form that `vendorwatch knowledge load` reads; instants with the shop's offset."""
    document: dict[str, list[Item]] = {
        "questions": [_question(each) for each in shop.questions],
        "checks": [],
        "assignments": [],
        "attempts": [],
    }
    for month in shop.months:
        chosen = _chosen(shop, month)
        due = _due(shop, month)
        document["checks"].append(_check(shop, month, chosen, due))
        for agent in desk.agents:
            assignment, attempts = _answered(shop, desk, agent, month, chosen, due)
            document["assignments"].append(assignment)
            document["attempts"] += attempts
    return document


def _question(question: Question) -> Item:
    return {name: getattr(question, name) for name in question.__struct_fields__}


def _chosen(shop: Description, month: str) -> list[Question]:
    """The same ones for every vendor."""
    rng = random.Random(f"{shop.seed}/check/{month}")  # noqa: S311  a play, no secret
    return rng.sample(shop.questions, shop.check.questions)


def _due(shop: Description, text: str) -> datetime:
    month = Month.parse(text)
    zone = load_zone(shop.time_zone)
    return datetime(month.year, month.month, shop.check.due_day, shop.check.due_hour, tzinfo=zone)


def _check(shop: Description, month: str, chosen: list[Question], due: datetime) -> Item:
    return {
        "check_id": f"product-knowledge-{month}",
        "title": f"{shop.check.title}, {month}",
        "pass_mark": shop.check.pass_mark,
        "due_at": due.isoformat(),
        "questions": [question.question_id for question in chosen],
        "time_limit_seconds": shop.check.time_limit_seconds,
    }


def _answered(
    shop: Description, desk: Desk, agent: Agent, month: str, chosen: list[Question], due: datetime
) -> tuple[Item, list[Item]]:
    rng = desk.random
    ids: Item = {"check_id": f"product-knowledge-{month}", "agent_id": agent.agent_id}
    assigned_at = (due - timedelta(days=14)).isoformat()
    if desk.happens(0.03):
        return ids | {"assigned_at": assigned_at, "excused": "parental leave"}, []
    assignment = ids | {"assigned_at": assigned_at}
    if desk.happens(0.05):  # never handed in
        return assignment, []
    started_at = due - timedelta(minutes=rng.randrange(60, 10 * 24 * 60))
    first = _attempt(rng, ids, 1, started_at, chosen, agent.knowledge)
    share = sum(_is_right(answer, chosen) for answer in first["answers"]) / len(chosen)  # type: ignore[attr-defined]  # a list, made below
    if share * 100 >= shop.check.pass_mark:
        return assignment, [first]
    # A retake is shown and does not count.
    again_at = started_at + timedelta(days=1, minutes=rng.randrange(300))
    better = min(agent.knowledge + _EVERYTHING_RIGHT, 1.0)
    return assignment, [first, _attempt(rng, ids, 2, again_at, chosen, better)]


def _attempt(
    rng: random.Random,
    ids: Item,
    number: int,
    started_at: datetime,
    chosen: list[Question],
    knowledge: float,
) -> Item:
    at = started_at
    answers: list[Item] = []
    for question in chosen:
        at += timedelta(seconds=round(rng.uniform(0.4, 1.6) * _MINUTES_A_QUESTION * 60))
        answers.append(
            {
                "question_id": question.question_id,
                "chosen": _choose(rng, question, knowledge),
                "answered_at": at.isoformat(),
            }
        )
    times = {"started_at": started_at.isoformat(), "submitted_at": at.isoformat()}
    return ids | {"number": number} | times | {"answers": answers}


def _choose(rng: random.Random, question: Question, knowledge: float) -> list[int]:
    if rng.random() < knowledge - _HARDER[question.weight]:
        return list(question.correct)
    wrong = [each for each in range(len(question.options)) if each not in question.correct]
    return sorted({rng.choice(wrong), *question.correct[1:]})


def _is_right(answer: Item, chosen: list[Question]) -> bool:
    right = {question.question_id: list(question.correct) for question in chosen}
    return right[str(answer["question_id"])] == answer["chosen"]
