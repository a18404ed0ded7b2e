"""The hash of the records: reproducible by anybody who reads how it is made."""

import dataclasses
import hashlib
import json
import struct

import polars as pl
import pytest

from oracle.logs import random_scenario
from scoring.inputs import inputs_of
from vendorwatch.scoring.fingerprint import of_records, raw, with_measured, with_names
from vendorwatch.scoring.inputs import Inputs
from vendorwatch.scoring.measured import Measured, measure
from vendorwatch.scoring.score import score_month


def by_hand(measured: Measured, agents: list[str]) -> str:
    """As the reference describes it, with nothing but the standard library."""
    inputs = measured.inputs
    start, end = inputs.month.bounds(inputs.zone)
    text = [b"vendorwatch/records/3\n"]
    for rows, is_meant in (
        (inputs.interactions, lambda row: start <= row["opened_at"] < min(end, inputs.as_of + 1)),
        (measured.records[measured.facts.filter("repeated")["row"]], lambda row: True),
    ):
        hashes = [row["content_sha256"] for row in rows.iter_rows(named=True) if is_meant(row)]
        hashes.sort(key=lambda digest: struct.unpack("<4Q", digest))
        text += [b"".join(hashes), b"\n"]
    reviews = []
    for row in measured.reviews.iter_rows(named=True):
        told = [row[name] for name in ("source_account", "interaction_id", "review_id")]
        counted = " ".join(f"{len(each.encode())}:{each}" for each in told)
        reviews.append(f"{counted} {row['reviewed_at']} {row['share']}".encode())
    text += [b"\n".join(sorted(reviews)), b"\n"]
    known = [sorted(frame.rows()) for frame in (inputs.knowledge, inputs.answers)]
    names = [(agent, inputs.names.get(agent)) for agent in agents]
    aliases = sorted((alias, agent) for alias, agent in inputs.aliases.items() if agent in agents)
    for rows in (*known, names, aliases):
        text.append(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
    return hashlib.sha256(b"".join(text)).hexdigest()


@pytest.mark.parametrize("seed", range(6))
def test_it_is_what_the_reference_says(seed: int) -> None:
    inputs = inputs_of(random_scenario(seed, n=80))
    inputs = dataclasses.replace(inputs, aliases={"other": "bình", "more": "nobody"})
    measured = measure(inputs)
    assert with_names(
        with_measured(of_records(inputs), measured), inputs, ["an-é", "bình"]
    ) == by_hand(measured, ["an-é", "bình"])


def test_hashes_that_begin_alike_keep_one_order() -> None:
    inputs = inputs_of(random_scenario(2, n=60))
    alike = pl.Series(
        [b"12345678" + digest[8:] for digest in inputs.interactions["content_sha256"]]
    )
    inputs = dataclasses.replace(
        inputs, interactions=inputs.interactions.with_columns(content_sha256=alike)
    )
    assert_equal_by_hand(inputs)


def assert_equal_by_hand(inputs: Inputs) -> None:
    measured = measure(inputs)
    told = with_names(with_measured(of_records(inputs), measured), inputs, [])
    assert told == by_hand(measured, [])


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 65_535, 65_536, 65_537, 200_001])
def test_raw_numbers(length: int) -> None:
    numbers = pl.Series(range(2**63, 2**63 + length), dtype=pl.UInt64)
    expected = struct.pack(f"<{length}Q", *numbers)
    assert b"".join(raw(numbers)) == expected
    halves = pl.concat([numbers[: length // 2], numbers[length // 2 :]], rechunk=False)
    assert b"".join(raw(halves)) == expected


def test_a_rivals_contact_that_is_no_repeat_changes_nothing() -> None:
    inputs = inputs_of(random_scenario(0, n=60))
    start, _ = inputs.month.bounds(inputs.zone)
    # Of the same customers, but before anything that it could be a repeat of.
    earlier = inputs.interactions.with_columns(
        vendor_id=pl.lit("rival"), opened_at=pl.lit(start, pl.Int64), topic=pl.lit("elsewhere")
    ).filter(pl.col("customer_ref").is_not_null())
    more = pl.concat([inputs.contacts, earlier.select(inputs.contacts.columns)])
    other = dataclasses.replace(inputs, contacts=more)
    assert earlier.height > 0
    before, after = measure(inputs).facts, measure(other).facts
    assert before["repeated"].to_list() == after["repeated"].to_list()
    assert score_month(inputs) == score_month(other)


def test_a_repeat_elsewhere_is_in_the_fingerprint() -> None:
    inputs = inputs_of(random_scenario(0, n=60))
    alone = dataclasses.replace(inputs, contacts=inputs.contacts.clear())
    followed = [measure(each).facts["repeated"].sum() for each in (inputs, alone)]
    assert followed[0] > followed[1] > 0
    hashes = [score_month(each)["records_sha256"] for each in (inputs, alone)]
    assert hashes[0] != hashes[1]
