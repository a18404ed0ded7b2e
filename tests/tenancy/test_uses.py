"""Who may open which transaction: the wide ones are asked for in few places, by name."""

import importlib.util
import re
from pathlib import Path

import pytest

from vendorwatch.db import wall
from vendorwatch.resources import MIGRATIONS

SOURCE = Path(wall.__file__).parents[1]
COMMANDS = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("commands.py")}
AS_OPERATOR = (
    COMMANDS
    | {"alarms/service.py", "closing/service.py", "demo/run.py", "mailing/delivery.py"}
    | {"interactions/checking.py", "vendors/checking.py"}
)
OF_MERCHANT = {
    "knowledge/commands.py", "demo/run.py", "demo/closing.py", "web/principal.py",
    # Whom a merchant writes to is the merchant's, and whoever has a signed link acts for one of them.
    "mailing/commands.py", "mailing/delivery.py", "mailing/api/links.py",
}  # fmt: skip


def users(pattern: str) -> set[str]:
    """Modules in which it stands, without those that define it."""
    return {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if path.parent.name != "db" and re.search(pattern, path.read_text("utf-8"))
    }


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        (r"\bwidened\(", {"scorecards/inputs.py", "mailing/service.py"}),
        (r"_as_owner\(", {"cli.py", "doctor.py", "web/readiness.py"}),
        (r"_as_operator\(", AS_OPERATOR),
        (r"\.read_key\(", {"access/api/calling.py", "access/commands.py"}),
        (r"\.of_merchant\(", OF_MERCHANT),
        (r"\bReach\(|\bwall\.entrance\(", set()),
    ],
)
def test_wide_transactions_are_opened_where_they_belong(pattern: str, allowed: set[str]) -> None:
    assert users(pattern) <= allowed


@pytest.mark.parametrize(
    ("module", "places"), [("scorecards/inputs.py", 2), ("mailing/service.py", 2)]
)
def test_the_widening_stands_in_few_places(module: str, places: int) -> None:
    """Whether a customer came back; and who is to get what an engagement's transaction issues."""
    text = (SOURCE / module).read_text("utf-8")
    assert len(re.findall(r"\bwidened\(", text)) == places


def test_transactions_of_nobody_cannot_be_opened_by_forgetting() -> None:
    assert users(r"\.(read|write)\(\) as") <= {"interactions/reception.py"}  # of a workbench


def test_the_migration_and_the_code_mean_the_same_role() -> None:
    path = Path(str(MIGRATIONS)) / "versions" / "0003_row_level_security.py"
    spec = importlib.util.spec_from_file_location("migration", path)
    assert spec is not None
    assert spec.loader is not None
    migration = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(migration)
    assert migration.ROLE == wall.ROLE
    named = set(re.findall(r"vendorwatch\.(\w+)", str(migration.POLICIES)))
    assert {f"vendorwatch.{name}" for name in named} == set(wall.SETTINGS)
