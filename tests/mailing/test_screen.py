"""Mail on a telephone: nothing is cut off, whatever vendors and merchants are called."""

from pathlib import Path

import pytest

from browser import beyond_the_edge, needs_browser
from mailing.sample_letter import LINK, UNSUBSCRIBE, notice_of, parts
from scorecards import sample
from vendorwatch.mailing import agents_letter, letter, notice
from vendorwatch.mailing.letter import Part, Reader
from vendorwatch.scorecards.render import languages

LONG = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewis"


@needs_browser
@pytest.mark.parametrize("width", [320, 600])
def test_nothing_reaches_beyond_the_edge(width: int, tmp_path: Path) -> None:
    pages = {}
    for language in languages():
        reader = Reader(language, f"{LONG}@example.org", LONG, UNSUBSCRIBE)
        card = sample.document(vendor=LONG, revision=2)
        digest = [*parts("one"), *parts("nothing"), Part(card, LINK, is_attached=False)]
        pages |= {
            f"{language} digest": letter.text(digest, reader).html,
            f"{language} notice": notice.text(notice_of("approval_reminder"), reader).html,
            f"{language} agents": agents_letter.text(card, LINK, reader, is_attached=True).html,
        }
    assert beyond_the_edge(pages, width, tmp_path) == {name: [] for name in pages}
