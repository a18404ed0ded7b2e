"""What each metric is called, how it is defined in a line, and what to ask when it is missed."""

from dataclasses import dataclass

from vendorwatch.scorecards.render.wording import Wording, msgid


@dataclass(frozen=True, slots=True)
class Measure:
    """Texts are message ids."""

    name: str
    dimension: str
    definition: str
    question: str


_MEASURES = {
    "first_reply_on_time": Measure(
        msgid("First reply on time"),
        "response",
        msgid(
            "Contacts answered within the target of their channel and priority. Unanswered past "
            "the target, or given up by the customer, counts as missed."
        ),
        msgid("In which hours and channels did first replies run late, and who was on shift?"),
    ),
    "first_reply_p50": Measure(
        msgid("First reply (median)"),
        "response",
        msgid("Half of the contacts had a first reply within this time."),
        msgid("What does a typical contact wait for before somebody picks it up?"),
    ),
    "first_reply_p90": Measure(
        msgid("First reply (p90)"),
        "response",
        msgid(
            "Nine in ten contacts had a first reply within this time; unanswered ones sort last."
        ),
        msgid("Which contacts waited longest for a first reply, and why were they passed over?"),
    ),
    "next_reply_on_time": Measure(
        msgid("Next replies on time"),
        "response",
        msgid(
            "Answers to what customers wrote after the first reply, within the target. Counted in "
            "questions, not in contacts, where the log has the messages."
        ),
        msgid("Why do customers wait in the middle of a conversation?"),
    ),
    "abandon_rate": Measure(
        msgid("Abandoned contacts"),
        "response",
        msgid("Phone and chat contacts that customers gave up before a first reply."),
        msgid("At which hours do customers hang up, and how many people were on shift then?"),
    ),
    "resolution_rate": Measure(
        msgid("Resolved"),
        "resolution",
        msgid("Contacts resolved by a person by the as-of instant; reopened ones are open again."),
        msgid("What is keeping the open contacts open, and who owns them now?"),
    ),
    "resolution_on_time": Measure(
        msgid("Resolved on time"),
        "resolution",
        msgid("Contacts resolved within the target of their channel and priority."),
        msgid("Which topics overran the time to resolve, and whom were they waiting for?"),
    ),
    "resolution_p50": Measure(
        msgid("Time to resolve (median)"),
        "resolution",
        msgid("Half of the contacts were resolved within this time."),
        msgid("Which step takes up most of the time in a typical contact?"),
    ),
    "resolution_p90": Measure(
        msgid("Time to resolve (p90)"),
        "resolution",
        msgid("Nine in ten contacts were resolved within this time; unresolved ones sort last."),
        msgid("What do the slowest tenth of contacts have in common?"),
    ),
    "first_contact_resolution": Measure(
        msgid("Resolved at first contact"),
        "resolution",
        msgid(
            "Resolved without a reopening, a handover or a repeat contact within the repeat window."
        ),
        msgid("Which topics need a second contact, and what was missing in the first?"),
    ),
    "repeat_contact_rate": Measure(
        msgid("Repeat contacts"),
        "resolution",
        msgid(
            "Resolved contacts whose customer came back about the same thing within the repeat "
            "window, through any channel or vendor."
        ),
        msgid("What do customers come back about after being told that it is solved?"),
    ),
    "reopen_rate": Measure(
        msgid("Reopened"),
        "resolution",
        msgid("Resolved contacts that were opened again at least once."),
        msgid("Are contacts closed before the customer agrees that they are solved?"),
    ),
    "handover_rate": Measure(
        msgid("Handed over"),
        "resolution",
        msgid("Contacts passed to another agent or team at least once."),
        msgid("Which contacts reach the wrong people first, and what would route them better?"),
    ),
    "csat": Measure(
        msgid("Satisfied customers"),
        "resolution",
        msgid("Answers of 4 or 5 among all answers to the survey, one a contact."),
        msgid("What do the customers who answered 1 to 3 complain about?"),
    ),
    "quality": Measure(
        msgid("Quality reviews"),
        "resolution",
        msgid(
            "Mean result of the merchant's own reviews of contacts drawn by chance. A failed "
            "critical criterion makes a review 0."
        ),
        msgid("Which criteria cost most points in the reviews, and who is coached on them?"),
    ),
    "knowledge_score": Measure(
        msgid("Knowledge score"),
        "knowledge",
        msgid(
            "Weight of the questions answered right, of all weight due in the month. First "
            "attempts only; a check that was not taken counts as nothing."
        ),
        msgid("Which topics were answered wrong most often, and when is the training?"),
    ),
    "knowledge_pass_rate": Measure(
        msgid("Knowledge checks passed"),
        "knowledge",
        msgid("Checks passed, of all checks assigned and due in the month."),
        msgid("Who has not passed or not taken the checks, and what happens next?"),
    ),
    "knowledge_coverage": Measure(
        msgid("Topics covered"),
        "knowledge",
        msgid(
            "Topics of the agents' contacts on which they answered a question right in the last "
            "180 days."
        ),
        msgid("Who handles topics without having shown that they know them?"),
    ),
}

_DIMENSIONS = {
    "response": msgid("Response time"),
    "resolution": msgid("Resolution quality"),
    "knowledge": msgid("Product knowledge"),
}

_ANY_QUESTION = msgid("What happened here, and what will be different next month?")


def name_of(metric: str, words: Wording) -> str:
    """A metric newer than this page is shown by its id."""
    known = _MEASURES.get(metric)
    return words.gettext(known.name) if known else metric


def question_about(metric: str, words: Wording) -> str:
    known = _MEASURES.get(metric)
    return words.gettext(known.question if known else _ANY_QUESTION)


def definition_of(metric: str, words: Wording) -> str | None:
    known = _MEASURES.get(metric)
    return words.gettext(known.definition) if known else None


def dimension_of(metric: str) -> str | None:
    known = _MEASURES.get(metric)
    return known.dimension if known else None


def dimension_name(dimension: str, words: Wording) -> str:
    known = _DIMENSIONS.get(dimension)
    return words.gettext(known) if known else dimension
