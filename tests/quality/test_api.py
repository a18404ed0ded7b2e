"""`/v1/rubrics` and `/v1/quality-reviews`, on both databases."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from conftest import MakeKey
from sample_logs import ndjson, row
from stopped_clock import StoppedClock
from vendorwatch.db import models
from vendorwatch.db.engine import Database
from vendorwatch.periods import Micros
from vendorwatch.quality import service
from vendorwatch.vendors.model import Engagement

Headers = dict[str, str]
Bearer = Callable[..., Awaitable[Headers]]
# What is promised here is decided before rows reach a database, or after: one engine is enough.
one_engine = pytest.mark.parametrize("engine_name", ["sqlite"])

REVIEWS, RUBRIC = "/v1/quality-reviews", "/v1/rubrics/written"
CRITERIA: list[dict[str, Any]] = [
    {"criterion_id": "tone", "title": "Tone", "weight": 1, "maximum": 5},
    {"criterion_id": "right", "title": "Right", "weight": 2.5, "maximum": 1},
    {"criterion_id": "privacy", "title": "Privacy", "weight": 0, "maximum": 1, "critical": True},
]
SCORES: dict[str, Any] = {"tone": 4, "right": 1, "privacy": "not_applicable"}


@pytest.fixture
def bearer(key: MakeKey, engagement: Engagement) -> Bearer:
    async def make(*scopes: str, of: Engagement = engagement) -> Headers:
        return {"Authorization": f"Bearer {await key(*scopes, of=of)}"}

    return make


@pytest.fixture
async def manager(client: httpx.AsyncClient, bearer: Bearer) -> Headers:
    """The merchant's; there are the interactions T-1 to T-3 and a rubric."""
    log = ndjson(row(number) for number in (1, 2, 3))
    sent = await client.post(
        "/v1/uploads",
        content=log,
        headers=await bearer("upload") | {"Content-Type": "application/x-ndjson"},
    )
    assert sent.status_code == 201
    headers = await bearer("manage")
    made = await client.put(RUBRIC, json=rubric(), headers=headers)
    assert made.status_code == 201, made.text
    return headers


def rubric(*criteria: dict[str, Any], title: str = "Written") -> dict[str, Any]:
    return {"title": title, "criteria": list(criteria or CRITERIA)}


def review(review_id: str = "r-1", interaction: str = "T-1", **changes: object) -> dict[str, Any]:
    return {
        "review_id": review_id,
        "interaction_id": interaction,
        "rubric_id": "written",
        "sampling": "random",
        "scores": SCORES,
    } | changes


def counts(answer: httpx.Response) -> tuple[int, ...]:
    receipt = answer.json()
    return tuple(receipt[name] for name in ("received", "created", "revised", "unchanged"))


def faults(answer: httpx.Response) -> list[tuple[int | None, str, str]]:
    assert answer.status_code == 422, answer.text
    return [(each.get("row"), each["field"], each["code"]) for each in answer.json()["errors"]]


def anonymous(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
    return answer.status_code, answer.json() | {"request_id": ""}


async def scored(
    database: Database, engagement: Engagement, as_of: Micros, up_to: int | None = None
) -> list[tuple[str, str]]:
    async with database.read(engagement.scope) as connection:
        found = await service.reviews_for_scoring(
            connection, engagement.scope, up_to_sequence=up_to, as_of=as_of
        )
    return [(review_id, share) for _, _, review_id, _, share in found]


async def sequence(database: Database, engagement: Engagement) -> int:
    async with database.read(engagement.scope) as connection:
        return await service.newest_sequence(connection, engagement.scope)


# Rubrics


async def test_what_no_id_can_be_is_as_unknown_as_none(
    client: httpx.AsyncClient, manager: Headers
) -> None:
    for method, path in (
        ("GET", "/v1/rubrics/"),
        ("GET", f"{REVIEWS}/"),
        ("DELETE", f"{REVIEWS}/"),
    ):
        unknown = anonymous(await client.request(method, f"{path}none", headers=manager))
        illegal = anonymous(await client.request(method, f"{path}a%00b", headers=manager))
        assert illegal == unknown
        assert illegal[0] == 404
    # NUL, bytes that are no UTF-8, and half a surrogate pair.
    for illegal_id in ("a%00b", "a%FFb", "a%ED%A0%80b"):
        made = await client.put(f"/v1/rubrics/{illegal_id}", json=rubric(), headers=manager)
        assert faults(made) == [(None, "rubric_id", "illegal_character")]
        assert (await client.get(f"/v1/rubrics/{illegal_id}", headers=manager)).status_code == 404


async def test_a_rubric_again_is_the_same_version_and_another_the_next(
    client: httpx.AsyncClient, manager: Headers
) -> None:
    respelt = rubric(*({**each, "weight": f"{each['weight']:.2f}"} for each in CRITERIA))
    again = await client.put(RUBRIC, json=respelt, headers=manager)
    assert (again.status_code, again.json()["version"]) == (200, 1)
    other = await client.put(RUBRIC, json=rubric(title="Letters"), headers=manager)
    assert (other.status_code, other.json()["version"]) == (201, 2)
    back = await client.put(RUBRIC, json=rubric(), headers=manager)
    assert (back.status_code, back.json()["version"]) == (201, 3)
    shown = (await client.get(RUBRIC, headers=manager)).json()
    assert [(each["version"], each["title"]) for each in shown["versions"]] == [
        (3, "Written"),
        (2, "Letters"),
        (1, "Written"),
    ]
    assert shown["rubric"] == shown["versions"][0] == back.json()
    assert [each["weight"] for each in shown["rubric"]["criteria"]] == ["1", "2.5", "0"]
    assert (await client.get("/v1/rubrics", headers=manager)).json() == [shown["rubric"]]


async def test_rubrics_are_listed_page_by_page_in_the_order_of_code_points(
    client: httpx.AsyncClient, manager: Headers
) -> None:
    for name in ("b", "B", "%C3%A4", "a%2Fb"):
        made = await client.put(f"/v1/rubrics/{name}", json=rubric(), headers=manager)
        assert made.status_code == 201
    url, found = "/v1/rubrics?limit=2", []
    while url:
        answer = await client.get(url, headers=manager)
        found.append([each["rubric_id"] for each in answer.json()])
        url = answer.links.get("next", {}).get("url", "")
    assert found == [["B", "a/b"], ["b", "written"], ["ä"]]
    assert (await client.get("/v1/rubrics/a%2Fb", headers=manager)).status_code == 200


async def test_a_merchants_engagements_share_its_rubrics_and_nobody_else_sees_them(
    client: httpx.AsyncClient,
    manager: Headers,
    bearer: Bearer,
    rival: Engagement,
    stranger: Engagement,
) -> None:
    for scope in ("read", "manage", "upload"):
        shared = await client.get(RUBRIC, headers=await bearer(scope, of=rival))
        assert shared.status_code == 200
    theirs = await bearer("manage", of=stranger)
    assert (await client.get("/v1/rubrics", headers=theirs)).json() == []
    unknown = await client.get("/v1/rubrics/none", headers=theirs)
    assert anonymous(await client.get(RUBRIC, headers=theirs)) == anonymous(unknown)
    assert unknown.status_code == 404
    first = await client.put(RUBRIC, json=rubric(title="Mine"), headers=theirs)
    assert (first.status_code, first.json()["version"]) == (201, 1)


@one_engine
@pytest.mark.parametrize("scope", ["read", "upload", "score"])
async def test_a_rubric_is_set_by_the_merchant(
    client: httpx.AsyncClient, bearer: Bearer, scope: str
) -> None:
    refused = await client.put(RUBRIC, json=rubric(), headers=await bearer(scope))
    assert refused.status_code == 403


@one_engine
async def test_a_refused_rubric_names_every_mistake_and_leaves_nothing(
    client: httpx.AsyncClient, bearer: Bearer
) -> None:
    headers = await bearer("manage")
    wrong = rubric(CRITERIA[0] | {"weight": -1}, CRITERIA[0] | {"maximum": "many"}, title="")
    assert faults(await client.put(RUBRIC, json=wrong, headers=headers)) == [
        (None, "title", "bad_value"),
        (None, "criteria[0].weight", "out_of_range"),
        (None, "criteria[1].maximum", "bad_value"),
        (None, "criteria[1].criterion_id", "duplicate_id"),
    ]
    assert (await client.get("/v1/rubrics", headers=headers)).json() == []


async def test_two_at_once_make_two_versions(client: httpx.AsyncClient, manager: Headers) -> None:
    made = await asyncio.gather(
        *(
            client.put(RUBRIC, json=rubric(title=f"Number {each}"), headers=manager)
            for each in range(4)
        )
    )
    assert sorted(each.json()["version"] for each in made) == [2, 3, 4, 5]


# Reviews


async def test_a_review_is_shown_with_how_its_share_arises(
    client: httpx.AsyncClient, manager: Headers
) -> None:
    sent = review(comment="Kind", reviewed_at="2026-11-01T09:00:00+07:00")
    answer = await client.post(REVIEWS, json=[sent], headers=manager)
    assert answer.status_code == 201
    assert counts(answer) == (1, 1, 0, 0)
    # (1 x 4/5 + 2.5 x 1/1) / 3.5
    shares = {"share": "33/35", "share_rounded": "0.942857"}
    assert answer.json()["reviews"] == [
        {"review_id": "r-1", "outcome": "created", "revision": 1, **shares}
    ]
    shown = (await client.get(f"{REVIEWS}/r-1", headers=manager)).json()
    assert shown["revisions"] == [shown["review"]]
    criteria = shown["review"].pop("criteria")
    assert [(e["criterion_id"], e["score"], e["share"], e["failed"]) for e in criteria] == [
        ("tone", "4", "4/5", False),
        ("right", "1", "1/1", False),
        ("privacy", "not_applicable", None, False),
    ]
    assert shown["review"] == {
        "review_id": "r-1",
        "revision": 1,
        "interaction_id": "T-1",
        "source_account": "",
        "rubric_id": "written",
        "rubric_version": 1,
        "reviewer": "merchant",
        "sampling": "random",
        "scores": {"tone": "4", "right": "1", "privacy": "not_applicable"},
        **shares,
        "scored": True,
        "withdrawn": False,
        "comment": "Kind",
        "reviewed_at": "2026-11-01T02:00:00Z",
        "created_at": "2026-11-02T08:00:00Z",
        "failed_critically": [],
    }


@one_engine
async def test_tenths_are_exact_from_the_wire_to_the_share(
    client: httpx.AsyncClient, manager: Headers
) -> None:
    tenths = rubric(
        *(
            {"criterion_id": name, "title": name, "weight": weight, "maximum": 0.3}
            for name, weight in (("a", 0.1), ("b", 0.2), ("c", 0.7))
        )
    )
    await client.put("/v1/rubrics/tenths", json=tenths, headers=manager)
    sent = review(rubric_id="tenths", scores={"a": 0.3, "b": 0.3, "c": 0})
    answer = await client.post(REVIEWS, json=[sent], headers=manager)
    assert answer.json()["reviews"][0]["share"] == "3/10"
    # As a binary float this would be 0.3 itself.
    body = json.dumps([sent]).replace('"c": 0', '"c": 0.30000000000000001')
    answer = await client.post(
        REVIEWS, content=body, headers=manager | {"Content-Type": "application/json"}
    )
    assert faults(answer) == [(1, "scores.c", "bad_value")]


@one_engine
async def test_a_failed_critical_criterion_is_named_and_leaves_nothing(
    client: httpx.AsyncClient, manager: Headers
) -> None:
    for number, (score, share, failed) in enumerate(
        [(0.499999, "0/1", ["privacy"]), (0.5, "33/35", [])]
    ):
        sent = review(f"r-{number}", scores=SCORES | {"privacy": score})
        await client.post(REVIEWS, json=[sent], headers=manager)
        shown = (await client.get(f"{REVIEWS}/r-{number}", headers=manager)).json()["review"]
        assert (shown["share"], shown["failed_critically"]) == (share, failed)


async def test_sending_again_changes_nothing_and_other_content_is_a_revision(
    client: httpx.AsyncClient, manager: Headers, clock: StoppedClock
) -> None:
    both = [review("r-1"), review("r-2", "T-2")]
    assert counts(await client.post(REVIEWS, json=both, headers=manager)) == (2, 2, 0, 0)
    clock.advance(seconds=60)
    # A new version of the rubric does not make the same review another one.
    await client.put(RUBRIC, json=rubric(title="Letters"), headers=manager)
    again = await client.post(REVIEWS, json=both, headers=manager)
    assert again.status_code == 200
    assert counts(again) == (2, 0, 0, 2)
    both[1]["scores"] = SCORES | {"tone": 0}
    changed = await client.post(REVIEWS, json=both, headers=manager)
    assert changed.status_code == 201
    assert counts(changed) == (2, 0, 1, 1)
    shown = (await client.get(f"{REVIEWS}/r-2", headers=manager)).json()
    assert [
        (each["revision"], each["rubric_version"], each["scores"]["tone"])
        for each in shown["revisions"]
    ] == [(2, 2, "0"), (1, 1, "4")]
    assert {each["reviewed_at"] for each in shown["revisions"]} == {"2026-11-02T08:00:00Z"}


async def test_a_withdrawn_review_keeps_its_revisions_and_may_come_back(
    client: httpx.AsyncClient, manager: Headers, database: Database, engagement: Engagement
) -> None:
    await client.post(REVIEWS, json=[review()], headers=manager)
    answers = [await client.delete(f"{REVIEWS}/r-1", headers=manager) for _ in range(2)]
    answers.append(await client.get(f"{REVIEWS}/r-1", headers=manager))
    for answer in answers:  # twice is as once
        assert answer.status_code == 200
        assert answer.json() == answers[0].json()
        assert [each["withdrawn"] for each in answer.json()["revisions"]] == [True, False]
    assert await sequence(database, engagement) == 2
    back = await client.post(REVIEWS, json=[review()], headers=manager)
    assert counts(back) == (1, 0, 1, 0)
    shown = (await client.get(f"{REVIEWS}/r-1", headers=manager)).json()
    assert [each["withdrawn"] for each in shown["revisions"]] == [False, True, False]


async def test_one_refused_review_refuses_all_and_every_mistake_is_named(
    client: httpx.AsyncClient, manager: Headers, database: Database, engagement: Engagement
) -> None:
    sent = [
        review("fine"),
        review("r-2", "T-9", scores=SCORES | {"tone": 6, "wit": 1}),
        review("r-3", sampling=None),
        review("r-4", reviewed_at="2026-11-02T08:05:01Z"),
        review("r-5", rubric_version=7),
        review("fine", scores=dict.fromkeys(SCORES, "not_applicable")),
        review("r-7", source_account="north"),
        review("r-8", scores={"tone": 1}),
        review("r-9", scores=SCORES | {"tone": "not_applicable", "right": "not_applicable"}),
    ]
    assert faults(await client.post(REVIEWS, json=sent, headers=manager)) == [
        (2, "interaction_id", "unknown_interaction"),
        (2, "scores.wit", "unknown_criterion"),
        (2, "scores.tone", "out_of_range"),
        (3, "sampling", "missing_required"),
        (4, "reviewed_at", "future_timestamp"),
        (5, "rubric_version", "unknown_rubric"),
        (6, "review_id", "duplicate_id"),
        (7, "interaction_id", "unknown_interaction"),
        (8, "scores.right", "missing_required"),
        (8, "scores.privacy", "missing_required"),
        (9, "scores", "nothing_applicable"),
    ]
    assert (await client.get(REVIEWS, headers=manager)).json() == []
    assert await sequence(database, engagement) == 0


async def test_somebody_elses_interaction_is_as_unknown_as_none(
    client: httpx.AsyncClient,
    manager: Headers,
    bearer: Bearer,
    rival: Engagement,
    stranger: Engagement,
) -> None:
    for theirs in (rival, stranger):
        headers = await bearer("manage", of=theirs)
        await client.put(RUBRIC, json=rubric(), headers=headers)
        there = await client.post(REVIEWS, json=[review()], headers=headers)
        nowhere = await client.post(REVIEWS, json=[review(interaction="X")], headers=headers)
        assert faults(there) == [(1, "interaction_id", "unknown_interaction")]
        assert anonymous(there) == anonymous(nowhere)


async def test_somebody_elses_review_is_as_unknown_as_none(
    client: httpx.AsyncClient,
    manager: Headers,
    bearer: Bearer,
    rival: Engagement,
    stranger: Engagement,
) -> None:
    await client.post(REVIEWS, json=[review()], headers=manager)
    for theirs in (rival, stranger):
        headers = await bearer("manage", "read", "upload", of=theirs)
        assert (await client.get(REVIEWS, headers=headers)).json() == []
        for method in ("GET", "DELETE"):
            there = await client.request(method, f"{REVIEWS}/r-1", headers=headers)
            nowhere = await client.request(method, f"{REVIEWS}/none", headers=headers)
            assert anonymous(there) == anonymous(nowhere)
            assert there.status_code == 404
    assert len((await client.get(REVIEWS, headers=manager)).json()) == 1


@one_engine
async def test_each_side_writes_its_own_reviews_alone(
    client: httpx.AsyncClient, manager: Headers, bearer: Bearer
) -> None:
    vendor = await bearer("upload")
    mine, theirs = review("m"), review("v", reviewer="vendor")
    for sent, wrong, right in ((mine, vendor, manager), (theirs, manager, vendor)):
        assert (await client.post(REVIEWS, json=[sent], headers=wrong)).status_code == 403
        assert (await client.post(REVIEWS, json=[sent], headers=right)).status_code == 201
    mixed = await client.post(REVIEWS, json=[review("n"), theirs], headers=manager)
    assert mixed.status_code == 403
    for scope in ("read", "score"):
        headers = await bearer(scope)
        assert (await client.post(REVIEWS, json=[mine], headers=headers)).status_code == 403
        assert (await client.delete(f"{REVIEWS}/m", headers=headers)).status_code == 403


async def test_neither_side_changes_what_is_the_others(
    client: httpx.AsyncClient, manager: Headers, bearer: Bearer
) -> None:
    vendor, both = await bearer("upload"), await bearer("upload", "manage")
    await client.post(REVIEWS, json=[review("m"), review("v", reviewer="vendor")], headers=both)
    for name, side, headers in (("m", "vendor", vendor), ("v", "merchant", manager)):
        taken = await client.post(REVIEWS, json=[review(name, reviewer=side)], headers=headers)
        assert faults(taken) == [(1, "review_id", "id_taken")]
    # The vendor is not told that there is one; the merchant sees it and is told what is lacking.
    hidden = await client.delete(f"{REVIEWS}/m", headers=vendor)
    assert anonymous(hidden) == anonymous(await client.delete(f"{REVIEWS}/x", headers=vendor))
    assert (await client.delete(f"{REVIEWS}/v", headers=manager)).status_code == 403
    shown = (await client.get(REVIEWS, headers=both)).json()
    assert [(e["review_id"], e["revision"], e["withdrawn"]) for e in shown] == [
        ("v", 1, False),
        ("m", 1, False),
    ]


@one_engine
async def test_a_vendors_key_is_shown_the_vendors_reviews(
    client: httpx.AsyncClient, manager: Headers, bearer: Bearer
) -> None:
    vendor = await bearer("upload")
    await client.post(REVIEWS, json=[review("m")], headers=manager)
    await client.post(REVIEWS, json=[review("v", reviewer="vendor")], headers=vendor)
    listed = {
        scope: [
            each["review_id"]
            for each in (await client.get(REVIEWS, headers=await bearer(scope))).json()
        ]
        for scope in ("upload", "read", "manage")
    }
    assert listed == {"upload": ["v"], "read": ["v", "m"], "manage": ["v", "m"]}
    asked = await client.get(f"{REVIEWS}?reviewer=merchant", headers=vendor)
    assert asked.json() == []
    assert (await client.get(f"{REVIEWS}/m", headers=vendor)).status_code == 404
    assert (await client.get(f"{REVIEWS}/v", headers=vendor)).json()["review"]["scored"] is False
    assert (await client.get(REVIEWS, headers=await bearer("score"))).status_code == 403


async def test_reviews_are_listed_with_filters_and_page_by_page(
    client: httpx.AsyncClient, manager: Headers, bearer: Bearer
) -> None:
    both = await bearer("manage", "upload")
    sent = [
        review("a", "T-1"),
        review("b", "T-2", sampling="complaint"),
        review("c", "T-1", reviewer="vendor"),
        review("d/e", "T-3"),
    ]
    await client.post(REVIEWS, json=sent, headers=both)
    await client.post(REVIEWS, json=[review("a", "T-1", comment="Again")], headers=both)

    async def ids(query: str) -> list[str]:
        answer = await client.get(f"{REVIEWS}?{query}", headers=manager)
        return [each["review_id"] for each in answer.json()]

    assert await ids("") == ["a", "d/e", "c", "b"]  # each once, in its newest revision
    assert await ids("interaction_id=T-1") == ["a", "c"]
    assert await ids("sampling=complaint") == ["b"]
    assert await ids("reviewer=vendor") == ["c"]
    assert await ids("reviewer=merchant&interaction_id=T-1&sampling=random") == ["a"]
    assert (await client.get(f"{REVIEWS}?sampling=odd", headers=manager)).status_code == 400
    url, pages = f"{REVIEWS}?limit=3&sampling=random", []
    while url:
        answer = await client.get(url, headers=manager)
        pages.append([each["review_id"] for each in answer.json()])
        url = answer.links.get("next", {}).get("url", "")
    assert pages == [["a", "d/e", "c"]]
    first = await client.get(f"{REVIEWS}?limit=3", headers=manager)
    following = await client.get(first.links["next"]["url"], headers=manager)
    assert [each["review_id"] for each in following.json()] == ["b"]
    assert (await client.get(f"{REVIEWS}/d%2Fe", headers=manager)).status_code == 200


async def test_a_page_follows_the_one_before_though_its_last_review_was_revised_since(
    client: httpx.AsyncClient, manager: Headers
) -> None:
    await client.post(REVIEWS, json=[review(each) for each in "abcd"], headers=manager)
    first = await client.get(f"{REVIEWS}?limit=2", headers=manager)
    await client.post(REVIEWS, json=[review("c", comment="Again")], headers=manager)
    following = await client.get(first.links["next"]["url"], headers=manager)
    pages = [[each["review_id"] for each in answer.json()] for answer in (first, following)]
    assert pages == [["d", "c"], ["b", "a"]]


@one_engine
async def test_a_vendor_is_not_told_how_many_reviews_the_merchant_made(
    client: httpx.AsyncClient, manager: Headers, bearer: Bearer
) -> None:
    vendor = await bearer("upload")
    own = [review("v-1", reviewer="vendor"), review("v-2", reviewer="vendor")]

    async def told() -> list[str]:
        """All that is answered; a cursor is signed, and can be read."""
        found = []
        for path in (f"{REVIEWS}?limit=1", f"{REVIEWS}/v-1", f"{REVIEWS}/v-2"):
            answer = await client.get(path, headers=vendor)
            assert answer.status_code == 200
            found.append(answer.text)
            if "next" in answer.links:
                cursor = answer.links["next"]["url"].rpartition("cursor=")[2]
                raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
                found.append(raw[16:].decode())
        return found

    await client.post(REVIEWS, json=own[:1], headers=vendor)
    await client.post(REVIEWS, json=[review(f"m-{n}") for n in range(74)], headers=manager)
    await client.post(REVIEWS, json=own[1:], headers=vendor)
    answered = await told()
    assert answered[1] == '["v-2",1]'
    assert not [each for each in answered if "sequence" in each or "76" in each]


async def test_reviews_that_come_at_once_are_counted_without_gap_or_double(
    client: httpx.AsyncClient, manager: Headers, database: Database, engagement: Engagement
) -> None:
    answers = await asyncio.gather(
        *(
            client.post(
                REVIEWS,
                json=[review(f"r-{number}"), review("shared", comment=str(number))],
                headers=manager,
            )
            for number in range(5)
        )
    )
    assert {answer.status_code for answer in answers} == {201}
    shown = (await client.get(f"{REVIEWS}/shared", headers=manager)).json()["revisions"]
    assert [each["revision"] for each in shown] == [5, 4, 3, 2, 1]
    assert await sequence(database, engagement) == 10
    async with database.read_as_owner() as connection:
        written = await connection.execute(select(models.QualityReview.sequence))
    assert sorted(written.scalars()) == list(range(1, 11))


async def test_a_thousand_reviews_go_at_once_and_not_one_more(
    client: httpx.AsyncClient, manager: Headers
) -> None:
    many = [review(f"r-{number}", f"T-{number % 3 + 1}") for number in range(1001)]
    assert (await client.post(REVIEWS, json=many, headers=manager)).status_code == 422
    assert counts(await client.post(REVIEWS, json=many[1:], headers=manager)) == (1000, 1000, 0, 0)
    assert counts(await client.post(REVIEWS, json=many[1:], headers=manager)) == (1000, 0, 0, 1000)


# What enters a score


async def test_what_enters_a_score(
    client: httpx.AsyncClient,
    manager: Headers,
    bearer: Bearer,
    database: Database,
    engagement: Engagement,
    rival: Engagement,
    clock: StoppedClock,
) -> None:
    sent = [
        review("random"),
        review("stratified", "T-2", sampling="stratified", scores=SCORES | {"tone": 5}),
        review("targeted", sampling="targeted"),
        review("complaint", sampling="complaint"),
        review("vendor", reviewer="vendor"),
        review("withdrawn"),
        review("earlier", reviewed_at="2026-11-02T07:59:59Z"),
    ]
    await client.post(REVIEWS, json=sent, headers=await bearer("manage", "upload"))
    await client.delete(f"{REVIEWS}/withdrawn", headers=manager)
    async with database.read(engagement.scope) as connection:
        found = await service.reviews_for_scoring(
            connection, engagement.scope, up_to_sequence=None, as_of=clock()
        )
    assert found == [
        ("", "T-1", "earlier", clock() - 1_000_000, "33/35"),
        ("", "T-1", "random", clock(), "33/35"),
        ("", "T-2", "stratified", clock(), "1/1"),
    ]
    assert await scored(database, engagement, clock() - 1) == [("earlier", "33/35")]
    assert await scored(database, rival, clock()) == []


async def test_a_score_of_before_can_be_computed_again(
    client: httpx.AsyncClient,
    manager: Headers,
    database: Database,
    engagement: Engagement,
    clock: StoppedClock,
) -> None:
    """Each change is one more in the sequence; up to an earlier one, it did not happen."""
    changes: list[dict[str, Any] | None] = [
        review(),
        review(scores=SCORES | {"tone": 0}),
        review(sampling="targeted"),
        review(),
        None,
    ]
    for change in changes:
        if change:
            await client.post(REVIEWS, json=[change], headers=manager)
        else:
            await client.delete(f"{REVIEWS}/r-1", headers=manager)
    assert [await scored(database, engagement, clock(), up_to) for up_to in range(6)] == [
        [],
        [("r-1", "33/35")],
        [("r-1", "5/7")],
        [],  # revised to one that was not drawn by chance
        [("r-1", "33/35")],
        [],
    ]
    assert await scored(database, engagement, clock()) == []
