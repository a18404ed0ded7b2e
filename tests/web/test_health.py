"""Alive, and able to work: two questions."""

import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from conftest import running
from stopped_clock import StoppedClock
from vendorwatch.app import create_app
from vendorwatch.db.engine import Database
from vendorwatch.mailing import service as mailing
from vendorwatch.mailing.model import Asked
from vendorwatch.settings import Settings
from vendorwatch.vendors.model import Engagement
from vendorwatch.web.readiness import check_database, check_disk


async def test_health_needs_no_key(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_ready(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ready")
    assert answer.status_code == 200
    assert answer.json() == dict.fromkeys(("database", "schema", "disk", "secret", "work"), "ok")


async def test_a_month_that_nobody_closed_and_mail_that_nobody_sent_are_told_after_a_day(
    settings: Settings, database: Database, clock: StoppedClock, engagement: Engagement
) -> None:
    asked = Asked(
        email="linh@trasen.example",
        name="Chị Linh",
        language="vi",
        side="merchant",
        kind="digest",
        every_vendor=False,
    )
    async with database.write(engagement.scope.of_merchant()) as connection:
        await mailing.add_recipient(connection, engagement.scope, asked, clock())
        await mailing.queue_notice(
            connection, engagement.scope, "2026-11/no-upload", "no_upload", clock()
        )

    async def told() -> tuple[str, list[str]]:
        """By a server that has not looked before."""
        app = create_app(settings, clock=clock)
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # its types are looser
        async with (
            running(app),
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
        ):
            lines = (await client.get("/metrics")).text.splitlines()
            ready = await client.get("/ready")
        assert ready.status_code == 200
        return ready.json()["work"], [each for each in lines if "vendorwatch_overdue_" in each][
            2::3
        ]

    assert (await told())[0] == "ok"
    clock.advance(seconds=86_400)
    assert (await told())[0] == "a day overdue: 1 mails"
    clock.set("2026-12-08T23:59:59+07:00")  # November was due a day ago, but for a second
    assert (await told())[0] == "a day overdue: 1 mails"
    clock.set("2026-12-09T00:00:00+07:00")
    assert await told() == (
        "a day overdue: 1 months, 1 mails",
        ["vendorwatch_overdue_mails 1", "vendorwatch_overdue_months 1"],
    )


@pytest.mark.parametrize(
    ("revision", "told"),
    [
        ("'9999'", "The schema is newer (9999)"),
        ("'0001'", "The schema is older (0001)"),
        (None, "no tables of ours"),
    ],
)
async def test_another_schema_is_not_ready(
    client: httpx.AsyncClient, database: Database, revision: str | None, told: str
) -> None:
    statement = (
        f"UPDATE alembic_version SET version_num = {revision}"  # noqa: S608  written above
        if revision
        else "DELETE FROM alembic_version"
    )
    async with database.write_as_owner() as connection:
        await connection.execute(text(statement))
    answer = await client.get("/ready")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert [error["field"] for error in answer.json()["errors"]] == ["schema"]
    checks = answer.json()["checks"]
    assert told in checks.pop("schema")
    assert checks == {"database": "ok", "disk": "ok", "secret": "ok"}
    assert (await client.get("/health")).status_code == 200


def test_a_disk_that_is_nearly_full(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    twentieth = shutil.disk_usage(tmp_path).total // 20
    assert check_disk(tmp_path, reserve=1) == []
    least = min(free, twentieth)
    if free < twentieth:  # then a large reserve is more than there is
        [fault] = check_disk(tmp_path, reserve=10**15)
        assert "Nearly full" in fault.detail
    assert check_disk(tmp_path, reserve=least // 2) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_small_disk_that_fills_up(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", tmp_path],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        assert check_disk(tmp_path, reserve=2**30) == []
        (tmp_path / "most").write_bytes(b"x" * (2 * 2**20 - 50_000))
        [fault] = check_disk(tmp_path, reserve=2**30)
        assert (fault.code, fault.field) == ("disk", "disk")
        assert "Nearly full" in fault.detail
        (tmp_path / "rest").write_bytes(b"x" * 40_000)
    finally:
        subprocess.run(["umount", tmp_path], check=True)


async def test_a_secret_that_is_gone(tmp_path: Path, database_url: str) -> None:
    """The server still runs, but with the next start every key would be strange to it."""
    settings = Settings.from_env(
        {"VENDORWATCH_DATABASE_URL": database_url, "VENDORWATCH_DATA_DIR": str(tmp_path)}
    )
    app = create_app(settings)
    async with running(app):
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # its ASGI types are looser
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            assert (await client.get("/ready")).status_code == 200
            settings.secret_path.write_text("another one, of somebody else entirely")
            answer = await client.get("/ready")
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "secret")
            settings.secret_path.unlink()
            answer = await client.get("/ready")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "secret")
    assert "another one" not in answer.text


async def test_a_data_folder_in_the_way_is_not_ready(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    settings.data_dir.mkdir(exist_ok=True)
    settings.data_dir.rmdir()
    settings.data_dir.write_text("not a folder")
    answer = await client.get("/ready")
    assert answer.status_code == 503
    assert [error["field"] for error in answer.json()["errors"]] == ["disk"]
    assert str(settings.data_dir) not in answer.text


async def test_an_unreachable_database_is_told_as_such() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")
    try:
        assert [fault.code for fault in await check_database(database)] == ["database"]
    finally:
        await database.close()


def test_checking_the_disk_leaves_nothing(tmp_path: Path) -> None:
    assert check_disk(tmp_path / "new") == []
    assert list((tmp_path / "new").iterdir()) == []
