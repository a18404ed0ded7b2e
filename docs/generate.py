"""Writes those pages of the reference that the code knows best.

`python docs/generate.py` writes them, `--check` tells which are not what the code says.
"""  # noqa: INP001  a script among documents, not a package

import argparse
import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click

import vendorwatch
from vendorwatch.app import create_app
from vendorwatch.cli import cli
from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.settings import Settings
from vendorwatch.terminal import EXIT_CODES, EXIT_PARTIAL
from vendorwatch.web import documents
from vendorwatch.web.exchange import TYPES
from vendorwatch.web.problems import INTERNAL_ERROR, METHOD_NOT_ALLOWED, STATUS

FOLDER = Path(__file__).parent / "reference"

_SETTINGS = """\
# Settings

They come from the environment and from nowhere else. `vendorwatch settings` shows each with its value, secrets masked;
`vendorwatch doctor` tells whether the machine can work with them. A variable that starts with `VENDORWATCH_` and stands
not here is an error, and so is a value that cannot be used: every command then stops with exit code 2 and names all of
them ([bad-settings](problems.md#bad-settings)). An empty variable counts as not set.

| variable | default | meaning |
|---|---|---|
"""

_PROBLEMS = f"""\
# Problems

Every error of the API is RFC 9457 `application/problem+json`:

```json
{{
  "type": "{TYPES}bad-roster",
  "title": "The roster was refused",
  "status": 422,
  "detail": "1 faults; nothing was stored.",
  "request_id": "0d3f5c1f6f0f4f0d9a1b2c3d",
  "errors": [
    {{"code": "bad_value", "detail": "'2026-13-01' is not a date", "field": "started_on", "row": 3}}
  ]
}}
```

`type` ends in one of the names below, and `title` is constant for it. `detail` tells of this occurrence and may change
its words; `errors`, where there are several mistakes, lists up to 100 of them. `row` and `line` count from 1. Codes of
refused rows of a log are on the page of [the record](record.md#refused-rows). `Retry-After` says when to try again.

Commands print the same on standard error, and end with the exit code.

| kind | HTTP | exit code |
|---|---|---|
"""

_COMMANDS = """\
# Commands

[Settings](settings.md) come from the environment. `-h` or `--help` after any command explains it. `--json` prints JSON
on standard output and nothing else there; messages go to standard error. Creating the same thing under the same names
again is no error and changes nothing.

| exit code | meaning |
|---|---|
"""

_EXITS = {
    0: "done",
    EXIT_PARTIAL: "done in part: some rows were refused",
    2: "wrong usage or refused input; nothing was changed",
    3: "there is no such thing",
    4: "it contradicts what is there",
    5: "not possible now: database, server, disk or machine",
    70: "a mistake of ours, told in full on standard error",
    130: "stopped by Ctrl-C",
}

_BEYOND_ERRORS = {
    METHOD_NOT_ALLOWED: (
        405,
        "The address is there, but not for this method.",
        "Use one of the methods that the header Allow lists.",
    ),
    INTERNAL_ERROR: (
        500,
        "A mistake of ours. It is in the server's log under the request id; the answer tells nothing of it.",
        "Report it with the request id. Nothing was stored by the request.",
    ),
}


def settings_page() -> str:
    rows = [
        f"| `{each.variable}` | `{each.default}` | {each.meaning}{' Secret.' if each.secret else ''} |"
        for each in Settings.CATALOGUE
    ]
    return _SETTINGS + "\n".join(rows) + "\n"


def problems_page() -> str:
    kinds = [f"| {_words(kind)} | {STATUS[kind]} | {EXIT_CODES[kind]} |" for kind in Kind]
    sections = {error.slug: _problem(error) for error in errors()}
    for (slug, title), (status, why, what_to_do) in _BEYOND_ERRORS.items():
        sections[slug] = _section(slug, title, f"HTTP {status}", why, what_to_do)
    ordered = [text for _, text in sorted(sections.items())]
    return _PROBLEMS + "\n".join([*kinds, "", *ordered])


def errors() -> list[type[VendorwatchError]]:
    """Every error that the package can mean to raise."""
    for module in pkgutil.walk_packages(vendorwatch.__path__, "vendorwatch."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, waiting = [], [VendorwatchError]
    while waiting:
        subclasses = waiting.pop().__subclasses__()
        waiting += subclasses
        found += subclasses
    return [error for error in found if error.__module__.startswith("vendorwatch.")]


def explanation(error: type[VendorwatchError]) -> tuple[str, str]:
    """What it means and what to do: the first paragraph of the docstring, and the second."""
    why, _, what_to_do = inspect.cleandoc(error.__dict__["__doc__"] or "").partition("\n\n")
    if not why or not what_to_do:
        raise ValueError(f"{error.__name__} needs a docstring: what it means, then what to do")
    return _line(why), _line(what_to_do)


def cli_page() -> str:
    exits = [f"| {code} | {meaning} |" for code, meaning in _EXITS.items()]
    sections = [_command(context) for context in commands() if not _is_group(context)]
    return _COMMANDS + "\n".join([*exits, "", *sections])


def commands() -> Iterator[click.Context]:
    """A context for each command and group, parents first."""
    yield from _walk(click.Context(cli, info_name=cli.name, **cli.context_settings))


@cache
def openapi() -> dict[str, Any]:
    """As the application serves it."""
    return documents.document(create_app(Settings.from_env({})))


def openapi_text() -> str:
    return json.dumps(openapi(), indent=2, ensure_ascii=False) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "problems.md": problems_page,
    "cli.md": cli_page,
    "openapi.json": openapi_text,
}


def outdated() -> list[str]:
    """Names of the pages that are not what the code says."""
    return [
        name
        for name, text in PAGES.items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_text("utf-8") != text()
    ]


def _problem(error: type[VendorwatchError]) -> str:
    status, code = STATUS[error.kind], EXIT_CODES[error.kind]
    where = _operations(error.slug)
    # What the framework refuses before it has found an operation, none of them declares.
    over_http = where or error.__module__.startswith("vendorwatch.web.")
    answered = f"HTTP {status}, exit code {code}" if over_http else f"exit code {code}"
    return _section(error.slug, error.title, answered, *explanation(error), where)


def _section(slug: str, title: str, codes: str, why: str, what_to_do: str, where: str = "") -> str:
    lines = [f"## {slug}", "", f"*{title}*: {codes}.", "", why, "", f"What to do: {what_to_do}", ""]
    return "\n".join([*lines, f"Answered by {where}.", ""] if where else lines)


def _operations(slug: str) -> str:
    """Those that declare the problem, in words; empty where none does."""
    every = [
        (path, f"`{method.upper()} {path}`", str(operation["responses"]))
        for path, item in openapi()["paths"].items()
        for method, operation in item.items()
    ]
    found = [name for _, name, answers in every if f"`{slug}`:" in answers]
    if len(found) == sum(path.startswith("/v1/") for path, _, _ in every):
        return "everything under `/v1`"
    return ", ".join(sorted(found))


def _walk(context: click.Context) -> Iterator[click.Context]:
    yield context
    command = context.command
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        inner = command.get_command(context, name) if isinstance(command, click.Group) else None
        if inner is not None:
            yield from _walk(click.Context(inner, info_name=name, parent=context))


def _is_group(context: click.Context) -> bool:
    return isinstance(context.command, click.Group)


def _command(context: click.Context) -> str:
    command, path = context.command, context.command_path
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    told = inspect.cleandoc(command.help or "").split("\n\n")
    options = [_option(p, context) for p in command.params if isinstance(p, click.Option)]
    parts = [f"## {path}", f"```\n{usage}\n```", *map(_line, told)]
    return "\n\n".join([*parts, "\n".join(options)] if options else parts) + "\n"


def _option(option: click.Option, context: click.Context) -> str:
    record, extra = option.get_help_record(context), option.get_help_extra(context)
    if record is None or not option.help:
        raise ValueError(f"{context.command_path} {option.name} needs a help text")
    help_text = _line(option.help).rstrip(".") + "."
    notes = ["Required."] if "required" in extra else []
    notes += [f"Default: {extra['default']}."] if "default" in extra else []
    return " ".join([f"- `{record[0]}`: {help_text}", *notes])


def _line(text: str) -> str:
    return " ".join(text.split())


def _words(kind: Kind) -> str:
    return kind.value.replace("_", " ")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, tell what differs")
    if not parser.parse_args().check:
        for name, text in PAGES.items():
            (FOLDER / name).write_text(text(), "utf-8")
        return 0
    for name in (wrong := outdated()):
        sys.stderr.write(f"docs/reference/{name} is not what the code says; run: make docs\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
