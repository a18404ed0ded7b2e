"""The main job, start to end, on a smaller shop: a real server, real pushes, real PDFs. Twice."""

import asyncio
import email
import email.policy
from pathlib import Path

import msgspec
import pypdf
import pytest
from sqlalchemy import func, select
from sqlalchemy import table as sa_table

from vendorwatch.db.engine import Database
from vendorwatch.demo.commands import Lines
from vendorwatch.demo.description import Description, read_description
from vendorwatch.demo.run import Outcome, run_demo
from vendorwatch.resources import FIXTURES
from vendorwatch.scorecards.render import languages
from vendorwatch.settings import Settings
from vendorwatch.telemetry import system_clock


@pytest.fixture
def small() -> Description:
    described = read_description(FIXTURES / "demo")
    vendors = tuple(msgspec.structs.replace(each, monthly=400) for each in described.vendors)
    return msgspec.structs.replace(described, vendors=vendors, months=described.months[-2:])


def stored(folder: Path) -> dict[str, int]:
    async def count() -> dict[str, int]:
        database = Database(f"sqlite:///{folder / 'demo' / 'vendorwatch.db'}")
        async with database.read_as_owner() as connection:
            found = {
                table: (
                    await connection.execute(select(func.count()).select_from(sa_table(table)))
                ).scalar_one()
                for table in (
                    "interactions",
                    "uploads",
                    "rejects",
                    "scorecards",
                    "issuances",
                    "deliveries",
                    "attempts",
                    "quality_reviews",
                    "rubrics",
                )
            }
        await database.close()
        return found

    return asyncio.run(count())


def assert_more_is_measured(outcomes: list[Outcome]) -> None:
    """By whom it was agreed, and where the log has messages."""
    found = {}
    for outcome in outcomes:
        [newest] = [each for each in outcome.reports if each.endswith(f"{outcome.month}.json")]
        found[outcome.vendor] = msgspec.json.decode(Path(newest).read_bytes())["vendor_scores"][
            "metrics"
        ]
    for name in ("next_reply_on_time", "quality", "knowledge_coverage"):
        assert found["Hoa Sen BPO"][name]["contract"] in {"met", "missed"}
        assert found["Danube Care"][name]["contract"] is None
        assert found["Danube Care"][name]["denominator"] > 0
    assert found["Siam Assist"]["next_reply_on_time"]["denominator"] == 0
    assert found["Siam Assist"]["next_reply_on_time"]["missing"] > 0


def assert_mailed(folder: Path) -> None:
    """One to the shop about all of its vendors, and one to each vendor about itself."""
    mails = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in folder.glob("*.eml")
    ]
    attached = {
        str(mail["To"]): [str(part.get_filename()) for part in mail.iter_attachments()]
        for mail in mails
    }
    assert len(mails) == len(attached) == 4
    assert sorted(len(names) for names in attached.values()) == [1, 1, 1, 3]
    [vendor] = [names for to, names in attached.items() if "lead@dc.example" in to]
    assert vendor == ["Danube-Care_2026-10_r1.pdf"]


def test_run_twice_it_gives_the_same_figures_and_stores_nothing_twice(
    tmp_path: Path, small: Description
) -> None:
    settings = Settings.from_env({"VENDORWATCH_DATA_DIR": str(tmp_path)})
    first = run_demo(settings, system_clock, Lines(), small)
    held = stored(tmp_path)
    assert held["interactions"] > 3 * 2 * 350
    assert held["uploads"] == 3 * 2
    assert held["scorecards"] == 3 * 2 + 3  # the last month is closed, too
    assert held["issuances"] == 3
    assert held["quality_reviews"] == 3 * 2 * small.reviews
    assert held["rubrics"] == 1
    reports = {
        path: path.read_bytes()
        for folder in ("reports", "mail")
        for path in (tmp_path / "demo" / folder).iterdir()
    }
    assert_mailed(tmp_path / "demo" / "mail")
    assert run_demo(settings, system_clock, Lines(), small) == first
    assert stored(tmp_path) == held
    assert {path: path.read_bytes() for path in reports} == reports
    assert_more_is_measured(first)

    assert [outcome.vendor for outcome in first] == ["Hoa Sen BPO", "Danube Care", "Siam Assist"]
    for outcome in first:
        assert outcome.rejected > 0
        pdfs = [Path(report) for report in outcome.reports if report.endswith(".pdf")]
        assert {path.stem.rpartition("-")[2] for path in pdfs} == {*languages()}
        for path in pdfs:
            page = pypdf.PdfReader(path).pages[0].extract_text()
            comma = path.stem.endswith(("hu", "vi"))
            shown = (outcome.score or "").replace(".", "," if comma else ".")
            assert outcome.vendor in page
            assert shown in page
