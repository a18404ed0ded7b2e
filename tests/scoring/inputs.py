"""A scenario of the oracle as inputs of the product."""

import hashlib
import json
from fractions import Fraction
from typing import Any

import polars as pl

from oracle.logs import Scenario
from vendorwatch.periods import Month, load_zone
from vendorwatch.scoring.frames import ANSWERS, CONTACTS, INTERACTIONS, KNOWLEDGE, REVIEWS
from vendorwatch.scoring.inputs import Inputs, PolicyVersion, resolve_as_of
from vendorwatch.scoring.policy import in_force
from vendorwatch.scoring.policy_file import parse_policy

VENDOR = "vendor-b"
REMEMBERED = 180 * 86_400 * 1_000_000


def hashed(reference: str | None) -> bytes | None:
    return None if reference is None else hashlib.sha256(reference.encode()).digest()


def frame(records: list[dict[str, Any]], schema: dict[str, Any]) -> pl.DataFrame:
    rows = []
    for record in records:
        content = hashlib.sha256(json.dumps(record, sort_keys=True, default=str).encode()).digest()
        runs = record.get("next_replies")
        known = {
            **record,
            "content_sha256": content,
            "source_account": record.get("source_account") or "",
            "direction": record.get("direction") or "inbound",
            "resolved_by": record.get("resolved_by") or "unknown",
            "customer_ref": hashed(record.get("customer_ref")),
            "order_ref": hashed(record.get("order_ref")),
            "next_replies": None if runs is None else json.dumps(runs, separators=(",", ":")),
        }
        rows.append([known.get(column) for column in schema])
    return pl.DataFrame(rows, schema=schema, orient="row")


def marked(assignment: dict[str, Any]) -> tuple[int | None, list[tuple[dict[str, Any], bool]]]:
    """When the attempt that counts was submitted, and each question that stands with its mark."""
    submitted = [a for a in assignment["attempts"] if a["submitted_at"] is not None]
    first = min(submitted, key=lambda attempt: attempt["submitted_at"], default=None)
    moment = None if first is None else first["submitted_at"]
    marks = [False] * len(assignment["questions"])
    if first is None or moment > assignment["due_at"]:
        moment = None
    else:
        marks = first["correct"]
    both = zip(assignment["questions"], marks, strict=True)
    return moment, [(question, mark) for question, mark in both if not question["withdrawn"]]


def knowledge_frame(
    assignments: list[dict[str, Any]], as_of: int, month: Month, zone: Any
) -> pl.DataFrame:
    start, end = month.bounds(zone)
    rows = []
    for each in assignments:
        if not start <= each["due_at"] < end or each["due_at"] > as_of:
            continue
        _, asked = marked(each)
        possible = sum(question["weight"] for question, _ in asked)
        earned = sum(question["weight"] for question, right in asked if right)
        passed = 100 * earned >= each["pass_mark"] * possible
        counts = [len(asked), possible, earned, passed, each["excused"] or not asked]
        rows.append([each["agent_id"], each["check_id"], *counts])
    return pl.DataFrame(rows, schema=KNOWLEDGE, orient="row")


def answers_frame(assignments: list[dict[str, Any]], as_of: int) -> pl.DataFrame:
    rows = []
    for each in assignments:
        moment, asked = marked(each)
        if moment is not None and as_of - REMEMBERED < moment <= as_of and not each["excused"]:
            rows += [[each["agent_id"], question["topic"], right] for question, right in asked]
    return pl.DataFrame(rows, schema=ANSWERS, orient="row")


def share(criteria: list[dict[str, Any]]) -> str:
    applicable = [one for one in criteria if one["applicable"]]
    failed = any(one["critical"] and 2 * one["score"] < one["maximum"] for one in applicable)
    parts = [one["weight"] * Fraction(one["score"], one["maximum"]) for one in applicable]
    mean = Fraction(0) if failed else sum(parts) / sum(one["weight"] for one in applicable)
    return f"{mean.numerator}/{mean.denominator}"


def reviews_frame(reviews: list[dict[str, Any]], as_of: int) -> pl.DataFrame:
    keys = ("source_account", "interaction_id", "review_id", "reviewed_at")
    rows = [
        [*(each[key] for key in keys), share(each["criteria"])]
        for each in reviews
        if each["reviewer"] == "merchant" and each["sampling"] in {"random", "stratified"}
        if not each["withdrawn"] and each["reviewed_at"] <= as_of
    ]
    return pl.DataFrame(rows, schema=REVIEWS, orient="row")


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
        contacts=frame(scenario.pool, CONTACTS),
        knowledge=knowledge_frame(scenario.knowledge, as_of, month, zone),
        answers=answers_frame(scenario.knowledge, as_of),
        reviews=reviews_frame(scenario.reviews, as_of),
        names=scenario.arguments()["names"],
        aliases={},
        code_version="test",
    )
