"""The demo's server lives as long as its block, and says why when it does not."""

import socket
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from vendorwatch.demo.server import ServerFailed, free_port, serving
from vendorwatch.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    port = free_port()
    made = Settings.from_env({"VENDORWATCH_DATA_DIR": str(tmp_path)})
    return replace(made, port=port, public_url=f"http://127.0.0.1:{port}", log_level="warning")


def test_it_answers_in_the_block_and_is_gone_after_it_even_if_that_failed(
    settings: Settings,
) -> None:
    def fail() -> None:
        with serving(settings):
            assert httpx.get(f"{settings.public_url}/health", trust_env=False).is_success
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", settings.port)) != 0


def test_a_server_that_cannot_start_is_told_with_the_end_of_its_log(settings: Settings) -> None:
    broken = replace(settings, database_url="sqlite:////proc/no/such/folder.db")

    with pytest.raises(ServerFailed, match=r"(?s)Its log ends so:.*\w"), serving(broken):
        pytest.fail("it cannot be ready")
