"""Alive, and able to work: two questions."""

from pathlib import Path

import httpx
from sqlalchemy import text

from vendorwatch.db.engine import Database
from vendorwatch.settings import Settings
from vendorwatch.web.readiness import check_database, check_disk


async def test_health_needs_no_key(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_ready(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ready")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "schema": "ok", "disk": "ok"}


async def test_another_schema_is_not_ready(client: httpx.AsyncClient, database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    answer = await client.get("/ready")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert [error["field"] for error in answer.json()["errors"]] == ["schema"]
    assert (await client.get("/health")).status_code == 200


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
