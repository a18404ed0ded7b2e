"""Requests made from the OpenAPI document: nothing breaks, and every answer is a documented one."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fuzz.profiles import LONG
from running_server import running_server
from vendorwatch.access.model import SCOPES
from vendorwatch.settings import Settings

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
# A body can fit its schema and still be refused for what it means: a review of an interaction that
# is not there, a policy whose weights do not add up. Such refusals are documented as 422.
NOT_PROMISED = "positive_data_acceptance"
EFFORT = (
    ("--max-examples", "100") if LONG else ("--max-examples", "1", "--generation-deterministic")
)
PHASES = "examples,coverage,fuzzing" if LONG else "examples,fuzzing"

one_engine = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
async def all_scopes(key: Callable[..., Awaitable[str]]) -> str:
    return await key(*SCOPES)


@one_engine
async def test_every_answer_is_one_that_the_document_tells(
    settings: Settings, all_scopes: str, tmp_path: Path
) -> None:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("VENDORWATCH_")}
    environment = inherited | settings.environment()
    with running_server(environment, tmp_path) as address:
        command = [
            SCHEMATHESIS, "run", f"{address}/openapi.json",
            "--header", f"Authorization: Bearer {all_scopes}",
            "--checks", "all", "--exclude-checks", NOT_PROMISED,
            "--phases", PHASES, *EFFORT, "--continue-on-failure",
            "--no-color", "--warnings", "off",
        ]  # fmt: skip
        told = await asyncio.to_thread(
            subprocess.run,
            command,
            cwd=tmp_path,
            env=inherited | {"SCHEMATHESIS_HOOKS": "fuzz.bodies", "PYTHONPATH": _paths()},
            capture_output=True,
            text=True,
            check=False,
        )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Tested:" in told.stdout


def _paths() -> str:
    return os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
