"""A kept scorecard can be computed again from what was known then, and shows what was altered."""

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from conftest import MakeKey, Ran
from knowledge import documents
from sample_logs import ndjson, row
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.periods import Month
from vendorwatch.policies import service as policies
from vendorwatch.scorecards import service
from vendorwatch.scorecards.verification import Verdict, differences
from vendorwatch.scoring.document import canonical_json
from vendorwatch.settings import Settings
from vendorwatch.vendors import service as vendors
from vendorwatch.vendors.model import Engagement

AS_OF = "2026-11-01T12:00:00Z"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
RUBRIC = {
    "title": "Written",
    "criteria": [{"criterion_id": "tone", "title": "Tone", "weight": 1, "maximum": 5}],
}


def on(day: str, number: int, **changes: object) -> dict[str, Any]:
    """Opened, answered and resolved that day."""
    times = {"opened_at": 9, "first_reply_at": 10, "resolved_at": 15}
    moments = {name: f"{day}T{hour:02}:00:00+07:00" for name, hour in times.items()}
    return row(number, **(moments | changes))


class Desk:
    """Hoa Sen's October: contacts, a roster, checks, reviews, and a rival of the same merchant."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        database: Database,
        clock: StoppedClock,
        key: MakeKey,
        own: Engagement,
        rival: Engagement,
    ) -> None:
        self.client, self.database, self.clock, self.key = client, database, clock, key
        self.own, self.rival = own, rival

    async def headers(self, *, of: Engagement | None = None) -> dict[str, str]:
        token = await self.key("upload", "read", "score", "manage", of=of or self.own)
        return {"Authorization": f"Bearer {token}"}

    async def upload(self, *rows: dict[str, Any], of: Engagement | None = None) -> None:
        headers = await self.headers(of=of) | {"Content-Type": "application/x-ndjson"}
        answer = await self.client.post("/v1/uploads", content=ndjson(rows), headers=headers)
        assert answer.status_code == 201, answer.text

    async def roster(self, *agents: dict[str, Any]) -> None:
        answer = await self.client.put(
            "/v1/agents", json=list(agents), headers=await self.headers()
        )
        assert answer.status_code == 200, answer.text

    async def review(self, review_id: str, tone: int, interaction: str = "T-1") -> None:
        sent = {
            "review_id": review_id,
            "interaction_id": interaction,
            "rubric_id": "written",
            "sampling": "random",
            "scores": {"tone": tone},
            "reviewed_at": "2026-10-20T00:00:00Z",
        }
        answer = await self.client.post(
            "/v1/quality-reviews", json=[sent], headers=await self.headers()
        )
        assert answer.status_code in (200, 201), answer.text

    async def teach(self, **changes: Any) -> None:
        contents = documents.document(**changes)
        await documents.load(self.database, self.own, contents, self.clock())

    async def policy(self, change: Callable[[str], str]) -> None:
        async with self.database.write(self.own.scope) as connection:
            source = change(policies.default_policy().source)
            await policies.set_policy(connection, self.own.scope, source, self.clock())

    async def compute(self) -> dict[str, Any]:
        asked = {"month": "2026-10", "as_of": AS_OF}
        answer = await self.client.post("/v1/scorecards", json=asked, headers=await self.headers())
        assert answer.status_code in (200, 201), answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def verify(self, card: dict[str, Any]) -> Verdict:
        async with self.database.read(self.own.scope) as connection:
            return await service.verify(connection, self.own.scope, card["id"])

    async def execute(self, statement: str, **values: object) -> None:
        """Behind the product's back."""
        async with self.database.write_as_owner() as connection:
            result = await connection.execute(text(statement), values)
            assert result.rowcount > 0


@pytest.fixture
async def desk(
    client: httpx.AsyncClient,
    database: Database,
    clock: StoppedClock,
    key: MakeKey,
    engagement: Engagement,
    rival: Engagement,
) -> Desk:
    made = Desk(client, database, clock, key, engagement, rival)
    await made.upload(
        *(row(n, reopens=0, handovers=0, csat=4, agent_id=f"hs-0{n % 3}") for n in range(1, 9)),
        row(9, agent_id="old id", status="spam"),
    )
    await made.upload(on("2026-10-03", 1, topic="brewing_advice"), of=rival)
    await made.roster({"agent_id": "hs-01", "name": "Linh", "aliases": ["old id"]})
    await made.teach()
    created = await client.put("/v1/rubrics/written", json=RUBRIC, headers=await made.headers())
    assert created.status_code == 201, created.text
    await made.review("r-1", 4)
    await made.policy(lambda source: source)
    return made


Change = Callable[[Desk], Awaitable[None]]


async def corrected(desk: Desk) -> None:
    await desk.upload(row(1, csat=1, reopens=3, source_updated_at="2026-11-01T00:00:00Z"))


async def moved_away(desk: Desk) -> None:
    await desk.upload(on("2026-09-01", 2, source_updated_at="2026-11-01T00:00:00Z"))


async def late(desk: Desk) -> None:
    await desk.upload(row(50), row(51, status="open", resolved_at=None))


async def elsewhere(desk: Desk) -> None:
    await desk.upload(on("2026-10-04", 2), of=desk.rival)


async def another_vendor(desk: Desk) -> None:
    async with desk.database.write_as_operator() as connection:
        third = await vendors.create_engagement(
            connection,
            merchant=desk.own.merchant_name,
            vendor="Third BPO",
            time_zone="Asia/Bangkok",
            now=desk.clock(),
        )
    await desk.upload(on("2026-10-04", 3), of=third)


async def renamed(desk: Desk) -> None:
    await desk.roster({"agent_id": "hs-01", "name": "Linh Nguyễn", "aliases": ["old id"]})


async def merged(desk: Desk) -> None:
    await desk.roster({"agent_id": "hs-new", "name": "An", "aliases": ["hs-02"]})


async def examined(desk: Desk) -> None:
    await desk.teach(
        attempts=[
            *documents.document()["attempts"],
            documents.attempt("hs-02", {"q1": [1], "q2": [0, 2]}),
        ]
    )


async def withdrawn(desk: Desk) -> None:
    await documents.withdraw(desk.database, desk.own, "q1", desk.clock())


async def reviewed(desk: Desk) -> None:
    await desk.review("r-2", 1, "T-2")


async def re_reviewed(desk: Desk) -> None:
    await desk.review("r-1", 0)


async def new_policy(desk: Desk) -> None:
    await desk.policy(
        lambda source: source.replace("repeat_window_days = 7", "repeat_window_days = 3")
    )


@pytest.mark.parametrize(
    "change",
    [
        corrected, moved_away, late, elsewhere, another_vendor, renamed, merged, examined,
        withdrawn, reviewed, re_reviewed, new_policy,
    ],
)  # fmt: skip
async def test_what_comes_later_changes_no_kept_scorecard(desk: Desk, change: Change) -> None:
    before = await desk.compute()
    assert (await desk.verify(before)).differences == ()
    await change(desk)
    after = await desk.compute()
    assert after["id"] != before["id"], "the change did not matter: it proves nothing"
    for card in (before, after):
        verdict = await desk.verify(card)
        assert (verdict.result, verdict.differences) == ("identical", ())
        shown = await desk.client.get(card["links"]["self"], headers=await desk.headers())
        assert shown.json() == card


async def test_all_of_it_together_changes_none_of_many(desk: Desk) -> None:
    cards = [await desk.compute()]
    for change in (corrected, renamed, elsewhere, examined, reviewed, late, new_policy, withdrawn):
        await change(desk)
        cards.append(await desk.compute())
    desk.clock.set("2026-11-20T08:00:00+00:00")
    assert len({card["id"] for card in cards}) == len(cards)
    for card in cards:
        verdict = await desk.verify(card)
        assert (verdict.result, verdict.differences) == ("identical", ())


@pytest.mark.parametrize(
    ("statement", "path"),
    [
        ("DELETE FROM interactions WHERE interaction_id = 'T-3'", "volume.received"),
        ("UPDATE interactions SET csat = 2 WHERE interaction_id = 'T-3'", "csat.numerator"),
        ("UPDATE interactions SET status = 'open' WHERE interaction_id = 'T-4'", "resolution_rate"),
        (
            "UPDATE interactions SET content_sha256 = '\\x00' WHERE interaction_id = 'T-4'",
            "records_sha256",
        ),
        # Nothing that is counted, but not what was received either.
        (
            "UPDATE interactions SET product = 'tea' WHERE interaction_id = 'T-4'",
            "interaction 'T-4' (row 4 of upload 1): what is stored is not what was received",
        ),
        (
            "UPDATE interactions SET next_replies = '[[1,2]]' WHERE interaction_id = 'T-4'",
            "interaction 'T-4' (row 4",
        ),
        (
            "UPDATE interactions SET channel = 'smoke' WHERE interaction_id = 'T-4'",
            "interaction 'T-4'",
        ),
        ("UPDATE interactions SET in_force = false WHERE interaction_id = 'T-4'", "in_month"),
        ("UPDATE uploads SET received = received + 1", "uploads.received"),
        ("UPDATE scorecards SET as_of = as_of + 1000000", "as_of"),
        ("UPDATE scorecards SET month = '2026-09'", "month: document 2026-10, its row 2026-09"),
        ("UPDATE scorecards SET status = 'final'", "status: document provisional, its row final"),
        ("UPDATE scorecards SET basis = '{}'", "it cannot be computed again"),
        ("UPDATE scorecards SET known = '{}'", "it cannot be computed again"),
    ],
)
async def test_what_is_altered_behind_our_back_is_found(
    desk: Desk, statement: str, path: str
) -> None:
    card = await desk.compute()
    await desk.execute(statement)
    verdict = await desk.verify(card)
    assert verdict.result == "different"
    assert any(path in line for line in verdict.differences), verdict.differences


async def test_a_document_that_was_altered_is_found_and_told(desk: Desk) -> None:
    card = await desk.compute()
    document = {
        name: value
        for name, value in card.items()
        if name not in ("id", "document_sha256", "created_at", "links")
    }
    number = next(n for n, agent in enumerate(document["agents"]) if agent["agent_id"] == "hs-01")
    csat = document["agents"][number]["metrics"]["csat"]
    told = csat["numerator"]
    csat["numerator"] = told + 5
    forged = canonical_json(document)
    await desk.execute("UPDATE scorecards SET document = :forged", forged=forged)
    line = f"agents[{number}].metrics.csat.numerator: stored {told + 5}, recomputed {told}"
    verdict = await desk.verify(card)
    assert verdict.differences[0].startswith("the stored document was changed: its SHA-256 is")
    assert verdict.differences[1:] == (line,)
    # Whoever also writes the hash anew is found by the figures.
    digest = hashlib.sha256(forged.encode()).digest()
    await desk.execute("UPDATE scorecards SET document_sha256 = :digest", digest=digest)
    assert (await desk.verify(card)).differences == (line,)
    await desk.execute("UPDATE scorecards SET document = 'no longer JSON'")
    assert "the stored document is not a JSON object" in (await desk.verify(card)).differences


async def test_a_space_more_in_the_document_is_found(desk: Desk) -> None:
    card = await desk.compute()
    await desk.execute("UPDATE scorecards SET document = document || ' '")
    (line,) = (await desk.verify(card)).differences
    assert re.fullmatch(
        r"the stored document was changed: its SHA-256 is \w{64}, document_sha256 \w{64}", line
    )


def test_differences_are_told_by_path() -> None:
    stored = {
        "same": [1, {"a": None}],
        "gone": 1,
        "kind": 1,
        "list": ["a", "b"],
        "agents": [{"agent_id": "a", "n": 1}, {"agent_id": "b", "n": 2}, {"agent_id": "c"}],
    }
    recomputed = {
        "same": [1, {"a": None}],
        "kind": True,
        "list": ["a"],
        "agents": [{"agent_id": "b", "n": None}, {"agent_id": "c"}, {"agent_id": "d"}],
        "new": {"x": 1},
    }
    assert list(differences(stored, recomputed)) == [
        "gone: stored 1, recomputed nothing",
        "kind: stored 1, recomputed true",
        "list[1]: stored b, recomputed nothing",
        "agents[0]: stored agent a, recomputed nothing",
        "agents[1].n: stored 2, recomputed null",
        "agents[3]: stored nothing, recomputed agent d",
        "new: stored nothing, recomputed an object",
    ]


# The command


Command = Callable[..., Ran]


@pytest.fixture
def cards(command: Command, settings: Settings) -> list[str]:
    """Two months of one engagement, of one month a second state; one month of another."""
    made = []
    for vendor, months in (("Hoa Sen BPO", ["2026-09", "2026-10"]), ("Rival", ["2026-10"])):
        created = command(
            "engagement", "create", "--merchant", "Trà Sen", "--vendor", vendor,
            "--time-zone", "Asia/Ho_Chi_Minh", "--json",
        )  # fmt: skip
        engagement = created.json["engagement_id"]
        made.append(engagement)
        asyncio.run(_keep(settings.database_url, engagement, months))
    return made


async def _keep(url: str, engagement: str, months: list[str]) -> None:
    database = Database(url)
    clock = StoppedClock(0)
    clock.set("2026-12-01T00:00:00+00:00")
    for month in months:
        async with database.read_as_owner() as connection:
            computed = await service.compute(
                connection, engagement, Month.parse(month), as_of=None, now=clock()
            )
        async with database.write_as_owner() as connection:
            await service.keep(connection, computed, clock())
    await database.close()


async def _alter(url: str, statement: str) -> None:
    database = Database(url)
    async with database.write_as_owner() as connection:
        await connection.execute(text(statement))
    await database.close()


def test_verify_tells_of_each_scorecard(command: Command, cards: list[str]) -> None:
    own, _ = cards
    found = command("verify", "--engagement", own)
    assert found.exit_code == 0
    first, second, total = found.out.splitlines()
    assert re.fullmatch(r"2026-09 [0-9a-f-]{36}: identical", first)
    assert re.fullmatch(r"2026-10 [0-9a-f-]{36}: identical", second)
    assert total.startswith("2 identical, 0 different")
    only = command("verify", "--engagement", own, "--month", "2026-09")
    assert only.out.splitlines()[0] == first
    one = command("verify", "--scorecard", second.split()[1].rstrip(":"))
    assert one.out.splitlines()[0] == second
    assert len(command("verify", "--all").out.splitlines()) == 4


def test_verify_ends_with_1_where_something_differs(
    command: Command, cards: list[str], settings: Settings
) -> None:
    statement = "UPDATE scorecards SET status = 'provisional' WHERE month = '2026-09'"
    asyncio.run(_alter(settings.database_url, statement))
    found = command("verify", "--all", "--json")
    assert found.exit_code == 1
    told = {each["month"]: each for each in found.json["scorecards"]}
    assert told["2026-10"]["result"] == "identical"
    assert told["2026-09"]["result"] == "different"
    assert told["2026-09"]["differences"] == ["status: document final, its row provisional"]
    plain = command("verify", "--all").out
    assert "\n  status: document final, its row provisional\n" in plain
    assert "2 identical, 1 different" in plain


def test_cards_of_an_earlier_version_are_counted_apart(
    command: Command, cards: list[str], settings: Settings
) -> None:
    statement = "UPDATE scorecards SET basis = NULL WHERE month = '2026-09'"
    asyncio.run(_alter(settings.database_url, statement))
    found = command("verify", "--all")
    assert found.exit_code == 0
    assert "2 identical, 0 different, 1 kept by an earlier version; cannot be verified" in found.out
    # Its bytes can be looked at all the same.
    asyncio.run(_alter(settings.database_url, "UPDATE scorecards SET document = document || ' '"))
    assert "0 identical, 3 different" in command("verify", "--all").out


def test_a_scorecard_of_another_version_of_the_code_says_so(
    command: Command, cards: list[str], settings: Settings
) -> None:
    """It is computed again under the version that it names: that alone is no difference."""
    asyncio.run(_as_if_made_by(settings.database_url, "0.0.9"))
    found = command("verify", "--all")
    assert found.exit_code == 0
    assert found.out.count("identical (made by 0.0.9, this is ") == 3


async def _as_if_made_by(url: str, version: str) -> None:
    database = Database(url)
    async with database.write_as_owner() as connection:
        found = await connection.execute(text("SELECT scorecard_id, document FROM scorecards"))
        for scorecard_id, document in found.all():
            made = canonical_json(json.loads(document) | {"code_version": version})
            await connection.execute(
                text(
                    "UPDATE scorecards SET document = :made, document_sha256 = :digest "
                    "WHERE scorecard_id = :id"
                ),
                {
                    "made": made,
                    "digest": hashlib.sha256(made.encode()).digest(),
                    "id": scorecard_id,
                },
            )
    await database.close()


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["--scorecard", UNKNOWN], 3),
        (["--scorecard", "no id"], 3),
        (["--engagement", UNKNOWN], 3),
        ([], 2),
        (["--all", "--engagement", UNKNOWN], 2),
        (["--all", "--month", "2026-10"], 2),
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])  # nothing here depends on the engine
def test_verify_refuses_what_it_cannot_find_or_understand(
    command: Command, arguments: list[str], exit_code: int
) -> None:
    assert command("verify", *arguments).exit_code == exit_code
