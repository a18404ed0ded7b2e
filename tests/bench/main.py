"""Which parts are measured, at which sizes, and where the page goes."""

import gc
import os
import time
from pathlib import Path

import click

from bench import closing, fairness, memory, reading, receiving, rendering, scoring, small
from bench.databases import databases
from bench.measure import LEAST_REPETITIONS
from bench.page import Results, Stored, page
from vendorwatch.telemetry import configure_logging

_PARTS = ("receiving", "memory", "small", "fairness", "reading", "scoring", "rendering", "closing")
_ENGINES = ("SQLite", "PostgreSQL")
_FORMS = ("NDJSON", "gzip NDJSON", "CSV")
_SIZES = (5_000, 100_000, 1_000_000, 10_000_000)
_MONTHS = (200_000, 1_000_000)
_OFFICES = (6, 100)
_PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def _chosen(name: str, choices: tuple[str, ...]) -> click.Option:
    return click.Option(
        [f"--{name}"], type=click.Choice(choices), multiple=True, default=choices, show_default=True
    )


@click.command(
    help="Measures, and writes docs/benchmarks.md if every part was measured.",
    params=[
        _chosen("part", _PARTS),
        _chosen("engine", _ENGINES),
        _chosen("form", _FORMS),
        click.Option(["--rows"], type=click.IntRange(1), default=300_000, show_default=True,
                     help="Of an upload."),
        click.Option(["--month"], type=click.IntRange(4), multiple=True, default=_MONTHS,
                     show_default=True, help="Interactions of a month that is read."),
        click.Option(["--engagements"], type=click.IntRange(1), multiple=True, default=_OFFICES,
                     show_default=True, help="Whose month is closed."),
        click.Option(["--size"], type=click.IntRange(4), multiple=True, default=_SIZES,
                     show_default=True, help="Interactions that are scored. The largest take "
                     "minutes and most of 24 GiB."),
        click.Option(["--no-largest"], is_flag=True,
                     help="Leaves out what needs a process of its own."),
        click.Option(["--repetitions"], type=click.IntRange(LEAST_REPETITIONS),
                     default=LEAST_REPETITIONS, show_default=True),
    ],
)  # fmt: skip
def main(
    part: tuple[str, ...],
    engine: tuple[str, ...],
    form: tuple[str, ...],
    rows: int,
    month: tuple[int, ...],
    engagements: tuple[int, ...],
    size: tuple[int, ...],
    no_largest: bool,
    repetitions: int,
) -> None:
    configure_logging("warning")
    gc.freeze()  # as the server does with what it has imported
    load, began = os.getloadavg(), time.perf_counter()
    stored = Stored()
    # First: memory that a large frame has once taken makes rows of Python objects slower.
    with databases(engine if set(part) - {"scoring", "rendering"} else ()) as wheres:
        for where in wheres:
            if "receiving" in part:
                for name, samples in receiving.measure(where, rows, form, repetitions).items():
                    stored.received[where.engine, name] = samples
            stored.taken |= {where.engine: memory.measure(where)} if "memory" in part else {}
            stored.singles |= {where.engine: small.measure(where)} if "small" in part else {}
            stored.flooded |= {where.engine: fairness.measure(where)} if "fairness" in part else {}
            if "reading" in part:
                for n, samples in reading.measure(where, month, repetitions).items():
                    stored.read[where.engine, n] = samples
            if "closing" in part:
                stored.closed[where.engine] = closing.measure(where, engagements, repetitions)
    sizes = [n for n in size if not (no_largest and n >= scoring.LARGE)]
    text = page(
        Results(
            rows=rows,
            repetitions=repetitions,
            stored=stored,
            scored=scoring.measure(sizes, repetitions) if "scoring" in part else {},
            rendered=rendering.measure(repetitions) if "rendering" in part else None,
            load_before=load,
            seconds=time.perf_counter() - began,
        )
    )
    click.echo(text)
    if set(part) == set(_PARTS):
        _PAGE.write_text(text, encoding="utf-8")
        click.echo(f"written to {_PAGE}", err=True)
