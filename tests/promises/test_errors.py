"""Every error that the package can mean to raise: what callers may rely on."""

import importlib
import pkgutil
import re

import pytest

import vendorwatch
from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.terminal import EXIT_CODES
from vendorwatch.web.problems import INTERNAL_ERROR, METHOD_NOT_ALLOWED, STATUS


def every_error() -> list[type[VendorwatchError]]:
    for module in pkgutil.walk_packages(vendorwatch.__path__, "vendorwatch."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, waiting = [], [VendorwatchError]
    while waiting:
        subclasses = waiting.pop().__subclasses__()
        waiting += subclasses
        found += subclasses
    return [error for error in found if error.__module__.startswith("vendorwatch.")]


ERRORS = every_error()


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_has_a_kind_a_slug_and_a_constant_title(error: type[VendorwatchError]) -> None:
    assert error.kind in Kind
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.slug)
    assert re.fullmatch(r"[A-Z][^.\n]*", error.title)


def test_slugs_and_titles_are_unique() -> None:
    named = [(error.slug, error.title) for error in ERRORS] + [METHOD_NOT_ALLOWED, INTERNAL_ERROR]
    slugs, titles = zip(*named, strict=True)
    assert len(ERRORS) > 20
    assert sorted(set(slugs)) == sorted(slugs)
    assert sorted(set(titles)) == sorted(titles)


def test_every_edge_translates_every_kind() -> None:
    assert set(STATUS) == set(Kind)
    assert set(EXIT_CODES) == set(Kind)


def test_a_status_tells_the_caller_apart_from_us() -> None:
    ours = {kind for kind, status in STATUS.items() if status >= 500}
    assert ours == {Kind.UNAVAILABLE}
    assert len(set(STATUS.values())) == len(STATUS)
