"""What a mail about scorecards says: the fact first, then what was missed, then how sure we are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from vendorwatch.mailing.compose import Text
from vendorwatch.mailing.difference import differences
from vendorwatch.resources import REPORTS
from vendorwatch.scorecards.render import cells, measures, narrative
from vendorwatch.scorecards.render.findings import Figures, find
from vendorwatch.scorecards.render.names import displayable
from vendorwatch.scorecards.render.page import all_displayable, data_line
from vendorwatch.scorecards.render.wording import Wording, capital, msgid, wording

Document = Mapping[str, Any]

_IN_SUBJECT = 60  # graphemes of a vendor's name
_NOTHING = msgid("nothing to measure against the targets")


@dataclass(frozen=True, slots=True)
class Part:
    """One vendor's scorecard in a mail. `link` leads to the PDF, which is attached or not.

    `replaced` is the scorecard that went out before, if this one is a revision.
    """

    document: Document
    link: str
    is_attached: bool
    replaced: Document | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads it, and how to read it no more."""

    language: str
    address: str
    merchant: str
    unsubscribe: str | None


@dataclass(frozen=True, slots=True)
class Tally:
    met: int
    measured: int

    @classmethod
    def of(cls, metrics: Mapping[str, Figures]) -> "Tally":
        verdicts = [figures["contract"] for figures in metrics.values()]
        met, missed = verdicts.count("met"), verdicts.count("missed")
        return cls(met, met + missed)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.met + other.met, self.measured + other.measured)

    def told(self, words: Wording) -> str:
        if not self.measured:
            return words.gettext(_NOTHING)
        return words.ngettext(
            "%(met)s of %(n)s target met",
            "%(met)s of %(n)s targets met",
            self.measured,
            met=words.count(self.met),
        )


def text(parts: Sequence[Part], reader: Reader) -> Text:
    """One vendor's scorecard, or a digest of several. Raises LookupError without a catalogue."""
    words = wording(reader.language)
    shown = [_part(each, words) for each in parts]
    subject = _subject(shown, words) if len(shown) == 1 else _digest_subject(shown, words)
    first = shown[0]
    heading = first["fact"] if len(shown) == 1 else _total(shown).told(words)
    return rendered(
        "scorecard",
        subject,
        reader,
        heading=capital(heading),
        title=first["vendor"] if len(shown) == 1 else _vendors(shown, words),
        month=first["month"],
        parts=shown,
    )


def rendered(template: str, subject: str, reader: Reader, **shown: Any) -> Text:
    """Both forms of `reports/email/<template>`."""
    given = shown | {
        "subject": subject,
        "language": reader.language,
        "merchant": displayable(reader.merchant),
        "address": reader.address,
        "unsubscribe": reader.unsubscribe,
    }
    plain, html = (
        environment(reader.language).get_template(f"{template}.{form}").render(given)
        for form in ("txt", "html")
    )
    return Text(subject, plain, html)


@lru_cache(maxsize=16)
def environment(language: str) -> Environment:
    words = wording(language)
    made = Environment(
        loader=FileSystemLoader(REPORTS / "email"),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
        words.catalogue.gettext, words.catalogue.ngettext, newstyle=True
    )
    made.globals["stylesheet"] = _stylesheet()
    return made


@lru_cache(maxsize=1)
def _stylesheet() -> Markup:
    own = (REPORTS / "email" / "email.css").read_text(encoding="utf-8")
    return Markup(own)  # noqa: S704  our own file, inlined because nothing may be fetched


def _part(part: Part, words: Wording) -> dict[str, Any]:
    document = all_displayable(part.document)
    scores = document["vendor_scores"]
    metrics = scores["metrics"]
    tally = Tally.of(metrics)
    findings = find(metrics, document["uploads"], document["volume"]["in_month"])
    return {
        "vendor": document["vendor"],
        "short_name": displayable(document["vendor"], _IN_SUBJECT),
        "month": capital(words.month(document["month"])),
        "month_inside": words.month(document["month"]),
        "tally": tally,
        "fact": tally.told(words),
        "sentence": capital(tally.told(words)),
        "score": words.score(scores["score"]) if scores["score"] is not None else None,
        "not_rated": words.listed(
            measures.dimension_name(name, words) for name in scores["not_rated"]
        ),
        "missed": _missed(metrics, words),
        "data": [
            *narrative.sentences(findings, words),
            *map(capital, data_line(document, words)),
        ],
        "revision": document["revision"],
        "replaced": part.replaced["revision"] if part.replaced else None,
        "differences": differences(part.replaced, document, words) if part.replaced else [],
        "link": part.link,
        "is_attached": part.is_attached,
    }


def _missed(metrics: Mapping[str, Figures], words: Wording) -> list[dict[str, str]]:
    """What is clearly missed first; then by the points that it cost."""
    names = [name for name, figures in metrics.items() if figures["contract"] == "missed"]
    names.sort(key=lambda name: (metrics[name]["evidence"] != "clear", _points(metrics[name])))
    return [_missed_row(name, metrics[name], words) for name in names]


def _missed_row(name: str, figures: Figures, words: Wording) -> dict[str, str]:
    evidence = cells.EVIDENCE[figures["evidence"]]
    return {
        "metric": measures.name_of(name, words),
        "actual": cells.actual(figures, words),
        "side": cells.side_of_target(figures, words),
        "target": cells.target(figures, words) or cells.NOTHING,
        "colour": "clear" if figures["evidence"] == "clear" else "noise",
        "evidence": words.gettext("evidence: %(evidence)s", evidence=words.gettext(evidence)),
    }


def _points(figures: Figures) -> Decimal:
    return Decimal(figures["points"] or 0)


def _subject(shown: Sequence[dict[str, Any]], words: Wording) -> str:
    part = shown[0]
    given = {"vendor": part["short_name"], "month": part["month_inside"], "fact": part["fact"]}
    if part["revision"] > 1:
        return words.gettext(
            "%(vendor)s, %(month)s: %(fact)s (revision %(n)s)", n=part["revision"], **given
        )
    return words.gettext("%(vendor)s, %(month)s: %(fact)s", **given)


def _digest_subject(shown: Sequence[dict[str, Any]], words: Wording) -> str:
    return words.gettext(
        "%(month)s: %(vendors)s, %(fact)s",
        month=shown[0]["month"],
        vendors=_vendors(shown, words),
        fact=_total(shown).told(words),
    )


def _vendors(shown: Sequence[dict[str, Any]], words: Wording) -> str:
    return words.ngettext("%(n)s vendor", "%(n)s vendors", len(shown))


def _total(shown: Sequence[dict[str, Any]]) -> Tally:
    return sum((part["tally"] for part in shown), start=Tally(0, 0))
