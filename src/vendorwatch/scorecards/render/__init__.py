"""A scorecard as a person reads it: HTML, PDF and CSV."""

from vendorwatch.scorecards.render.agent_page import AgentReport, html_of_agents
from vendorwatch.scorecards.render.failure import RenderFailed
from vendorwatch.scorecards.render.page import Report, html
from vendorwatch.scorecards.render.renderer import Renderer, file_name, report_name
from vendorwatch.scorecards.render.tabular import csv_text
from vendorwatch.scorecards.render.wording import languages

__all__ = [
    "AgentReport",
    "RenderFailed",
    "Renderer",
    "Report",
    "csv_text",
    "file_name",
    "html",
    "html_of_agents",
    "languages",
    "report_name",
]
