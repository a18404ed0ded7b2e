"""`/v1/scorecards`."""

from vendorwatch.scorecards.api import cards, figures, trends

HANDLERS = (*cards.HANDLERS, *figures.HANDLERS, *trends.HANDLERS)
