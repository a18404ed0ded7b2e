"""`/v1/scorecards`."""

from vendorwatch.scorecards.api import agents, cards, figures, knowledge, trends

HANDLERS = (
    *cards.HANDLERS,
    *agents.HANDLERS,
    *figures.HANDLERS,
    *knowledge.HANDLERS,
    *trends.HANDLERS,
)
