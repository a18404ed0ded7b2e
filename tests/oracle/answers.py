"""The metrics of knowledge: what agents were asked, and what they had answered by then."""

from dataclasses import dataclass
from fractions import Fraction

from oracle.cases import Case, Record
from oracle.clock import DAY
from oracle.counts import Tally

REMEMBERED = 180 * DAY


@dataclass(frozen=True)
class Due:
    """One assignment, the questions that were not withdrawn, and the attempt that counts."""

    assignment: Record

    @property
    def asked(self) -> list[tuple[Record, bool]]:
        """Each question that stands, and whether the attempt that counts got it right."""
        attempt = self.counted
        questions = self.assignment["questions"]
        right = [False] * len(questions) if attempt is None else attempt["correct"]
        pairs = zip(questions, right, strict=True)
        return [(question, correct) for question, correct in pairs if not question["withdrawn"]]

    @property
    def counted(self) -> Record | None:
        """The first one submitted, if that was by the due date."""
        submitted = [one for one in self.assignment["attempts"] if one["submitted_at"] is not None]
        first = min(submitted, key=lambda one: one["submitted_at"], default=None)
        late = first is None or first["submitted_at"] > self.assignment["due_at"]
        return None if late else first

    @property
    def earned(self) -> int:
        return sum(question["weight"] for question, right in self.asked if right)

    @property
    def possible(self) -> int:
        return sum(question["weight"] for question, _ in self.asked)

    @property
    def out(self) -> bool:
        return self.assignment["excused"] or not self.asked


def knowledge_score(assignments: list[Record]) -> Tally:
    tally = Tally(questions=0)
    for due in map(Due, assignments):
        if due.out:
            tally.excluded += 1
            continue
        tally.numerator += due.earned
        tally.denominator += due.possible
        tally.questions = (tally.questions or 0) + len(due.asked)
    return tally


def knowledge_pass_rate(assignments: list[Record]) -> Tally:
    tally = Tally(questions=0)
    for due in map(Due, assignments):
        if due.out:
            tally.excluded += 1
            continue
        tally.denominator += 1
        tally.numerator += 100 * due.earned >= due.assignment["pass_mark"] * due.possible
        tally.questions = (tally.questions or 0) + len(due.asked)
    return tally


def remembered(assignments: list[Record], as_of: int) -> list[tuple[str, str, bool]]:
    """(agent, topic, right) of what was answered in the 180 days before the as-of instant."""
    found = []
    for due in map(Due, assignments):
        attempt = due.counted
        if due.out or attempt is None:
            continue
        if as_of - REMEMBERED < attempt["submitted_at"] <= as_of:
            agent = due.assignment["agent_id"]
            found += [(agent, question["topic"], right) for question, right in due.asked]
    return found


def knowledge_coverage(
    agents: list[str], cases: list[Case], answers: list[tuple[str, str, bool]]
) -> Tally:
    """Over pairs of these agents and their topics; rated by the answers of those with a topic."""
    tally = Tally(questions=0)
    for agent in agents:
        own = [case for case in cases if agent in (case.response_agent, case.resolution_agent)]
        topics = {case.record["topic"] for case in own if case.record["topic"] is not None}
        tally.missing += sum(1 for case in own if case.record["topic"] is None)
        tally.denominator += len(topics)
        tally.numerator += Fraction(sum(1 for topic in topics if (agent, topic, True) in answers))
        if topics or len(agents) == 1:
            tally.questions = (tally.questions or 0) + sum(1 for one in answers if one[0] == agent)
    return tally
