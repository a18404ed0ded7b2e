"""Rows come out of the database as they were packed, whatever stands in their cells."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from vendorwatch.db.engine import Database
from vendorwatch.interactions.loading import load
from vendorwatch.interactions.packing import Engine, pack

COLUMNS = ("number", "words", "bytes", "truth", "more")
MARKS = [
    "null",
    "true",
    "\\N",
    "\\.",
    "\\",
    "\\n",
    "\\u000a",
    "\b\f\x1f",
    "\x7f",
    ",",
    "]\n[",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\\x00",
    "'",
    '"',
    "",
    "ü",
]
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
texts = st.one_of(st.none(), st.lists(st.one_of(st.sampled_from(MARKS), words)).map("".join))
rows = st.tuples(
    st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    texts,
    st.one_of(st.none(), st.binary(max_size=4)),
    st.one_of(st.none(), st.booleans()),
    texts,
)


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(sent=st.lists(rows, min_size=1, max_size=4))
@example(sent=[(None, "null", b"", True, "\\"), (1, None, None, True, None)])
@example(sent=[(None, None, None, None, None)] * 2)
@example(sent=[(0, "a", b"\\", False, '\\"'), (1, "b", b"null", None, '"\\\\"')])
async def test_cells_are_stored_as_they_were_packed(
    sent: list[tuple[int | None, str | None, bytes | None, bool | None, str | None]],
    database: Database,
) -> None:
    engine: Engine = "postgresql" if database.is_postgresql else "sqlite"
    binary = "bytea" if database.is_postgresql else "blob"
    numbered = [(*each[:4], each[4], place) for place, each in enumerate(sent)]
    packed = pack((*COLUMNS, "place"), numbered, engine)
    assert packed is not None
    async with database.write_as_owner() as connection:
        await connection.execute(text("DROP TABLE IF EXISTS packed"))
        await connection.execute(
            text(
                "CREATE TEMPORARY TABLE packed (number bigint, words text, bytes "
                f"{binary}, truth boolean, more text, place bigint)"
            )
        )
        await load(connection, "packed", packed)
        found = await connection.execute(
            text("SELECT number, words, bytes, truth, more FROM packed ORDER BY place")
        )
        stored = [tuple(each) for each in found]
        await connection.execute(text("DROP TABLE packed"))
    assert stored == sent


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_no_rows_are_no_pack(engine: Engine) -> None:
    assert pack(("a",), [], engine) is None
