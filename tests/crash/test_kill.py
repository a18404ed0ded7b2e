"""Kill -9 at any moment loses nothing, doubles nothing and leaves nothing half there.

The long form of this is `make crash`.
"""

from pathlib import Path

import pytest

from crash.campaign import Campaign, prepare
from crash.main import sites
from crash.server import Nursery

_KILLS = 6


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_what_was_acknowledged_is_there_once_after_every_kill(
    engine: str, tmp_path: Path, nursery: Nursery
) -> None:
    # What a process wrote outlives it without fsync; only a power cut would show the difference.
    with sites(engine, tmp_path, "fsync=off") as site:
        tenants = prepare(site)
        campaign = Campaign(site.copy("run"), tenants, seed=7, nursery=nursery, tell=print)
        results = campaign.run(_KILLS, database_too=engine == "postgresql")
    assert results.violations == []
    assert results.kills == _KILLS
    assert results.sent == results.acknowledged > 0
    # A server that answers everything with 500 loses nothing either.
    assert set(results.answers) <= {200, 201, 207, 409, 422, 503}
    assert results.rows
    assert results.races
    assert results.long_stored
