"""`/v1/recipients` and `/v1/deliveries`."""

from typing import Any

import httpx
import pytest

from conftest import MakeKey
from mailing.desk import Desk
from mailing.mail_server import MailServer
from vendorwatch.vendors.model import Engagement

ASKED = {"email": "linh@example.org", "name": "Chị Linh", "language": "vi", "kind": "scorecard"}


@pytest.fixture
async def manager(client: httpx.AsyncClient, key: MakeKey) -> httpx.AsyncClient:
    client.headers["Authorization"] = f"Bearer {await key('manage')}"
    return client


async def added(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/v1/recipients", json=ASKED | changes)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_same_again_is_the_same(manager: httpx.AsyncClient) -> None:
    first = await added(manager)
    again = await manager.post("/v1/recipients", json=ASKED | {"email": "Linh@EXAMPLE.org"})
    assert (again.status_code, again.json()) == (200, first)
    other = await manager.post("/v1/recipients", json=ASKED | {"language": "en"})
    assert other.status_code == 409
    assert other.json()["type"].endswith("/recipient-conflict")
    assert [each["recipient_id"] for each in (await manager.get("/v1/recipients")).json()] == [
        first["recipient_id"]
    ]


async def test_a_removed_one_may_come_back(manager: httpx.AsyncClient) -> None:
    first = await added(manager)
    path = f"/v1/recipients/{first['recipient_id']}"
    for _ in range(2):
        removed = await manager.delete(path)
        assert removed.status_code == 200
        assert removed.json()["removed_at"] == "2026-11-02T08:00:00Z"
    second = await added(manager, language="en")
    assert second["recipient_id"] != first["recipient_id"]
    assert len((await manager.get("/v1/recipients")).json()) == 2


async def test_every_mistake_is_named(manager: httpx.AsyncClient) -> None:
    answer = await manager.post(
        "/v1/recipients", json=ASKED | {"email": "a@b,c@d", "name": "a\r\nb", "language": "xx"}
    )
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["email", "name", "language"]


async def test_only_who_manages_sees_and_changes_it(
    client: httpx.AsyncClient, key: MakeKey, manager: httpx.AsyncClient
) -> None:
    found = await added(manager)
    client.headers["Authorization"] = f"Bearer {await key('upload', 'read', 'score')}"
    for method, path in (
        ("GET", "/v1/recipients"),
        ("DELETE", f"/v1/recipients/{found['recipient_id']}"),
        ("GET", "/v1/deliveries"),
        ("POST", f"/v1/deliveries/{found['recipient_id']}/retry"),
    ):
        assert (await client.request(method, path)).status_code == 403, path


async def test_of_another_vendor_only_what_is_of_every_vendor(
    manager: httpx.AsyncClient, key: MakeKey, rival: Engagement
) -> None:
    mine = await added(manager, email="mine@example.org")
    every = await added(manager, email="every@example.org", every_vendor=True)
    manager.headers["Authorization"] = f"Bearer {await key('manage', of=rival)}"
    seen = [each["recipient_id"] for each in (await manager.get("/v1/recipients")).json()]
    assert seen == [every["recipient_id"]]
    gone = await manager.delete(f"/v1/recipients/{mine['recipient_id']}")
    assert gone.status_code == 404


async def test_a_mail_is_cancelled_and_asked_for_again(
    manager: httpx.AsyncClient, desk: Desk, server: MailServer, engagement: Engagement
) -> None:
    await added(manager)
    await desk.issue(engagement)
    [row] = (await manager.get("/v1/deliveries?state=queued")).json()
    path = f"/v1/deliveries/{row['delivery_id']}"
    cancelled = (await manager.post(f"{path}/cancel")).json()
    assert (cancelled["state"], cancelled["reason"]) == ("cancelled", "by-hand")
    assert cancelled["next_attempt_at"] is None
    assert (await desk.deliver(server)).mails == {}
    assert (await manager.post(f"{path}/retry")).json()["state"] == "queued"
    assert (await desk.deliver(server)).mails == {"sent": 1}
    [sent] = (await manager.get("/v1/deliveries")).json()
    assert sent["state"] == "sent"
    assert sent["message_id"] == server.received[0].message_id
    assert (await manager.get("/v1/deliveries?state=queued")).json() == []
    for action in ("retry", "cancel"):
        answer = await manager.post(f"{path}/{action}")
        assert answer.status_code == 409
        assert answer.json()["type"].endswith("/delivery-conflict")
    assert (await manager.get("/v1/deliveries?state=odd")).status_code == 400


async def test_a_digest_is_cancelled_as_a_whole(
    manager: httpx.AsyncClient,
    desk: Desk,
    server: MailServer,
    engagement: Engagement,
    rival: Engagement,
) -> None:
    await added(manager, kind="digest", every_vendor=True)
    for each in (engagement, rival):
        await desk.issue(each, month="2026-11")
    server.fault("RCPT", "450 4.2.1 Later")
    await desk.deliver(server)
    [row] = (await manager.get("/v1/deliveries")).json()
    await manager.post(f"/v1/deliveries/{row['delivery_id']}/cancel")
    assert await desk.states(engagement, rival) == ["cancelled", "cancelled"]


async def test_pages(manager: httpx.AsyncClient, desk: Desk, engagement: Engagement) -> None:
    for number in range(5):
        await added(manager, email=f"n{number}@example.org")
        desk.clock.advance(seconds=1)
    await desk.issue(engagement)
    for path, field in (("/v1/recipients", "recipient_id"), ("/v1/deliveries", "delivery_id")):
        whole = [each[field] for each in (await manager.get(path)).json()]
        assert len(whole) == 5
        paged, link = [], f"{path}?limit=2"
        while link:
            answer = await manager.get(link)
            paged += [each[field] for each in answer.json()]
            link = answer.headers.get("Link", "").partition("<")[2].partition(">")[0]
        assert paged == whole
