"""Mapping files: a vendor's own CSV as interactions, without code. Pure."""

from vendorwatch.interactions.formats.delimited import Dialect
from vendorwatch.interactions.mapping.faults import BadMapping
from vendorwatch.interactions.mapping.language import parse_mapping
from vendorwatch.interactions.mapping.table import Mapped, Mapping, SkipRow

__all__ = ["BadMapping", "Dialect", "Mapped", "Mapping", "SkipRow", "parse_mapping"]
