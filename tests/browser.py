"""A real browser, for what nobody else can tell: whether a page has a place on a screen."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from html import escape, unescape
from pathlib import Path

import pytest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
needs_browser = pytest.mark.skipif(BROWSER is None, reason="needs Chromium")

_MEASURE = """
<script>
onload = () => {
  const frames = [...document.querySelectorAll("iframe")];
  const wider = frames.map(each => {
    const page = each.contentDocument, edge = page.documentElement.clientWidth;
    const scrolls = page.documentElement.scrollWidth > edge;
    const out = [...page.body.querySelectorAll("*")].filter(
      it => scrolls && it.getBoundingClientRect().right > edge
    );
    return [each.title, out.map(it => it.outerHTML.slice(0, 120))];
  });
  document.body.textContent = "found:" + JSON.stringify(Object.fromEntries(wider)) + ":found";
};
</script>
"""


def beyond_the_edge(pages: Mapping[str, str], width: int, folder: Path) -> dict[str, list[str]]:
    """Of each page that has to be scrolled sideways on a screen so wide in pixels, what reaches beyond
    its edge: the beginnings of elements.
    """
    frames = "".join(
        f'<iframe title="{escape(name)}" srcdoc="{escape(page)}" style="width: {width}px; border: 0"></iframe>'
        for name, page in pages.items()
    )
    outer = folder / "pages.html"
    outer.write_text(f"<!DOCTYPE html><meta charset=utf-8>{_MEASURE}<body>{frames}", "utf-8")
    command = [
        str(BROWSER),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
    ]
    command += [f"--user-data-dir={folder / 'profile'}", "--dump-dom", outer.as_uri()]
    made = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    [found] = re.findall("<body>found:(.*):found", unescape(made.stdout), re.DOTALL)
    told: dict[str, list[str]] = json.loads(found)
    return told
