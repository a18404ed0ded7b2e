"""The random logs are reproducible, lawful and as unkind as they claim to be."""

import json
from datetime import datetime

import pytest

from oracle import logs, policies
from oracle.clock import micros
from oracle.logs import as_canonical_rows, random_log, random_scenario
from oracle.scores import scorecard


@pytest.mark.parametrize("seed", range(12))
def test_scenarios_are_reproducible_and_the_order_of_rows_changes_nothing(seed: int) -> None:
    scenario = random_scenario(seed, 40)
    arguments = scenario.arguments()
    document = scorecard(**arguments)
    assert random_scenario(seed, 40) == scenario
    backwards = {key: arguments[key][::-1] for key in ("records", "pool", "knowledge", "policies")}
    assert scorecard(**(arguments | backwards)) == document
    assert json.loads(json.dumps(document)) == document


def test_logs_hold_every_kind_of_contact() -> None:
    scenarios = [random_scenario(seed, 60) for seed in range(20)]
    records = [record for scenario in scenarios for record in scenario.records]
    for key, values in (("channel", policies.CHANNELS), ("status", logs.STATUSES)):
        assert {record[key] for record in records} == set(values)
    assert {record["priority"] for record in records} == {None, *policies.PRIORITIES}
    verdicts = {
        (metric["contract"], metric["evidence"])
        for scenario in scenarios
        for metric in scorecard(**scenario.arguments())["vendor_scores"]["metrics"].values()
    }
    assert verdicts >= {("met", "clear"), ("missed", "clear"), ("missed", "within_noise")}
    assert verdicts >= {("not_measurable", "too_few"), ("met", "within_noise"), (None, None)}


def test_logs_obey_the_rules_of_the_canonical_record() -> None:
    for seed in range(20):
        records = random_scenario(seed, 25, columns_may_lack=False).records
        names = {(record["interaction_id"], record["source_account"]) for record in records}
        assert len(names) == len(records)
        for record in records:
            for key in ("first_reply_at", "resolved_at", "abandoned_at"):
                assert record[key] is None or record[key] >= record["opened_at"]


def test_canonical_rows_say_the_same_as_the_log() -> None:
    records = random_log(3, 80, columns_may_lack=False)
    rows = [json.loads(json.dumps(row)) for row in as_canonical_rows(records)]
    for record, row in zip(records, rows, strict=True):
        read = {
            key: micros(datetime.fromisoformat(row[key]))
            if key in logs.INSTANTS and row.get(key)
            else row.get(key)
            for key in record
            if key not in logs.INTERNAL
        }
        assert read == {key: record[key] for key in read}
    with pytest.raises(ValueError, match="column"):
        as_canonical_rows(random_log(3, 80))
