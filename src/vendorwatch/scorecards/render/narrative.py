"""The findings of a month as sentences, and as questions to ask the vendor."""

from collections.abc import Iterator, Mapping, Sequence

from vendorwatch.scorecards.render import cells, measures, signals
from vendorwatch.scorecards.render.drawings import LEVELS
from vendorwatch.scorecards.render.findings import Figures, Findings
from vendorwatch.scorecards.render.headline import Outliers, name_of_agent
from vendorwatch.scorecards.render.wording import Wording, msgid
from vendorwatch.scorecards.trends import Trends

_MOST_SENTENCES, _MOST_QUESTIONS, _MOST_NAMES = 3, 5, 6
_CHANGED = msgid("Changed by more than noise: %(metrics)s.")
_TRIAL = msgid("Changed by more than noise, by trial limits: %(metrics)s.")


def sentences(
    findings: Findings,
    words: Wording,
    *,
    months: Trends | None = None,
    standing_out: Outliers | None = None,
) -> list[str]:
    """Only signals, and only so many."""
    made = [
        *(_changes(months, words) if months else ()),
        *(_agents(standing_out, words) if standing_out else ()),
        *_holes(findings, words),
    ]
    return made[:_MOST_SENTENCES]


def _changes(months: Trends, words: Wording) -> Iterator[str]:
    figures = [(words.gettext("Score"), months.score)]
    figures += [(measures.name_of(name, words), each) for name, each in months.metrics.items()]
    changed = [(name, trend) for name, trend in figures if trend.chart.signals[-1]]
    if not changed:
        return
    listed = _some(
        [
            words.gettext(
                "%(metric)s (%(state)s: %(why)s)",
                metric=name,
                state=signals.variation(trend, words),
                why=signals.rule(trend, words),
            )
            for name, trend in changed
        ],
        words,
    )
    trial = any(trend.chart.trial for _, trend in changed)
    told = _TRIAL if trial else _CHANGED
    yield words.gettext(told, metrics=listed)


def _agents(found: Outliers, words: Wording) -> Iterator[str]:
    facts = [
        words.gettext(
            "%(agents)s (outside the %(level)s limits)",
            agents=_some([name_of_agent(each) for each in agents], words),
            level=words.written_rate(LEVELS[level]),
        )
        for level, agents in (("99.8", found.far), ("95", found.near))
        if agents
    ]
    if not facts:
        return
    if found.overdispersed:
        facts.append(
            words.gettext(
                "less certain than usual, as agents lie further apart than chance explains"
            )
        )
    yield words.gettext(
        "Agents who differ by more than chance in %(metric)s: %(facts)s.",
        metric=measures.name_of(found.metric, words),
        facts="; ".join(facts),
    )


def _some(names: Sequence[str], words: Wording) -> str:
    """All of them, or the first and how many more."""
    if len(names) <= _MOST_NAMES:
        return words.listed(names)
    shown = names[: _MOST_NAMES - 1]
    return words.listed(
        [*shown, words.gettext("%(n)s more", n=words.count(len(names) - len(shown)))]
    )


def _holes(findings: Findings, words: Wording) -> list[str]:
    sentences = []
    if findings.is_empty:
        sentences.append(words.gettext("No contact of this month has been received."))
    elif findings.not_measurable:
        sentences.append(
            words.gettext(
                "Nothing to measure this month for: %(metrics)s.",
                metrics=words.listed(
                    measures.name_of(name, words) for name in findings.not_measurable
                ),
            )
        )
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
