"""The worked examples of docs/reference/metrics.md: read from the page, and done over HTTP."""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from knowledge import documents
from sample_logs import csv_file
from vendorwatch.db.engine import Database
from vendorwatch.interactions.record import FIELDS
from vendorwatch.vendors.model import Engagement

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference" / "metrics.md").read_text("utf-8")
ZONE, OFFSET = "Asia/Ho_Chi_Minh", "+07:00"
PARTS = ("numerator", "denominator", "pending", "missing", "excluded")
NO_COLUMN, OTHER_VENDOR = "no column", "another vendor's"

_SECTION = re.compile(r"^##+ ([^\n]+)\n(.*?)(?=^##+ |\Z)", re.DOTALL | re.MULTILINE)
_EXAMPLE = re.compile(
    r"^\*\*Example\*\*(?: of `(\w+)`)?, as of ([\d-]+ [\d:]+)(?:, after .+)?:$", re.MULTILINE
)

Row = dict[str, str]
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """`told` are the tables below the rows: what the page says that comes of them."""

    title: str
    metric: str
    as_of: str
    rows: list[Row]
    told: list[list[Row]]


def section(title: str) -> str:
    """Up to the next heading of any level."""
    found = re.search(
        rf"^##+ {re.escape(title)}\n(.*?)(?=^##+ |\Z)", PAGE, re.DOTALL | re.MULTILINE
    )
    assert found is not None, title
    return found[1]


def tables(text: str) -> list[list[Row]]:
    """Cells by the heads of their columns, code marks taken off."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *lines = (
            [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
            for line in block.splitlines()
        )
        found.append([dict(zip(head, line, strict=True)) for line in lines])
    return found


@cache
def examples() -> dict[str, Example]:
    """By the title of their section."""
    found = {}
    for title, text in _SECTION.findall(PAGE):
        head = _EXAMPLE.search(text)
        if head is not None:
            rows, *told = tables(text[head.end() :])
            found[title] = Example(title, head[1] or title, instant(head[2]), rows, told)
    return found


def policy() -> str:
    found = re.search(r"```toml\n(.*?)```", section("The examples"), re.DOTALL)
    assert found is not None
    return found[1]


def rubric() -> Document:
    """Of the page that shows how to review."""
    page = (DOCS / "howto" / "quality-reviews.md").read_text("utf-8")
    found = re.search(r"^\{\n.*?^\}", page, re.DOTALL | re.MULTILINE)
    assert found is not None
    made: Document = json.loads(found[0])
    return made


def instant(text: str) -> str:
    return text.replace(" ", "T") + OFFSET


@dataclass(frozen=True, slots=True)
class Desk:
    """The two vendors of one merchant, with all that their keys may do."""

    client: httpx.AsyncClient
    database: Database
    engagement: Engagement
    now: int
    own: str
    rival: str

    async def score(self, example: Example) -> Document:
        """Sends the rows as they stand there; gives the scorecard as of the example's instant."""
        if "submitted_at" in example.rows[0]:
            await self.ask(example)
        else:
            await self.upload(example.rows)
        if "sampling" in example.rows[0]:
            await self.review(example.rows)
        if example.title == "knowledge_coverage":
            await self.ask(examples()["knowledge_score"])
        asked = {"month": "2026-10", "as_of": example.as_of}
        card: Document = (await self.post("/v1/scorecards", asked)).json()
        return card

    async def upload(self, rows: Sequence[Row]) -> None:
        """One CSV for each vendor and set of columns."""
        files: dict[tuple[str, ...], list[dict[str, object]]] = defaultdict(list)
        for row in rows:
            token = self.rival if row.get("vendor") == "another" else self.own
            sent = {name: value or None for name, value in row.items() if name in FIELDS}
            if sent.get("events"):
                sent["events"] = _events(row)
            sent = {name: value for name, value in sent.items() if value != NO_COLUMN}
            files[(token, *sent)].append(dict(sent))
        for (token, *_), sent_rows in files.items():
            answer = await self.client.post(
                f"/v1/uploads?time_zone={ZONE}",
                content=csv_file(sent_rows),
                headers={"Authorization": f"Bearer {token}", "Content-Type": "text/csv"},
            )
            assert answer.status_code == 201, answer.text
            assert answer.json()["created"] == len(sent_rows), answer.text

    async def review(self, rows: Sequence[Row]) -> None:
        content = rubric()
        headers = {"Authorization": f"Bearer {self.own}"}
        made = await self.client.put("/v1/rubrics/written", json=content, headers=headers)
        assert made.status_code == 201, made.text
        criteria = [each["criterion_id"] for each in content["criteria"]]
        reviews = [
            {
                "review_id": row["interaction_id"],
                "interaction_id": row["interaction_id"],
                "rubric_id": "written",
                "sampling": row["sampling"],
                "scores": {name: _mark(row[name]) for name in criteria},
            }
            for row in rows
        ]
        await self.post("/v1/quality-reviews", reviews)

    async def ask(self, example: Example) -> None:
        contents = knowledge_document(example.rows)
        await documents.load(self.database, self.engagement, contents, self.now)
        for each in questions():
            if each["withdrawn"]:
                await documents.withdraw(
                    self.database, self.engagement, each["question_id"], self.now
                )

    async def behind(self, card: Document, metric: str, part: str) -> list[Document]:
        address = f"{card['links']['self']}/metrics/{metric}/interactions?part={part}"
        found: list[Document] = (await self.get(address)).json()
        return found

    async def get(self, address: str) -> httpx.Response:
        answer = await self.client.get(address, headers={"Authorization": f"Bearer {self.own}"})
        assert answer.status_code == 200, answer.text
        return answer

    async def post(self, address: str, body: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.own}"}
        answer = await self.client.post(address, json=body, headers=headers)
        assert answer.status_code in {200, 201}, answer.text
        return answer


def questions() -> list[Row]:
    found = tables(section("Knowledge"))[0]
    assert [*found[0]] == ["question_id", "topic", "weight", "withdrawn"]
    return found


def knowledge_document(rows: Sequence[Row]) -> Document:
    """Option 0 is right; what is not marked right is wrong."""
    check = re.search(r"pass mark (\d+), due on ([\d-]+ [\d:]+)", section("Knowledge"))
    assert check is not None
    asked = [each["question_id"] for each in questions()]
    attempts = [
        _attempt(row["agent_id"], number, row[column], {name: row[name] for name in asked})
        for row in rows
        for number, column in enumerate(("submitted_at", "retake, all right"), start=1)
        if row.get(column)
    ]
    return {
        "questions": [
            documents.question(each["question_id"], [0], int(each["weight"]), topic=each["topic"])
            for each in questions()
        ],
        "checks": [
            documents.check("2026-10", asked, pass_mark=int(check[1]), due_at=instant(check[2]))
        ],
        "assignments": [
            {"check_id": "2026-10", "agent_id": row["agent_id"], "excused": row["excused"] or None}
            for row in rows
        ],
        "attempts": attempts,
    }


def _attempt(agent: str, number: int, submitted_at: str, marks: Row) -> Document:
    right = {name: number == 2 or mark == "right" for name, mark in marks.items()}
    return {
        "check_id": "2026-10",
        "agent_id": agent,
        "number": number,
        "started_at": instant(submitted_at),
        "submitted_at": instant(submitted_at),
        "answers": [
            {"question_id": name, "chosen": [0 if is_right else 1]}
            for name, is_right in right.items()
        ],
    }


def _events(row: Row) -> str:
    """`09:00 customer, 09:10 agent`: messages of the day on which it was opened."""
    day = row["opened_at"].partition(" ")[0]
    made = []
    for each in row["events"].split(", "):
        clock_time, actor = each.split(" ")
        made.append({"at": instant(f"{day} {clock_time}:00"), "type": "message", "actor": actor})
    return json.dumps(made)


def _mark(cell: str) -> object:
    return cell if cell == "not_applicable" else json.loads(cell)


async def everything_behind(
    desk: Desk, card: Document, example: Example
) -> list[tuple[str, Document]]:
    """Each item with its part; what has no numerator plays none."""
    is_rate = card["vendor_scores"]["metrics"][example.metric]["kind"] == "rate"
    return [
        (each["part"] if is_rate else part, each)
        for part in PARTS[1:]
        for each in await desk.behind(card, example.metric, part)
    ]
