"""What the merchant's own people find when they look at contacts that were drawn by chance."""

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import exp

from vendorwatch.demo.description import Description
from vendorwatch.demo.desk import Desk
from vendorwatch.demo.handling import Record
from vendorwatch.periods import Month, load_zone, to_datetime

Item = dict[str, object]
_KIND = 1.6  # log-odds that a criterion is met by an average agent of an average vendor
_NOT_APPLICABLE = 0.06
_REVIEWED_WITHIN_DAYS = 5
_SETTLED = ("resolved", "closed")


def reviews_of(shop: Description, desk: Desk, month: str, records: Sequence[Record]) -> list[Item]:
    """`records` are those of the month that the log holds in a form that can be read."""
    rng = random.Random(f"{shop.seed}/{desk.vendor.code}/reviews/{month}")  # noqa: S311  a play, no secret
    there = [each for each in records if each["status"] in _SETTLED and each["first_reply_at"]]
    there = [each for each in there if each["direction"] == "inbound"]
    drawn = rng.sample(there, min(shop.reviews, len(there)))
    quality = {agent.agent_id: agent.quality for agent in desk.agents}
    zone = load_zone(shop.time_zone)
    _, end = Month.parse(month).bounds(zone)
    made: list[Item] = []
    for number, record in enumerate(drawn, start=1):
        by = str(record["resolved_by_agent_id"] or record["agent_id"])
        odds = _KIND + desk.vendor.character.quality + quality.get(by, 0.0)
        at = to_datetime(end) + timedelta(minutes=rng.randrange(_REVIEWED_WITHIN_DAYS * 24 * 60))
        made.append(
            {
                "review_id": f"{desk.vendor.code}-{month}-{number:03}",
                "interaction_id": record["interaction_id"],
                "rubric_id": shop.rubric["rubric_id"],
                "sampling": "random",
                "scores": _scores(rng, shop.rubric, 1 / (1 + exp(-odds))),
                "reviewed_at": at.astimezone(zone).isoformat(),
            }
        )
    return made


def _scores(rng: random.Random, rubric: Mapping[str, object], chance: float) -> Item:
    criteria = rubric["criteria"]
    assert isinstance(criteria, list)  # noqa: S101  so it stands in the file
    return {each["criterion_id"]: _score(rng, each, chance) for each in criteria}


def _score(rng: random.Random, criterion: Mapping[str, object], chance: float) -> object:
    if criterion.get("critical"):
        return int(rng.random() < 1 - (1 - chance) / 4)  # seldom forgotten
    if rng.random() < _NOT_APPLICABLE:
        return "not_applicable"
    most = criterion["maximum"]
    assert isinstance(most, int)  # noqa: S101  so it stands in the file
    return sum(rng.random() < chance for _ in range(most))
