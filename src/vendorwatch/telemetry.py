"""The clock, and logs as data: one JSON object a line on standard error."""

import logging
import sys
import time
from collections.abc import Callable

import structlog

from vendorwatch.periods import Micros

Clock = Callable[[], Micros]
"""The instant now. Only entry points call it; everything below takes `now` as an argument."""

_NANOSECONDS_PER_MICROSECOND = 1_000


def system_clock() -> Micros:
    return time.time_ns() // _NANOSECONDS_PER_MICROSECOND  # noqa: TID251  the one place


def configure_logging(level: str) -> None:
    """`level` is one of debug, info, warning, error. May be called again.

    Only what a caller names becomes a field: nothing is logged because it happened to be there.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=_to_standard_error,
        cache_logger_on_first_use=False,
    )


def _to_standard_error(*_: object) -> structlog.PrintLogger:
    # Looked up at every use: tests and servers exchange the stream.
    return structlog.PrintLogger(sys.stderr)
