"""Every command of docs/howto/send-logs.md runs, in its order, and does what the page says."""

import json
import re
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from running_server import PROGRAM, running_server
from vendorwatch.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "send-logs.md"


@pytest.fixture
async def key_text(key: Callable[..., Awaitable[str]]) -> str:
    return await key("upload")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_the_page_can_be_followed_from_top_to_bottom(
    settings: Settings, database_url: str, key_text: str, tmp_path: Path
) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    folder = tmp_path / "vendor"
    folder.mkdir()
    environment = {
        "VENDORWATCH_DATABASE_URL": database_url,
        "VENDORWATCH_DATA_DIR": str(settings.data_dir),
        "VENDORWATCH_SECRET_KEY": settings.secret_key,
    }
    with running_server(environment, tmp_path) as address:
        # One shell, as for the reader: what a step sets is there in the next. It stops at the
        # first command that fails.
        script = "\necho ---\n".join(blocks).replace("https://scores.example.com", address)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env={"PATH": f"{Path(PROGRAM).parent}:/usr/bin:/bin", "KEY": key_text},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    answers = [answer.strip() for answer in done.stdout.split("---\n")]
    assert json.loads(answers[0])["scopes"] == ["upload"]
    assert json.loads(answers[2])["rejected"] == 1  # the dry run
    assert answers[3] == "207"
    assert "reply_before_open" in answers[4]
    assert json.loads(answers[5])["created"] == 1
    assert "created 0, revised 0, duplicate 3, rejected 1" in answers[6]
    # The nightly job sends the same file by the same command: it is the same upload.
    receipt = json.loads((folder / "last-receipt.json").read_text())
    assert receipt["status"] == "partial"
    assert receipt["id"] in answers[6]
    assert (
        answers[8].count('"interaction_id":"T-1001"') == 3
    )  # in the month, and as one with states


def test_the_page_names_only_what_is_there() -> None:
    text = PAGE.read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (PAGE.parent / target).exists(), target
