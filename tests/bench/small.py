"""Uploads of one row, each beside one bare insert and commit."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import click
import psycopg
from psycopg import sql

from bench import bare
from bench.databases import Databases
from bench.measure import Samples, timed
from bench.receiving import NOW, new_engagement, send, served
from bench.rows import forms, log

UPLOADS = 300
BARE, UPLOAD = "bare insert and commit", "upload"


def measure(where: Databases) -> Samples:
    """In turns, in one database, after as many more that are not counted as make a tenth."""
    with where.fresh() as url, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(where.engine, url, Path(folder)))


async def _measure(engine: str, url: str, folder: Path) -> Samples:
    rows = log(UPLOADS + UPLOADS // 10)
    sent = [forms([row])["NDJSON"] for row in rows]
    cells = bare.cells_of(forms(rows)["NDJSON"], NOW)
    other = await new_engagement(url, vendor="Bare")
    samples = Samples({BARE: [], UPLOAD: []})
    async with served(url, folder) as client:
        with _inserting(url, other.engagement_id) as insert:
            for number, (form, row) in enumerate(zip(sent, cells, strict=True)):
                with timed(collect=False) as alone:
                    insert(row)
                upload = await send(client, form, f"small-{number}", created=1, collect=False)
                if number >= UPLOADS // 10:
                    samples.of[BARE].append(alone)
                    samples.of[UPLOAD].append(upload)
    click.echo(f"{UPLOADS} uploads of one row, {engine}: done", err=True)
    return samples


@contextmanager
def _inserting(url: str, engagement_id: str) -> Iterator[Callable[[bare.Cells], None]]:
    """Puts in one row and commits, as the driver does it; on a connection that is open."""
    if url.startswith("sqlite"):
        with bare.sqlite(url) as connection:
            yield _sqlite(connection, UUID(engagement_id).hex)
    else:
        with psycopg.connect(url) as connected:
            yield _postgresql(connected, engagement_id)


def _sqlite(connection: sqlite3.Connection, owner: str) -> Callable[[bare.Cells], None]:
    names, marks = (
        ", ".join(f'"{name}"' for name in bare.COLUMNS),
        ", ".join("?" * len(bare.COLUMNS)),
    )
    statement = f"INSERT INTO interactions ({names}) VALUES ({marks})"  # noqa: S608  our own names

    def insert(row: bare.Cells) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(statement, (owner, *row))
        connection.execute("COMMIT")

    return insert


def _postgresql(
    connection: psycopg.Connection[tuple[object, ...]], owner: str
) -> Callable[[bare.Cells], None]:
    statement = sql.SQL("INSERT INTO interactions ({}) VALUES ({}) ON CONFLICT DO NOTHING").format(
        sql.SQL(", ").join(map(sql.Identifier, bare.COLUMNS)),
        sql.SQL(", ").join([sql.Placeholder()] * len(bare.COLUMNS)),
    )

    def insert(row: bare.Cells) -> None:
        connection.execute(statement, (owner, *row))
        connection.commit()

    return insert
