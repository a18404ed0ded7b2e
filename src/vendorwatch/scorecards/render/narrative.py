"""The findings of a month as sentences, and as questions to ask the vendor."""

from collections.abc import Mapping

from vendorwatch.scorecards.render import cells, measures
from vendorwatch.scorecards.render.findings import Figures, Findings
from vendorwatch.scorecards.render.wording import Wording

_MOST_SENTENCES, _MOST_QUESTIONS = 3, 5


def sentences(findings: Findings, words: Wording) -> list[str]:
    made = []
    if findings.clearly_missed:
        made.append(
            words.ngettext(
                "Missed by more than chance: %(metrics)s.",
                "%(n)s targets were missed by more than chance: %(metrics)s.",
                len(findings.clearly_missed),
                metrics=words.listed(
                    measures.name_of(name, words) for name in findings.clearly_missed
                ),
            )
        )
    if findings.not_measurable:
        made.append(
            words.gettext(
                "Nothing to measure this month for: %(metrics)s.",
                metrics=words.listed(
                    measures.name_of(name, words) for name in findings.not_measurable
                ),
            )
        )
    return [*made, *_holes(findings, words)][:_MOST_SENTENCES]


def _holes(findings: Findings, words: Wording) -> list[str]:
    sentences = []
    if findings.rejected:
        rejected, received = findings.rejected
        sentences.append(
            words.ngettext(
                "%(n)s of %(received)s rows received was rejected and counts nowhere.",
                "%(n)s of %(received)s rows received were rejected and count nowhere.",
                rejected,
                received=words.count(received),
            )
        )
    if findings.incomplete:
        listed = words.listed(
            words.gettext(
                "%(metric)s (%(missing)s of %(records)s)",
                metric=measures.name_of(name, words),
                missing=words.count(missing),
                records=words.count(records),
            )
            for name, missing, records in findings.incomplete
        )
        sentences.append(
            words.gettext("Left out because the log does not say: %(metrics)s.", metrics=listed)
        )
    return sentences


def questions(
    findings: Findings, metrics: Mapping[str, Figures], words: Wording
) -> list[dict[str, str]]:
    return [
        {
            "metric": measures.name_of(name, words),
            "fact": words.gettext(
                "%(actual)s, target %(target)s",
                actual=cells.actual(metrics[name], words),
                target=cells.target(metrics[name], words),
            ),
            "question": measures.question_about(name, words),
        }
        for name in findings.clearly_missed[:_MOST_QUESTIONS]
    ]
