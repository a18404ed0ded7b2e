"""One agent's document: the agent's own, peers as a range, and nobody else."""

import json
from decimal import Decimal
from typing import Any

import pytest

from scorecards import agent_sample, sample
from vendorwatch.scorecards.agent_document import FEWEST_PEERS, MOST_METRICS, agent_document

METRIC = "first_reply_on_time"


def made(names: int, *, agent: str = "a000", **changes: Any) -> dict[str, Any]:
    document = sample.document(names=[f"Agent {at}" for at in range(names)])
    for each in document["agents"]:
        each["metrics"][METRIC] |= {"rated": True} | changes
    return agent_document(document, [], agent, agent_sample.NOTHING)


def test_everything_of_the_agent_is_in_it_as_the_scorecard_says_it() -> None:
    document = agent_sample.card()
    found = agent_document(document, [], "a007", agent_sample.WORK)
    assert found["agent"] == document["agents"][7]
    assert found["replies"] == agent_sample.WORK["replies"]
    assert {name: found[name] for name in ("month", "policy", "records_sha256", "revision")} == {
        name: document[name] for name in ("month", "policy", "records_sha256", "revision")
    }


def test_nobody_else_is_in_it() -> None:
    document = agent_sample.card()
    for place, agent in enumerate(document["agents"]):
        text = json.dumps(
            agent_document(document, [document], agent["agent_id"], agent_sample.WORK),
            ensure_ascii=False,
        )
        for other in (*document["agents"][:place], *document["agents"][place + 1 :]):
            assert f'"{other["agent_id"]}"' not in text
            assert other["name"] is None or f'"{other["name"]}"' not in text


def test_peers_are_the_others_and_their_range_is_by_nearest_rank() -> None:
    document = sample.document(names=[f"Agent {at}" for at in range(11)])
    for at, agent in enumerate(document["agents"]):
        agent["metrics"][METRIC] |= {"rated": True, "value": f"0.{10 + at}0000"}
    found = agent_document(document, [], "a000", agent_sample.NOTHING)["peers"][METRIC]
    # Ten others, 0.11 to 0.20: the first and the ninth of them.
    assert found == {
        "agents": 10,
        "p10": "0.110000",
        "p90": "0.190000",
        "mix": False,
        "own": "0.100000",
    }


@pytest.mark.parametrize(("others", "told"), [(FEWEST_PEERS - 1, False), (FEWEST_PEERS, True)])
def test_a_range_of_few_peers_would_tell_of_one_of_them(others: int, *, told: bool) -> None:
    found = made(others + 1)["peers"][METRIC]
    assert (found is not None) == told


def test_whoever_has_too_few_contacts_is_no_peer() -> None:
    assert made(20, rated=False)["peers"][METRIC] is None


def test_rates_are_compared_on_the_same_mix_where_the_scorecard_has_it() -> None:
    found = made(8, adjusted="0.512345")["peers"][METRIC]
    assert (found["mix"], found["own"], found["p10"], found["p90"]) == (True, *["0.512345"] * 3)


def test_what_was_not_reached_is_above_every_duration() -> None:
    document = sample.document(names=[f"Agent {at}" for at in range(7)])
    for agent in document["agents"]:
        agent["metrics"]["first_reply_p90"] |= {"rated": True, "value": "not_reached"}
    document["agents"][3]["metrics"]["first_reply_p90"]["value"] = "900.000000"
    found = agent_document(document, [], "a000", agent_sample.NOTHING)["peers"]["first_reply_p90"]
    assert (found["p10"], found["p90"]) == ("900.000000", "not_reached")


def test_at_most_eight_metrics_and_those_with_a_target_first() -> None:
    document = agent_sample.card()
    found = agent_document(document, [], "a000", agent_sample.WORK)
    metrics = document["agents"][0]["metrics"]
    assert len(found["shown"]) == MOST_METRICS
    assert [name for name in metrics if name in found["shown"]] == found["shown"]
    assert all(metrics[name]["target"] is not None for name in found["shown"])


def test_own_months_are_those_in_which_the_agent_is() -> None:
    before = [sample.document(month="2026-08", names=["A"]), sample.document(month="2026-09")]
    months = agent_document(sample.document(), before, "a003", agent_sample.WORK)["months"]
    assert [each["month"] for each in months] == ["2026-09"]
    value = before[1]["agents"][3]["metrics"][METRIC]["value"]
    assert months[0]["metrics"][METRIC]["value"] == value
    assert Decimal(value) > 0


def test_an_unknown_agent_is_none() -> None:
    with pytest.raises(LookupError):
        agent_document(sample.document(), [], "a999", agent_sample.WORK)
