"""Seeded random knowledge results and reviews of quality, some of which must not count."""

import random
from zoneinfo import ZoneInfo

from oracle.cases import Record
from oracle.clock import DAY, SECOND, month_bounds
from oracle.policies import AGENTS

TOPICS = ["returns", "sizing", "Returns", "delivery"]


def random_attempt(dice: random.Random, due_at: int, questions: int, moments: list[int]) -> Record:
    submitted_at = dice.choice([None, due_at, due_at + 1, *moments])
    correct = [dice.random() < 0.7 for _ in range(questions)]
    return {"submitted_at": submitted_at, "correct": correct}


def random_questions(dice: random.Random) -> list[Record]:
    share = dice.choice([0, 0, 0.3, 1])
    return [
        {
            "weight": dice.choice([1, 1, 2, 5]),
            "topic": dice.choice(TOPICS),
            "withdrawn": dice.random() < share,
        }
        for _ in range(dice.randint(1, 6))
    ]


def random_knowledge(
    seed: int, *, month: str = "2025-10", zone: str = "America/New_York", as_of: int | None = None
) -> list[Record]:
    """Assignments due in and around the month: unanswered, late, retaken, excused, all right.

    Some were due long before, with answers on the border of what is still remembered.
    """
    dice = random.Random(f"knowledge {seed}")
    start, end = month_bounds(month, ZoneInfo(zone))
    forgotten = (start if as_of is None else as_of) - 180 * DAY
    dates = [start, end - 1, end, start - 1, start + 9 * DAY, end - 8 * DAY]
    found = []
    for check in range(dice.randint(0, 6)):
        long_ago = [forgotten + dice.choice([0, 1, -1]), forgotten + 5 * DAY]
        due_at = dice.choice([*dates, dice.choice(long_ago), start - 100 * DAY])
        questions = random_questions(dice)
        pass_mark = dice.choice([0, 50, 67, 80, 100])
        for agent in dice.sample([*AGENTS, "asked-only"], dice.randint(1, 6)):
            before = [due_at - dice.randint(1, 20 * DAY) // SECOND * SECOND for _ in range(3)]
            before += [moment for moment in long_ago if moment <= due_at]
            attempts = [
                random_attempt(dice, due_at, len(questions), before)
                for _ in range(dice.choice([0, 1, 1, 2, 3]))
            ]
            found.append(
                {
                    "agent_id": agent,
                    "check_id": f"check-{check}",
                    "due_at": due_at,
                    "pass_mark": pass_mark,
                    "excused": dice.random() < 0.15,
                    "questions": questions,
                    "attempts": unlike(attempts),
                }
            )
    return found


def unlike(attempts: list[Record]) -> list[Record]:
    """No two submitted at one instant: which came first would be anybody's guess."""
    kept: dict[int | None, Record] = {}
    for attempt in attempts:
        kept.setdefault(attempt["submitted_at"], attempt)
    return list(kept.values())


def random_criteria(dice: random.Random) -> list[Record]:
    """At least one is applicable."""
    criteria = []
    for number in range(dice.randint(1, 5)):
        maximum = dice.choice([1, 2, 4, 5, 10, 7])
        criteria.append(
            {
                "weight": dice.choice([1, 1, 2, 3, 10]),
                "score": dice.choice([maximum, maximum, dice.randint(0, maximum), maximum // 2]),
                "maximum": maximum,
                "applicable": number == 0 or dice.random() < 0.8,
                "critical": dice.random() < 0.2,
            }
        )
    dice.shuffle(criteria)
    return criteria


def random_reviews(seed: int, records: list[Record], as_of: int) -> list[Record]:
    """Of any interactions, by merchant and vendor; some withdrawn, some after the as-of instant."""
    dice = random.Random(f"reviews {seed}")
    share = dice.choice([0, 0.3, 1])
    found: list[Record] = []
    for record in records:
        for _ in range(dice.choice([0, 1, 1, 2]) if dice.random() < share else 0):
            later = dice.choice([as_of, as_of + 1, as_of - dice.randrange(20 * DAY)])
            found.append(
                {
                    "review_id": f"review-{len(found)}",
                    "source_account": record["source_account"],
                    "interaction_id": record["interaction_id"],
                    "reviewer": dice.choice(["merchant", "merchant", "merchant", "vendor"]),
                    "sampling": dice.choice(["random", "stratified", "targeted", "complaint"]),
                    "withdrawn": dice.random() < 0.1,
                    "reviewed_at": later,
                    "criteria": random_criteria(dice),
                }
            )
    dice.shuffle(found)
    return found
