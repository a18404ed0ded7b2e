"""A scenario of the oracle as inputs of the product."""

import hashlib
import json
from typing import Any

import polars as pl

from oracle.logs import Scenario
from vendorwatch.periods import Month, load_zone
from vendorwatch.scoring.frames import ANSWERS, CONTACTS, INTERACTIONS, KNOWLEDGE, REVIEWS
from vendorwatch.scoring.policy import in_force
from vendorwatch.scoring.policy_file import parse_policy
from vendorwatch.scoring.score import Inputs, PolicyVersion, resolve_as_of

VENDOR = "vendor-b"


def hashed(reference: str | None) -> bytes | None:
    return None if reference is None else hashlib.sha256(reference.encode()).digest()


def frame(records: list[dict[str, Any]], schema: dict[str, Any]) -> pl.DataFrame:
    rows = []
    for record in records:
        content = hashlib.sha256(json.dumps(record, sort_keys=True, default=str).encode()).digest()
        known = {
            **record,
            "content_sha256": content,
            "source_account": record.get("source_account") or "",
            "direction": record.get("direction") or "inbound",
            "resolved_by": record.get("resolved_by") or "unknown",
            "customer_ref": hashed(record.get("customer_ref")),
            "order_ref": hashed(record.get("order_ref")),
        }
        rows.append([known.get(column) for column in schema])
    return pl.DataFrame(rows, schema=schema, orient="row")


def knowledge_frame(
    assignments: list[dict[str, Any]], as_of: int, month: Month, zone: Any
) -> pl.DataFrame:
    start, end = month.bounds(zone)
    rows = []
    for each in assignments:
        if each["excused"] or not start <= each["due_at"] < end or each["due_at"] > as_of:
            continue
        weights = [question["weight"] for question in each["questions"]]
        submitted = [a for a in each["attempts"] if a["submitted_at"] is not None]
        first = min(submitted, key=lambda attempt: attempt["submitted_at"], default=None)
        earned = 0
        if first is not None and first["submitted_at"] <= each["due_at"]:
            earned = sum(w for w, right in zip(weights, first["correct"], strict=True) if right)
        passed = 100 * earned >= each["pass_mark"] * sum(weights)
        rows.append(
            [each["agent_id"], each["check_id"], len(weights), sum(weights), earned, passed, False]
        )
    return pl.DataFrame(rows, schema=KNOWLEDGE, orient="row")


def inputs_of(scenario: Scenario) -> Inputs:
    versions = [parse_policy(text) for text in scenario.policy_texts]
    month, zone = Month.parse(scenario.month), load_zone(scenario.zone)
    policy = in_force(versions, month)
    assert policy is not None
    as_of = resolve_as_of(scenario.as_of, month=month, zone=zone, policy=policy, now=scenario.now)
    records = [{**record, "vendor_id": VENDOR} for record in scenario.records]
    return Inputs(
        engagement_id="e",
        merchant="Tra Sen",
        vendor="Hoa Sen BPO",
        vendor_id=VENDOR,
        zone=zone,
        month=month,
        as_of=as_of,
        now=scenario.now,
        policy=PolicyVersion(
            policy, "p", 1, "0", [(each.effective_from, each.hours) for each in versions]
        ),
        received=sum(1 for record in records if record["opened_at"] <= as_of),
        uploads={},
        interactions=frame(records, INTERACTIONS),
        contacts=frame([*records, *scenario.pool], CONTACTS),
        knowledge=knowledge_frame(scenario.knowledge, as_of, month, zone),
        answers=pl.DataFrame(schema=ANSWERS),
        reviews=pl.DataFrame(schema=REVIEWS),
        names=scenario.arguments()["names"],
        aliases={},
        code_version="test",
    )
