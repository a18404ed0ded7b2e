"""A process that delivers is killed with SIGKILL: no mail is lost, and a doubled one is the same."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from conftest import SECRET
from mailing import deliverer
from mailing.desk import Desk, hashes
from mailing.mail_server import MailServer
from vendorwatch.mailing import store
from vendorwatch.mailing.schedule import LEASE
from vendorwatch.settings import Settings
from vendorwatch.vendors.model import Engagement

ADDRESSES = ("an@example.org", "binh@example.org", "chi@example.org")
_PATIENCE = 90.0  # seconds; a busy machine starts Python and Pango slowly


@asynccontextmanager
async def another_process(
    desk: Desk, settings: Settings, server: MailServer
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Killed at the end of the block, whatever it does then."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(deliverer.__file__)),
        settings.database_url,
        str(settings.data_dir),
        SECRET,
        str(server.port),
        str(desk.clock()),
    )
    try:
        yield process
    finally:
        children = _children(process.pid)
        process.kill()
        await process.wait()
        assert children  # that which renders, at least
        for pid in children:  # they notice by themselves
            async with asyncio.timeout(_PATIENCE):
                while _is_alive(pid):  # noqa: ASYNC110  another process has no event of ours
                    await asyncio.sleep(0.05)


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(each) for task in tasks for each in task.read_text("ascii").split()]


def _is_alive(pid: int) -> bool:
    """A dead one that nobody has buried yet is dead."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


async def _queue(desk: Desk, engagement: Engagement) -> set[str]:
    """The addresses that must get it."""
    for address in ADDRESSES:
        await desk.recipient(engagement, address)
    await desk.issue(engagement)
    return set(ADDRESSES)


async def _finish(desk: Desk, server: MailServer, engagement: Engagement) -> None:
    """By another worker, when the lease of the dead one is over."""
    assert "sending" in await desk.states(engagement)
    await desk.deliver(server)
    assert "sending" in await desk.states(engagement)  # not before
    desk.clock.now += LEASE
    await desk.deliver(server)
    assert set(await desk.states(engagement)) == {"sent"}


def _check(server: MailServer, expected: set[str]) -> dict[str, int]:
    """How often each arrived."""
    times = {address: len(server.messages_to(address)) for address in expected}
    assert sum(times.values()) == len(server.received)
    assert all(times.values())
    for address in expected:
        mails = server.messages_to(address)
        assert len({mail.message_id for mail in mails}) == 1
        assert len({tuple(hashes(mail)) for mail in mails}) == 1
    assert len({mail.message_id for mail in server.received}) == len(expected)
    return times


async def test_killed_before_it_was_sent(
    desk: Desk, server: MailServer, engagement: Engagement, settings: Settings
) -> None:
    expected = await _queue(desk, engagement)
    reached = asyncio.Event()
    server.fault("RCPT", "hang")
    server.on_fault = reached.set
    async with another_process(desk, settings, server):
        await asyncio.wait_for(reached.wait(), _PATIENCE)
    assert server.received == []
    await _finish(desk, server, engagement)
    assert set(_check(server, expected).values()) == {1}


async def test_killed_after_it_was_sent_and_before_that_was_noted(
    desk: Desk, server: MailServer, engagement: Engagement, settings: Settings
) -> None:
    expected = await _queue(desk, engagement)
    dead = asyncio.Event()

    async def hold() -> None:
        """Nobody can write to the row while the answer goes out and the process dies."""
        server.before_answer = None
        locked = asyncio.Event()

        async def keep_locked() -> None:
            async with desk.database.write(engagement.scope.of_merchant()) as connection:
                rows = await store.unsent(connection, engagement.merchant_id)
                await store.change(connection, rows, last_reply=None)
                locked.set()
                await dead.wait()

        holding.append(asyncio.create_task(keep_locked()))
        await locked.wait()

    holding: list[asyncio.Task[None]] = []
    server.before_answer = hold
    async with another_process(desk, settings, server) as process:
        await asyncio.wait_for(server.answered.wait(), _PATIENCE)
        assert process.returncode is None
    dead.set()
    await asyncio.gather(*holding)
    assert len(server.received) == 1
    await _finish(desk, server, engagement)
    times = _check(server, expected)
    assert sorted(times.values()) == [1, 1, 2]


@pytest.mark.parametrize("run", range(2))
async def test_killed_wherever_it_happens_to_be(
    desk: Desk, server: MailServer, engagement: Engagement, settings: Settings, run: int
) -> None:
    """When the first mail is there: while the second one is claimed, composed or sent."""
    expected = await _queue(desk, engagement)
    reached = asyncio.Event()

    async def note() -> None:
        reached.set()

    server.before_answer = note
    async with another_process(desk, settings, server):
        await asyncio.wait_for(reached.wait(), _PATIENCE)
        await asyncio.sleep(0.05 * run)
    server.before_answer = None
    desk.clock.now += LEASE
    await desk.deliver(server)
    assert set(await desk.states(engagement)) == {"sent"}
    assert max(_check(server, expected).values()) <= 2
