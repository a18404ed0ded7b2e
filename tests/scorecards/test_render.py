import asyncio
import multiprocessing
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from io import BytesIO
from multiprocessing.process import BaseProcess
from typing import Any

import pytest
from pypdf import PageObject, PdfReader
from pypdf.generic import ArrayObject, DictionaryObject
from typing_extensions import override

from scorecards import sample
from vendorwatch.errors import Kind
from vendorwatch.scorecards.render import (
    Renderer,
    RenderFailed,
    Report,
    csv_text,
    html,
    languages,
)

ISSUED = 1_794_191_400_000_000  # 2026-11-09T02:30:00Z
Children = Callable[[], set[BaseProcess]]

REPORT = Report(
    sample.with_peers(sample.with_new_metrics(sample.document())),
    "en",
    ISSUED,
    history=(sample.document(month="2026-08", score="70.02"), sample.document(month="2026-09")),
)
SHORT = Report(sample.document(names=[]), "en")


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    made = Renderer(timeout_seconds=60)
    yield made
    made.close()


@pytest.fixture(scope="module")
def impatient(english: bytes) -> Iterator[tuple[Renderer, Children]]:
    """With a way to find its child, to do it harm. The other renderer has its own by now."""
    others = set(multiprocessing.active_children())
    made = Renderer(timeout_seconds=15)
    yield made, lambda: set(multiprocessing.active_children()) - others
    made.close()


@pytest.fixture(scope="module")
def in_language(renderer: Renderer) -> Callable[[str], bytes]:
    return cache(lambda language: renderer.pdf(replace(REPORT, language=language)))


@pytest.fixture(scope="module")
def english(in_language: Callable[[str], bytes]) -> bytes:
    return in_language("en")


@pytest.fixture(scope="module")
def vietnamese(in_language: Callable[[str], bytes]) -> bytes:
    return in_language("vi")


def read(pdf: bytes) -> PdfReader:
    return PdfReader(BytesIO(pdf), strict=True)


def root(pdf: bytes) -> Any:
    return read(pdf).trailer["/Root"]


def text_of(pdf: bytes) -> str:
    """Words in order, whatever spaces, lines and pages they were set with."""
    text = " ".join(" ".join(page.extract_text() for page in read(pdf).pages).split())
    # Thai sara am is drawn in two parts, around a tone; pypdf tells what is drawn, and sees gaps.
    return re.sub("\u0e4d([\u0e48-\u0e4b]?) ?\u0e32", "\\1\u0e33", text)


def spelt_out(pdf: bytes) -> str:
    """What stands beside the drawn text for whoever searches, copies or listens."""
    drawn = b" ".join(page["/Contents"].get_object().get_data() for page in read(pdf).pages)
    found = re.findall(rb"/ActualText <feff([0-9a-f]*)>", drawn)
    return " ".join(bytes.fromhex(text.decode()).decode("utf-16-be") for text in found)


class Texts(HTMLParser):
    """The texts of a page that are to be seen on paper."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._hidden: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"title", "style"}:
            self._hidden.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        if self._hidden and self._hidden[-1] == tag:
            self._hidden.pop()

    @override
    def handle_data(self, data: str) -> None:
        if not self._hidden and data.split():
            self.found.append("".join(data.split()))


def test_the_documents_figures_are_on_paper(english: bytes) -> None:
    text = text_of(english)

    for figure in ("71.48", "56.20", "81.94", "68.17", "70.02"):
        assert figure in text
    for figure in ("78.2%", "77.0% to 79.3%", "7 h 44 min", "3 d 4 h", "4,712", "12 pending"):
        assert figure in text
    for figure in ("4,981", "181", "4,724", "93", "15,310 (287 rejected)"):
        assert figure in text


def test_new_metrics_are_on_paper_in_both_languages(english: bytes, vietnamese: bytes) -> None:
    for text, figures in (
        (text_of(english), ("Next replies on time", "73.1%", "Quality reviews", "72.4%", "60")),
        (
            text_of(vietnamese),
            ("Phản hồi tiếp theo đúng hạn", "73,1%", "Đánh giá chất lượng", "72,4%"),
        ),
    ):
        for figure in figures:
            assert figure in text


def test_months_are_judged_in_words(english: bytes, vietnamese: bytes) -> None:
    text = text_of(english)

    assert "Resolved on time, month by month" in text
    assert "limits 89.9% to 89.9%" in text  # the sample's months are all alike
    assert "Trial limits: fewer than 12 months." in text
    assert "steady" in text
    assert "Giới hạn tạm tính: chưa đủ 12 tháng." in text_of(vietnamese)


def test_agents_who_stand_out_are_named_and_marked(english: bytes, vietnamese: bytes) -> None:
    text = text_of(english)

    assert "Agents who differ by more than chance in Resolved at first contact: " in text
    assert "Bùi Ngọc Ánh" in text.partition("outside the 99.8% limits")[0]
    assert "less certain than usual" in text
    assert "outside 99.8%: A Bùi Ngọc Ánh" in text.replace("\u00a0", " ")
    assert "adjusted 64.0%" in text
    assert "ngoài 99,8%: A Bùi Ngọc Ánh" in text_of(vietnamese).replace("\u00a0", " ")


def test_where_the_figures_come_from_is_on_paper(english: bytes) -> None:
    text = text_of(english).replace(" ", "")

    assert REPORT.document["policy"]["sha256"] in text
    assert REPORT.document["records_sha256"] in text
    assert REPORT.document["engagement_id"] in text


def test_the_same_figures_in_vietnamese(vietnamese: bytes) -> None:
    text = text_of(vietnamese)

    for figure in (
        "71,48",
        "78,2%",
        "77,0% đến 79,3%",
        "7 giờ 44 phút",
        "4.712",
        "Tháng 10 năm 2026",
    ):
        assert figure in text
    assert "Không đạt" in text
    assert "Missed" not in text


def test_names_of_three_scripts_can_be_read_back(english: bytes) -> None:
    text = text_of(english)

    for name in sample.NAMES:
        assert (name or "a022") in text.replace("- ", "-"), name  # a long name breaks at its hyphen


@pytest.mark.parametrize("language", languages())
def test_every_word_of_every_language_reads_back(
    in_language: Callable[[str], bytes], language: str
) -> None:
    pdf, page = text_of(in_language(language)).replace(" ", ""), Texts()
    page.feed(html(replace(REPORT, language=language)))

    assert len(page.found) > 300
    assert [text for text in page.found if text not in pdf] == []


@pytest.mark.parametrize("language", languages())
def test_the_answers_are_one_page_in_every_language(
    in_language: Callable[[str], bytes], language: str
) -> None:
    """A merchant has ten minutes: down to the data line, nothing is on a second page."""
    first = read(in_language(language)).pages[0].extract_text()
    survey = "2,958" if language in {"en", "th"} else "2.958" if language == "vi" else "2\u00a0958"

    assert survey in first.replace("\n", " ")


def test_a_glyph_first_met_in_a_cluster_reads_as_itself_ever_after(renderer: Renderer) -> None:
    names = ["น้ำทิพย์ อำนวย", "ครั้งหน้า ตานี", "ป้ำเป๋อ ปู่ย่า", "Agent Ödön"]
    pdf = renderer.pdf(Report(sample.document(names=names), "en"))

    for name in names:
        assert name in text_of(pdf)
    for name in names[:3]:
        assert name in spelt_out(pdf)
    assert "Agent" not in spelt_out(pdf)  # Latin is drawn as it is written


def test_thai_is_spelt_out_beside_what_is_drawn(in_language: Callable[[str], bytes]) -> None:
    text = spelt_out(in_language("th"))

    for words in ("ตอบครั้งแรกทันกำหนด", "น้ำหนัก", "สำหรับ", "คำจำกัดความ"):
        assert words in text


def test_one_type_family_is_embedded(english: bytes) -> None:
    fonts = {
        str(font.get_object()["/BaseFont"]).split("+")[-1]
        for page in read(english).pages
        for font in resources(page)["/Font"].values()
    }

    assert fonts
    assert all(font.startswith("Noto-Sans") for font in fonts), fonts


def resources(page: PageObject) -> Any:
    return page["/Resources"]


def test_the_pdf_is_accessible(english: bytes, vietnamese: bytes) -> None:
    reader, catalogue = read(english), root(english)

    assert catalogue["/Lang"] == "en"
    assert root(vietnamese)["/Lang"] == "vi"
    assert catalogue["/MarkInfo"]["/Marked"]
    assert catalogue["/StructTreeRoot"]["/K"]
    assert b"pdfuaid" in catalogue["/Metadata"].get_object().get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == "Hoa Sen BPO, October 2026: vendor scorecard"
    assert "Agents" in str(reader.outline)


def test_every_chart_has_words(english: bytes) -> None:
    figures = structure(root(english)["/StructTreeRoot"], "/Figure")

    assert len(figures) == 12 + 12 + 1 + 2  # bullets, trends, the months of the score, drawings
    assert all(figure.get("/Alt") for figure in figures)


def structure(node: Any, kind: str) -> list[DictionaryObject]:
    """Every element of a kind at or below `node` in the tree of tags."""
    node = node.get_object()
    if isinstance(node, ArrayObject):
        return [found for kid in node for found in structure(kid, kind)]
    if not isinstance(node, DictionaryObject):
        return []
    own = [node] if node.get("/S") == kind else []
    return own + (structure(node["/K"], kind) if "/K" in node else [])


def test_the_figures_are_attached_and_nothing_else(english: bytes) -> None:
    attachments = read(english).attachments

    assert list(attachments) == ["Hoa-Sen-BPO_2026-10_r1.csv"]
    assert attachments["Hoa-Sen-BPO_2026-10_r1.csv"] == [csv_text(REPORT.document).encode()]


def test_the_same_report_gives_the_same_bytes_in_another_process(
    english: bytes, impatient: tuple[Renderer, Children]
) -> None:
    assert impatient[0].pdf(REPORT) == english


def test_hostile_names_are_printed_and_fetch_nothing(renderer: Renderer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        url = f"http://127.0.0.1:{trap.getsockname()[1]}/x"
        names = [
            "<img src=file:///etc/passwd>",
            f"<img src={url}>",
            "<link rel=attachment href=file:///etc/passwd>",
            f"<style>@import '{url}'</style>",
        ]
        pdf = renderer.pdf(Report(sample.document(vendor=names[0], names=names), "en"))
        with pytest.raises(BlockingIOError):
            trap.accept()

    text = text_of(pdf).replace(" ", "")
    assert all(name.replace(" ", "") in text for name in names)
    assert len(read(pdf).attachments) == 1
    assert b"root:x:0" not in pdf


def test_a_glyph_that_no_font_has_fails_and_never_prints_a_box(renderer: Renderer) -> None:
    with pytest.raises(RenderFailed, match="U\\+F1234") as caught:
        renderer.pdf(Report(sample.document(names=["\U000f1234"]), "en"))

    assert caught.value.kind is Kind.UNAVAILABLE


def test_three_hundred_agents_are_still_a_document(renderer: Renderer) -> None:
    names = [f"Agent {number:03}" for number in range(300)]
    pages = [
        page.extract_text()
        for page in read(renderer.pdf(Report(sample.document(names=names), "en"))).pages
    ]
    with_agents = [
        page for page in pages if "Agent 0" in page or "Agent 1" in page or "Agent 2" in page
    ]

    assert all(any(name in page for page in pages) for name in names)
    assert all("First reply (p90)" in page for page in with_agents)
    assert 6 <= len(pages) <= 12


async def test_the_event_loop_goes_on_while_a_page_is_set(renderer: Renderer) -> None:
    made, _ = await asyncio.gather(renderer.pdf_async(SHORT), asyncio.sleep(0))

    assert made.startswith(b"%PDF-1.7")


def test_a_child_that_hangs_is_killed_and_the_next_report_is_made(
    impatient: tuple[Renderer, Children],
) -> None:
    renderer, children = impatient
    renderer.pdf(SHORT)
    child = only(children())
    os.kill(child.pid or 0, signal.SIGSTOP)
    with pytest.raises(RenderFailed, match="longer than 15 s"):
        renderer.pdf(SHORT)
    assert child.exitcode == -signal.SIGKILL
    assert renderer.pdf(SHORT).startswith(b"%PDF-1.7")


def test_a_child_that_died_fails_one_report_and_not_the_next(
    impatient: tuple[Renderer, Children],
) -> None:
    renderer, children = impatient
    renderer.pdf(SHORT)
    child = only(children())
    child.kill()
    child.join()
    with pytest.raises(RenderFailed, match="died"):
        renderer.pdf(SHORT)
    assert renderer.pdf(SHORT).startswith(b"%PDF-1.7")


def only(children: set[BaseProcess]) -> BaseProcess:
    [child] = children
    return child
