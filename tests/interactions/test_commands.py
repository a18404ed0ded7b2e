"""`vendorwatch mapping`: set, shown and tried out from the command line. `push` without a key."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from stopped_clock import StoppedClock
from vendorwatch.interactions.commands import mapping, push
from vendorwatch.settings import Settings
from vendorwatch.terminal import Runtime, run
from vendorwatch.vendors.model import Engagement

Command = Callable[..., tuple[int, str, str]]
MAPPING = """
[times]
format = "%d/%m/%Y %H:%M"
zone = "Asia/Ho_Chi_Minh"

[[skip]]
rule = "a test call"
when = { column = "State", equals = "Test" }

[fields]
interaction_id = "No"
channel = { constant = "phone" }
status = { column = "State", values = { Done = "resolved" } }
opened_at = "Opened"
"""
SAMPLE = "No,State,Opened,Shop\n7,Done,1/10/2026 9:00,A\n8,Lost,1/10/2026 9:05,B\n9,Test,x,C\n"


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "calls.toml"
    path.write_text(MAPPING)
    return path


@pytest.fixture
def command(settings: Settings, clock: StoppedClock, capsys: pytest.CaptureFixture[str]) -> Command:
    """Exit code, standard output and standard error of `vendorwatch mapping`."""
    runtime = Runtime(settings, clock)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        mapping.context_settings["obj"] = runtime
        code = run(mapping, [str(each) for each in arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


def test_a_mapping_is_set_once_and_shown_as_it_was(
    command: Command, engagement: Engagement, toml: Path
) -> None:
    named = ("--engagement", engagement.engagement_id)
    code, output, _ = command("set", toml, *named, "--json")
    first = json.loads(output)
    assert (code, first["version"], len(first["sha256"])) == (0, 1, 64)
    assert command("set", toml, *named, "--json")[1] == output
    toml.write_text(MAPPING + "# newer\n")
    assert json.loads(command("set", toml, *named, "--json")[1])["version"] == 2
    assert command("show", *named) == (0, MAPPING + "# newer\n", "")
    assert command("show", *named, "--version", 1) == (0, MAPPING, "")
    assert command("show", *named, "--version", 9)[0] == 3
    assert command("set", toml, "--engagement", "nobody")[0] == 3


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_mapping_is_tried_on_a_sample_without_a_server(
    command: Command, toml: Path, tmp_path: Path
) -> None:
    assert command("check", toml) == (0, "calls.toml: ok\n", "")
    sample = tmp_path / "calls.csv"
    sample.write_text(SAMPLE)
    code, output, _ = command("check", toml, "--sample", sample)
    assert code == 1
    assert "2026-10-01T02:00:00Z" in output
    assert "3 rows: 1 read, 1 refused, 1 skipped" in output
    assert "Lost" in output
    assert "a test call" in output
    made = json.loads(command("check", toml, "--sample", sample, "--json")[1])
    assert made["refusals"][0]["field"] == "status"
    assert made["refusals"][0]["rows"] == 1
    assert made["extra_columns"] == ["Shop"]
    assert made["first"][0]["interaction_id"] == "7"


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_every_mistake_of_a_mapping_is_told_with_its_line(command: Command, toml: Path) -> None:
    toml.write_text(MAPPING.replace('"Opened"', "5").replace("Asia/Ho_Chi_Minh", "Mars"))
    code, _, error = command("check", toml)
    assert code == 2
    assert "line 4, times.zone" in error
    assert "line 14, fields.opened_at" in error


@pytest.mark.parametrize("key", ["", " \n", "vw_live_a b", "vw_live_\u00e9"])
def test_what_cannot_be_a_key_is_not_sent(
    key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, held = tmp_path / "calls.csv", tmp_path / "key"
    log.write_text(SAMPLE)
    held.write_text(key)
    arguments = (log, "--url", "http://localhost:9", "--key-file", held)
    assert run(push, [str(each) for each in arguments]) == 2
    assert "That is no API key" in capsys.readouterr().err
