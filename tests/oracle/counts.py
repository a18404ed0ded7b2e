"""The metrics: one plain loop each, over the interactions or assignments that it is asked about."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Any

from oracle.cases import Case, Record
from oracle.clock import SECOND

NOT_REACHED = "not_reached"


@dataclass
class Tally:
    """The counts of one metric before any is written down."""

    numerator: int = 0
    denominator: int = 0
    pending: int = 0
    missing: int = 0
    quantile: Fraction | None = None
    spans: list[int] = field(default_factory=list)
    survey: dict[str, Any] | None = None
    questions: int | None = None

    def count(self, *, hit: bool) -> None:
        self.denominator += 1
        self.numerator += hit

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
        return Fraction(self.numerator, self.denominator)


def first_reply_on_time(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        if case.reply_outcome == "missing":
            tally.missing += 1
        elif case.reply_outcome == "pending":
            tally.pending += 1
        else:
            tally.count(hit=case.reply_outcome == "met")
    return tally


def first_reply_percentile(cases: list[Case], quantile: Fraction) -> Tally:
    tally = Tally(quantile=quantile)
    for case in cases:
        if case.reply_outcome == "missing":
            tally.missing += 1
        elif case.reply_outcome == "pending":
            tally.pending += 1
        else:
            tally.denominator += 1
            if case.replied:
                tally.spans.append(case.reply_span)
    return tally


def abandon_rate(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        if case.record["channel"] not in ("phone", "chat"):
            continue
        if not case.record["first_reply_known"]:
            tally.missing += 1
        else:
            tally.count(hit=case.given_up)
    return tally


def resolution_rate(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        if not case.record["resolution_known"]:
            tally.missing += 1
        else:
            tally.count(hit=case.resolved)
    return tally


def resolution_on_time(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        if case.resolution_outcome == "missing":
            tally.missing += 1
        elif case.resolution_outcome == "pending":
            tally.pending += 1
        else:
            tally.count(hit=case.resolution_outcome == "met")
    return tally


def resolution_percentile(cases: list[Case], quantile: Fraction) -> Tally:
    tally = Tally(quantile=quantile)
    for case in cases:
        if case.resolution_outcome == "missing":
            tally.missing += 1
        elif case.resolution_outcome == "pending":
            tally.pending += 1
        else:
            tally.denominator += 1
            if case.resolved:
                tally.spans.append(case.resolution_span)
    return tally


def first_contact_resolution(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        reopens, handovers = case.record["reopens"], case.record["handovers"]
        if not case.record["resolution_known"]:
            tally.missing += 1
        elif not case.window_complete:
            tally.pending += 1
        elif (
            reopens is None
            or handovers is None
            or (case.resolved and case.record["customer_ref"] is None)
        ):
            tally.missing += 1
        else:
            clean = case.resolved and reopens == 0 and handovers == 0
            tally.count(hit=clean and not case.repeated)
    return tally


def repeat_contact_rate(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        if not case.record["resolution_known"]:
            tally.missing += 1
        elif not case.resolved:
            continue
        elif not case.window_complete:
            tally.pending += 1
        elif case.record["customer_ref"] is None:
            tally.missing += 1
        else:
            tally.count(hit=case.repeated)
    return tally


def reopen_rate(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        if not case.record["resolution_known"]:
            tally.missing += 1
        elif not case.resolved:
            continue
        elif case.record["reopens"] is None:
            tally.missing += 1
        else:
            tally.count(hit=case.record["reopens"] > 0)
    return tally


def handover_rate(cases: list[Case]) -> Tally:
    tally = Tally()
    for case in cases:
        if case.record["handovers"] is None:
            tally.missing += 1
        else:
            tally.count(hit=case.record["handovers"] > 0)
    return tally


def csat(cases: list[Case]) -> Tally:
    tally = Tally()
    invited = 0
    for case in cases:
        answer, view = case.record["csat"], case.view
        unseen = case.record["csat_at"] is not None and not view.happened(case.record["csat_at"])
        answered = answer is not None and not unseen
        if answered:
            tally.count(hit=answer >= 4)
        if answered or view.happened(case.record["csat_invited_at"]):
            invited += 1
    rate = Fraction(tally.denominator, invited) if invited else None
    tally.survey = {"invited": invited, "answered": tally.denominator, "response_rate": rate}
    return tally


def earned_and_possible(assignment: Record) -> tuple[int, int]:
    weights = [question["weight"] for question in assignment["questions"]]
    submitted = [one for one in assignment["attempts"] if one["submitted_at"] is not None]
    first = min(submitted, key=lambda one: one["submitted_at"], default=None)
    earned = 0
    if first is not None and first["submitted_at"] <= assignment["due_at"]:
        for weight, right in zip(weights, first["correct"], strict=True):
            if right:
                earned += weight
    return earned, sum(weights)


def knowledge_score(assignments: list[Record]) -> Tally:
    tally = Tally(questions=0)
    for assignment in assignments:
        earned, possible = earned_and_possible(assignment)
        tally.numerator += earned
        tally.denominator += possible
        tally.questions = (tally.questions or 0) + len(assignment["questions"])
    return tally


def knowledge_pass_rate(assignments: list[Record]) -> Tally:
    tally = Tally(questions=0)
    for assignment in assignments:
        earned, possible = earned_and_possible(assignment)
        tally.count(hit=100 * earned >= assignment["pass_mark"] * possible)
        tally.questions = (tally.questions or 0) + len(assignment["questions"])
    return tally
