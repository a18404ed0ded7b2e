"""One small number for each channel and priority, and what stands under it."""

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import polars as pl

from vendorwatch.scoring.policy import Target, Targets
from vendorwatch.scoring.words import CHANNELS, PRIORITIES

K = TypeVar("K", bound=Hashable)

CODE = "target_code"
_PRIORITIES = (None, *PRIORITIES)
CODES = len(CHANNELS) * len(_PRIORITIES)


def target_code() -> pl.Expr:
    """From the columns channel and priority."""
    channel = pl.col("channel").to_physical().cast(pl.UInt8)
    priority = (pl.col("priority").to_physical().cast(pl.UInt8) + 1).fill_null(0)
    return (channel * len(_PRIORITIES) + priority).alias(CODE)


def channel_of(code: int) -> str:
    return CHANNELS[code // len(_PRIORITIES)]


def target_of(targets: Targets, code: int) -> Target:
    return targets.find(channel_of(code), _PRIORITIES[code % len(_PRIORITIES)])


def choose(by_code: Mapping[int, K], make: Callable[[K], pl.Expr]) -> pl.Expr:
    """For each row what its code stands for; each different thing is made once."""
    groups: dict[K, list[int]] = {}
    for code, chosen in by_code.items():
        groups.setdefault(chosen, []).append(code)
    (usual, _), *others = sorted(groups.items(), key=lambda group: -len(group[1]))
    expression = make(usual)
    for chosen, codes in others:
        mine = pl.lit(pl.Series([code in codes for code in range(CODES)])).gather(pl.col(CODE))
        expression = pl.when(mine).then(make(chosen)).otherwise(expression)
    return expression
