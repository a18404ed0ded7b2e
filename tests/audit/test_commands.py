"""`vendorwatch verify --audit`."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import create_engine, text

from vendorwatch.settings import Settings

Command = Callable[..., Any]


def _create(command: Command, vendor: str) -> str:
    names = ["--merchant", "Tra Sen", "--vendor", vendor, "--time-zone", "Asia/Ho_Chi_Minh"]
    found: str = command("engagement", "create", *names, "--json").json["engagement_id"]
    return found


def test_every_engagement_or_one(command: Command, settings: Settings) -> None:
    one, other = _create(command, "One"), _create(command, "Other")
    assert _create(command, "One") == one  # the same again, and no entry
    key = command("key", "create", "--engagement", one, "--json").json
    command("key", "rotate", key["key_id"])
    ran = command("verify", "--audit", "--json")
    assert ran.exit_code == 0
    counts = {each["engagement_id"]: each["entries"] for each in ran.json["engagements"]}
    assert counts == {one: 3, other: 1}
    assert command("verify", "--audit", "--engagement", other).out == (
        f"{other}: 1 entries: nothing wrong\n"
    )
    _forge(settings)
    ran = command("verify", "--audit", "--all")
    assert ran.exit_code == 1
    assert f"{one}: 3 entries: 1 wrong\n  entry 2: entry_altered: " in ran.out


def test_it_goes_with_nothing_else(command: Command) -> None:
    assert command("verify", "--audit", "--uploads").exit_code == 2
    assert command("verify", "--audit", "--scorecard", "x").exit_code == 2
    assert command("verify", "--audit", "--engagement", "x").exit_code == 3


def _forge(settings: Settings) -> None:
    url = settings.database_url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE audit SET action = 'policy.set' WHERE sequence = 2"))
    engine.dispose()
