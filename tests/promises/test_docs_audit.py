"""docs/reference/audit.md names every action and every finding, and no other."""

import re
from pathlib import Path
from typing import get_args

from vendorwatch.audit.model import OF_VENDOR, Action, Code

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "audit.md").read_text("utf-8")


def test_every_action_is_on_the_page() -> None:
    told = re.findall(r"^\| `(\w+\.\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(told) == sorted(get_args(Action))


def test_what_a_vendor_sees_is_on_the_page() -> None:
    sentence = re.search(r"a key with `upload` alone those of (.*)\.\n", PAGE)
    assert sentence is not None
    assert sorted(re.findall(r"`([\w.]+)`", sentence[1])) == sorted(OF_VENDOR)


def test_every_finding_is_on_the_page() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [*get_args(Code)]
