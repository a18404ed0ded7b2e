"""A scorecard's document as one HTML page. It shows what the document says and computes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vendorwatch.periods import Micros, format_instant, to_micros
from vendorwatch.resources import REPORTS
from vendorwatch.scorecards.render import agent_table, drawings, measures, metric_table, narrative
from vendorwatch.scorecards.render.findings import find
from vendorwatch.scorecards.render.headline import funnel_metric, headline, outliers
from vendorwatch.scorecards.render.names import displayable
from vendorwatch.scorecards.render.score_block import score_block
from vendorwatch.scorecards.render.wording import Wording, capital, msgid, wording
from vendorwatch.scorecards.trends import Trends, trends

Document = Mapping[str, Any]

_RUNNING = 60  # graphemes of the vendor's name at the foot of every page
_EXCLUSIONS = {
    "outbound": msgid("Outbound: the vendor wrote or called first"),
    "spam": msgid("Spam"),
    "merged": msgid("Merged into another contact"),
    "withdrawn": msgid("Withdrawn by the vendor"),
    "short_abandoned": msgid("Calls and chats given up within seconds"),
}


@dataclass(frozen=True)
class Report:
    """`history` has the documents of earlier months, oldest first."""

    document: dict[str, Any]
    language: str
    issued: Micros | None = None
    history: tuple[dict[str, Any], ...] = ()


def html(report: Report) -> str:
    """Raises LookupError if there is no catalogue for the language."""
    words = wording(report.language)
    document = all_displayable(report.document)
    metrics = document["vendor_scores"]["metrics"]
    months = trends(document, [all_displayable(each) for each in report.history])
    before = list(zip(months.months, months.cards, strict=True))[:-1]
    shown = metric_table.chosen(metrics)
    return (
        environment(report.language)
        .get_template("vendor.html")
        .render(
            language=report.language,
            stylesheet=stylesheet("print.css"),
            document=document,
            header=_header(report, document, words),
            score=score_block(document, before, words),
            metrics=metric_table.rows(metrics, months, words),
            metrics_left_out=len(metrics) - len(shown),
            agents=agent_table.rows(document["agents"], words),
            agent_columns=[words.gettext(title) for title in agent_table.COLUMNS.values()],
            data_line=data_line(document, words),
            volume=_volume(document, words),
            exclusions=_exclusions(document, words),
            definitions=_definitions([*shown, *agent_table.COLUMNS], words),
            **_signals(document, months, words),
        )
    )


def _signals(document: Document, months: Trends, words: Wording) -> dict[str, Any]:
    """What stands out among the metrics, the months and the agents."""
    metrics = document["vendor_scores"]["metrics"]
    findings = find(metrics, document["uploads"], document["volume"]["in_month"])
    first, of_agents = headline(document), funnel_metric(document)
    standing_out = outliers(document, of_agents) if of_agents else None
    return {
        "sentences": narrative.sentences(findings, words, months=months, standing_out=standing_out),
        "questions": narrative.questions(findings, metrics, words),
        "is_telling": findings.is_telling,
        "levels": [words.written_rate(each) for each in drawings.LEVELS.values()],
        "drawn_months": drawings.months(first, metrics[first], months, words) if first else None,
        "drawn_agents": drawings.agents(document, standing_out, words) if standing_out else None,
    }


def instant_of(document: Document) -> Micros:
    return to_micros(datetime.fromisoformat(document["as_of"]))


@lru_cache(maxsize=16)
def environment(language: str) -> Environment:
    words = wording(language)
    environment = Environment(
        loader=FileSystemLoader(REPORTS / "scorecard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
        words.catalogue.gettext, words.catalogue.ngettext, newstyle=True
    )
    return environment


@lru_cache(maxsize=4)
def stylesheet(*names: str) -> Markup:
    text = "\n".join((REPORTS / "scorecard" / each).read_text(encoding="utf-8") for each in names)
    return Markup(text)  # noqa: S704 - our own file, inlined because nothing may be fetched


def all_displayable(value: Any) -> Any:
    """Every text of the document, at any depth: no string reaches the page around this."""
    if isinstance(value, str):
        return displayable(value)
    if isinstance(value, Mapping):
        return {key: all_displayable(item) for key, item in value.items()}
    return [all_displayable(item) for item in value] if isinstance(value, list) else value


def _header(report: Report, document: Document, words: Wording) -> dict[str, Any]:
    zone = document["time_zone"]
    revision = document["revision"]
    month = words.month(document["month"])
    return {
        "month": month,
        "running": displayable(document["vendor"], _RUNNING),
        "heading": capital(month),
        "as_of": words.instant(instant_of(document), zone),
        "created": format_instant(dated(report)),
        "issued": words.instant(report.issued, zone) if report.issued is not None else None,
        "revision": words.gettext("Revision %(n)s", n=revision) if revision else None,
    }


class _Dated(Protocol):
    @property
    def document(self) -> dict[str, Any]: ...
    @property
    def issued(self) -> Micros | None: ...


def dated(report: _Dated) -> Micros:
    return instant_of(report.document) if report.issued is None else report.issued


def data_line(document: Document, words: Wording) -> list[str]:
    uploads = document["uploads"]
    line = [
        words.gettext(
            "rows received: %(received)s (%(rejected)s rejected), uploads: %(uploads)s",
            **{name: words.count(uploads[name]) for name in ("received", "rejected", "uploads")},
        )
    ]
    line.append(
        words.gettext(
            "contacts scored: %(scored)s of %(n)s",
            scored=words.count(document["volume"]["scored"]),
            n=words.count(document["volume"]["in_month"]),
        )
    )
    survey = document["vendor_scores"]["metrics"].get("csat", {}).get("survey")
    if survey and survey["invited"]:
        line.append(
            words.gettext(
                "survey: %(invited)s invited, %(answered)s answered (%(rate)s)",
                invited=words.count(survey["invited"]),
                answered=words.count(survey["answered"]),
                rate=words.rate(Decimal(survey["response_rate"])),
            )
        )
    version = document["policy"]["version"]
    line.append(
        words.gettext("policy version %(n)s", n=version)
        if version
        else words.gettext("default policy")
    )
    return line


def _volume(document: Document, words: Wording) -> dict[str, str]:
    volume = document["volume"]
    return {
        name: words.count(volume[name]) for name in ("received", "in_month", "scored", "unassigned")
    }


def _exclusions(document: Document, words: Wording) -> list[tuple[str, str]]:
    return [
        (words.gettext(_EXCLUSIONS.get(reason, reason)), words.count(n))
        for reason, n in document["volume"]["excluded"].items()
    ]


def _definitions(metrics: list[str], words: Wording) -> list[tuple[str, str]]:
    texts = ((name, measures.definition_of(name, words)) for name in dict.fromkeys(metrics))
    return [(measures.name_of(name, words), text) for name, text in texts if text]
