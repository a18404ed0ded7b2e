"""The metrics of interactions: one plain loop each, over those that it is asked about."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Any

from oracle.cases import Case, Record
from oracle.clock import SECOND

NOT_REACHED = "not_reached"

Stratum = tuple[str, str | None]


@dataclass
class Tally:
    """The counts of one metric before any is written down.

    `units` are what a rate counts, with the stratum of each and whether it counts in the numerator.
    `seen` are the interactions that are in any of denominator, pending and missing.
    """

    kind: str = "rate"
    numerator: Fraction = Fraction(0)
    denominator: int = 0
    pending: int = 0
    missing: int = 0
    excluded: int = 0
    quantile: Fraction | None = None
    spans: list[int] = field(default_factory=list)
    survey: dict[str, Any] | None = None
    questions: int | None = None
    units: list[tuple[Stratum, bool]] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def see(self, case: Case) -> None:
        self.seen.add(identity(case.record))

    def count(self, case: Case, *, hit: bool) -> None:
        self.denominator += 1
        self.numerator += hit
        self.units.append((case.stratum, hit))
        self.see(case)

    def miss(self, case: Case) -> None:
        self.missing += 1
        self.see(case)

    def wait(self, case: Case) -> None:
        self.pending += 1
        self.see(case)

    def judge(self, case: Case, outcome: str) -> None:
        if outcome == "missing":
            self.miss(case)
        elif outcome == "pending":
            self.wait(case)
        else:
            self.count(case, hit=outcome == "met")

    def ranked(self, rank: int) -> Fraction | str:
        """Seconds at a rank counted from 1; the not reached ones stand last."""
        if rank > len(self.spans):
            return NOT_REACHED
        return Fraction(sorted(self.spans)[rank - 1], SECOND)

    @property
    def value(self) -> Fraction | str | None:
        if self.denominator == 0:
            return None
        if self.quantile is not None:
            return self.ranked(ceil(self.quantile * self.denominator))
        return self.numerator / self.denominator


def identity(record: Record) -> tuple[str, str]:
    return record["source_account"] or "", record["interaction_id"]


def first_reply_on_time(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        tally.judge(case, case.reply_outcome)
    return tally


def first_reply_percentile(cases: list[Case], quantile: Fraction) -> Tally:
    tally = Tally("percentile", quantile=quantile)
    for case in cases:
        tally.judge(case, case.reply_outcome)
        if case.replied and case.reply_outcome in ("met", "missed"):
            tally.spans.append(case.reply_span)
    return tally


def abandon_rate(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        if case.record["channel"] not in ("phone", "chat"):
            continue
        if not case.record["first_reply_known"]:
            tally.miss(case)
        else:
            tally.count(case, hit=case.given_up)
    return tally


def resolution_rate(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        if not case.record["resolution_known"]:
            tally.miss(case)
        else:
            tally.count(case, hit=case.resolved)
    return tally


def resolution_on_time(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        tally.judge(case, case.resolution_outcome)
    return tally


def next_reply_on_time(cases: list[Case]) -> Tally:
    """Counts runs; what is missing are interactions."""
    tally = Tally()
    for case in cases:
        if case.runs_unknown:
            tally.miss(case)
        for outcome in case.runs:
            tally.judge(case, outcome)
    return tally


def resolution_percentile(cases: list[Case], quantile: Fraction) -> Tally:
    tally = Tally("percentile", quantile=quantile)
    for case in cases:
        tally.judge(case, case.resolution_outcome)
        if case.resolved and case.resolution_outcome in ("met", "missed"):
            tally.spans.append(case.resolution_span)
    return tally


def first_contact_resolution(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        reopens, handovers = case.record["reopens"], case.record["handovers"]
        if not case.record["resolution_known"]:
            tally.miss(case)
        elif not case.window_complete:
            tally.wait(case)
        elif (
            reopens is None
            or handovers is None
            or (case.resolved and case.record["customer_ref"] is None)
        ):
            tally.miss(case)
        else:
            clean = case.resolved and reopens == 0 and handovers == 0
            tally.count(case, hit=clean and not case.repeated)
    return tally


def repeat_contact_rate(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        if not case.record["resolution_known"]:
            tally.miss(case)
        elif not case.resolved:
            continue
        elif not case.window_complete:
            tally.wait(case)
        elif case.record["customer_ref"] is None:
            tally.miss(case)
        else:
            tally.count(case, hit=case.repeated)
    return tally


def reopen_rate(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        if not case.record["resolution_known"]:
            tally.miss(case)
        elif not case.resolved:
            continue
        elif case.record["reopens"] is None:
            tally.miss(case)
        else:
            tally.count(case, hit=case.record["reopens"] > 0)
    return tally


def handover_rate(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        if case.record["handovers"] is None:
            tally.miss(case)
        else:
            tally.count(case, hit=case.record["handovers"] > 0)
    return tally


def csat(cases: list[Case]) -> Tally:
    tally = Tally()
    invited = 0
    for case in cases:
        answer, view = case.record["csat"], case.view
        unseen = case.record["csat_at"] is not None and not view.happened(case.record["csat_at"])
        answered = answer is not None and not unseen
        if answered:
            tally.count(case, hit=answer >= 4)
        if answered or view.happened(case.record["csat_invited_at"]):
            invited += 1
    rate = Fraction(tally.denominator, invited) if invited else None
    tally.survey = {"invited": invited, "answered": tally.denominator, "response_rate": rate}
    return tally


def review_share(review: Record) -> Fraction:
    earned = possible = Fraction(0)
    for criterion in review["criteria"]:
        if not criterion["applicable"]:
            continue
        share = Fraction(criterion["score"], criterion["maximum"])
        if criterion["critical"] and share < Fraction(1, 2):
            return Fraction(0)
        earned += criterion["weight"] * share
        possible += criterion["weight"]
    return earned / possible


def quality(cases: list[Case], reviews: list[Record]) -> Tally:
    tally = Tally("mean")
    for case in cases:
        for review in reviews:
            if (
                identity(review) == identity(case.record)
                and review["reviewer"] == "merchant"
                and review["sampling"] in ("random", "stratified")
                and not review["withdrawn"]
                and case.view.happened(review["reviewed_at"])
            ):
                tally.denominator += 1
                tally.numerator += review_share(review)
                tally.see(case)
    return tally
