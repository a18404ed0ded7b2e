"""What a revision says otherwise: only what a reader would see, in both directions."""

from typing import Any

import pytest

from mailing.sample_letter import unmeasured
from scorecards import sample
from vendorwatch.mailing.difference import Difference, differences
from vendorwatch.scorecards.render.wording import wording

ENGLISH = wording("en")


def changed(metric: str, **figures: Any) -> dict[str, Any]:
    made = sample.document(names=[])
    made["vendor_scores"]["metrics"][metric] |= figures
    return made


def test_what_did_not_change_is_left_out() -> None:
    assert differences(sample.document(), sample.document(revision=2), ENGLISH) == []


def test_a_change_that_nobody_can_read_is_left_out() -> None:
    figures = sample.document()["vendor_scores"]["metrics"]["resolution_rate"]
    new = changed("resolution_rate", numerator=figures["numerator"] + 1)
    assert differences(sample.document(), new, ENGLISH) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (
            sample.document(),
            sample.document(score="72.00"),
            Difference("Score", "71.48", "72.00"),
        ),
        (
            changed("resolution_rate", value="0.5000"),
            changed("resolution_rate", value="0.6000"),
            Difference("Resolved", "50.0%", "60.0%"),
        ),
        (
            changed("first_reply_p50", value="60.0"),
            changed("first_reply_p50", value="not_reached"),
            Difference("First reply (median)", "1\N{NO-BREAK SPACE}min", "Not reached"),
        ),
    ],
)
def test_a_figure_stands_beside_what_it_was(
    old: dict[str, Any], new: dict[str, Any], found: Difference
) -> None:
    assert found in differences(old, new, ENGLISH)
    turned = Difference(found.label, found.now, found.before)
    assert turned in differences(new, old, ENGLISH)


def test_what_is_not_rated_any_more_is_told() -> None:
    told = {each.label: each for each in differences(sample.document(), unmeasured(), ENGLISH)}
    assert told["Score"] == Difference("Score", "71.48", "Not rated")
    assert told["Resolved"].now == "\N{EN DASH}"


def test_a_metric_that_was_not_there_is_told() -> None:
    old, new = sample.document(), sample.with_new_metrics(sample.document())
    told = differences(old, new, ENGLISH)
    assert told
    assert {each.before for each in told} == {"\N{EN DASH}"}
