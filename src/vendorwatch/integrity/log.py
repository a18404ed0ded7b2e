"""The log of one month as it is looked at here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from vendorwatch.periods import Micros

CountedDay = Mapping[str | None, int]
"""How many contacts the merchant counted on a day: by channel, or under null of all channels."""


@dataclass(frozen=True, slots=True)
class Log:
    """A month's interactions in force, in any order, and what the merchant counted of it.

    `interactions` has source_account, interaction_id, channel and agent_id (text; the last one may
    be null), opened_at (microseconds UTC), customer_ref (bytes or null) and excluded: why it enters
    no metric, as the scorecard counts it, or null.

    `days` are those of the month, each with its bounds, half open; `until` is the instant up to
    which the log is looked at. `counted` is only of days that the merchant said something of.
    """

    interactions: pl.DataFrame
    days: Sequence[tuple[date, Micros, Micros]]
    until: Micros
    counted: Mapping[date, CountedDay]
