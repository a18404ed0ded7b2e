"""Kills the real server until it loses something: `make crash`.

main.py [--kills 500] [--engine sqlite] [--engine postgresql] [--seed 1]
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from crash.campaign import Campaign, Results, prepare
from crash.invariants import summary
from crash.server import Nursery
from crash.sites import Postgresql, Site, Sqlite
from postgresql_server import postgresql_cluster

_KILLS_A_DATABASE = 50  # then a new one: what is checked after each kill grows with its tables


@click.command(
    help="Kills the server at random moments, and checks that nothing is lost or doubled."
)
@click.option("--kills", type=click.IntRange(1), default=500, show_default=True, help="An engine.")
@click.option("--engine", "engines", type=click.Choice(["sqlite", "postgresql"]), multiple=True,
              default=("sqlite", "postgresql"), show_default=True)  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), help="A folder for databases and ledgers.")
def main(kills: int, engines: tuple[str, ...], seed: int, keep: Path | None) -> None:
    broken = False
    for engine in engines:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="vendorwatch-crash-") as temporary:
            results = attack(engine, kills, seed, keep or Path(temporary))
        report(engine, results, time.monotonic() - began)
        broken |= bool(results.violations)
    sys.exit(1 if broken else 0)


def attack(engine: str, kills: int, seed: int, folder: Path) -> Results:
    results = Results()
    with sites(engine, folder) as site:
        tenants = prepare(site)
        nursery = Nursery()
        for number, start in enumerate(range(0, kills, _KILLS_A_DATABASE)):
            campaign = Campaign(
                site.copy(f"run-{number}"), tenants, seed=seed + number, nursery=nursery,
                tell=click.echo,
            )  # fmt: skip
            wanted = min(_KILLS_A_DATABASE, kills - start)
            results.add(campaign.run(wanted, database_too=engine == "postgresql"))
            click.echo(
                f"{engine}: {results.kills} kills, {results.sent} uploads,"
                f" {summary(results.violations)}"
            )
        nursery.close()
    return results


@contextmanager
def sites(engine: str, folder: Path, *options: str) -> Iterator[Site]:
    """An empty one. Options are PostgreSQL's, as in `fsync=off`."""
    if engine == "sqlite":
        yield Sqlite(folder / engine)
        return
    with postgresql_cluster(*options) as cluster:
        yield Postgresql(folder / engine, cluster, "postgres").copy("crash")
        cluster.stop()
        cluster.run("pg_checksums", "--check", "-D", cluster.data)


def report(engine: str, results: Results, seconds: float) -> None:
    click.echo(f"\n{engine}: {results.kills} kills in {seconds:.0f} s")
    click.echo(f"  uploads {results.sent}, acknowledged {results.acknowledged}, sent more than once "
               f"{results.retried}, replayed {results.replays}, sent by two at once "
               f"{results.races}; rows {results.rows}")  # fmt: skip
    click.echo(f"  long logs stored {results.long_stored}, under way at a kill {results.long}, while "
               f"rows were written {results.long_written}")  # fmt: skip
    click.echo(f"  answers {dict(sorted(results.answers.items()))}")
    for title, counts in (("kills by the furthest upload", results.phases),
                          ("uploads under way at a kill", results.uploads)):  # fmt: skip
        click.echo(f"  {title}:")
        for name, count in counts.most_common():
            click.echo(f"    {count:6} {name}")
    click.echo(f"  {summary(results.violations)}")


if __name__ == "__main__":
    main()
