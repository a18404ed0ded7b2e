"""A roster as CSV."""

import pytest

from vendorwatch.vendors.model import BadRoster, RosterEntry
from vendorwatch.vendors.parse import read_roster


def faults_of(content: bytes) -> list[tuple[int | None, int | None, str | None, str]]:
    with pytest.raises(BadRoster) as raised:
        read_roster(content)
    return [(fault.row, fault.line, fault.field, fault.code) for fault in raised.value.faults]


def test_every_column() -> None:
    content = (
        "\ufeffteam,agent_id,name,started_on,ended_on,languages,aliases\r\n"
        'Night,007,"Nguyễn, An",2026-01-31,2026-02-01,vi; en,zd-7;gorgias-8\r\n'
        ",8,,,,,\r\n"
        "\r\n"
    ).encode()
    assert read_roster(content) == [
        RosterEntry(
            agent_id="007",
            name="Nguyễn, An",
            team="Night",
            started_on="2026-01-31",
            ended_on="2026-02-01",
            languages=("vi", "en"),
            aliases=("zd-7", "gorgias-8"),
        ),
        RosterEntry(agent_id="8"),
    ]


def test_ids_are_kept_as_they_stand() -> None:
    assert [entry.agent_id for entry in read_roster(b"agent_id\n007\n1e5\nTRUE\n a \n")] == [
        "007",
        "1e5",
        "TRUE",
        " a ",
    ]


def test_a_header_alone_is_an_empty_roster() -> None:
    assert read_roster(b"agent_id,name\n") == []


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", (None, None, "agent_id", "bad_header")),
        (b"name\nx\n", (None, None, "agent_id", "bad_header")),
        (b"agent_id,salary\n", (None, None, "salary", "bad_header")),
        (b"agent_id,name,name\n", (None, None, "name", "bad_header")),
        (b"agent_id,name\na,b\nc\n", (2, None, None, "malformed")),
        (b"agent_id,name\na,b,c\n", (1, None, None, "malformed")),
        (b"agent_id\na\n\xff\n", (None, 3, None, "invalid_utf8")),
        (b'agent_id\n"a\n', (None, 2, None, "malformed")),
        (b'agent_id\n"a"b\n', (None, 2, None, "malformed")),
    ],
)
def test_a_file_that_cannot_be_read(
    content: bytes, fault: tuple[int | None, int | None, str | None, str]
) -> None:
    assert faults_of(content) == [fault]
