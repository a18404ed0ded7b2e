"""The agents' pages on paper: one page each, in every language, about one person."""

import multiprocessing
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from scorecards import agent_sample, sample
from scorecards.agent_sample import FEW, FULL, IDLE, LONG, NOT_ASKED, THAI, report
from scorecards.test_render import ISSUED, read, root, structure, text_of
from vendorwatch.scorecards.render import (
    AgentReport,
    Renderer,
    RenderFailed,
    html_of_agents,
    languages,
    report_name,
)

PLACES = (0, NOT_ASKED, FEW, IDLE, FULL, LONG, THAI)
RANKS = {
    "en": r"\brank|\btop \d|\bbest agent|\bworst agent|\d(st|nd|rd|th) of",
    "vi": r"hạng \d|thứ \d+ trên|tốt nhất|kém nhất",
    "hu": r"\d+\. hely|helyez|legjobb ügyintéző",
    "th": r"อันดับ ?(ที่ ?)?\d|ดีที่สุด|แย่ที่สุด",
}
NO_RANKING = {
    "en": "This is no ranking.",
    "vi": "Đây không phải xếp hạng.",
    "hu": "Ez nem rangsor.",
    "th": "นี่ไม่ใช่การจัดอันดับ",
}


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    made = Renderer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def in_language(renderer: Renderer) -> Callable[[str], bytes]:
    return cache(lambda language: renderer.pdf(report(language, only=PLACES, issued=ISSUED)))


@pytest.fixture(scope="module")
def english(in_language: Callable[[str], bytes]) -> bytes:
    return in_language("en")


def page_of(place: int, **changes: Any) -> str:
    made = html_of_agents(replace(report(only=[place]), **changes))
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>", "", made, flags=re.DOTALL))


@pytest.mark.parametrize("language", languages())
def test_each_agent_is_one_page_in_every_language(
    in_language: Callable[[str], bytes], language: str
) -> None:
    pages = read(in_language(language)).pages
    assert len(pages) == len(PLACES)
    # Alphabetical: Alexandra, Đặng, Nguyễn, Phạm, Trần, Võ, สมชาย; on each its own name and no other.
    names = [sample.NAMES[place] for place in (LONG, FEW, 0, NOT_ASKED, FULL, IDLE, THAI)]
    for at, page in enumerate(pages):
        text = " ".join(page.extract_text().split()).replace("- ", "-")
        found = [name for name in names if name and name in text]
        assert found == [names[at]]


@pytest.mark.parametrize("language", languages())
def test_no_page_tells_a_rank(in_language: Callable[[str], bytes], language: str) -> None:
    text = text_of(in_language(language))
    assert NO_RANKING[language].replace(" ", "") in text.replace(" ", "")
    assert not re.search(RANKS[language], text.lower().replace(NO_RANKING[language].lower(), ""))


def test_the_agents_own_figures_are_on_paper(english: bytes) -> None:
    text = " ".join(read(english).pages[2].extract_text().split())  # Nguyễn Thị Phương Thảo
    figures = sample.document()["agents"][0]["metrics"]["first_reply_on_time"]
    for told in (f"{float(figures['value']):.1%}", str(figures["denominator"]), "196 contacts"):
        assert told in text
    for told in ("53 of 60 on time", "2 without a reply", "1 pending", "1 given up"):
        assert told in text
    for told in ("returns 41 2 of 4", "missed: 2", "delivery 19 not asked", "1 more topic."):
        assert told in text
    for told in ("TS-101", "2 d 4 h, target 4 h", "reopened and contacted again", "5 of 5"):
        assert told in text


def test_two_contacts_are_shown_and_called_too_few() -> None:
    page = page_of(FEW)
    assert "2 contacts" in page
    assert "Too few to go by: First reply on time" in page
    assert page.count("<li>") == 2
    assert "4 d 15 h, and still open" in page
    assert "Nothing to measure this month for: Knowledge score" in page


def test_without_checks_topics_are_those_of_the_contacts() -> None:
    page = page_of(NOT_ASKED)
    assert "No question was asked in the 180 days before." in page
    assert page.count("not asked</span>") == 5
    assert "(1 of 5)" in page
    assert "(40.0%)" in page


def test_an_agent_with_checks_alone_has_a_page() -> None:
    page = page_of(IDLE)
    assert "No first reply of this month is credited to the agent." in page
    assert "No contact of this month is credited to the agent." in page


def test_a_card_without_agents_says_so(renderer: Renderer) -> None:
    pdf = renderer.pdf(AgentReport(sample.document(names=[]), [], "en"))
    assert "No contact of this month is credited to an agent." in text_of(pdf)


def test_reasons_and_channels_newer_than_the_page_are_shown_by_their_codes() -> None:
    made = report(only=[0])
    newer = agent_sample.LATE | {"reason": "rude", "channel": "fax"}
    page = html_of_agents(replace(made, agents=[made.agents[0] | {"to_read": [newer]}]))
    assert "<b>rude</b>" in page
    assert "fax" in page


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "{{7*7}}", "%(n)s", "\u202e19"])
@pytest.mark.parametrize("language", languages())
def test_texts_from_outside_stay_texts(name: str, language: str) -> None:
    made = report(language, only=[0])
    agent = made.agents[0] | {
        "agent": made.agents[0]["agent"] | {"name": name, "agent_id": name},
        "topics": [agent_sample.TOPICS[0] | {"topic": name}],
        "to_read": [agent_sample.LATE | {"topic": name, "interaction_id": name}],
    }
    page = html_of_agents(replace(made, agents=[agent]))
    assert "<script" not in page
    assert ">49<" not in page
    assert "\u202e" not in page


def test_the_pdf_is_accessible_and_has_a_bookmark_for_each_agent(english: bytes) -> None:
    reader, catalogue = read(english), root(english)
    assert catalogue["/Lang"] == "en"
    assert catalogue["/MarkInfo"]["/Marked"]
    assert b"pdfuaid" in catalogue["/Metadata"].get_object().get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == "Hoa Sen BPO, October 2026: agent scorecard"
    names = [str(each.title) for each in reader.outline if not isinstance(each, list)]
    expected = [sample.NAMES[place] for place in (LONG, FEW, 0, NOT_ASKED, FULL, IDLE, THAI)]
    assert names == expected
    figures = structure(catalogue["/StructTreeRoot"], "/Figure")
    assert len(figures) > 6 * 8
    assert all(figure.get("/Alt") for figure in figures)


def test_what_is_attached_is_of_these_agents_alone(renderer: Renderer) -> None:
    one = report(only=[0])
    attachments = read(renderer.pdf(one)).attachments
    [table] = attachments[report_name(one).replace(".pdf", ".csv")]
    assert {each for [each] in attachments.values()} == {table}
    lines = table.decode().splitlines()
    assert len(lines) > 10
    assert all(line.startswith("agent,a000,") for line in lines[1:])


def test_files_are_named_after_the_agent_or_all_of_them() -> None:
    assert report_name(report(only=[0])) == "Hoa-Sen-BPO_2026-10_r1_Nguyễn-Thị-Phương-Thảo.pdf"
    assert report_name(report(only=PLACES)) == "Hoa-Sen-BPO_2026-10_r1_agents.pdf"
    longest = replace(report(only=[0]), document=sample.document(vendor="Ộ" * 400))
    assert len(report_name(longest).encode()) <= 255


def test_more_pages_than_a_child_usually_makes_are_made_in_one_of_their_own(
    english: bytes,
) -> None:
    """It gives its memory back; the next report gets another one, and both are as ever."""
    others = {each.pid for each in multiprocessing.active_children()}
    renderer = Renderer(many_pages=2)
    try:
        first = renderer.pdf(report(only=[IDLE]))
        [usual] = {each.pid for each in multiprocessing.active_children()} - others
        assert renderer.pdf(report(only=PLACES, issued=ISSUED)) == english
        assert {each.pid for each in multiprocessing.active_children()} == others
        assert renderer.pdf(report(only=[IDLE])) == first
        assert usual not in {each.pid for each in multiprocessing.active_children()}
    finally:
        renderer.close()


def test_what_no_font_has_is_spelt_out_in_ids_and_topics_and_fails_in_names(
    renderer: Renderer,
) -> None:
    """One contact's id must not keep everybody from their pages."""
    made = report(only=[0])
    odd = agent_sample.LATE | {"interaction_id": "T-\U000f1234", "topic": "\U000f4321"}
    topics = [agent_sample.TOPICS[0] | {"topic": "x \U000f1234"}]
    agent = made.agents[0] | {"to_read": [odd], "topics": topics}
    text = text_of(renderer.pdf(replace(made, agents=[agent])))
    assert "T-[U+F1234]" in text
    assert "[U+F4321]" in text
    assert "x [U+F1234]" in text
    named = agent | {"agent": agent["agent"] | {"name": "\U000f1234"}}
    with pytest.raises(RenderFailed, match="U\\+F1234"):
        renderer.pdf(replace(made, agents=[named]))
