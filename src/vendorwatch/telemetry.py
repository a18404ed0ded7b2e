"""The clock, and logs as data: one JSON object a line on standard error.

Nothing of a caller gets into them by chance: fields are named one by one, and of an exception where
it came from is told, not what it says, as that may quote a customer's words.
"""

import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import structlog
from typing_extensions import override

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
            _describe_exception,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=_to_standard_error,
        cache_logger_on_first_use=False,
    )


def configure_library_logging() -> None:
    """What libraries log by the standard library's means, from warnings on, told in our form.

    For a process of our own: it takes every other handler away.
    """
    root = logging.getLogger()
    root.handlers = [_LibraryHandler()]
    root.setLevel(logging.WARNING)
    server = logging.getLogger("_granian")  # comes with handlers of its own
    server.handlers = []
    server.propagate = True


class _LibraryHandler(logging.Handler):
    """Tells a text without its arguments, and one that was made up on the spot not at all: it may
    quote a customer. The place leads to it.
    """

    @override
    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            "library",
            logger=record.name,
            where=f"{record.pathname}:{record.lineno}",
            text=record.msg if record.args and isinstance(record.msg, str) else None,
            exc_info=record.exc_info,
        )


def _describe_exception(_: Any, __: str, event: MutableMapping[str, Any]) -> Any:
    found = event.pop("exc_info", None)
    if isinstance(found, tuple):
        found = found[1]
    error = sys.exc_info()[1] if found is True else found
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_described(error))
    return event


def _described(error: BaseException) -> Iterator[str]:
    """Types and places, the first cause first; never what an exception says."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _described(cause)
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"{frame.filename}:{frame.lineno} in {frame.name}"
    yield f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _described(each)


def _to_standard_error(*_: object) -> structlog.PrintLogger:
    # Looked up at every use: tests and servers exchange the stream.
    return structlog.PrintLogger(sys.stderr)
