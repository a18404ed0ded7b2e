"""Logs as data, and nothing in them by chance."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from vendorwatch.telemetry import configure_library_logging


@pytest.fixture
def library_logging() -> Iterator[None]:
    """Other tests' handlers come back afterwards."""
    root, server = logging.getLogger(), logging.getLogger("_granian")
    kept = [(each, each.handlers, each.level, each.propagate) for each in (root, server)]
    configure_library_logging()
    yield
    for logger, handlers, level, propagate in kept:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def find(name: str) -> None:
    raise KeyError(name)


def fail(name: str) -> None:
    try:
        find(name)
    except KeyError as error:
        raise ValueError(f"no {name}") from error


def test_of_an_exception_its_places_and_not_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        fail("Nguyen")
    except ValueError:
        structlog.get_logger().error("broken", exc_info=True)
    [line] = logged(capsys)
    told = str(line["exception"]).splitlines()
    assert [each for each in told if not each.startswith(__file__)] == [
        "builtins.KeyError",
        "builtins.ValueError",
    ]
    assert [each.rpartition(" ")[2] for each in told if each.startswith(__file__)] == [
        "fail", "find", "test_of_an_exception_its_places_and_not_its_words", "fail",
    ]  # fmt: skip
    assert "Nguyen" not in json.dumps(line)


def test_a_group_tells_of_each(capsys: pytest.CaptureFixture[str]) -> None:
    error = ExceptionGroup("Nguyen", [KeyError("Nguyen"), OSError("Nguyen")])
    structlog.get_logger().error("broken", exc_info=error)
    [line] = logged(capsys)
    assert str(line["exception"]).splitlines() == [
        "builtins.ExceptionGroup",
        "builtins.KeyError",
        "builtins.OSError",
    ]


@pytest.mark.usefixtures("library_logging")
def test_libraries_are_told_without_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("some.library")
    logger.info("too quiet")
    logger.warning("cannot read %s", "Nguyen")
    logger.warning("made up of " + "Nguyen")  # noqa: G003  as libraries do
    try:
        fail("Nguyen")
    except ValueError:
        logging.getLogger("_granian").exception("Nguyen")
    first, second, third = logged(capsys)
    assert (first["logger"], first["text"]) == ("some.library", "cannot read %s")
    assert second["text"] is None
    assert str(second["where"]).startswith(f"{__file__}:")
    assert third["level"] == "error"
    assert "ValueError" in str(third["exception"])
    assert "Nguyen" not in json.dumps([first, second, third])


@pytest.mark.usefixtures("library_logging")
def test_nothing_is_logged_twice() -> None:
    configure_library_logging()
    assert len(logging.getLogger().handlers) == 1
