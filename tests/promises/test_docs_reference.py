"""The pages of the reference that are made from the code, and what every page must name."""

import importlib.util
import inspect
import re
from pathlib import Path
from types import ModuleType

import click
import pytest

from vendorwatch.errors import VendorwatchError
from vendorwatch.scoring.metrics import KNOWLEDGE_METRICS, METRICS
from vendorwatch.scoring.policy import DIMENSIONS
from vendorwatch.scoring.words import CHANNELS, PRIORITIES
from vendorwatch.settings import Settings
from vendorwatch.terminal import run
from vendorwatch.web.problems import INTERNAL_ERROR, METHOD_NOT_ALLOWED

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


def load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = load_generator()
ERRORS: list[type[VendorwatchError]] = generate.errors()
COMMANDS: list[click.Context] = list(generate.commands())


def page(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


@pytest.mark.parametrize("name", generate.PAGES)
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    assert page(name) == generate.PAGES[name](), "run: make docs"


def test_a_stale_page_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in generate.PAGES:
        (tmp_path / name).write_text(page(name), "utf-8")
    (tmp_path / "settings.md").write_text("old", "utf-8")
    (tmp_path / "cli.md").unlink()
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    assert generate.outdated() == ["settings.md", "cli.md"]


def test_every_setting_is_named() -> None:
    for setting in Settings.CATALOGUE:
        assert f"| `{setting.variable}` | `{setting.default}` | {setting.meaning}" in page(
            "settings.md"
        )


def test_every_problem_has_its_section() -> None:
    sections = re.findall(r"^## (.+)$", page("problems.md"), re.MULTILINE)
    slugs = [error.slug for error in ERRORS] + [METHOD_NOT_ALLOWED[0], INTERNAL_ERROR[0]]
    assert len(ERRORS) > 40
    assert sections == sorted(slugs)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.slug)
def test_a_problem_says_what_it_means_and_what_to_do(error: type[VendorwatchError]) -> None:
    meaning, what_to_do = generate.explanation(error)
    assert meaning.endswith((".", ")"))
    assert what_to_do.endswith(".")
    assert "\n\n" not in inspect.cleandoc(error.__doc__ or "").partition("\n\n")[2]


def test_an_error_that_says_nothing_is_refused() -> None:
    silent = type("Silent", (VendorwatchError,), {"__doc__": "What it means only."})
    with pytest.raises(ValueError, match="Silent needs a docstring"):
        generate.explanation(silent)


@pytest.mark.parametrize("context", COMMANDS, ids=lambda context: context.command_path)
def test_every_command_and_option_is_named(context: click.Context) -> None:
    assert context.command.help
    if isinstance(context.command, click.Group):
        return
    name = re.escape(context.command_path)
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", page("cli.md"), re.MULTILINE | re.DOTALL)
    assert section is not None
    for parameter in context.command.params:
        if isinstance(parameter, click.Option):
            assert all(
                f"`{name}" in section[1] or f", {name}" in section[1] for name in parameter.opts
            )
            assert parameter.help
        else:
            assert parameter.make_metavar(context) in section[1]


def test_every_exit_code_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command
    def breaks() -> None:
        raise ZeroDivisionError

    @click.command
    def is_interrupted() -> None:
        raise KeyboardInterrupt

    codes = {code for _, code in generate.EXIT_CODES.items()} | {0, 1}
    codes |= {run(breaks, []), run(is_interrupted, [])}
    capsys.readouterr()
    explained = re.findall(r"^\| (\d+) \| \S", page("cli.md"), re.MULTILINE)
    assert sorted(map(int, explained)) == sorted(codes)


def test_every_metric_is_defined() -> None:
    for metric in (*(each.id for each in METRICS), *KNOWLEDGE_METRICS):
        assert re.search(rf"^\| .*`{metric}`.* \| .+$", page("metrics.md"), re.MULTILINE), metric


def test_every_key_of_a_policy_is_explained() -> None:
    source = inspect.getsource(importlib.import_module("vendorwatch.scoring.policy_file"))
    keys = set(re.findall(r'\.(?:take|table)\(\s*"([a-z_]+)"', source)) | {*DIMENSIONS}
    keys |= {*re.findall(r'"(\w+)"', re.findall(r"^_(?:KINDS|DAYS)\b.*$", source, re.MULTILINE)[1])}
    assert {"settling_days", "holidays", "minimum_volume", "next_reply", "floor"} <= keys
    for key in {*keys, *CHANNELS, *PRIORITIES}:
        assert re.search(rf"\b{key}\b", page("policy.md")), key
