"""Every command of docs/howto/quality-reviews.md runs, in its order, and does what the page says."""

import json
import re
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from running_server import PROGRAM, running_server
from sample_logs import ndjson, row
from vendorwatch.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "quality-reviews.md"


@pytest.fixture
async def keys(key: Callable[..., Awaitable[str]]) -> tuple[str, str]:
    """The merchant's and the vendor's."""
    return await key("manage", "read"), await key("upload")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_the_page_can_be_followed_from_top_to_bottom(
    settings: Settings, database_url: str, keys: tuple[str, str], tmp_path: Path
) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    merchant, vendor = keys
    folder = tmp_path / "merchant"
    folder.mkdir()
    environment = {
        "VENDORWATCH_DATABASE_URL": database_url,
        "VENDORWATCH_DATA_DIR": str(settings.data_dir),
        "VENDORWATCH_SECRET_KEY": settings.secret_key,
    }
    with running_server(environment, tmp_path) as address:
        sent = httpx.post(
            f"{address}/v1/uploads",
            content=ndjson(row(number) for number in range(1, 9)),
            headers={"Authorization": f"Bearer {vendor}", "Content-Type": "application/x-ndjson"},
        )
        assert sent.status_code == 201
        # One shell, as for the reader. It stops at the first command that fails.
        script = "\necho ---\n".join(blocks).replace("https://scores.example.com", address)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env={"PATH": f"{Path(PROGRAM).parent}:/usr/bin:/bin", "KEY": merchant},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    answers = [answer.strip() for answer in done.stdout.split("---\n")]
    assert json.loads(answers[1])["version"] == 1
    sample = (folder / "sample.txt").read_text().split()
    assert len(set(sample)) == 2
    assert set(sample) <= set((folder / "interactions.txt").read_text().split())
    receipt = json.loads(answers[3])
    assert (receipt["created"], receipt["reviews"][0]["share"]) == (2, "37/40")
    assert "37/40" in PAGE.read_text("utf-8")
    decoder = json.JSONDecoder()
    shown, end = decoder.raw_decode(answers[4])
    withdrawn, end = decoder.raw_decode(answers[4], end)
    listed, _ = decoder.raw_decode(answers[4], end)
    assert shown["review"]["interaction_id"] == sample[0]
    assert [each["withdrawn"] for each in withdrawn["revisions"]] == [True, False]
    assert [(each["review_id"], each["withdrawn"]) for each in listed] == [
        ("2026-10-0002", True),
        ("2026-10-0001", False),
    ]
