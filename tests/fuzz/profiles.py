"""How hard to try: a little within `make test`, a lot within `make fuzz`."""

import os

from hypothesis import HealthCheck, settings

LONG = os.environ.get("FUZZ") == "long"


def effort(short: int, long: int) -> settings:
    """Examples. The short run is the same each time; the long one is another each time."""
    return settings(
        max_examples=long if LONG else short,
        derandomize=not LONG,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
