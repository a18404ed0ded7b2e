"""What a month's log looks like to somebody who suspects that it was made to look good.

Nothing here proves anything, and nothing here changes a score: each is a reason to ask.
"""

from typing import Literal

import msgspec

from vendorwatch.integrity.left_out import LeftOut, left_out
from vendorwatch.integrity.log import Log
from vendorwatch.integrity.numbers import Numbers, numbers
from vendorwatch.integrity.runs import Runs, runs
from vendorwatch.integrity.volume import Volume, volume

Flag = Literal["volume", "contact_runs", "missing_numbers", "left_out"]


class Anomalies(msgspec.Struct, frozen=True, kw_only=True):
    """`flags` names what is flagged, in the order of what follows."""

    flags: list[Flag]
    volume: Volume
    contact_runs: Runs
    missing_numbers: Numbers
    left_out: LeftOut


def examine(log: Log) -> Anomalies:
    """The same log in any order gives the same."""
    counted, on_end, numbered, out = volume(log), runs(log), numbers(log), left_out(log)
    flags: dict[Flag, bool] = {
        "volume": counted.flagged,
        "contact_runs": on_end.flagged,
        "missing_numbers": numbered.flagged,
        "left_out": out.flagged,
    }
    return Anomalies(
        flags=[flag for flag, is_flagged in flags.items() if is_flagged],
        volume=counted,
        contact_runs=on_end,
        missing_numbers=numbered,
        left_out=out,
    )
