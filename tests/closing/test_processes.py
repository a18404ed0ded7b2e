"""Closers in processes of their own: two at once, and one that is killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from closing.conftest import DUE, Office
from stopped_clock import StoppedClock

CLOSER = Path(__file__).with_name("closer.py")


def start(office: Office, what: str) -> subprocess.Popen[str]:
    scope = f"{office.scope.merchant_id}/{office.scope.engagement_id}"
    url = office.database.url.render_as_string(hide_password=False)
    plain = url.replace("+aiosqlite", "").replace("+psycopg", "")
    return subprocess.Popen(
        [sys.executable, str(CLOSER), plain, str(office.clock()), scope, what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def reached(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


async def test_two_processes_at_once_issue_a_month_once(
    office: Office, clock: StoppedClock
) -> None:
    clock.set(DUE)
    both = [start(office, "close") for _ in range(2)]
    assert [reached(each) for each in both] == ["ready"] * 2
    for each in both:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    outcomes = [each.communicate(timeout=60)[0].strip() for each in both]
    assert [each.returncode for each in both] == [0, 0]
    # Whoever looked after the other had committed found nothing due.
    assert sorted(outcomes) in (["", "issued"], ["issued", "stood"])
    assert len(await office.rows_of("issuances")) == 1
    assert len(await office.rows_of("scorecards")) == 1


@pytest.mark.parametrize("where", ["computed", "written"])
async def test_a_closer_that_is_killed_leaves_the_month_due(
    office: Office, clock: StoppedClock, where: str
) -> None:
    clock.set(DUE)
    process = start(office, where)
    assert reached(process) == where
    process.kill()
    process.communicate(timeout=60)
    for table in ("issuances", "scorecards"):
        assert await office.rows_of(table) == []
    [closed] = await office.close()
    assert closed.outcome == "issued"
    [issued] = await office.revisions()
    assert (await office.verify(issued)).result == "identical"
