"""docs/howto/watch-the-server.md names every figure, limit and check that there is, and no other."""

import re
from pathlib import Path

import httpx
import pytest

from vendorwatch.settings import Bounds, Settings
from vendorwatch.web.readiness import CHECKS

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "watch-the-server.md").read_text("utf-8")


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_every_figure_is_on_the_page(client: httpx.AsyncClient) -> None:
    served = re.findall(r"# TYPE (\w+) (\w+)", (await client.get("/metrics")).text)
    assert sorted(re.findall(r"^\| `(vendorwatch_\w+)` \| (\w+) \|", PAGE, re.MULTILINE)) == served


def test_every_bound_is_on_the_page() -> None:
    told = set(re.findall(r"`(VENDORWATCH_\w+)`", PAGE))
    assert told >= {setting.variable for setting in Bounds.catalogue()}
    assert told <= {setting.variable for setting in Settings.CATALOGUE}


def test_every_check_is_on_the_page() -> None:
    assert tuple(re.findall(r"^\| `(\w+)` \| (?!counter|gauge|hist)", PAGE, re.MULTILINE)) == CHECKS
