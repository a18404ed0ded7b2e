"""`vendorwatch recipient` and `vendorwatch deliver`, as somebody at a terminal uses them."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Ran
from mailing.reports import report
from vendorwatch.db.engine import Database
from vendorwatch.mailing import service
from vendorwatch.settings import Settings
from vendorwatch.vendors.service import find_engagement

Command = Callable[..., Ran]


@pytest.fixture
def engagement_id(command: Command) -> str:
    made = command(
        "engagement", "create", "--merchant", "Trà Sen", "--vendor", "Hoa Sen BPO",
        "--time-zone", "Asia/Ho_Chi_Minh", "--json",
    )  # fmt: skip
    return str(made.json["engagement_id"])


def add(command: Command, engagement_id: str, *more: str) -> Any:
    ran = command(
        "recipient", "add", "--engagement", engagement_id, "--email", "linh@example.org",
        "--name", "Chị Linh", "--language", "vi", "--json", *more,
    )  # fmt: skip
    assert ran.exit_code == 0, ran.err
    return ran.json


def test_recipients(command: Command, engagement_id: str) -> None:
    found = add(command, engagement_id)
    assert add(command, engagement_id) == found
    assert found["kind"] == "digest"
    target = ("--engagement", engagement_id)
    assert command("recipient", "list", *target, "--json").json == [found]
    assert "linh@example.org" in command("recipient", "list", *target).out
    gone = command("recipient", "remove", *target, found["recipient_id"])
    assert gone.exit_code == 0
    assert command("recipient", "list", *target, "--json").json[0]["removed_at"] is not None
    assert command("recipient", "remove", *target, engagement_id).exit_code == 3


def test_a_bad_address_is_refused(command: Command, engagement_id: str) -> None:
    ran = command(
        "recipient", "add", "--engagement", engagement_id, "--email", "a@b, c@d", "--name", "X"
    )
    assert ran.exit_code == 2
    assert "is not one mail address" in ran.err


def test_without_a_server_mail_waits(command: Command, engagement_id: str) -> None:
    ran = command("deliver")
    assert ran.exit_code == 5
    assert "VENDORWATCH_SMTP_URL is not set" in ran.err


@pytest.fixture
def queued(command: Command, engagement_id: str, settings: Settings) -> str:
    """The delivery of a notice; no PDF is needed for it."""
    add(command, engagement_id)

    async def queue() -> str:
        database = Database(settings.database_url)
        try:
            async with database.read_as_operator() as connection:
                scope = (await find_engagement(connection, engagement_id)).scope
            async with database.write(scope) as connection:
                [row] = await service.queue_notice(
                    connection, scope, "2026-10/no-upload", "no_upload", 0
                )
            return row.delivery_id
        finally:
            await database.close()

    return asyncio.run(queue())


def test_deliver_into_a_folder(
    command: Command, queued: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDORWATCH_SMTP_URL", f"file:{tmp_path / 'mail'}")
    assert command("deliver", "cancel", queued).exit_code == 0
    assert command("deliver").out == "No mail is due.\n"
    assert command("deliver", "retry", queued, "--json").json["state"] == "queued"
    ran = command("deliver", "--json")
    assert (ran.exit_code, ran.json) == (
        0,
        {"mails": {"sent": 1}, "lost_leases": 0, "stopped": None},
    )
    assert len(list((tmp_path / "mail").iterdir())) == 1
    [row] = command("deliver", "--list", "--json").json
    assert (row["delivery_id"], row["state"]) == (queued, "sent")
    assert "no_upload" in command("deliver", "--list").out
    assert command("deliver", "retry", queued).exit_code == 4
    assert command("deliver", "cancel", "nonsense").exit_code == 3


def test_a_server_that_is_not_there(
    command: Command, queued: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDORWATCH_SMTP_URL", "smtp://us:hush-hush@127.0.0.1:1")
    ran = command("deliver")
    assert ran.exit_code == 5
    assert "the rest waits: unreachable" in ran.err
    assert "hush" not in ran.err + ran.out + command("settings").out
    assert "smtp://us:***@127.0.0.1:1" in command("settings").out


def test_a_mail_that_came_back(
    command: Command,
    engagement_id: str,
    queued: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VENDORWATCH_SMTP_URL", f"file:{tmp_path / 'mail'}")
    command("deliver")
    [row] = command("deliver", "--list", "--json").json
    file = tmp_path / "report.eml"
    file.write_bytes(b"Subject: nothing of ours\r\n\r\n")
    ran = command("deliver", "bounced", str(file))
    assert (ran.exit_code, "Nothing was changed" in ran.out) == (0, True)
    file.write_bytes(report(row["message_id"]))
    [failed] = command("deliver", "bounced", str(file), "--json").json
    assert (failed["delivery_id"], failed["state"], failed["reason"]) == (
        queued, "failed", "bounced",
    )  # fmt: skip
    target = ("--engagement", engagement_id)
    [linh] = command("recipient", "list", *target, "--json").json
    assert linh["bounced_at"] is not None
    restored = command("recipient", "restore", *target, linh["recipient_id"], "--json").json
    assert restored["bounced_at"] is None
    assert command("recipient", "restore", *target, engagement_id).exit_code == 3
