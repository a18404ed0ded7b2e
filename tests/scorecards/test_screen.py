"""The agents' page on a screen of any width: nothing is cut off, nobody scrolls sideways."""

from pathlib import Path

import pytest

from browser import beyond_the_edge, needs_browser
from scorecards.agent_sample import FEW, FULL, IDLE, LONG, THAI, report
from vendorwatch.scorecards.render import html_of_agents, languages


@needs_browser
@pytest.mark.parametrize("width", [320, 800, 1000])
def test_nothing_reaches_beyond_the_edge(width: int, tmp_path: Path) -> None:
    pages = {
        f"{language} {place}": html_of_agents(report(language, only=[place]))
        for language in languages()
        for place in (FULL, FEW, IDLE, LONG, THAI)
    }
    assert beyond_the_edge(pages, width, tmp_path) == {name: [] for name in pages}
