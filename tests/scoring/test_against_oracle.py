"""Every figure equals that of an independent, naive computation, to the last digit."""

import json

import pytest

from oracle import scores
from oracle.logs import Scenario, random_scenario
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


@pytest.mark.parametrize("seed", range(60))
def test_the_document_equals_the_oracles(seed: int) -> None:
    assert_equal_to_the_oracle(random_scenario(seed))


@pytest.mark.parametrize("seed", range(1000, 1048))
def test_documents_of_no_or_few_interactions_equal_the_oracles(seed: int) -> None:
    assert_equal_to_the_oracle(random_scenario(seed, n=seed % 6))


def assert_equal_to_the_oracle(scenario: Scenario) -> None:
    document = score_month(inputs_of(scenario))
    computed = {key: value for key, value in document.items() if key not in IDENTITIES}
    expected = scores.scorecard(**scenario.arguments())
    assert json.dumps(computed, indent=1) == json.dumps(expected, indent=1)
