"""docs/reference/agent-scorecard.md: every key of the document is there, and no other."""

import re

from promises.examples import DOCS
from scorecards import agent_sample
from vendorwatch.scorecards.agent_document import FEWEST_PEERS, MOST_METRICS, agent_document
from vendorwatch.scoring.coaching import BUCKETS_PER_DECADE
from vendorwatch.scoring.reading_list import REASONS

PAGE = (DOCS / "reference" / "agent-scorecard.md").read_text("utf-8")


def keys_under(heading: str, head: str = "key") -> list[str]:
    text = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    [section] = [each for each in text if each.startswith(f"{heading}\n")]
    table = section.partition(f"| {head} |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)


def test_every_key_is_described() -> None:
    card = agent_sample.card()
    made = agent_document(card, [card], "a000", agent_sample.WORK)
    [alike] = re.findall(r"^(`.*) are the scorecard's", PAGE, flags=re.MULTILINE)
    assert {*re.findall(r"`(\w+)`", alike), *keys_under("The document")} == made.keys()
    told = next(each for each in made["peers"].values() if each)
    assert keys_under("peers") == [*told]
    assert keys_under("months") == [*made["months"][0]]
    assert keys_under("replies") == [*made["replies"][0]]
    assert keys_under("topics") == [*made["topics"][0]]
    assert keys_under("to_read") == [*made["to_read"][0]]


def test_every_reason_is_described_in_the_order_of_the_rule() -> None:
    assert keys_under("to_read", head="reason") == [*REASONS]


def test_the_numbers_are_those_of_the_code() -> None:
    assert (MOST_METRICS, FEWEST_PEERS, BUCKETS_PER_DECADE) == (8, 5, 12)
    for told in ("at most eight", "fewer than five", "/ 12) seconds"):
        assert told in PAGE
