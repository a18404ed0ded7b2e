"""Three engagements with something of everything: ours, a rival's of our merchant, a stranger's."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from litestar import Litestar

from closing.doing import do_due
from conftest import SECRET, running
from sample_logs import ndjson, row
from stopped_clock import StoppedClock
from vendorwatch.access.service import create_key
from vendorwatch.alarms.service import raise_due
from vendorwatch.app import create_app
from vendorwatch.closing.service import note_failure
from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.knowledge import service as knowledge
from vendorwatch.knowledge.parse import read_document
from vendorwatch.mailing import service as mailing
from vendorwatch.mailing.model import Issued
from vendorwatch.periods import DAY, Micros, Month
from vendorwatch.policies.service import default_policy
from vendorwatch.settings import Settings
from vendorwatch.vendors.model import Engagement
from vendorwatch.vendors.service import create_engagement

ALL_SCOPES = ("upload", "read", "score", "manage")
MAPPING = """
[file]
delimiter = ";"

[times]
format = "%d/%m/%Y %H:%M"
zone = "Asia/Ho_Chi_Minh"

[fields]
interaction_id = "No"
channel = { constant = "email" }
status = { column = "State", values = { Done = "resolved", New = "open" } }
opened_at = "Opened"
"""
MONTH = "2026-10"
FROZEN = "2026-09"
# As in the fixtures of these names: merchant, vendor and time zone.
_ENGAGED = {
    "own": ("Trà Sen", "Hoa Sen BPO", "Asia/Ho_Chi_Minh"),
    "rival": ("Trà Sen", "Rival BPO", "Asia/Bangkok"),
    "stranger": ("Somebody Else", "Hoa Sen BPO", "Europe/Budapest"),
}
_TOML = {"Content-Type": "application/toml"}
_NDJSON = {"Content-Type": "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class Party:
    """One engagement; `objects` are ids of what it has, by kind. `name` is in each that it chose."""

    name: str
    scope: Scope
    objects: dict[str, str]


class World(NamedTuple):
    own: Party
    rival: Party
    stranger: Party


async def settle(
    url: str, data: Path, clock: StoppedClock, *, rows: tuple[int, int, int] = (3, 3, 3)
) -> World:
    """`rows` is how many interactions each of them has."""
    settings = Settings.from_env(
        {
            "VENDORWATCH_DATABASE_URL": url,
            "VENDORWATCH_DATA_DIR": str(data),
            "VENDORWATCH_SECRET_KEY": SECRET,
        }
    )
    app = create_app(settings, clock=clock)
    async with running(app), client_of(app) as client:
        parties = []
        for number, name in enumerate(World._fields):
            settling = _Settling(client, app.state.database, clock(), name)
            # Another number of versions each: what is there for one is not there for another.
            parties.append(await settling.run(versions=number + 1, rows=rows[number]))
    return World(*parties)


def client_of(app: Litestar) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # its ASGI types are looser
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


class _Settling:
    def __init__(
        self, client: httpx.AsyncClient, database: Database, now: Micros, name: str
    ) -> None:
        self._client = client
        self._database = database
        self._now = now
        self._name = name
        self._headers: dict[str, str] = {}

    async def run(self, *, versions: int, rows: int) -> Party:
        name, send = self._name, self._send
        engagement, key_id = await self._engage()
        log = [*_rows(name, rows), row(99, interaction_id=f"{name}-bad", status="odd")]
        upload = await send("POST", "/v1/uploads", content=ndjson(log), headers=_NDJSON)
        mapped = policy = {}
        for number in range(versions):
            # Each begins differently, so that each is a new version.
            mapping = f"# {name} {number}\n{MAPPING}"
            mapped = await send("POST", "/v1/mappings", content=mapping, headers=_TOML)
            source = f"# {name} {number}\n{default_policy().source}"
            policy = await send("POST", "/v1/policies", content=source, headers=_TOML)
        agents = [f"{name}-agent", f"{name}-second"]
        roster = [{"agent_id": each, "name": f"{name} An"} for each in agents]
        await send("PUT", "/v1/agents", json=roster)
        # The rival's merchant is ours, and counts something else of it.
        days = [f"{month}-01" for month in (FROZEN, MONTH)]
        counted = [{"day": day, "contacts": versions * 100 + rows} for day in days]
        await send("PUT", "/v1/contact-counts", json=counted)
        await self._ask(engagement.scope)
        await self._review()
        frozen = await self._close(engagement.scope)
        card = await send("POST", "/v1/scorecards", json={"month": MONTH})
        recipient, delivery = await self._write_to(engagement.scope, card["id"])
        chosen = ("agent", "check", "question", "review", "rubric")
        objects = {kind: f"{name}-{kind}" for kind in chosen} | {
            "second agent": agents[1],
            "upload": upload["id"],
            "mapping": str(mapped["version"]),
            "policy": policy["policy_id"],
            "policy version": str(policy["version"]),
            "scorecard": card["id"],
            "recipient": recipient,
            "delivery": delivery,
            "frozen scorecard": frozen,
            "interaction": f"{name}-1",
            "rejected interaction": f"{name}-bad",
            "engagement": engagement.engagement_id,
            "merchant": engagement.merchant_id,
            "vendor": engagement.vendor_id,
            "key": key_id,
        }
        return Party(name, engagement.scope, objects)

    async def _close(self, scope: Scope) -> str:
        """The month before is frozen and held, and what is missing of this one was noticed; once it
        could not be closed, and the operators are told of that.
        """
        rules = {"approval": "hold", "first_month": FROZEN}
        await self._send("PUT", "/v1/closing-rules", json=rules)
        now = self._now + DAY
        await note_failure(self._database, scope, Month.parse(FROZEN), "too dear", now=now)
        await raise_due(self._database, self._now)
        await do_due(self._database, now=now)
        closing = await self._send("GET", f"/v1/closings/{FROZEN}")
        return str(closing["closing"]["scorecard_id"])

    async def _engage(self) -> tuple[Engagement, str]:
        merchant, vendor, zone = _ENGAGED[self._name]
        async with self._database.write_as_operator() as connection:
            engagement = await create_engagement(
                connection, merchant=merchant, vendor=vendor, time_zone=zone, now=self._now
            )
        async with self._database.write(engagement.scope) as connection:
            key = await create_key(
                connection, engagement.scope, ALL_SCOPES, SECRET.encode(), self._now
            )
        self._headers = {"Authorization": f"Bearer {key.key}"}
        return engagement, key.key_id

    async def _send(self, method: str, path: str, **sent: Any) -> Any:
        sent["headers"] = self._headers | sent.get("headers", {})
        answer = await self._client.request(method, path, **sent)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json()

    async def _write_to(self, scope: Scope, scorecard_id: str) -> tuple[str, str]:
        """Somebody of its own, and a mail that waits for them."""
        name = self._name
        asked = {"email": f"{name}-a@example.org", "name": f"{name} An", "language": "vi"}
        added = await self._send("POST", "/v1/recipients", json=asked | {"kind": "scorecard"})
        issued = Issued(scope, scorecard_id, Month.parse(MONTH), 1)
        async with self._database.write(scope) as connection:
            [row] = await mailing.queue(connection, issued, now=self._now)
        return added["recipient_id"], row.delivery_id

    async def _ask(self, scope: Scope) -> None:
        asked = read_document(json.dumps(_asked(self._name)).encode())
        async with self._database.write(scope.of_merchant()) as connection:
            await knowledge.load(connection, scope, asked, now=self._now)
            gone = f"{self._name}-withdrawn"
            await knowledge.withdraw(
                connection, scope, gone, 1, reason="two are right", now=self._now
            )

    async def _review(self) -> None:
        name = self._name
        criterion = {"criterion_id": "tone", "title": "Tone", "weight": 1, "maximum": 5}
        rubric = {"title": f"{name} rubric", "criteria": [criterion]}
        await self._send("PUT", f"/v1/rubrics/{name}-rubric", json=rubric)
        review = {
            "review_id": f"{name}-review",
            "interaction_id": f"{name}-1",
            "rubric_id": f"{name}-rubric",
            "sampling": "random",
            "scores": {"tone": 4},
            "comment": f"{name} comment",
        }
        await self._send("POST", "/v1/quality-reviews", json=[review])


def _rows(name: str, rows: int) -> list[dict[str, object]]:
    return [
        row(
            number,
            interaction_id=f"{name}-{number}",
            agent_id=f"{name}-agent",
            customer_ref=f"{name} customer {number}",
            topic=f"{name} topic",
        )
        for number in range(1, rows + 1)
    ]


def _asked(name: str) -> dict[str, Any]:
    question = {"stem": f"{name}?", "options": ["a", "b"], "correct": [0], "topic": "t"}
    asked = [f"{name}-question", f"{name}-withdrawn"]
    check = {"check_id": f"{name}-check"}
    assignment = check | {"agent_id": f"{name}-agent"}
    due = {"title": f"{name} check", "pass_mark": 60, "due_at": "2026-10-25T18:00:00+07:00"}
    attempt = {
        "number": 1,
        "started_at": "2026-10-20T09:00:00+07:00",
        "submitted_at": "2026-10-20T09:10:00+07:00",
        "answers": [{"question_id": f"{name}-question", "chosen": [0]}],
    }
    return {
        "questions": [question | {"question_id": each, "weight": 1} for each in asked],
        "checks": [check | due | {"questions": asked}],
        "assignments": [assignment],
        "attempts": [assignment | attempt],
    }
