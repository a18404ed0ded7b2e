"""The examination of a month as the API and the commands tell it."""

from typing import Self

import msgspec

from vendorwatch.anomalies.service import Examined
from vendorwatch.integrity.left_out import LeftOut
from vendorwatch.integrity.numbers import Numbers
from vendorwatch.integrity.report import Flag
from vendorwatch.integrity.runs import InteractionKey, Run
from vendorwatch.integrity.volume import Volume
from vendorwatch.periods import format_instant


class RunItem(msgspec.Struct, frozen=True, kw_only=True):
    """Of one customer. `agent_ids` and `begins_with` are in the order of time; of a long run they are
    the first ones.
    """

    first_opened_at: str
    last_opened_at: str
    interactions: int
    agent_ids: list[str]
    begins_with: list[InteractionKey]

    @classmethod
    def of(cls, run: Run) -> Self:
        return cls(
            first_opened_at=format_instant(run.first_opened_at),
            last_opened_at=format_instant(run.last_opened_at),
            interactions=run.interactions,
            agent_ids=run.agent_ids,
            begins_with=run.begins_with,
        )


class ContactRuns(msgspec.Struct, frozen=True, kw_only=True):
    flagged: bool
    runs: int
    interactions: int
    of: int
    longest: list[RunItem]


class MonthAnomalies(msgspec.Struct, frozen=True, kw_only=True):
    """See docs/reference/anomalies.md."""

    month: str
    time_zone: str
    as_of: str
    flags: list[Flag]
    volume: Volume
    contact_runs: ContactRuns
    missing_numbers: Numbers
    left_out: LeftOut


def month_anomalies(examined: Examined) -> MonthAnomalies:
    found = examined.anomalies
    on_end = found.contact_runs
    return MonthAnomalies(
        month=str(examined.month),
        time_zone=examined.time_zone,
        as_of=format_instant(examined.as_of),
        flags=found.flags,
        volume=found.volume,
        contact_runs=ContactRuns(
            flagged=on_end.flagged,
            runs=on_end.runs,
            interactions=on_end.interactions,
            of=on_end.of,
            longest=[RunItem.of(run) for run in on_end.longest],
        ),
        missing_numbers=found.missing_numbers,
        left_out=found.left_out,
    )
