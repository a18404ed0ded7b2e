"""One vendor's uploads alone, and beside the flood of another one, through a real server."""

import asyncio
import gzip
import itertools
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import httpx

from bench.databases import Databases
from bench.measure import Samples, Timing, timed
from bench.receiving import environment, new_key
from bench.rows import forms, log
from running_server import running_server

ALONE, BESIDE = "alone", "beside a flood"
ROWS, FLOOD_ROWS, CONNECTIONS = 100, 10_000, 4
TURNS, UPLOADS = 5, 20
_FLOOD_BODIES = 150  # more than are sent
_HEADERS = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}


def measure(where: Databases) -> Samples:
    """In turns: some uploads alone, as many beside the flood."""
    bodies = _bodies(ROWS, "S")
    flood = [*itertools.islice(_bodies(FLOOD_ROWS, "F"), _FLOOD_BODIES)]
    samples = Samples({ALONE: [], BESIDE: []})
    with where.fresh() as url, tempfile.TemporaryDirectory() as folder:
        keys = [asyncio.run(new_key(url, vendor)) for vendor in ("Small", "Flooding")]
        with (
            running_server(environment(url, Path(folder) / "data"), Path(folder)) as address,
            _client(address, keys[0]) as small,
            _client(address, keys[1]) as flooding,
        ):
            _upload(flooding, flood.pop())  # its processes are started, its tables are made
            for turn in range(TURNS + 1):
                alone = [_upload(small, next(bodies)) for _ in range(UPLOADS)]
                with _flooded(flooding, flood):
                    beside = [_upload(small, next(bodies)) for _ in range(UPLOADS)]
                if turn:
                    samples.of[ALONE] += alone
                    samples.of[BESIDE] += beside
                click.echo(f"fairness, {where.engine}, {turn} of {TURNS}", err=True)
    return samples


def _bodies(rows: int, prefix: str) -> Iterator[bytes]:
    """Of interactions that nobody has sent before."""
    plain = forms(log(rows))["NDJSON"].body
    for number in itertools.count():
        yield gzip.compress(plain.replace(b'"HS-', f'"{prefix}{number}-'.encode()), 1)


def _client(address: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=120)


def _upload(client: httpx.Client, body: bytes) -> Timing:
    with timed(collect=False) as timing:
        answer = client.post("/v1/uploads", content=body, headers=_HEADERS)
    if answer.status_code != httpx.codes.CREATED:
        raise AssertionError(f"{answer.status_code} {answer.text[:1000]}")
    return timing


@contextmanager
def _flooded(client: httpx.Client, bodies: list[bytes]) -> Iterator[None]:
    """As long as the block lasts, several logs are under way, and one follows the other."""
    stop, begun = threading.Event(), threading.Semaphore(0)

    def flow() -> None:
        while not stop.is_set():
            body = bodies.pop()
            begun.release()
            _upload(client, body)

    senders = [threading.Thread(target=flow) for _ in range(CONNECTIONS)]
    for sender in senders:
        sender.start()
    for _ in range(CONNECTIONS + 1):
        begun.acquire()  # the first of them is stored
    try:
        yield
    finally:
        stop.set()
        for sender in senders:
            sender.join()
