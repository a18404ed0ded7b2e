"""The processes of `closing`: closer.py sink|parts|worker ORDER, the order in JSON.

Each says a line of JSON when it is ready, and answers each line on its standard input with another
one until that ends.
"""

import asyncio
import gc
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from aiosmtpd.smtp import SMTP, Envelope, Session

from bench.measure import timed
from bench.rows import MONTH, ZONE
from vendorwatch.db.engine import Database
from vendorwatch.mailing.schedule import Ending
from vendorwatch.mailing.smtp import Posted, mailer_for
from vendorwatch.periods import SECOND, Micros, Month, load_zone
from vendorwatch.policies.service import default_policy
from vendorwatch.scorecards import service as scorecards
from vendorwatch.scorecards.render import Renderer, Report
from vendorwatch.scoring.document import Document
from vendorwatch.scoring.inputs import final_instant
from vendorwatch.scoring.policy_file import parse_policy
from vendorwatch.settings import Settings
from vendorwatch.telemetry import configure_logging
from vendorwatch.vendors.service import find_engagement
from vendorwatch.worker import queue
from vendorwatch.worker.composition import duties
from vendorwatch.worker.duties import Duty, Round, pieces

_MONTH = Month.parse(MONTH)
Answer = Callable[[str], Awaitable[Mapping[str, Any]]]


def _now() -> Micros:
    """A minute after the month is due."""
    policy = parse_policy(default_policy().source)
    return final_instant(_MONTH, load_zone(ZONE), policy) + 60 * SECOND


async def main(what: str, order: Mapping[str, Any]) -> None:
    if order["core"] is not None:
        os.sched_setaffinity(0, {order["core"]})
    configure_logging("warning")
    gc.freeze()  # as commands do with what they have imported
    await {"sink": _sink, "parts": _parts, "worker": _worker}[what](order)


async def _converse(ready: Mapping[str, Any], answer: Answer) -> None:
    _say(ready)
    while line := await asyncio.to_thread(sys.stdin.readline):
        _say(await answer(line.strip()))


def _say(what: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class _Counting:
    def __init__(self) -> None:
        self.mails = 0
        self.ids: set[bytes] = set()

    async def handle_DATA(  # noqa: N802  named after the command
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = bytes(envelope.content or b"")
        head = content[: content.index(b"\r\n\r\n")].lower()
        self.mails += 1
        self.ids.add(next(line for line in head.split(b"\r\n") if line.startswith(b"message-id:")))
        return "250 OK"


async def _sink(order: Mapping[str, Any]) -> None:
    """Takes every mail, and tells how many came since it was last asked."""
    counting = _Counting()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(counting, hostname="sink", data_size_limit=0), "127.0.0.1", 0
    )

    async def count(_: str) -> Mapping[str, int]:
        told = {"mails": counting.mails, "ids": len(counting.ids)}
        counting.mails, counting.ids = 0, set()
        return told

    async with server:
        await _converse({"port": server.sockets[0].getsockname()[1]}, count)


async def _parts(order: Mapping[str, Any]) -> None:
    """Everything is scored, then all of it is put on paper, then all mails are handed over."""
    settings, database, renderer = _settings(order), Database(_url(order)), Renderer()

    async def run(_: str) -> Mapping[str, float]:
        with timed() as score:
            documents = [await _scored(database, each) for each in order["engagements"]]
        with timed() as pdf:
            papers = [await renderer.pdf_async(Report(each, "en")) for each in documents]
        mails = [_mail(paper) for paper in papers for _ in range(order["mails"])]
        with timed() as send:
            await _sent(settings.smtp_url, mails)
        return {"score": score.wall, "pdf": pdf.wall, "send": send.wall}

    try:
        document = await _scored(database, order["engagements"][0])
        await renderer.pdf_async(Report(document, "en"))
        await _converse({}, run)
    finally:
        renderer.close()
        await database.close()


async def _scored(database: Database, engagement_id: str) -> Document:
    async with database.read_as_operator() as connection:
        engagement = await find_engagement(connection, engagement_id)
    async with database.read(engagement.scope) as connection:
        computed = await scorecards.compute(
            connection, engagement_id, _MONTH, as_of=None, now=_now()
        )
    return computed.document


def _mail(paper: bytes) -> Posted:
    made = EmailMessage()
    made["Message-ID"] = message_id = make_msgid(domain="parts.example")
    made["From"], made["To"] = sender, to = "a@parts.example", "b@parts.example"
    made.set_content("The scorecard of the month.")
    made.add_attachment(paper, maintype="application", subtype="pdf", filename="scorecard.pdf")
    return Posted(message_id, sender, to, made.as_bytes())


async def _sent(url: str, mails: Sequence[Posted]) -> None:
    mailer = mailer_for(url)
    assert mailer is not None
    for mail in mails:
        attempt = await mailer.send(mail)
        assert attempt.ending is Ending.SENT, attempt
    await mailer.close()


async def _worker(order: Mapping[str, Any]) -> None:
    """Closes and mails all that is due, with other workers; what is in "warm_up" before it is
    ready.
    """
    settings, database = _settings(order), Database(_url(order))

    async def run(_: str) -> Mapping[str, float]:
        with timed() as timing:
            await _work(database, found)
        return {"wall": timing.wall}

    try:
        async with duties(settings, database, _now) as found:
            close, deliver, *_ = found
            await close.do(order["warm_up"] | {"month": MONTH, "action": "close"}, _now())
            await deliver.do(order["warm_up"] | {"lane": "1"}, _now())
            if database.is_postgresql:
                await queue.prepare(database.url)
            await _converse({}, run)
    finally:
        await database.close()


async def _work(database: Database, found: Sequence[Duty]) -> None:
    if not database.is_postgresql:
        work = Round(found, _now)
        while await work.run():
            pass
        return
    # Nobody waits for the minute at which what has become due meanwhile is put into the queue.
    while any([await pieces(duty, _now()) for duty in found]):
        await queue.Queue(database.url, found, _now).work(until_empty=True)
        await asyncio.sleep(0.1)  # what is left may be in the other worker's hands


def _settings(order: Mapping[str, Any]) -> Settings:
    return Settings.from_env({k: v for k, v in order.items() if k.startswith("VENDORWATCH_")})


def _url(order: Mapping[str, Any]) -> str:
    return str(order["VENDORWATCH_DATABASE_URL"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
