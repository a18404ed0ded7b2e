"""The same records give the same bytes, whatever the machine is like that computes them."""

import asyncio
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import insert, select

from bench import frames
from bench.filling import fill
from bench.rows import MONTH, ZONE
from knowledge.documents import document
from vendorwatch.db import models
from vendorwatch.db.base import Base
from vendorwatch.db.engine import Database
from vendorwatch.knowledge import service as knowledge
from vendorwatch.knowledge.parse import read_document
from vendorwatch.vendors import service as vendors
from vendorwatch.vendors.model import Engagement, RosterEntry

NOW = 1_793_606_400_000_000  # 2026-11-02T08:00:00Z: September is over
INTERACTIONS, AGENTS = 3_000, 12
FACTORS = {
    "database": ("sqlite", "sqlite, rows in another order", "postgresql"),
    "POLARS_MAX_THREADS": ("1", "2"),
    "TZ": ("UTC", "Pacific/Chatham"),
    "LC_ALL": ("C", "C.UTF-8", "vi_VN.UTF-8"),
    "PYTHONHASHSEED": ("0", "1", "random"),
}

Combination = dict[str, str]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the same records lie, and whose they are."""

    urls: dict[str, str]
    engagement_id: str


@pytest.fixture
def places(
    tmp_path: Path, sqlite_template: Path, postgresql_server: str, postgresql_template: str
) -> Iterator[Places]:
    urls: dict[str, str] = {}
    for name in FACTORS["database"][:2]:
        path = tmp_path / f"{len(urls)}.db"
        shutil.copyfile(sqlite_template, path)
        urls[name] = f"sqlite:///{path}"
    made = sql.Identifier("reproducible")
    with psycopg.connect(postgresql_server, autocommit=True) as server:
        template = sql.Identifier(postgresql_template)
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(made, template))
        before, _, after = postgresql_server.partition("/postgres?")
        urls["postgresql"] = f"{before}/reproducible?{after}"
        first, *others = urls.values()
        engagement = asyncio.run(_described(first))
        fill(first, engagement.engagement_id, frames.log(INTERACTIONS, AGENTS))
        asyncio.run(_reviewed(first, engagement))
        for number, other in enumerate(others):
            asyncio.run(_copied(first, other, random.Random(number)))
        yield Places(urls, engagement.engagement_id)
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(made))


def test_the_same_records_give_the_same_bytes(places: Places) -> None:
    combinations = pairwise_covering(FACTORS)
    with ThreadPoolExecutor(2) as both:
        documents = list(both.map(lambda each: computed(places, each), combinations))
    assert len(set(documents)) == 1, differing(combinations, documents)
    found = json.loads(documents[0])
    metrics = found["vendor_scores"]["metrics"].values()
    assert found["volume"]["in_month"] == INTERACTIONS
    assert all(metric["denominator"] for metric in metrics), "a metric that was not put to the test"


def test_every_two_settings_meet() -> None:
    combinations = pairwise_covering(FACTORS)
    for one, other in itertools.combinations(FACTORS, 2):
        met = {(each[one], each[other]) for each in combinations}
        assert met == set(itertools.product(FACTORS[one], FACTORS[other]))
    assert len(combinations) < 13


def pairwise_covering(factors: dict[str, tuple[str, ...]]) -> list[Combination]:
    """Any two settings of two factors occur together. Greedy: next is what has most new pairs."""
    every = [
        dict(zip(factors, values, strict=True)) for values in itertools.product(*factors.values())
    ]
    chosen, left = [], set().union(*map(pairs, every))
    while left:
        chosen.append(max(every, key=lambda each: len(pairs(each) & left)))
        left -= pairs(chosen[-1])
    return chosen


def pairs(combination: Combination) -> set[tuple[tuple[str, str], ...]]:
    return set(itertools.combinations(combination.items(), 2))


def computed(places: Places, combination: Combination) -> bytes:
    settings = {name: value for name, value in combination.items() if name != "database"}
    url = places.urls[combination["database"]]
    script = Path(__file__).with_name("compute.py")
    return subprocess.run(
        [sys.executable, script, url, places.engagement_id, MONTH, str(NOW)],
        env={**os.environ, **settings, "LANG": settings["LC_ALL"]},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


def differing(combinations: list[Combination], documents: list[bytes]) -> str:
    return "\n".join(
        f"{hash(made):x} {each}" for each, made in zip(combinations, documents, strict=True)
    )


async def _described(url: str) -> Engagement:
    """Two vendors, agents with names and other ids, and what they know."""
    database = Database(url)
    async with database.write_as_operator() as connection:
        engagement, rival = [
            await vendors.create_engagement(
                connection, merchant="Trà Sen", vendor=vendor, time_zone=ZONE, now=NOW
            )
            for vendor in ("Hoa Sen BPO", "Rival BPO")
        ]
    roster = [
        RosterEntry(agent_id="hs-01", name="Bình", aliases=("hs-001", "hs-002")),
        RosterEntry(agent_id="hs-02", name="Ánh", aliases=("hs-003",)),
    ]
    async with database.write(engagement.scope.of_merchant()) as connection:
        await vendors.put_roster(connection, engagement.scope, roster, NOW)
        asked = json.dumps(document()).replace("2026-10", MONTH)
        contents = read_document(asked.encode())
        await knowledge.load(connection, engagement.scope, contents, now=NOW)
    await database.close()
    fill(url, rival.engagement_id, frames.rivals_log(INTERACTIONS, AGENTS))
    return engagement


async def _reviewed(url: str, engagement: Engagement) -> None:
    database = Database(url)
    rows = frames.made(INTERACTIONS, AGENTS)["reviews"].iter_rows(named=True)
    async with database.write_as_owner() as connection:
        rubric = {"merchant_id": engagement.merchant_id, "rubric_id": "r", "version": 1}
        await connection.execute(
            insert(models.Rubric).values(**rubric, title="r", criteria="[]", created_at=NOW)
        )
        reviews = [
            {
                **row,
                "engagement_id": engagement.engagement_id,
                "merchant_id": engagement.merchant_id,
                "revision": 1,
                "sequence": sequence,
                "rubric_id": "r",
                "rubric_version": 1,
                "reviewer": "merchant",
                "sampling": "random",
                "scores": "{}",
                "withdrawn": False,
                "created_at": NOW,
            }
            for sequence, row in enumerate(rows, start=1)
        ]
        await connection.execute(insert(models.QualityReview), reviews)
    await database.close()


async def _copied(source: str, target: str, dice: random.Random) -> None:
    """All rows of all tables, in another order."""
    read, written = Database(source), Database(target)
    async with read.read_as_owner() as connection, written.write_as_owner() as copy:
        for table in Base.metadata.sorted_tables:
            found = (await connection.execute(select(table))).mappings().all()
            rows = [dict(row) for row in found]
            dice.shuffle(rows)
            if rows:
                await copy.execute(insert(table), rows)
    await read.close()
    await written.close()
