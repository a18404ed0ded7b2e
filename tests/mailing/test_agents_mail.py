"""Agents' scorecards by mail: one mail a month for each engagement, all its agents' pages in one PDF."""

import html
import re
from dataclasses import replace

import httpx
import pytest

from conftest import MakeKey
from mailing.desk import Desk, body, hashes, pdf_text, pdfs
from mailing.mail_server import MailServer, Received
from mailing.test_links import report_link
from sample_logs import ndjson, row
from scorecards.test_render import read
from vendorwatch.mailing import service
from vendorwatch.mailing.model import Issued
from vendorwatch.periods import Month
from vendorwatch.scorecards import service as scorecards
from vendorwatch.scorecards.render import languages
from vendorwatch.vendors.model import Engagement

OCTOBER = Month(2026, 10)
TEXTS = {  # of the subject and of the page
    "en": ("2 agent scorecards", "Agent scorecard, for coaching"),
    "vi": ("2 bảng điểm nhân viên", "Bảng điểm nhân viên, dùng để kèm cặp"),
    "hu": ("2 ügyintézői értékelőlap", "Ügyintézői értékelőlap fejlesztő beszélgetéshez"),
    "th": ("ใบประเมินเจ้าหน้าที่ 2 ใบ", "ใบประเมินเจ้าหน้าที่"),
}
one_engine = pytest.mark.parametrize("engine_name", ["sqlite"])  # others compare the engines


class Shop:
    """Uploads logs, and issues what is computed from them."""

    def __init__(self, client: httpx.AsyncClient, desk: Desk, key: MakeKey) -> None:
        self._client, self._desk, self._key = client, desk, key

    async def upload(self, engagement: Engagement, *agents: str) -> None:
        key = await self._key("upload", "manage", of=engagement)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
        rows = [row(n, agent_id=each) for n, each in enumerate(agents * 6, start=1)]
        answer = await self._client.post("/v1/uploads", content=ndjson(rows), headers=headers)
        assert answer.status_code == 201, answer.text

    async def issue(self, engagement: Engagement, replaces: Issued | None = None) -> Issued:
        desk, scope = self._desk, engagement.scope
        async with desk.database.write(scope) as connection:
            computed = await scorecards.compute(
                connection, engagement.engagement_id, OCTOBER, as_of=None, now=desk.clock()
            )
            card = await scorecards.issue(connection, computed, desk.clock())
            revision = int(str(card.document["revision"]))
            before = replaces.scorecard_id if replaces else None
            issued = Issued(scope, card.scorecard_id, OCTOBER, revision, before)
            await service.queue(connection, issued, now=desk.clock())
        return issued


@pytest.fixture
def shop(client: httpx.AsyncClient, desk: Desk, key: MakeKey) -> Shop:
    return Shop(client, desk, key)


@pytest.mark.parametrize("language", languages())
async def test_all_pages_come_in_one_mail_in_the_readers_language(
    desk: Desk, server: MailServer, engagement: Engagement, shop: Shop, language: str
) -> None:
    await desk.recipient(engagement, "lead@hoasen.example", kind="agents", language=language)
    await shop.upload(engagement, "hs-02", "hs-01")
    await shop.issue(engagement)
    assert (await desk.deliver(server)).mails == {"sent": 1}
    assert (await desk.deliver(server)).mails == {}
    [mail] = server.received
    subject, kind = TEXTS[language]
    assert mail.message["Subject"].startswith("Hoa Sen BPO, ")
    assert subject in mail.message["Subject"]
    [(name, pdf)] = pdfs(mail).items()
    assert name == "Hoa-Sen-BPO_2026-10_r1_agents.pdf"
    pages = [page.extract_text() for page in read(pdf).pages]
    assert ["hs-01" in page for page in pages] == [True, False]
    assert ["hs-02" in page for page in pages] == [False, True]
    assert kind.replace(" ", "") in pages[0].replace(" ", "").replace("\n", "")
    assert [str(each.title) for each in read(pdf).outline if not isinstance(each, list)] == [
        "hs-01",
        "hs-02",
    ]
    for form in ("plain", "html"):
        assert "hs-0" not in body(mail, form)  # no figure and no name of anybody outside the pages


async def test_the_link_leads_to_the_same_pdf(
    client: httpx.AsyncClient, desk: Desk, server: MailServer, engagement: Engagement, shop: Shop
) -> None:
    await desk.recipient(engagement, "lead@hoasen.example", kind="agents")
    await shop.upload(engagement, "hs-01")
    await shop.issue(engagement)
    await desk.deliver(server)
    [mail] = server.received
    answer = await client.get(report_link(mail))
    assert answer.status_code == 200
    assert answer.content == next(iter(pdfs(mail).values()))
    assert "_agents.pdf" in answer.headers["Content-Disposition"]


async def test_each_side_gets_the_agents_of_its_own_engagements(
    desk: Desk, server: MailServer, engagement: Engagement, rival: Engagement, shop: Shop
) -> None:
    await desk.recipient(engagement, "own@hoasen.example", side="vendor", kind="agents")
    await desk.recipient(rival, "own@rival.example", side="vendor", kind="agents")
    await desk.recipient(engagement, "all@trasen.example", every_vendor=True, kind="agents")
    await shop.upload(engagement, "hs-01", "hs-02")
    await shop.upload(rival, "rv-01")
    for each in (engagement, rival):
        await shop.issue(each)
    assert (await desk.deliver(server)).mails == {"sent": 4}
    got = {
        address: sorted(name for mail in server.messages_to(address) for name in pdfs(mail))
        for address in {mail.to[0] for mail in server.received}
    }
    ours, rivals = "Hoa-Sen-BPO_2026-10_r1_agents.pdf", "Rival-BPO_2026-10_r1_agents.pdf"
    assert got == {
        "own@hoasen.example": [ours],
        "own@rival.example": [rivals],
        "all@trasen.example": [ours, rivals],
    }
    [mail] = server.messages_to("own@hoasen.example")
    assert "Rival" not in mail.content.decode("ascii") + pdf_text(next(iter(pdfs(mail).values())))
    assert "rv-01" not in pdf_text(next(iter(pdfs(mail).values())))


@one_engine
async def test_whoever_reads_both_gets_two_different_pdfs(
    desk: Desk, server: MailServer, engagement: Engagement, shop: Shop
) -> None:
    await desk.recipient(engagement, "linh@example.org", kind="agents")
    await desk.recipient(engagement, "linh@example.org", kind="scorecard")
    await shop.upload(engagement, "hs-01")
    await shop.issue(engagement)
    await desk.deliver(server)
    names = sorted(name for mail in server.received for name in pdfs(mail))
    assert names == ["Hoa-Sen-BPO_2026-10_r1.pdf", "Hoa-Sen-BPO_2026-10_r1_agents.pdf"]
    assert len({each for mail in server.received for each in hashes(mail)}) == 2


async def test_a_revision_says_what_it_replaces(
    desk: Desk, server: MailServer, engagement: Engagement, shop: Shop
) -> None:
    await desk.recipient(engagement, "linh@example.org", kind="agents")
    await shop.upload(engagement, "hs-01")
    first = await shop.issue(engagement)
    await desk.deliver(server)
    await shop.upload(engagement, "hs-01", "hs-02")
    await shop.issue(engagement, replaces=first)
    await desk.deliver(server)
    one, other = server.received
    assert "(revision 2)" in other.message["Subject"]
    assert "It replaces every earlier one" in " ".join(body(other, "plain").split())
    assert one.message_id != other.message_id
    assert [list(pdfs(each)) for each in (one, other)] == [
        [f"Hoa-Sen-BPO_2026-10_r{n}_agents.pdf"] for n in (1, 2)
    ]


@one_engine
async def test_what_is_too_large_is_linked(
    client: httpx.AsyncClient, desk: Desk, server: MailServer, engagement: Engagement, shop: Shop
) -> None:
    desk.sender = replace(desk.sender, max_bytes=20_000)
    await desk.recipient(engagement, "linh@example.org", kind="agents")
    await shop.upload(engagement, "hs-01", "hs-02")
    await shop.issue(engagement)
    await desk.deliver(server)
    [mail] = server.received
    assert pdfs(mail) == {}
    assert "too large for this mail" in body(mail, "plain")
    answer = await client.get(report_link(mail))
    assert len(read(answer.content).pages) == 2


@one_engine
async def test_a_month_without_agents_is_told(
    desk: Desk, server: MailServer, engagement: Engagement, shop: Shop
) -> None:
    await desk.recipient(engagement, "linh@example.org", kind="agents")
    await shop.issue(engagement)
    assert (await desk.deliver(server)).mails == {"sent": 1}
    [mail] = server.received
    assert pdfs(mail) == {}
    assert told(mail) == {"No contact of this month is credited to an agent."}
    assert mail.message["Subject"].endswith(": no agent scorecards")
    assert "/v1/reports/" not in body(mail, "html")


def told(mail: Received) -> set[str]:
    sentence = re.compile(r"No contact of this month[^.]*\.")
    return {
        found
        for form in ("plain", "html")
        for found in sentence.findall(html.unescape(body(mail, form)))
    }
