"""A report set as PDF by WeasyPrint. Only the renderer's child processes import this module:
it loads Pango, and what it reads was written by others.
"""

import logging
import re
from hashlib import sha256

from typing_extensions import override
from weasyprint import HTML, Attachment  # type: ignore[import-untyped]  # it has no types
from weasyprint.urls import (  # type: ignore[import-untyped]  # it has no types
    FatalURLFetchingError,
    URLFetcher,
    URLFetcherResponse,
)

from vendorwatch.periods import to_datetime
from vendorwatch.scorecards.render.agent_page import AgentReport, html_of_agents, spelt_out
from vendorwatch.scorecards.render.failure import RenderFailed
from vendorwatch.scorecards.render.page import Report, dated, html
from vendorwatch.scorecards.render.reading import Fonts, spell_out
from vendorwatch.scorecards.render.tabular import csv_of_agents, csv_text

_VARIANT = "pdf/ua-1"
_MISSING = re.compile(r"unsupported by fonts: .*\(U\+([0-9A-F]+)\)")
_LOGGER = logging.getLogger("weasyprint")


class _NothingFetched(URLFetcher):  # type: ignore[misc]  # the base has no types
    """Everything that a page needs is in the page: whoever asks for more is an intruder."""

    @override
    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        raise FatalURLFetchingError("the page asked for an outside resource")


class _Warnings(logging.Handler):
    """WeasyPrint tells of missing glyphs and fonts nowhere else."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def pdf(report: Report | AgentReport, attachment_name: str) -> bytes:
    """The same report gives the same bytes. Raises RenderFailed rather than a page with a fault.

    Ids and topics are whatever a log says: a character of theirs that no font has is spelt out, so
    that one contact does not keep every agent of a vendor from their page.
    """
    made, warnings = _set(report, attachment_name)
    missing = {chr(int(found, 16)) for found in _MISSING.findall("\n".join(warnings))}
    if missing and isinstance(report, AgentReport):
        made, warnings = _set(spelt_out(report, missing), attachment_name)
    if warnings:
        raise RenderFailed("; ".join(dict.fromkeys(warnings)))
    return made


def _set(report: Report | AgentReport, attachment_name: str) -> tuple[bytes, list[str]]:
    """With what the library warned of."""
    page, table = _parts(report)
    instant = to_datetime(dated(report))
    figures = Attachment(
        string=table,
        name=attachment_name,
        url_fetcher=_NothingFetched(),
        created=instant,
        modified=instant,
        relationship="Data",
    )
    warnings = _Warnings()
    _LOGGER.addHandler(warnings)
    try:
        laid_out = HTML(string=page, url_fetcher=_NothingFetched()).render(pdf_variant=_VARIANT)
        laid_out.fonts = Fonts()
        made: bytes = laid_out.write_pdf(
            finisher=spell_out,
            pdf_variant=_VARIANT,
            pdf_identifier=sha256(page.encode()).digest()[:16],
            attachments=[figures],
        )
    except FatalURLFetchingError as error:
        raise RenderFailed(str(error)) from None
    finally:
        _LOGGER.removeHandler(warnings)
    return made, warnings.texts


def _parts(report: Report | AgentReport) -> tuple[str, str]:
    """The page, and the figures that are attached."""
    if isinstance(report, AgentReport):
        return html_of_agents(report), csv_of_agents([each["agent"] for each in report.agents])
    return html(report), csv_text(report.document)
