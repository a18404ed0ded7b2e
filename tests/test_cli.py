"""The commands that belong to no feature."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import httpx
import pytest

from conftest import Ran
from vendorwatch.cli import cli
from vendorwatch.db import migrate
from vendorwatch.settings import Settings

Command = Callable[..., Ran]


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], click.Command]]:
    found = []
    for name, command in group.commands.items():
        found.append(((*path, name), command))
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
    return found


@pytest.mark.parametrize(
    ("path", "command"),
    commands(cli),
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_every_command_explains_itself(path: tuple[str, ...], command: click.Command) -> None:
    assert command.help, path
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{' '.join(path)} {parameter.name}"


def test_the_database_is_upgraded_and_told_about(command: Command, empty: str) -> None:
    assert command("db", "current", "--json").json == {"current": None, "needed": migrate.head()}
    assert command("db", "check").exit_code == 5
    assert command("db", "upgrade").exit_code == 0
    assert command("db", "upgrade").exit_code == 0
    assert command("db", "check").exit_code == 0
    assert command("db", "current", "--json").json["current"] == migrate.head()


@pytest.fixture
def empty(empty_database_url: str, command: Command, monkeypatch: pytest.MonkeyPatch) -> str:
    """Commands of this test find a database without a table."""
    monkeypatch.setenv("VENDORWATCH_DATABASE_URL", empty_database_url)
    return empty_database_url


def test_only_sqlite_upgrades_by_itself(command: Command, empty: str) -> None:
    ran = command("engagement", "list", "--json")
    if empty.startswith("sqlite"):
        assert (ran.exit_code, ran.json) == (0, [])
    else:
        assert ran.exit_code == 5
        assert "vendorwatch db upgrade" in ran.err


def test_settings_are_shown_without_secrets(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDORWATCH_DATABASE_URL", "postgresql://me:canary@h/n?password=canary")
    shown = command("settings", "--json")
    assert [item["variable"] for item in shown.json] == [
        setting.variable for setting in Settings.CATALOGUE
    ]
    text = command("settings").out
    assert "canary" not in shown.out + text
    assert os.environ["VENDORWATCH_SECRET_KEY"] not in shown.out + text
    for setting in Settings.CATALOGUE:
        assert setting.meaning in text


def test_bad_settings_are_all_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENDORWATCH_BIND", "x")
    monkeypatch.setenv("VENDORWATCH_TYPO", "x")
    ran = command("settings")
    assert ran.exit_code == 2
    assert [line.split(":")[0].strip() for line in ran.err.splitlines()[1:]] == [
        "VENDORWATCH_BIND",
        "VENDORWATCH_TYPO",
    ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(server.communicate(timeout=10))


@pytest.mark.parametrize(
    ("engine_name", "stop"),
    [("sqlite", signal.SIGTERM), ("sqlite", signal.SIGINT), ("postgresql", signal.SIGTERM)],
    indirect=["engine_name"],
)
def test_serve_prints_its_address_answers_and_stops(
    settings: Settings, tmp_path: Path, stop: signal.Signals
) -> None:
    port = free_port()
    environment = settings.environment() | {"VENDORWATCH_BIND": f"127.0.0.1:{port}"}
    server = subprocess.Popen(
        [sys.executable, "-m", "vendorwatch", "serve"],
        env=environment,
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/ready", server)
        answer = httpx.get(f"http://127.0.0.1:{port}/v1/me", trust_env=False)
        assert answer.status_code == 401
        server.send_signal(stop)
        out, err = server.communicate(timeout=30)
    finally:
        server.kill()
    assert server.returncode == 0, err
    assert out.startswith(f"vendorwatch listens on http://127.0.0.1:{port}")
    assert out.endswith("Stopped.\n")
    assert all(re.match(r"\{.*\}$", line) for line in err.splitlines()), err


def test_serve_refuses_a_port_in_use(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("VENDORWATCH_BIND", f"127.0.0.1:{taken.getsockname()[1]}")
        ran = command("serve")
    assert ran.exit_code == 5
    assert "in use" in ran.err
