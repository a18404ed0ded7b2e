"""One vendor's scorecard on paper, by a rendering process that is running already."""

from collections.abc import Mapping

from bench import frames
from bench.measure import Samples, Timing, in_turns, timed
from bench.receiving import NOW
from vendorwatch.scorecards.render import Renderer, Report, html
from vendorwatch.scoring.score import score_month

HTML, PDF = "HTML", "PDF"
AGENTS, INTERACTIONS = 25, 5_000


def measure(repetitions: int) -> Samples:
    report = Report(score_month(frames.inputs(INTERACTIONS, AGENTS, now=NOW)), "en")
    renderer = Renderer()
    try:
        return in_turns(
            f"rendering {AGENTS} agents",
            [lambda: _html(report), lambda: _pdf(renderer, report)],
            repetitions,
        )
    finally:
        renderer.close()


def _html(report: Report) -> Mapping[str, Timing]:
    with timed() as timing:
        html(report)
    return {HTML: timing}


def _pdf(renderer: Renderer, report: Report) -> Mapping[str, Timing]:
    with timed() as timing:
        made = renderer.pdf(report)
    assert made.startswith(b"%PDF")
    return {PDF: timing}
