"""Who is credited for a reply and for a resolution."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import polars as pl

CREDIT = {"response": "response_agent", "resolution": "resolution_agent"}
"""The column that tells whom the metrics of a dimension are credited to."""

NAMED = ("agent_id", "first_reply_agent_id", "resolved_by_agent_id")


@dataclass(frozen=True)
class Credit:
    """The agents that a log names, as an Enum, and the aliases that stand for others of them."""

    agents: pl.Enum
    alias_of: Mapping[str, str]

    @classmethod
    def of(cls, named_by: Iterable[pl.Series], aliases: Mapping[str, str]) -> Self:
        """`named_by`: the distinct values of each of the columns NAMED."""
        named = pl.concat([each.alias("agent_id") for each in named_by]).unique()
        alias_of = {alias: aliases[alias] for alias in named if alias in aliases}
        return cls(pl.Enum(named.replace(alias_of).unique().sort()), alias_of)

    def columns(self) -> list[pl.Expr]:
        """response_agent and resolution_agent: whom each dimension is credited to."""
        return [
            pl.coalesce(told, "agent_id").replace(self.alias_of).cast(self.agents).alias(column)
            if self.alias_of
            else pl.coalesce(told, "agent_id").cast(self.agents).alias(column)
            for column, told in zip(CREDIT.values(), NAMED[1:], strict=True)
        ]
