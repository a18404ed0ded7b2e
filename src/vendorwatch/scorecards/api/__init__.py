"""`/v1/scorecards`."""

from vendorwatch.scorecards.api import cards, figures, knowledge, trends

HANDLERS = (*cards.HANDLERS, *figures.HANDLERS, *knowledge.HANDLERS, *trends.HANDLERS)
