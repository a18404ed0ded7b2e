"""What every command shares: exit codes, and what is told where."""

import json

import click
import pytest

from vendorwatch.errors import Fault, Kind, NotFound, VendorwatchError
from vendorwatch.terminal import EXIT_CODES, emit_json, emit_table, masked, run

EXPECTED = {
    Kind.MALFORMED: 2,
    Kind.REFUSED: 2,
    Kind.UNAUTHENTICATED: 2,
    Kind.FORBIDDEN: 2,
    Kind.NOT_FOUND: 3,
    Kind.CONFLICT: 4,
    Kind.TOO_LARGE: 2,
    Kind.UNSUPPORTED: 2,
    Kind.TOO_MANY: 5,
    Kind.TOO_SLOW: 5,
    Kind.UNAVAILABLE: 5,
}


def raising(error: BaseException) -> click.Command:
    @click.command()
    def command() -> None:
        raise error

    return command


def error_of(kind_: Kind) -> VendorwatchError:
    """Not a class of the package: those are looked at elsewhere."""
    made = NotFound("it happened")
    made.kind = kind_  # type: ignore[misc]  # a class variable, set on this one instance
    return made


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_has_its_exit_code(kind: Kind) -> None:
    assert EXIT_CODES[kind] == EXPECTED[kind]
    assert run(raising(error_of(kind)), []) == EXPECTED[kind]


def test_faults_have_a_line_each_and_standard_output_stays_empty(
    capsys: pytest.CaptureFixture[str],
) -> None:
    faults = (Fault("c", "is wrong", field="a"), Fault("c", "is wrong, too", row=2))
    run(raising(NotFound("detail", faults=faults)), [])
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == ["Not found:", "  a: is wrong", "  row 2: is wrong, too"]


def test_an_error_without_faults_tells_its_detail(capsys: pytest.CaptureFixture[str]) -> None:
    run(raising(NotFound("There is no such thing.")), [])
    assert capsys.readouterr().err == "Not found: There is no such thing.\n"


def test_a_mistake_of_ours_is_not_taken_for_a_partial_result(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(raising(RuntimeError("broken")), []) == 70
    assert "RuntimeError: broken" in capsys.readouterr().err


def test_a_fault_of_the_machine_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(raising(PermissionError(13, "Permission denied", "/data")), []) == 5
    assert capsys.readouterr().err == "[Errno 13] Permission denied: '/data'\n"


def test_usage_stops_and_results() -> None:
    @click.command()
    @click.option("--number", type=int)
    def command(number: int) -> int:
        return number

    assert run(command, ["--number", "x"]) == 2
    assert run(command, ["--nothing"]) == 2
    assert run(command, ["--number", "1"]) == 1
    assert run(command, ["--help"]) == 0
    assert run(raising(click.Abort()), []) == 130
    assert run(raising(KeyboardInterrupt()), []) == 130


def test_json_is_all_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    emit_json({"name": "Trà Sen", "list": [1, None]})
    out = capsys.readouterr().out
    assert json.loads(out) == {"name": "Trà Sen", "list": [1, None]}
    assert "Trà Sen" in out


def test_a_table_lines_up(capsys: pytest.CaptureFixture[str]) -> None:
    emit_table(("id", "name"), [("1", "An"), ("1000", "")])
    assert capsys.readouterr().out == "id    name\n1     An\n1000\n"
    emit_table(("id", "name"), [])
    assert capsys.readouterr().out == "id  name\n"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///var/x.db", "sqlite:///var/x.db"),
        ("postgresql://me:secret@h/n", "postgresql://me:***@h/n"),
        ("postgresql://h/n?password=secret&user=me", "postgresql://h/n?password=***&user=me"),
    ],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    assert masked(url).replace("%2A", "*") == shown
