"""Every figure equals that of an independent, naive computation, to the last digit."""

import json

import pytest

from oracle import scores
from oracle.logs import random_scenario
from scoring.inputs import inputs_of
from vendorwatch.scoring.score import score_month

IDENTITIES = {
    "schema",
    "engagement_id",
    "merchant",
    "vendor",
    "revision",
    "uploads",
    "policy",
    "records_sha256",
    "code_version",
}


@pytest.mark.parametrize("seed", range(48))
def test_the_document_equals_the_oracles(seed: int) -> None:
    scenario = random_scenario(seed)
    document = score_month(inputs_of(scenario))
    computed = {key: value for key, value in document.items() if key not in IDENTITIES}
    expected = scores.scorecard(**scenario.arguments())
    assert json.dumps(computed, indent=1) == json.dumps(expected, indent=1)
