"""docs/reference/metrics.md: every example is done by the product, every name is there."""

import ast
import hashlib
import inspect
import re
import struct
from collections import Counter, defaultdict
from fractions import Fraction

import httpx
import pytest

from conftest import MakeKey
from promises.examples import (
    DOCS,
    OTHER_VENDOR,
    PAGE,
    PARTS,
    Desk,
    Document,
    Row,
    everything_behind,
    examples,
    instant,
    policy,
    section,
    tables,
)
from stopped_clock import StoppedClock
from vendorwatch.db.engine import Database
from vendorwatch.interactions.instants import parse_instant
from vendorwatch.periods import SECOND, format_instant
from vendorwatch.policies import service as policies
from vendorwatch.scoring import peers, reasons, xmr
from vendorwatch.scoring.document import canonical_json, decimal_text
from vendorwatch.scoring.explain import EXPLAINED
from vendorwatch.scoring.facts import EXCLUSIONS
from vendorwatch.scoring.figures import RateFigure
from vendorwatch.scoring.intervals import percentile_ranks, ratio_text
from vendorwatch.scoring.judging import judge
from vendorwatch.scoring.metrics import DIMENSION_OF
from vendorwatch.scoring.policy import MetricRule
from vendorwatch.scoring.policy_file import parse_policy
from vendorwatch.vendors.model import Engagement

DOCUMENT_PAGE = (DOCS / "reference" / "scorecard-document.md").read_text("utf-8")
LABELS = ("Formula", "Credited to", "Pending", "Missing", "Excluded")
# Over what they count, the parts are not those of an interaction.
COUNTS_SOMETHING_ELSE = {"next_reply_on_time", "quality", *(m for m in DIMENSION_OF if "know" in m)}
# What the page says does not depend on the engine: the journeys compare the engines.
one_engine = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
async def desk(
    client: httpx.AsyncClient,
    database: Database,
    clock: StoppedClock,
    key: MakeKey,
    engagement: Engagement,
    rival: Engagement,
) -> Desk:
    async with database.write(engagement.scope) as connection:
        await policies.set_policy(connection, engagement.scope, policy(), clock())
    return Desk(
        client=client,
        database=database,
        engagement=engagement,
        now=clock(),
        own=await key("upload", "read", "score", "manage", of=engagement),
        rival=await key("upload", of=rival),
    )


def test_every_metric_has_its_section_and_its_example() -> None:
    titles = re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)
    assert titles == [*DIMENSION_OF]
    for metric in titles:
        assert re.findall(r"^- \*\*(.+?)\*\*: ", section(metric), re.MULTILINE) == [*LABELS], metric
        assert examples()[metric].metric == metric
        assert f"(#{metric})" in PAGE


@pytest.mark.parametrize("title", examples())
def test_an_example_has_five_rows_and_adds_up(title: str) -> None:
    example = examples()[title]
    (figures,) = example.told[0]
    assert len(example.rows) == 5
    if example.metric not in COUNTS_SOMETHING_ELSE:
        of_vendor = [row for row in example.rows if row["counts as"] != OTHER_VENDOR]
        told = sum(int(figures[part]) for part in PARTS[1:] if figures[part] != "-")
        assert told == len(of_vendor)


@one_engine
@pytest.mark.parametrize("title", examples())
async def test_an_example_gives_what_the_page_says(title: str, desk: Desk) -> None:
    example = examples()[title]
    card = await desk.score(example)
    scores = card["vendor_scores"]
    metric = scores["metrics"][example.metric]
    for table in example.told:
        for told in table:
            if "agent_id" in told:
                (agent,) = (a for a in card["agents"] if a["agent_id"] == told["agent_id"])
                known = agent | _flat(agent["metrics"][example.metric])
            elif "score" in told:
                by_dimension = {name: d["score"] for name, d in scores["dimensions"].items()}
                known = scores | by_dimension
            else:
                known = _flat(metric)
            assert {name: _cell(known[name]) for name in told} == told
    if example.metric in EXPLAINED:
        await _assert_reasons(desk, card, title)
    elif "submitted_at" in example.rows[0]:
        await _assert_results(desk, card, example.rows)


def _flat(metric: Document) -> Document:
    return {**metric, **(metric["peers"] or {}), **metric.get("survey", {})}


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


async def _assert_reasons(desk: Desk, card: Document, title: str) -> None:
    example = examples()[title]
    told = {row["interaction_id"]: row for row in example.rows if row["counts as"] != OTHER_VENDOR}
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for part, item in await everything_behind(desk, card, example):
        row = told[item["interaction_id"]]
        found[item["interaction_id"]][f"{part}: {item['reason']}"] += 1
        if "span" in row:
            assert item["clock"]["span"] == int(row["span"]) * SECOND
            assert item["clock"]["due"] == (None if row["due"] == "-" else _utc(row["due"]))
        if "share" in row:
            assert _cell(item["share"]) == row["share"]
    assert found == {name: Counter(row["counts as"].split("; ")) for name, row in told.items()}


def _utc(told: str) -> str:
    return format_instant(parse_instant(instant(told)))


async def _assert_results(desk: Desk, card: Document, rows: list[Row]) -> None:
    behind = (await desk.get(f"{card['links']['self']}/knowledge/results")).json()
    told = {row["agent_id"]: row["counts as"] for row in rows}
    assert {each["agent_id"]: _result(each) for each in behind} == told
    asked = sorted(agent for agent, result in told.items() if result != "excused")
    assert [agent["agent_id"] for agent in card["agents"]] == asked


def _result(each: Document) -> str:
    if each["excused"]:
        return "excused"
    return f"{each['earned']} of {each['possible']}, {'' if each['passed'] else 'not '}passed"


@one_engine
async def test_without_a_target_nothing_is_said_about_next_replies(
    desk: Desk, clock: StoppedClock
) -> None:
    silent = re.sub(r"^\[targets\.next_reply\]\n.*\n", "", policy(), flags=re.MULTILINE)
    async with desk.database.write(desk.engagement.scope) as connection:
        await policies.set_policy(connection, desk.engagement.scope, silent, clock())
    card = await desk.score(examples()["next_reply_on_time"])
    metric = card["vendor_scores"]["metrics"]["next_reply_on_time"]
    assert {metric[part] for part in PARTS} == {0}
    assert metric["value"] is None


@one_engine
async def test_every_key_of_a_document_is_explained(desk: Desk) -> None:
    """Of a document that has everything: agents, checks, a survey, a comparison."""
    card = await desk.score(examples()["knowledge_coverage"])
    scores = card["vendor_scores"]
    metrics = scores["metrics"]
    assert [*metrics] == [*DIMENSION_OF]
    agent = card["agents"][0]
    objects = {
        "The document": {
            name: value
            for name, value in card.items()
            if name not in {"id", "document_sha256", "created_at", "links"}
        },
        "policy": card["policy"],
        "uploads": card["uploads"],
        "volume": card["volume"],
        "volume.excluded": card["volume"]["excluded"],
        "SCORES": scores,
        "dimensions": scores["dimensions"]["response"],
        "METRIC": metrics["csat"],
        "survey": metrics["csat"]["survey"],
        "peers of the vendor": metrics["first_reply_on_time"]["peers"],
        "peers of an agent": agent["metrics"]["first_reply_on_time"]["peers"],
        "agents": {name: value for name, value in agent.items() if name not in scores},
        "beside it": {
            name: card[name] for name in ("id", "document_sha256", "created_at", "links")
        },
    }
    for title, found in objects.items():
        assert _keys_told(title) == [*found], title
    without_survey = {name for name in metrics["csat"] if name != "survey"}
    assert all({*each} == without_survey for name, each in metrics.items() if name != "csat")


def _keys_told(title: str) -> list[str]:
    found = re.search(rf"^##+ {title}\n(.*?)(?=^##+ |\Z)", DOCUMENT_PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None, title
    return re.findall(r"^\| `(\w+)` \|", found[1], re.MULTILINE)


@one_engine
async def test_the_fingerprint_can_be_computed_as_the_page_says(desk: Desk) -> None:
    """From what the API shows, for a month without contacts elsewhere, checks and reviews."""
    example = examples()["Case mix"]
    card = await desk.score(example)
    hashes = []
    for row in example.rows:
        shown = (await desk.get(f"/v1/interactions/{row['interaction_id']}")).json()
        hashes.append(bytes.fromhex(_in_force(shown)["content_sha256"]))
    agents = [[agent["agent_id"], agent["name"]] for agent in card["agents"]]
    lines = [b"", b"", *(canonical_json(rows).encode() for rows in ([], [], agents, []))]
    ordered = sorted(hashes, key=_numbers)
    content = b"vendorwatch/records/3\n" + b"".join(ordered) + b"\n"
    content += b"".join(line + b"\n" for line in lines)
    assert hashlib.sha256(content).hexdigest() == card["records_sha256"]


def _numbers(content_sha256: bytes) -> tuple[int, int, int, int]:
    first, second, third, fourth = struct.unpack("<4Q", content_sha256)
    return first, second, third, fourth


def _in_force(shown: Document) -> Document:
    (found,) = (each for each in shown["revisions"] if each["in_force"])
    made: Document = found
    return made


def test_every_reason_is_explained() -> None:
    told = [
        name for row in tables(section("Behind a figure"))[0] for name in row["reason"].split(", ")
    ]
    assert len(told) == len({*told})
    assert {*told} == _reasons_in_the_code() | {*EXCLUSIONS, "reviewed"}


def test_every_reason_of_a_metric_stands_in_an_example() -> None:
    shown = {
        text.partition(": ")[2]
        for example in examples().values()
        for row in example.rows
        for text in row.get("counts as", "").split("; ")
    }
    assert _reasons_in_the_code() - shown == set()


def _reasons_in_the_code() -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(inspect.getsource(reasons))):
        values: list[ast.expr] = []
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            values = [node.elts[1]]
        elif isinstance(node, ast.Dict):
            values = node.values
        found |= {
            each.value
            for each in values
            if isinstance(each, ast.Constant) and isinstance(each.value, str)
        }
    assert len(found) > 25
    return found


def test_points_are_those_of_the_product() -> None:
    for row in tables(section("From figures to a score"))[0]:
        value = Fraction(row["value"])
        judged = judge(RateFigure(value.numerator, value.denominator), _rule(row), 0)
        assert judged.points is not None
        assert (decimal_text(judged.points, 2), judged.contract) == (row["points"], row["contract"])


def _rule(row: Row) -> MetricRule:
    source = f"weight = 1, target = {row['target']}, floor = {row['floor']}"
    replaced = re.sub(r"weight = 1, target = 0.90, floor = 0.60", source, policy(), count=1)
    rule = parse_policy(replaced).rule("first_reply_on_time")
    assert rule is not None
    return rule


def test_intervals_and_evidence_are_those_of_the_product() -> None:
    rates, ranks = tables(section("Uncertainty"))
    rule = parse_policy(policy()).rule("first_reply_on_time")
    for row in rates:
        n = int(row["denominator"])
        figure = RateFigure(int(row["numerator"]), n, volume=n)
        assert figure.interval == (row["low"], row["high"])
        assert judge(figure, rule, 20).evidence == row["evidence"]
    for row in ranks:
        n = int(row["n"])
        for name, quantile in {"p50": Fraction(1, 2), "p90": Fraction(9, 10)}.items():
            told = (int(row[f"l of {name}"]), int(row[f"u of {name}"]))
            assert percentile_ranks(n, quantile) == told


def test_agents_beside_each_other_are_those_of_the_product() -> None:
    agents, (spread,) = tables(section("Agents beside each other"))
    counts = [(int(row["k"]), int(row["n"])) for row in agents]
    fitted, whole = peers.fit(counts), peers.pooled(counts)
    dispersion = peers.dispersion(counts)
    assert isinstance(fitted, peers.Prior)
    assert whole is not None
    assert dispersion is not None
    assert spread == {
        "a": decimal_text(fitted.a, 6),
        "b": decimal_text(fitted.b, 6),
        "dispersion": decimal_text(dispersion, 6),
        "overdispersed": "yes" if peers.overdispersed(dispersion, len(counts)) else "no",
    }
    for row, (k, n) in zip(agents, counts, strict=True):
        funnel = peers.Funnel.of(n, whole)
        assert row["value"] == ratio_text(k, n)
        assert row["estimate"] == peers.estimate_text(fitted, whole, k, n)
        assert (row["low 95"], row["high 95"]) == funnel.limits_95
        assert (row["low 99.8"], row["high 99.8"]) == funnel.limits_99_8
        assert row["outside"] == _cell(funnel.outside(k))


def test_months_beside_each_other_are_those_of_the_product() -> None:
    months, (whole,) = tables(section("Months beside each other"))
    points = [None if row["value"] == "-" else Fraction(row["value"]) for row in months]
    target = re.search(
        r"target ([\d.]+), where more is better", section("Months beside each other")
    )
    assert target is not None
    found = xmr.chart(points, more_is_better=True, target=Fraction(target[1]))
    assert found.limits is not None
    assert whole == {
        **{
            name: decimal_text(getattr(found.limits, name), 6)
            for name in ("mean", "lower", "upper")
        },
        "trial": "yes" if found.trial else "no",
        "variation": _cell(found.variation),
        "assurance": _cell(found.assurance),
    }
    shown = [", ".join(f"{s.rule} {s.direction}" for s in each) or "-" for each in found.signals]
    assert shown == [row["signals"] for row in months]
