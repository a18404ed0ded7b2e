"""`vendorwatch demo`"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from vendorwatch.demo.closing import mail_folder
from vendorwatch.demo.description import read_description
from vendorwatch.demo.run import Outcome, run_demo
from vendorwatch.resources import FIXTURES
from vendorwatch.terminal import Runtime, emit_json, emit_table, json_option, pass_runtime

_HEADERS = (
    "vendor",
    "month",
    "score",
    "response",
    "resolution",
    "knowledge",
    "met/missed",
    "rejected rows",
)


@click.command()
@json_option
@pass_runtime
def demo(runtime: Runtime, as_json: bool) -> None:
    """The main job on a made-up shop: logs in, scores, PDF scorecards, mail.

    Three vendors, three months. Everything stays in the folder `demo` of the data folder.
    """
    telling = Bars() if sys.stderr.isatty() else Lines()
    described = read_description(FIXTURES / "demo")
    outcomes = run_demo(runtime.settings, runtime.clock, telling, described)
    if as_json:
        emit_json([asdict(outcome) for outcome in outcomes])
        return
    emit_table(_HEADERS, [_row(outcome) for outcome in outcomes])
    click.echo()
    for outcome in outcomes:
        for path in outcome.reports:
            if path.endswith(".pdf"):
                click.echo(path)
    folder = mail_folder(runtime.settings)
    mails = sorted(folder.glob("*.eml"))
    if mails:
        click.echo(f"\nThe last month was closed, and its readers were written to: {folder}")
        for mail in mails:
            click.echo(mail)


def _row(outcome: Outcome) -> tuple[str, ...]:
    scores = (outcome.score, outcome.response, outcome.resolution, outcome.knowledge)
    return (
        outcome.vendor,
        outcome.month,
        *(score or "not rated" for score in scores),
        f"{outcome.met}/{outcome.missed}",
        str(outcome.rejected),
    )


class Lines:
    """For logs: one line when a step begins. On standard error, as everything but figures."""

    @contextmanager
    def step(self, text: str, total: int) -> Iterator[Callable[[], None]]:
        click.echo(f"{text} ...", err=True)
        yield lambda: None


class Bars:
    @contextmanager
    def step(self, text: str, total: int) -> Iterator[Callable[[], None]]:
        columns = (
            TextColumn("{task.description:26}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task(text, total=total)
            yield lambda: progress.advance(task)
