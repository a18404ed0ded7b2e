"""Servers for all tests of this folder come from one process."""

from collections.abc import Iterator

import pytest

from crash.server import Nursery


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    opened = Nursery()
    yield opened
    opened.close()
