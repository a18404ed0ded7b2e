"""What the doctor finds, and what it says to do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from conftest import Ran
from vendorwatch.db.engine import Database
from vendorwatch.doctor import (
    check_clock,
    check_difference,
    check_fonts,
    check_library,
    check_package,
)
from vendorwatch.periods import SECOND

Command = Callable[..., Ran]


def wrong(ran: Ran) -> list[str]:
    return [finding["check"] for finding in ran.json if finding["mend"]]


def test_a_machine_that_runs_the_tests_is_well(command: Command) -> None:
    ran = command("doctor", "--json")
    assert (ran.exit_code, wrong(ran)) == (0, [])
    checks = {finding["check"] for finding in ran.json}
    assert checks >= {"package", "database", "schema", "clock", "disk", "font NotoSans"}
    assert "WRONG" not in command("doctor").out


def test_a_database_that_is_not_made_yet_is_not_wrong_and_not_made(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VENDORWATCH_DATABASE_URL", f"sqlite:///{tmp_path}/none/x.db")
    assert wrong(command("doctor", "--json")) == []
    assert not (tmp_path / "none").exists()


async def set_revision(url: str) -> None:
    database = Database(url)
    async with database.write_as_owner() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()


@pytest.fixture
async def newer(database_url: str) -> None:
    await set_revision(database_url)


@pytest.mark.usefixtures("newer")
def test_another_schema(command: Command) -> None:
    ran = command("doctor", "--json")
    assert (ran.exit_code, wrong(ran)) == (5, ["schema"])
    assert "vendorwatch db upgrade" in command("doctor").out


def test_an_unreachable_database(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENDORWATCH_DATABASE_URL", "postgresql://me:canary@127.0.0.1:1/n")
    ran = command("doctor", "--json")
    assert (ran.exit_code, wrong(ran)) == (5, ["database"])
    assert "canary" not in ran.out


def test_a_data_folder_in_the_way(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VENDORWATCH_DATA_DIR", str(tmp_path / "file"))
    assert wrong(command("doctor", "--json")) == ["disk"]


def test_a_missing_library() -> None:
    finding = check_library("libnothing0", "nothing-1.0")
    assert "apt-get install -y --no-install-recommends libnothing0" in finding.mend


def test_missing_and_found_fonts(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "NotoSans[wdth,wght].ttf").touch()
    (tmp_path / "NotoSansThaiLooped-Regular.ttf").touch()
    found = check_fonts(("NotoSans", "NotoSansThai"), [tmp_path, tmp_path / "absent"])
    assert [bool(finding.mend) for finding in found] == [False, True]


def test_a_package_without_its_files(tmp_path: Path) -> None:
    assert not check_package([tmp_path]).mend
    assert check_package([tmp_path / "absent"]).mend


def test_clocks() -> None:
    assert check_clock(0).mend
    assert not check_clock(2_000_000_000 * SECOND).mend
    assert not check_difference(0, 5 * SECOND).mend
    assert check_difference(0, 5 * SECOND + 1).mend
    assert check_difference(5 * SECOND + 1, 0).mend
