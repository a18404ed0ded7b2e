"""The main job on the demo shop, start to end, through the doors that everybody uses."""

import hashlib
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import httpx
import msgspec

from vendorwatch.access.service import create_key, revoke_key
from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.demo.closing import close_and_mail, mail_folder
from vendorwatch.demo.description import Description
from vendorwatch.demo.generate import Log, Shop, VendorPart, shop
from vendorwatch.demo.server import ServerFailed, free_port, serving
from vendorwatch.interactions.client import Client
from vendorwatch.interactions.client import Log as LogFile
from vendorwatch.knowledge import service as knowledge
from vendorwatch.knowledge.parse import read_document
from vendorwatch.periods import Month
from vendorwatch.policies.service import set_policy
from vendorwatch.scorecards.render import languages
from vendorwatch.settings import Settings
from vendorwatch.telemetry import Clock
from vendorwatch.terminal import Runtime
from vendorwatch.vendors.service import create_engagement

_SCOPES = ("upload", "read", "score", "manage")
_MARK = "shop.sha256"
_PATIENCE = httpx.Timeout(120, connect=10)


class Telling(Protocol):
    def step(self, text: str, total: int) -> AbstractContextManager[Callable[[], None]]:
        """What is being done; the block calls what it gets after each of `total` parts."""


@dataclass(frozen=True, slots=True)
class Party:
    part: VendorPart
    scope: Scope
    key_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The last month of one vendor. Scores are as the document writes them; null: not rated."""

    vendor: str
    month: str
    score: str | None
    response: str | None
    resolution: str | None
    knowledge: str | None
    met: int
    missed: int
    rejected: int
    reports: tuple[str, ...]


def run_demo(
    settings: Settings, clock: Clock, telling: Telling, described: Description
) -> list[Outcome]:
    """Everything stays in a folder of its own; run again, it stores nothing twice."""
    home = settings.data_dir / "demo"
    with telling.step("Making the shop's logs", 1) as done:
        made = shop(described)
        files = _write_logs(made, home)
        done()
    port = free_port()
    own = replace(
        settings,
        data_dir=home,
        database_url=f"sqlite:///{home / 'vendorwatch.db'}",
        secret_key="",
        host="127.0.0.1",
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        smtp_url=f"file:{mail_folder(settings)}",
        embedded_worker="off",
        log_level="warning",
    )
    runtime = Runtime(own, clock)
    parties = [_engage(runtime, made, part) for part in made.vendors]
    try:
        with ExitStack() as stack:
            with telling.step("Starting the server", 1) as done:
                stack.enter_context(serving(own))
                done()
            outcomes = _main_job(runtime, made, parties, files, telling)
        with telling.step("Closing the month", 1) as done:
            last = Month.parse(described.months[-1])
            close_and_mail(runtime, last, {each.part.code: each.scope for each in parties})
            done()
        return outcomes
    finally:
        for party in parties:
            _revoke(runtime, party)


def _main_job(
    runtime: Runtime, made: Shop, parties: list[Party], files: dict[str, Path], telling: Telling
) -> list[Outcome]:
    url = runtime.settings.public_url
    # All logs go in before anything is scored: customers come again at another vendor, too.
    rejected: dict[str, int] = {}
    with telling.step("Pushing the logs", sum(len(each.part.logs) for each in parties)) as done:
        for party in parties:
            _put_roster(url, party)
            for log in party.part.logs:
                rejected[log.file_name] = _push(url, party, log, files[log.file_name])
                done()
    with telling.step("Loading what agents know", len(parties)) as done:
        for party in parties:
            _load_knowledge(runtime, party)
            done()
    with telling.step("Reviewing contacts", len(parties)) as done:
        for party in parties:
            _review(url, made, party)
            done()
    with telling.step("Scoring", sum(len(each.part.logs) for each in parties)) as done:
        scored = [_score(url, party, runtime.settings.data_dir, done) for party in parties]
    return [
        replace(outcome, rejected=rejected[party.part.logs[-1].file_name])
        for party, outcome in zip(parties, scored, strict=True)
    ]


def _write_logs(made: Shop, home: Path) -> dict[str, Path]:
    """By file name. A demo of another shop is thrown away first: its rows would mix."""
    logs = [log for part in made.vendors for log in part.logs]
    digest = hashlib.sha256(b"".join(log.content for log in logs)).hexdigest()
    mark = home / _MARK
    if mark.exists() and mark.read_text(encoding="ascii") != digest:
        shutil.rmtree(home)
    folder = home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(digest, encoding="ascii")
    for log in logs:
        (folder / log.file_name).write_bytes(log.content)
    return {log.file_name: folder / log.file_name for log in logs}


def _engage(runtime: Runtime, made: Shop, part: VendorPart) -> Party:
    async def use_case(database: Database) -> Party:
        now = runtime.clock()
        async with database.write_as_operator() as connection:
            engagement = await create_engagement(
                connection,
                merchant=made.merchant,
                vendor=part.name,
                time_zone=made.time_zone,
                now=now,
            )
        async with database.write(engagement.scope) as connection:
            await set_policy(connection, engagement.scope, part.policy, now)
            secret = runtime.settings.secret()
            key = await create_key(connection, engagement.scope, _SCOPES, secret, now)
        return Party(part, engagement.scope, key.key_id, key.key)

    return runtime.run(use_case)


def _revoke(runtime: Runtime, party: Party) -> None:
    async def use_case(database: Database) -> None:
        async with database.write(party.scope) as connection:
            await revoke_key(connection, party.scope, party.key_id, runtime.clock())

    runtime.run(use_case)


def _load_knowledge(runtime: Runtime, party: Party) -> None:
    document = read_document(msgspec.json.encode(party.part.knowledge))

    async def use_case(database: Database) -> None:
        async with database.write(party.scope.of_merchant()) as connection:
            await knowledge.load(connection, party.scope, document, now=runtime.clock())

    runtime.run(use_case)


def _put_roster(url: str, party: Party) -> None:
    roster = [
        {
            "agent_id": agent.agent_id,
            "name": agent.name,
            "team": agent.team,
            "started_on": agent.started_on,
        }
        for agent in party.part.agents
    ]
    with _http(url, party) as http:
        _checked(http.put("/v1/agents", json=roster))


def _push(url: str, party: Party, log: Log, path: Path) -> int:
    """How many rows were refused; they are kept beside the log."""
    # A transport of our own: proxies of the environment are not for the loopback.
    client = Client(url, party.key, transport=httpx.HTTPTransport())
    parameters = {}
    if party.part.mapping is not None:
        version = client.set_mapping(party.part.mapping)
        parameters = {"format": "mapped", "mapping": str(version)}
    pushed = client.push(LogFile.at(path), parameters)
    if pushed.upload_id is not None and pushed.count("rejected"):
        client.save_rejects(pushed.upload_id, path.with_name(f"{log.file_name}.rejects.csv"))
    return pushed.count("rejected")


def _review(url: str, made: Shop, party: Party) -> None:
    """The rubric is the merchant's: for the second vendor it is there already."""
    rubric = dict(made.rubric)
    with _http(url, party) as http:
        _checked(http.put(f"/v1/rubrics/{rubric.pop('rubric_id')}", json=rubric))
        reviews = [review for log in party.part.logs for review in log.reviews]
        _checked(http.post("/v1/quality-reviews", json=reviews))


def _score(url: str, party: Party, home: Path, done: Callable[[], None]) -> Outcome:
    folder = home / "reports"
    folder.mkdir(exist_ok=True)
    reports: list[str] = []
    document: dict[str, Any] = {}
    with _http(url, party) as http:
        for log in party.part.logs:
            document = _checked(http.post("/v1/scorecards", json={"month": log.month})).json()
            address = f"/v1/scorecards/{document['id']}"
            name = f"{party.part.code}-{log.month}"
            wanted = {f"{name}.json": address}
            if log is party.part.logs[-1]:
                wanted[f"{name}.csv"] = f"{address}.csv"
                for language in languages():
                    wanted[f"{name}-{language}.pdf"] = f"{address}.pdf?language={language}"
            for file_name, path in wanted.items():
                (folder / file_name).write_bytes(_checked(http.get(path)).content)
                reports.append(str(folder / file_name))
            done()
    return _outcome(party.part.name, document, tuple(reports))


def _outcome(vendor: str, document: dict[str, Any], reports: tuple[str, ...]) -> Outcome:
    scores = document["vendor_scores"]
    contracts = [metric["contract"] for metric in scores["metrics"].values()]
    dimensions = {name: each["score"] for name, each in scores["dimensions"].items()}
    return Outcome(
        vendor=vendor,
        month=document["month"],
        score=scores["score"],
        response=dimensions["response"],
        resolution=dimensions["resolution"],
        knowledge=dimensions["knowledge"],
        met=contracts.count("met"),
        missed=contracts.count("missed"),
        rejected=0,
        reports=reports,
    )


def _http(url: str, party: Party) -> httpx.Client:
    return httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {party.key}"},
        timeout=_PATIENCE,
        trust_env=False,
    )


def _checked(response: httpx.Response) -> httpx.Response:
    if not response.is_success:
        raise ServerFailed(f"{response.request.url}: {response.status_code} {response.text[:500]}")
    return response
