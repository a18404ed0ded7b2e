"""A check of two questions, and what its tests load and read."""

import json
from typing import Any

from vendorwatch.db.engine import Database
from vendorwatch.knowledge import service
from vendorwatch.knowledge.parse import read_document
from vendorwatch.vendors.model import Engagement


def question(
    question_id: str,
    correct: list[int],
    weight: int = 1,
    *,
    stem: str = "Which?",
    topic: str = "brewing_advice",
) -> dict[str, Any]:
    return {
        "question_id": question_id,
        "stem": stem,
        "options": ["trà sen", "ชา", "tea"],
        "correct": correct,
        "topic": topic,
        "weight": weight,
    }


def check(check_id: str, questions: list[str], **changes: Any) -> dict[str, Any]:
    return {
        "check_id": check_id,
        "title": "Tháng 10",
        "pass_mark": 60,
        "due_at": "2026-10-25T18:00:00+07:00",
        "questions": questions,
    } | changes


def attempt(
    agent_id: str,
    answers: dict[str, list[int]],
    *,
    check_id: str = "2026-10",
    day: int = 20,
    number: int = 1,
) -> dict[str, Any]:
    return {
        "check_id": check_id,
        "agent_id": agent_id,
        "number": number,
        "started_at": f"2026-10-{day:02}T09:00:00+07:00",
        "submitted_at": f"2026-10-{day:02}T09:10:00+07:00",
        "answers": [{"question_id": key, "chosen": chosen} for key, chosen in answers.items()],
    }


def document(**changes: Any) -> dict[str, Any]:
    """Three agents are asked two questions of weights 3 and 2; the first one hands in."""
    return {
        "questions": [question("q1", [1], 3), question("q2", [0, 2], 2)],
        "checks": [check("2026-10", ["q1", "q2"])],
        "assignments": [
            {"check_id": "2026-10", "agent_id": "hs-01"},
            {"check_id": "2026-10", "agent_id": "hs-02"},
            {"check_id": "2026-10", "agent_id": "hs-03", "excused": "parental leave"},
        ],
        "attempts": [attempt("hs-01", {"q1": [1], "q2": [0]})],
    } | changes


def many(agents: int = 30) -> dict[str, Any]:
    """Every agent answers three questions; who knows two of them gets `odd` wrong."""
    asked = ["odd", "q1", "q2"]
    ids = [f"hs-{at:02}" for at in range(agents)]
    return {
        "questions": [question("odd", [0]), question("q1", [1]), question("q2", [2])],
        "checks": [check("2026-10", asked)],
        "assignments": [{"check_id": "2026-10", "agent_id": each} for each in ids],
        "attempts": [
            attempt(each, {"odd": [1], "q1": [1], "q2": [2]} if at % 3 else {"odd": [0]})
            for at, each in enumerate(ids)
        ],
    }


async def load(
    database: Database, engagement: Engagement, contents: dict[str, Any], now: int
) -> service.Loaded:
    async with database.write(engagement.scope.of_merchant()) as connection:
        parsed = read_document(json.dumps(contents).encode())
        return await service.load(connection, engagement.scope, parsed, now=now)


async def withdraw(
    database: Database,
    engagement: Engagement,
    question_id: str,
    now: int,
    *,
    version: int = 1,
    reason: str = "two answers are right",
) -> service.Withdrawn:
    async with database.write(engagement.scope.of_merchant()) as connection:
        return await service.withdraw(
            connection, engagement.scope, question_id, version, reason=reason, now=now
        )
