"""House rules that no linter knows: sizes, reasons for exceptions, words that must not leak."""

import ast
import re
import statistics
import tokenize
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
MODULE_MEDIAN, MODULE_MOST = 120, 400
FUNCTION_95TH, FUNCTION_MOST = 35, 80

# Joined here, so that this file itself holds none of them.
FORBIDDEN = [
    *(f"/{folder}/" for folder in ("work", "root")),
    *(f"{host}.org" for host in ("pypi", "files.pythonhosted", "registry.npmjs")),
]
PATTERN = re.compile("|".join(map(re.escape, FORBIDDEN)).encode())
MAY_NAME_HOSTS = {"uv.lock"}


@cache
def repository_files() -> list[Path]:
    """Everything that a commit of this tree would hold. Walked, as git may not be there."""
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text("utf-8").splitlines()}
    found, waiting = [], [ROOT]
    while waiting:
        for path in sorted(waiting.pop().iterdir()):
            if path.name == ".git" or any(fnmatch(path.name, pattern) for pattern in ignored):
                continue
            (waiting if path.is_dir() else found).append(path)
    return found


def lengths_of_functions() -> dict[str, int]:
    found = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                name = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
                found[name] = node.end_lineno - node.lineno + 1
    return found


def comments(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def unexplained(comment: str) -> bool:
    """Whether it switches a check off without codes, or without saying why after them."""
    found = re.search(r"(?:noqa|type: ignore)(.*)", comment)
    if not found:
        return False
    codes = re.match(r":\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*|\[[a-z, -]+\]", found[1])
    return codes is None or not re.search(r"\w{2,}.*\w{2,}", found[1][codes.end() :])


def test_modules_are_small() -> None:
    sizes = {path: len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {path.name: size for path, size in sizes.items() if size > MODULE_MOST} == {}
    assert statistics.median(size for size in sizes.values() if size) <= MODULE_MEDIAN


def test_functions_are_small() -> None:
    lengths = lengths_of_functions()
    assert len(lengths) > 500
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_MOST} == {}
    assert statistics.quantiles(lengths.values(), n=20)[-1] <= FUNCTION_95TH


@pytest.mark.parametrize("folder", ["src", "tests", "docs", "migrations"])
def test_whoever_switches_a_check_off_says_why(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {comment}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, comment in comments(path)
        if unexplained(comment)
    ]
    assert found == []


def test_an_exception_without_a_reason_would_be_seen() -> None:
    mark = "noqa"
    assert unexplained(f"# {mark}")
    assert unexplained(f"# {mark}: S101")
    assert unexplained(f"# {mark}: S101, PLR2004")
    assert unexplained("# type: ignore[misc]")
    assert not unexplained(f"# {mark}: S101  what a fault is made of")
    assert not unexplained("# type: ignore[misc]  # the base has no types")


def test_no_file_tells_of_the_place_where_it_was_made() -> None:
    files = repository_files()
    assert ROOT / "README.md" in files
    found = [
        f"{path.relative_to(ROOT)}: {match[0].decode()}"
        for path in files
        if path.name not in MAY_NAME_HOSTS
        for match in PATTERN.finditer(path.read_bytes())
    ]
    assert found == []


@pytest.mark.parametrize("word", FORBIDDEN)
def test_a_forbidden_word_would_be_found(word: str) -> None:
    assert PATTERN.search(f"see {word} for more".encode())


def test_there_are_no_drawers_for_odds_and_ends() -> None:
    drawers = {"utils", "util", "helpers", "common", "core", "lib", "manager", "misc"}
    assert [path for path in SOURCES if drawers & {path.stem, path.parent.name}] == []


def test_no_annotation_is_hidden_from_run_time() -> None:
    """The web framework reads annotations when the program runs."""
    names = ("TYPE_CHECKING", "from __future__ import annotations")
    found = [path for path in SOURCES if any(name in path.read_text("utf-8") for name in names)]
    assert found == []


def floats(source: str) -> list[int]:
    """The lines with a float, or with what can only give one."""
    inexact = {"sqrt", "exp", "log", "log10", "log2", "pow", "fsum", "erf", "fmean"}
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Attribute) and node.attr in inexact)
    ]


def test_no_score_depends_on_a_float() -> None:
    """The tails of a binomial alone are weighed in floats, with a bound of their error, and exactly
    where that does not decide: they say which agents stand out, and are part of no score.
    """
    found = {path.name for path in SOURCES if path.parent.name == "scoring"}
    assert "binomial.py" in found
    for path in SOURCES:
        if path.parent.name == "scoring" and path.name != "binomial.py":
            assert not floats(path.read_text("utf-8")), path


@pytest.mark.parametrize("line", ["a = 0.5", "b = float(c)", "d = math.sqrt(e)"])
def test_a_float_would_be_found(line: str) -> None:
    assert floats(line) == [1]
