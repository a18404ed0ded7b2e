"""Settings: every mistake at once, secrets for the owner alone."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vendorwatch.settings import BadSettings, Settings


def test_defaults() -> None:
    settings = Settings.from_env({"PATH": "/bin"})
    assert settings.data_dir == Path("var")
    assert settings.database_url == "sqlite:///var/vendorwatch.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.log_level == "info"


def test_what_is_set_wins(tmp_path: Path) -> None:
    settings = Settings.from_env(
        {
            "VENDORWATCH_DATA_DIR": str(tmp_path),
            "VENDORWATCH_BIND": "0.0.0.0:80",
            "VENDORWATCH_PUBLIC_URL": "https://example.org/scores/",
            "VENDORWATCH_SECRET_KEY": "x" * 32,
        }
    )
    assert settings.database_url == f"sqlite:///{tmp_path}/vendorwatch.db"
    assert (settings.host, settings.port) == ("0.0.0.0", 80)  # noqa: S104  what is parsed
    assert settings.public_url == "https://example.org/scores"
    assert settings.secret() == b"x" * 32
    assert list(tmp_path.iterdir()) == []


def test_an_empty_variable_is_not_set() -> None:
    assert Settings.from_env({"VENDORWATCH_BIND": ""}).port == 8000


def test_every_bad_variable_is_named_at_once() -> None:
    with pytest.raises(BadSettings) as raised:
        Settings.from_env(
            {
                "VENDORWATCH_BIND": "8000",
                "VENDORWATCH_DATABASE_URL": "mysql://x",
                "VENDORWATCH_SECRET_KEY": "short",
                "VENDORWATCH_PUBLIC_URL": "example.org",
                "VENDORWATCH_ALLOWED_HOSTS": "a.example,b.example:80",
                "VENDORWATCH_LOG_LEVEL": "loud",
                "VENDORWATCH_BINT": "typo",
                "VENDORWATCH_RATE_LIMIT": "-1",
                "VENDORWATCH_BODY_FLOOR": "1e3",
            }
        )
    assert {fault.field for fault in raised.value.faults} == {
        "VENDORWATCH_BIND",
        "VENDORWATCH_DATABASE_URL",
        "VENDORWATCH_SECRET_KEY",
        "VENDORWATCH_PUBLIC_URL",
        "VENDORWATCH_ALLOWED_HOSTS",
        "VENDORWATCH_LOG_LEVEL",
        "VENDORWATCH_BINT",
        "VENDORWATCH_RATE_LIMIT",
        "VENDORWATCH_BODY_FLOOR",
    }
    assert "short" not in str(raised.value.detail)


@pytest.mark.parametrize("bind", ["x", ":80", "h:", "h:x", "h:65536", "::1:80", "h:1 "])
def test_what_is_not_an_address(bind: str) -> None:
    with pytest.raises(BadSettings):
        Settings.from_env({"VENDORWATCH_BIND": bind})


def test_an_address_of_version_6() -> None:
    settings = Settings.from_env({"VENDORWATCH_BIND": "[::1]:80"})
    assert (settings.host, settings.port) == ("::1", 80)
    assert settings.public_url == "http://[::1]:80"
    child = Settings.from_env(settings.environment())
    assert (child.host, child.port) == ("::1", 80)


def test_a_secret_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    settings = Settings.from_env({"VENDORWATCH_DATA_DIR": str(tmp_path / "new")})
    with ThreadPoolExecutor(8) as threads:
        secrets = set(threads.map(lambda _: settings.secret(), range(32)))
    assert len(secrets) == 1
    [path] = (tmp_path / "new").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(secrets.pop()) >= 32


def test_each_setting_is_in_the_catalogue() -> None:
    named = {setting.variable.removeprefix("VENDORWATCH_") for setting in Settings.CATALOGUE}
    assert named == {
        "DATA_DIR", "DATABASE_URL", "SECRET_KEY", "BIND", "PUBLIC_URL", "LOG_LEVEL",
        "ALLOWED_HOSTS", "SMTP_URL", "MAIL_FROM", "OPERATORS", "MAIL_MAX_BYTES",
        "RATE_LIMIT", "FAILED_KEYS", "DAILY_ROWS", "DAILY_BYTES", "UPLOADS_AT_ONCE",
        "UPLOADS_OPEN", "UPLOADS_OPEN_EACH", "BODY_FLOOR", "BODY_GRACE", "HEAD_SECONDS",
        "DISK_RESERVE", "EMBEDDED_WORKER",
    }  # fmt: skip
    assert all(setting.meaning.endswith(".") for setting in Settings.CATALOGUE)


def test_a_child_process_gets_the_same_settings(tmp_path: Path) -> None:
    settings = Settings.from_env(
        {
            "VENDORWATCH_DATA_DIR": str(tmp_path),
            "VENDORWATCH_BIND": "127.0.0.1:81",
            "VENDORWATCH_ALLOWED_HOSTS": "Scores.example.org, [fd00::1]",
            "VENDORWATCH_RATE_LIMIT": "0",
        }
    )
    assert Settings.from_env(settings.environment()) == settings


def test_bounds_without_which_nothing_would_come_through_cannot_be_switched_off() -> None:
    bounds = Settings.from_env(
        {"VENDORWATCH_UPLOADS_AT_ONCE": "0", "VENDORWATCH_HEAD_SECONDS": "0"}
    ).bounds
    assert (bounds.uploads_at_once, bounds.head_seconds) == (1, 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_URL", "mail.example.org"),
        ("SMTP_URL", "smtp://"),
        ("SMTP_URL", "smtp://us:secret@host/\r\nx"),
        ("SMTP_URL", "http://mail.example.org"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "A <a@example.org>\r\nBcc: b@example.org"),
        ("MAIL_FROM", "a@example.org, b@example.org"),
        ("OPERATORS", "a@example.org, b@example.org"),
        ("MAIL_MAX_BYTES", "10M"),
    ],
)
def test_what_mail_cannot_be_sent_with(name: str, value: str) -> None:
    with pytest.raises(BadSettings) as raised:
        Settings.from_env({f"VENDORWATCH_{name}": value})
    assert [fault.field for fault in raised.value.faults] == [f"VENDORWATCH_{name}"]
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("public_url", "sender"),
    [
        ("https://scores.example.org/x", "vendorwatch <vendorwatch@scores.example.org>"),
        ("http://127.0.0.1:8000", "vendorwatch <vendorwatch@localhost>"),
        ("http://[::1]:8000", "vendorwatch <vendorwatch@localhost>"),
    ],
)
def test_whom_mail_is_from(public_url: str, sender: str) -> None:
    assert Settings.from_env({"VENDORWATCH_PUBLIC_URL": public_url}).mail_from == sender
