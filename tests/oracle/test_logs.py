"""The random logs are reproducible, lawful and as unkind as they claim to be."""

import json
from datetime import datetime

import pytest

from oracle import contacts, logs, policies
from oracle.clock import micros, utc
from oracle.events import told_by
from oracle.logs import as_canonical_rows, random_log, random_scenario
from oracle.scores import scorecard

DERIVED = ("first_reply_at", "resolved_at")


@pytest.mark.parametrize("seed", range(12))
def test_scenarios_are_reproducible_and_the_order_of_rows_changes_nothing(seed: int) -> None:
    scenario = random_scenario(seed, 40)
    arguments = scenario.arguments()
    document = scorecard(**arguments)
    assert random_scenario(seed, 40) == scenario
    backwards = {key: arguments[key][::-1] for key in ("records", "pool", "knowledge", "reviews")}
    assert scorecard(**(arguments | backwards)) == document
    assert json.loads(json.dumps(document)) == document


def test_logs_hold_every_kind_of_contact() -> None:
    scenarios = [random_scenario(seed, 60) for seed in range(20)]
    records = [record for scenario in scenarios for record in scenario.records]
    for key, values in (("channel", policies.CHANNELS), ("status", contacts.STATUSES)):
        assert {record[key] for record in records} == set(values)
    assert {record["priority"] for record in records} == {None, *policies.PRIORITIES}
    documents = [scorecard(**scenario.arguments()) for scenario in scenarios]
    found = [document["vendor_scores"]["metrics"] for document in documents]
    verdicts = {(m["contract"], m["evidence"]) for metrics in found for m in metrics.values()}
    assert verdicts >= {("met", "clear"), ("missed", "clear"), ("missed", "within_noise")}
    assert verdicts >= {("not_measurable", "too_few"), ("met", "within_noise"), (None, None)}
    for name in found[0]:
        assert any(metrics[name]["denominator"] for metrics in found)
    for count in ("numerator", "pending", "missing", "excluded"):
        assert any(metrics["next_reply_on_time"][count] for metrics in found)
    agents = [m for one in documents for row in one["agents"] for m in row["metrics"].values()]
    assert {each["peers"]["outside"] for each in agents if each["peers"]} == {None, "95", "99.8"}


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
        if record["events"] is not None:
            told = [e | {"at": micros(datetime.fromisoformat(e["at"]))} for e in row["events"]]
            assert told == record["events"]
            row.update(told_by(told, record["opened_at"]), events=told)
            row.update({key: row[key] and utc(row[key]).isoformat() for key in DERIVED})
        read = {
            key: micros(datetime.fromisoformat(row[key]))
            if key in contacts.INSTANTS and row.get(key)
            else row.get(key)
            for key in record
            if key not in logs.INTERNAL
        }
        assert read == {key: record[key] for key in read}
    with pytest.raises(ValueError, match="column"):
        as_canonical_rows(random_log(3, 80))
