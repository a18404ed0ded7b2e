"""Pages of a list, and cursors that fit nowhere else."""

import base64
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import MakeKey
from vendorwatch.db.scope import Scope
from vendorwatch.vendors.model import Engagement
from vendorwatch.web.paging import BadCursor, Cursors

Place = tuple[str, int, str]
OURS = Cursors(b"secret", Scope("m", "e"), "agents", str)


@given(st.text(), st.integers(min_value=-(2**53), max_value=2**53), st.text())
def test_a_cursor_keeps_its_place(one: str, number: int, other: str) -> None:
    cursors = Cursors(b"secret", Scope("m", "e"), "agents", Place)
    assert cursors.read(cursors.write((one, number, other))) == (one, number, other)
    assert OURS.read(OURS.write(one)) == one


def test_a_cursor_of_another_release_is_refused() -> None:
    with pytest.raises(BadCursor):
        Cursors(b"secret", Scope("m", "e"), "agents", int).read(OURS.write("a"))


@pytest.mark.parametrize(
    "other",
    [
        Cursors(b"secret", Scope("m", "f"), "agents", str),
        Cursors(b"secret", Scope("m", "e"), "uploads", str),
        Cursors(b"another", Scope("m", "e"), "agents", str),
    ],
)
def test_a_cursor_fits_one_list_of_one_engagement(other: Cursors[str]) -> None:
    with pytest.raises(BadCursor):
        other.read(OURS.write("a"))


@given(st.text(alphabet=st.characters(max_codepoint=0x2FF), max_size=60))
def test_a_made_up_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        OURS.read(text)


def test_a_changed_cursor_is_refused() -> None:
    raw = bytearray(base64.urlsafe_b64decode(OURS.write("abcdef") + "=="))
    for position in range(len(raw)):
        changed = raw.copy()
        changed[position] ^= 1
        with pytest.raises(BadCursor):
            OURS.read(base64.urlsafe_b64encode(changed).decode())


async def walk(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> list[list[Any]]:
    pages, address = [], path
    while True:
        answer = await client.get(address, headers=headers)
        assert answer.status_code == 200, answer.text
        pages.append([item["agent_id"] for item in answer.json()])
        if "next" not in answer.links:
            return pages
        address = answer.links["next"]["url"]


async def test_pages_lead_through_the_whole_list(client: httpx.AsyncClient, key: MakeKey) -> None:
    headers = {"Authorization": f"Bearer {await key('upload', 'read')}"}
    # Upper case before lower, digits first: by code point, whatever the database's locale.
    ids = sorted(["B", "a", "C", "á", "10", "9", "ü"])
    roster = [{"agent_id": agent_id} for agent_id in reversed(ids)]
    assert (await client.put("/v1/agents", json=roster, headers=headers)).status_code == 200
    assert await walk(client, "/v1/agents", headers) == [ids]
    assert await walk(client, "/v1/agents?limit=7", headers) == [ids]
    assert await walk(client, "/v1/agents?limit=3", headers) == [ids[:3], ids[3:6], ids[6:]]


async def test_a_cursor_of_a_rival_is_refused(
    client: httpx.AsyncClient, key: MakeKey, rival: Engagement
) -> None:
    ours = {"Authorization": f"Bearer {await key('upload')}"}
    theirs = {"Authorization": f"Bearer {await key('upload', of=rival)}"}
    roster = [{"agent_id": "a"}, {"agent_id": "b"}]
    await client.put("/v1/agents", json=roster, headers=ours)
    first = await client.get("/v1/agents?limit=1", headers=ours)
    answer = await client.get(first.links["next"]["url"], headers=theirs)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/bad-cursor")
