"""`/v1/questions` and `/v1/checks`."""

from typing import Any

import httpx
import pytest

from conftest import MakeKey
from knowledge.documents import check, document, load, many, question, withdraw
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.vendors.model import Engagement

SECRETS = ("stem", "options", "correct")


async def bearer(key: MakeKey, *scopes: str, of: Engagement | None = None) -> dict[str, str]:
    text = await (key(*scopes, of=of) if of else key(*scopes))
    return {"Authorization": f"Bearer {text}"}


async def everything(
    client: httpx.AsyncClient, path: str, headers: dict[str, str], limit: int
) -> list[Any]:
    """All pages, following the links."""
    found, target = [], f"{path}?limit={limit}"
    while target:
        answer = await client.get(target, headers=headers)
        assert answer.status_code == 200
        assert 0 < len(answer.json()) <= limit
        found += answer.json()
        target = answer.links.get("next", {}).get("url", "")
    return found


async def test_questions_with_their_figures(
    client: httpx.AsyncClient,
    key: MakeKey,
    database: Database,
    engagement: Engagement,
    clock: StoppedClock,
) -> None:
    await load(database, engagement, many(), clock())
    await withdraw(database, engagement, "q2", clock())

    odd, _, q2 = (await client.get("/v1/questions", headers=await bearer(key, "manage"))).json()

    assert odd == {
        "question_id": "odd",
        "version": 1,
        "topic": "brewing_advice",
        "product": None,
        "weight": 1,
        "stem": "Which?",
        "options": ["trà sen", "ชา", "tea"],
        "correct": [0],
        "withdrawn_at": None,
        "withdrawn_reason": None,
        "answers": 30,
        "difficulty": "0.333333",
        "discrimination": "-1.000000",
        "flag": "review_key",
    }
    assert q2["withdrawn_at"] == "2026-11-02T08:00:00Z"
    assert q2["withdrawn_reason"] == "two answers are right"


@pytest.mark.parametrize("scopes", [("read",), ("read", "upload", "score")])
async def test_a_key_without_manage_is_not_told_what_is_asked_or_right(
    client: httpx.AsyncClient,
    key: MakeKey,
    database: Database,
    engagement: Engagement,
    clock: StoppedClock,
    scopes: tuple[str, ...],
) -> None:
    await load(database, engagement, document(), clock())

    shown = (await client.get("/v1/questions", headers=await bearer(key, *scopes))).json()
    told = (await client.get("/v1/questions", headers=await bearer(key, "manage"))).json()

    assert [each["question_id"] for each in shown] == ["q1", "q2"]
    assert {each[name] for each in shown for name in SECRETS} == {None}
    assert [each["correct"] for each in told] == [[1], [0, 2]]


async def test_checks_stand_as_the_command_lists_them(
    client: httpx.AsyncClient,
    key: MakeKey,
    database: Database,
    engagement: Engagement,
    clock: StoppedClock,
) -> None:
    await load(database, engagement, many(), clock())

    [shown] = (await client.get("/v1/checks", headers=await bearer(key, "read"))).json()

    assert shown == {
        "check_id": "2026-10",
        "title": "Tháng 10",
        "due_at": "2026-10-25T11:00:00Z",
        "pass_mark": 60,
        "questions": 3,
        "withdrawn": 0,
        "assigned": 30,
        "excused": 0,
        "submitted": 30,
        "passed": 20,
        "earned": 50,
        "possible": 90,
        "kr20": "-3.000000",
    }


@pytest.mark.parametrize("path", ["/v1/questions", "/v1/checks"])
async def test_pages_hold_each_once_in_one_order(
    client: httpx.AsyncClient,
    key: MakeKey,
    database: Database,
    engagement: Engagement,
    clock: StoppedClock,
    path: str,
) -> None:
    ids = ["B", "a", "b", "Ä", "é", "10", "9"]
    await load(
        database,
        engagement,
        {
            "questions": [question(each, [0]) for each in ids],
            "checks": [
                check(each, ["a"], due_at=f"2026-10-{25 - at % 2}T18:00:00+07:00")
                for at, each in enumerate(ids)
            ],
        },
        clock(),
    )
    again = {"questions": [question("a", [1]), question("b", [1])]}
    await load(database, engagement, again, clock())
    headers = await bearer(key, "manage")

    whole = await everything(client, path, headers, 500)
    paged = await everything(client, path, headers, 2)

    assert paged == whole
    if path == "/v1/questions":
        found = [(each["question_id"], each["version"]) for each in whole]
        assert found == sorted([*((each, 1) for each in ids), ("a", 2), ("b", 2)])
    else:
        found = [(each["due_at"], each["check_id"]) for each in whole]
        assert [each for _, each in found] == ["10", "a", "Ä", "9", "B", "b", "é"]
        assert found == sorted(found)


async def test_figures_do_not_depend_on_the_page(
    client: httpx.AsyncClient,
    key: MakeKey,
    database: Database,
    engagement: Engagement,
    clock: StoppedClock,
) -> None:
    await load(database, engagement, many(), clock())
    headers = await bearer(key, "read")

    paged = await everything(client, "/v1/questions", headers, 1)

    assert paged == await everything(client, "/v1/questions", headers, 50)
    assert paged[0]["discrimination"] == "-1.000000"


@pytest.mark.parametrize("path", ["/v1/questions", "/v1/checks"])
async def test_a_rival_sees_no_answers_and_a_stranger_nothing(
    client: httpx.AsyncClient,
    key: MakeKey,
    database: Database,
    engagement: Engagement,
    rival: Engagement,
    stranger: Engagement,
    clock: StoppedClock,
    path: str,
) -> None:
    await load(database, engagement, many(), clock())

    theirs = (await client.get(path, headers=await bearer(key, "manage", of=rival))).json()
    nothing = await client.get(path, headers=await bearer(key, "manage", of=stranger))

    assert nothing.json() == []
    assert theirs
    for each in theirs:
        counted = {"answers", "assigned", "submitted", "earned", "possible"} & each.keys()
        assert {each[name] for name in counted} == {0}
        assert {each.get(name) for name in ("difficulty", "discrimination", "flag", "kr20")} == {
            None
        }


@pytest.mark.parametrize("scopes", [("read",), ("read", "upload", "score")])
async def test_without_manage_there_is_only_what_was_assigned_in_the_engagement(
    client: httpx.AsyncClient,
    key: MakeKey,
    database: Database,
    engagement: Engagement,
    rival: Engagement,
    clock: StoppedClock,
    scopes: tuple[str, ...],
) -> None:
    """What a rival is asked, and when, is the merchant's secret; so is what nobody was asked."""
    excused = {"check_id": "excused", "agent_id": "hs-03", "excused": "leave"}
    ours = document(
        checks=[check("2026-10", ["q1", "q2"]), check("excused", ["q1"]), check("idle", ["q2"])],
        questions=[question("q1", [1]), question("q2", [0]), question("unasked", [0])],
        assignments=[{"check_id": "2026-10", "agent_id": "hs-01"}, excused],
        attempts=[],
    )
    theirs = document(
        checks=[check("rivals", ["q1", "secret"])],
        questions=[question("q1", [2]), question("secret", [0], topic="launch")],
        # The same agent_id elsewhere is somebody else.
        assignments=[{"check_id": "rivals", "agent_id": "hs-01"}],
        attempts=[],
    )
    await load(database, engagement, ours, clock())
    await load(database, rival, theirs, clock())

    async def seen(path: str, headers: dict[str, str]) -> list[Any]:
        found = await everything(client, path, headers, 1)
        return [
            (e["question_id"], e["version"]) if "version" in e else e["check_id"] for e in found
        ]

    mine, rivals = await bearer(key, *scopes), await bearer(key, *scopes, of=rival)
    assert await seen("/v1/checks", mine) == ["2026-10", "excused"]
    assert await seen("/v1/questions", mine) == [("q1", 1), ("q2", 1)]
    assert await seen("/v1/checks", rivals) == ["rivals"]
    assert await seen("/v1/questions", rivals) == [("q1", 2), ("secret", 1)]
    for of in (engagement, rival):
        manager = await bearer(key, "manage", of=of)
        assert await seen("/v1/checks", manager) == ["2026-10", "excused", "idle", "rivals"]
        assert [each for each, _ in await seen("/v1/questions", manager)] == [
            *("q1", "q1", "q2", "secret", "unasked")
        ]


@pytest.mark.parametrize("path", ["/v1/questions", "/v1/checks"])
async def test_a_cursor_of_a_rival_or_of_another_list_is_refused(
    client: httpx.AsyncClient,
    key: MakeKey,
    database: Database,
    engagement: Engagement,
    rival: Engagement,
    clock: StoppedClock,
    path: str,
) -> None:
    contents = document(checks=[check(each, ["q1", "q2"]) for each in ("2026-10", "b")])
    await load(database, engagement, contents, clock())
    first = await client.get(f"{path}?limit=1", headers=await bearer(key, "manage"))
    target = first.links["next"]["url"]
    other = "/v1/checks" if path == "/v1/questions" else "/v1/questions"

    answers = [
        await client.get(target, headers=await bearer(key, "read", of=rival)),
        await client.get(target.replace(path, other), headers=await bearer(key, "read")),
    ]

    assert [each.status_code for each in answers] == [400, 400]
    assert {each.json()["title"] for each in answers} == {"The cursor was refused"}


@pytest.mark.parametrize("path", ["/v1/questions", "/v1/checks"])
@pytest.mark.parametrize("scope", ["upload", "score"])
async def test_other_scopes_are_refused(
    client: httpx.AsyncClient, key: MakeKey, path: str, scope: str
) -> None:
    answer = await client.get(path, headers=await bearer(key, scope))

    assert answer.status_code == 403
    assert "read or manage" in answer.json()["detail"]
