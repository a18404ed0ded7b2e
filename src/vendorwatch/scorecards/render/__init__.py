"""A scorecard as a person reads it: HTML, PDF and CSV."""

from vendorwatch.scorecards.render.failure import RenderFailed
from vendorwatch.scorecards.render.page import Report, html
from vendorwatch.scorecards.render.renderer import Renderer, file_name
from vendorwatch.scorecards.render.tabular import csv_text
from vendorwatch.scorecards.render.wording import languages

__all__ = ["RenderFailed", "Renderer", "Report", "csv_text", "file_name", "html", "languages"]
