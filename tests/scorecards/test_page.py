import re
from decimal import Decimal

import pytest

from scorecards import sample
from vendorwatch.scorecards.render import file_name, languages
from vendorwatch.scorecards.render.page import Report, html


def test_a_score_that_is_not_rated_says_what_is_lacking() -> None:
    page = html(Report(sample.document(score=None), "en"))

    assert "Not rated" in page
    assert "Too little data for: Product knowledge." in page


def test_where_too_little_is_known_the_log_is_asked_about_and_not_the_targets() -> None:
    few, enough = sample.document(names=[]), sample.document(names=[])
    for document, evidence in ((few, "too_few"), (enough, "within_noise")):
        for figures in document["vendor_scores"]["metrics"].values():
            figures["evidence"] = figures["evidence"] and evidence

    assert "Is the log complete?" in html(Report(few, "en"))
    assert "Nothing to ask: no target was missed" in html(Report(enough, "en"))


def test_a_provisional_page_says_so() -> None:
    assert "Provisional" in html(Report(sample.document(status="provisional"), "en"))
    assert "Provisional" not in html(Report(sample.document(), "en"))


def test_months_before_stand_beside_only_if_there_are_any() -> None:
    history = tuple(
        sample.document(month=f"2026-{month:02}", score=f"6{month}.00") for month in range(5, 10)
    )
    alone, beside = (html(Report(sample.document(), "en", history=h)) for h in ((), history))

    assert 'class="sparkline"' not in alone
    assert re.findall(r"<dt>(\w+ 2026)</dt><dd>(\S+)</dd>", beside) == [
        ("Jul 2026", "67.00"),
        ("Aug 2026", "68.00"),
        ("Sept 2026", "69.00"),
    ]


def test_at_most_twelve_metrics_and_none_that_was_clearly_missed_is_left_out() -> None:
    page = html(Report(sample.document(), "en"))

    assert page.count('class="bullet"') == 12
    assert "Knowledge score: 73.3%, target at least 80%" in page
    assert "3 more metrics are in the attached CSV." in page


def test_agents_stand_in_alphabetical_order_whatever_their_figures() -> None:
    page = html(Report(sample.document(names=["Zoe", "Đặng", "Ágnes", None, "Bao"]), "en"))
    table = page[page.index('class="agents') :]
    names = re.findall(r'<th scope="row">(.*?)</th>', table)

    assert names[:5] == ["a003", "Ágnes", "Bao", "Đặng", "Zoe"]


def test_too_few_records_give_no_figure() -> None:
    page = html(Report(sample.document(names=["A", "B", "C", "D", "Few"]), "en"))
    row = page[page.index(">Few<") :].split("</tr>")[0]

    assert "too few (7)" in row
    assert "%" not in row


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", '"><img src=x onerror=y>', "{{7*7}}", "%(actual)s", "100%"],
)
@pytest.mark.parametrize("language", languages())
def test_texts_from_outside_stay_texts(name: str, language: str) -> None:
    document = sample.document(vendor=name, names=[name])
    document["merchant"] = document["policy"]["sha256"] = name
    page = html(Report(document, language))

    assert "<script" not in page
    assert "<img" not in page
    assert ">49<" not in page
    if "%" in name:
        assert f">{name}</h1>" in page


def test_a_direction_override_cannot_turn_a_figure_round() -> None:
    page = html(Report(sample.document(vendor="BPO \u202e19\u202c", names=["\u2067x"]), "en"))

    assert ">BPO 19</h1>" in page
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", page)


def test_a_metric_and_an_exclusion_newer_than_the_page_are_shown_by_their_ids() -> None:
    document = sample.document(names=[])
    figures = document["vendor_scores"]["metrics"]
    figures["effort"] = dict(figures["csat"], kind="mean", evidence="clear", contract="missed")
    document["volume"]["excluded"]["test"] = 4

    page = html(Report(document, "en"))

    assert "effort" in page
    assert ">test<" in page


@pytest.mark.parametrize(
    ("vendor", "expected"),
    [
        ("Hoa Sen BPO", "Hoa-Sen-BPO_2026-10_r1.pdf"),
        ("../../x\r\ny", "x-y_2026-10_r1.pdf"),
        ("Chăm Sóc", "Chăm-Sóc_2026-10_r1.pdf"),
    ],
)
def test_the_file_name_is_one_path_segment(vendor: str, expected: str) -> None:
    assert file_name(sample.document(vendor=vendor)) == expected


def test_drawings_stand_on_the_page_only_where_there_is_something_to_draw() -> None:
    alone = html(Report(sample.document(), "en"))
    document = sample.with_peers(sample.document())
    history = (sample.document(month="2026-08"), sample.document(month="2026-09"))
    drawn = html(Report(document, "en", history=history))

    assert 'class="drawings"' not in alone
    assert drawn.count('class="xmr"') == drawn.count('class="funnel"') == 1
    assert "Resolved, month by month" in drawn


def test_a_months_verdict_has_a_word_and_a_shape_of_its_own() -> None:
    history = [sample.document(month=f"2026-{at:02}") for at in range(4, 10)]
    for at, each in enumerate(history):
        each["vendor_scores"]["metrics"]["csat"]["value"] = f"0.60{at % 2}"
    page = html(Report(sample.document(), "en", history=tuple(history)))

    assert '<span class="improving">improving</span> \u00b7 will fail' in page
    assert ".improving::before" in page


def test_what_case_mix_moves_is_said_beside_the_figure_only_where_it_moves_it() -> None:
    document = sample.with_peers(sample.document(names=["A", "B", "C"]))
    for agent, shift in zip(document["agents"], ("0.001", "0.019", "0.02"), strict=True):
        figures = agent["metrics"]["first_contact_resolution"]
        figures["adjusted"] = str(Decimal(figures["value"]) + Decimal(shift))
    page = html(Report(document, "en"))

    assert page.count("<small>adjusted ") == 1


def test_a_percentile_can_be_the_headline_and_has_no_words_in_its_picture() -> None:
    document = sample.document()
    for name, figures in document["vendor_scores"]["metrics"].items():
        figures["target"] = figures["target"] if name == "resolution_p90" else None
    page = html(Report(document, "en", history=(sample.document(month="2026-09"),)))
    picture = page[page.index('class="xmr"') :].split("</svg>")[0]

    assert "Time to resolve (p90), month by month" in page
    assert "target 2\u00a0d" in page
    assert "\u00a0" not in picture.split("</title>")[1]


@pytest.mark.parametrize("language", languages())
def test_no_picture_has_words(language: str) -> None:
    """Text in an SVG is set letter by letter, which takes Thai apart: words stand beside it."""
    history = tuple(sample.document(month=f"2026-{month:02}") for month in range(1, 10))
    page = html(Report(sample.with_peers(sample.document()), language, history=history))
    texts = re.findall(r"<text[^>]*>(.*?)</text>", page)

    assert len(texts) > 10
    assert [text for text in texts if not re.fullmatch(r"[0-9.,%\u00a0-]+|[A-Zn]", text)] == []
