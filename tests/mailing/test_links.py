"""What the links in a mail lead to: a signed link is the key, and to nothing else."""

import html
import re
from io import BytesIO

import httpx
import pytest
from pypdf import PdfReader

from conftest import SECRET
from mailing.desk import Desk, body, pdfs
from mailing.mail_server import MailServer, Received
from stopped_clock import StoppedClock
from vendorwatch.mailing.keys import Permit, read, sign
from vendorwatch.vendors.model import Engagement

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ONE_CLICK = b"List-Unsubscribe=One-Click"


@pytest.fixture
async def mail(desk: Desk, server: MailServer, engagement: Engagement) -> Received:
    await desk.recipient(engagement, "linh@example.org", language="vi")
    await desk.issue(engagement)
    await desk.deliver(server)
    [received] = server.received
    return received


def unsubscribe_link(mail: Received) -> str:
    return str(mail.message["List-Unsubscribe"]).strip("<>").partition("8000")[2]


def report_link(mail: Received) -> str:
    [link] = re.findall(r'href="(\S+/v1/reports/[^"]+)"', body(mail, "html"))
    return html.unescape(link).partition("8000")[2]


async def test_one_click_unsubscribes(
    client: httpx.AsyncClient,
    desk: Desk,
    server: MailServer,
    engagement: Engagement,
    mail: Received,
) -> None:
    link = unsubscribe_link(mail)
    for _ in range(2):  # programs and people click twice
        answer = await client.post(link, content=ONE_CLICK, headers=FORM)
        assert answer.status_code == 200
        assert "Bạn đã hủy nhận thư." in answer.text
    await desk.issue(engagement, month="2026-11")
    assert (await desk.deliver(server)).mails == {}
    assert len(server.received) == 1


async def test_looking_at_the_link_changes_nothing(
    client: httpx.AsyncClient, desk: Desk, engagement: Engagement, mail: Received
) -> None:
    answer = await client.get(unsubscribe_link(mail))
    assert answer.status_code == 200
    assert '<form method="post">' in answer.text
    assert "linh@example.org" in answer.text
    assert "script" not in answer.headers["Content-Security-Policy"]
    await desk.issue(engagement, month="2026-11")
    assert "queued" in await desk.states(engagement)


async def test_the_link_leads_to_the_same_pdf(client: httpx.AsyncClient, mail: Received) -> None:
    answer = await client.get(report_link(mail))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    [attached] = pdfs(mail).values()
    assert answer.content == attached
    assert len(PdfReader(BytesIO(answer.content)).pages) >= 1


async def test_the_link_ends_with_the_subscription(
    client: httpx.AsyncClient, mail: Received
) -> None:
    await client.post(unsubscribe_link(mail), content=ONE_CLICK, headers=FORM)
    answer = await client.get(report_link(mail))
    assert answer.status_code == 404


async def test_links_that_we_did_not_sign(client: httpx.AsyncClient, mail: Received) -> None:
    """Cut, changed, made for something else, or made up: all alike, and like no address at all."""
    made = [unsubscribe_link(mail), report_link(mail)]
    wrong = [f"{link[:-1]}{'A' if link[-1] != 'A' else 'Q'}" for link in made]
    wrong += [link[:-2] for link in made]
    wrong += ["/v1/reports/" + made[0].rpartition("/")[2]]
    wrong += ["/v1/unsubscribe/" + made[1].rpartition("/")[2]]
    wrong += ["/v1/reports/x", "/v1/unsubscribe/%C3%A9", "/v1/unsubscribe/" + 86 * "A"]
    told = set()
    for link in wrong:
        answer = await client.get(link)
        assert answer.status_code == 404, link
        told.add(answer.json()["detail"])
    assert told == {"There is nothing at this address."}


@pytest.mark.parametrize(
    ("asked", "language", "told"),
    [
        ("de,vi-VN;q=0.9,en;q=0.8", "vi", "Liên kết này không còn dẫn đến đâu"),
        ("de", "en", "This link leads nowhere"),
        (None, "en", "This link leads nowhere"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/reports/x", "/v1/unsubscribe/x"])
async def test_whoever_clicks_a_dead_link_gets_a_page(
    client: httpx.AsyncClient, path: str, asked: str | None, language: str, told: str
) -> None:
    accept = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    headers = accept | ({"Accept-Language": asked} if asked else {})
    answer = await client.get(path, headers=headers)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert f'<html lang="{language}">' in answer.text
    assert f"<h1>{told}</h1>" in answer.text


async def test_a_permit_is_for_one_purpose_and_one_secret(engagement: Engagement) -> None:
    permit = Permit(engagement.scope, engagement.engagement_id)
    token = sign(permit, "report", SECRET.encode())
    assert read(token, "report", SECRET.encode()) == permit
    assert read(token, "unsubscribe", SECRET.encode()) is None
    assert read(token, "report", b"another secret of another server") is None


async def test_a_link_of_a_removed_delivery_of_a_stranger(
    client: httpx.AsyncClient, engagement: Engagement, stranger: Engagement, mail: Received,
    clock: StoppedClock,
) -> None:  # fmt: skip
    """Even a signed link reaches no further than its own engagement."""
    token = report_link(mail).rpartition("/")[2]
    permit = read(token, "report", SECRET.encode())
    assert permit is not None
    bent = sign(Permit(stranger.scope, permit.subject), "report", SECRET.encode())
    assert (await client.get(f"/v1/reports/{bent}")).status_code == 404
