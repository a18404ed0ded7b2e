"""docs/reference/policy.md names whatever the reader takes, and what it shows is taken."""

import re
from pathlib import Path

import pytest

from vendorwatch.policies.service import default_policy
from vendorwatch.scoring.metrics import DIMENSION_OF, PERCENTILES
from vendorwatch.scoring.policy_file import parse_policy
from vendorwatch.scoring.policy_reader import BadPolicy

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "policy.md").read_text("utf-8")
# A key that nobody knows in every table: the reader then says which it knows.
TABLES = [
    "",
    "[minimum_volume]",
    "[hours]",
    "[hours.default]",
    "[targets]",
    "[targets.first_reply]",
    "[targets.first_reply.default]",
    "[targets.first_reply.chat]",
    "[dimensions]",
    *(f"[dimensions.{name}]" for name in ("response", "resolution", "knowledge")),
    *(f"[dimensions.{name}.metrics]" for name in ("response", "resolution", "knowledge")),
    "[dimensions.response.metrics.csat]",
    "[dimensions.response.metrics.first_reply_p50]",
]


def known_keys() -> set[str]:
    asked = "\n".join(f"{table}\nnobody_knows = 1" for table in TABLES)
    clock_time = '[targets.resolution.default]\nreply_by = "19:00"\nnobody_knows = 1\n'
    with pytest.raises(BadPolicy) as caught:
        parse_policy(f"{asked}\n{clock_time}")
    found: set[str] = set()
    for fault in caught.value.faults:
        found |= set(fault.detail.partition("known here: ")[2].split(", "))
    return found - {""}


def test_every_key_that_the_reader_takes_is_named() -> None:
    keys = known_keys()
    assert {"name", "vendor", "holidays", "next_reply", "seconds", "reply_by", "clock"} <= keys
    assert {"weight", "floor", "urgent", "marketplace", "csat", "knowledge_pass_rate"} <= keys
    for key in keys:
        assert re.search(rf"(?<=[`.]){key}(?=[`.])", PAGE), key


def test_every_metric_stands_beside_its_dimension() -> None:
    rows = dict(
        re.findall(r"^\| `(response|resolution|knowledge)` \| (.+) \|$", PAGE, re.MULTILINE)
    )
    for metric, dimension in DIMENSION_OF.items():
        shares, _, percentiles = rows[dimension].partition(" | ")
        assert f"`{metric}`" in (percentiles if metric in PERCENTILES else shares), metric


def test_every_code_of_a_mistake_is_explained() -> None:
    folder = Path(__file__).parents[2] / "src" / "vendorwatch" / "scoring"
    source = "".join(path.read_text("utf-8") for path in sorted(folder.glob("policy_*.py")))
    codes = set(re.findall(r'(?:\.fault|_unreadable|\.add)\(\s*"([a-z-]+)"', source)) | {"not-toml"}
    assert len(codes) >= 8
    for code in codes:
        assert f"| `{code}` |" in PAGE, code


def test_the_defaults_are_those_of_the_reader() -> None:
    example = re.search(r"```toml\n(.+?)```", PAGE, re.DOTALL)
    assert example is not None
    policy = parse_policy(example[1])
    told = dict(re.findall(r"^\| `([\w.]+)` \| [^|]+ \| ([^|]+) \|", PAGE, re.MULTILINE))
    for key in ("settling_days", "repeat_window_days", "short_abandon_seconds"):
        assert told[key] == str(getattr(policy, key))
    for key in ("vendor", "agent", "knowledge"):
        assert told[f"minimum_volume.{key}"] == str(getattr(policy.minimum_volume, key))
    assert told["balance"] == f"`{str(policy.balance).lower()}`"
    for key in ("name", "effective_from"):
        assert told[key] == "required"


def test_the_policy_of_the_package_is_explained_here() -> None:
    assert "docs/reference/policy.md" in default_policy().source
