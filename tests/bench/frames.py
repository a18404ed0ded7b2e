"""Scoring's inputs of any size, seeded, made by Polars expressions alone."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from bench.rows import MONTH, ZONE
from vendorwatch.periods import DAY, SECOND, Micros, Month, load_zone
from vendorwatch.policies.service import default_policy
from vendorwatch.scoring.frames import ANSWERS, CONTACTS, INTERACTIONS, KNOWLEDGE, REVIEWS
from vendorwatch.scoring.inputs import Inputs, PolicyVersion, resolve_as_of
from vendorwatch.scoring.policy_file import parse_policy

_VENDOR, _RIVAL = "vendor-a", "vendor-b"
_CHANNELS = ("email", "chat", "messaging", "phone", "web_form", "social")
_STATUSES = (*["resolved"] * 12, *["closed"] * 4, "open", "pending", "abandoned", "spam")
_TOPICS = ("returns", "sizing", "delivery", "payment", "warranty", "account", None, None)
_SHARES = ("1/1", "17/20", "9/10", "3/4", "7/12", "0/1")

Frames = Mapping[str, pl.DataFrame]
"""By the name of the field of Inputs."""


def inputs(n: int, agents: int, *, now: Micros, seed: int = 0) -> Inputs:
    """`n` interactions of the month with all that belongs to them."""
    return inputs_of(made(n, agents, seed), agents, now=now)


def made(n: int, agents: int, seed: int = 0) -> Frames:
    """`n` interactions of the month, all of them known customers' contacts but a twentieth, and a
    quarter as many contacts of the same customers with another vendor. Three in ten have customers'
    further messages, one in fifty a review.
    """
    own = log(n, agents, seed)
    others = rivals_log(n, agents, seed).with_columns(vendor_id=pl.lit(_RIVAL))
    return {
        "interactions": own,
        "contacts": others.select(*CONTACTS).filter(pl.col("customer_ref").is_not_null()),
        "knowledge": _knowledge(agents),
        "answers": _answers(agents),
        "reviews": _reviews(own),
    }


def log(n: int, agents: int, seed: int = 0) -> pl.DataFrame:
    """INTERACTIONS in no order: to sort what is sorted already would be no yardstick."""
    start, end = Month.parse(MONTH).bounds(load_zone(ZONE))
    own = _interactions(n, agents, start, end, seed).select(*INTERACTIONS).cast(INTERACTIONS)
    return own.sample(fraction=1, shuffle=True, seed=1)


def rivals_log(n: int, agents: int, seed: int = 0) -> pl.DataFrame:
    """INTERACTIONS of another vendor's, a quarter of `n`, many of them with the same customers."""
    renamed = pl.format("R-{}", "interaction_id").alias("interaction_id")
    return log(n // 4, agents, seed).with_columns(renamed)


def inputs_of(frames: Frames, agents: int, *, now: Micros) -> Inputs:
    month, zone = Month.parse(MONTH), load_zone(ZONE)
    stored = default_policy()
    policy = parse_policy(stored.source)
    n = frames["interactions"].height
    return Inputs(
        engagement_id="e",
        merchant="Trà Sen",
        vendor="Hoa Sen BPO",
        vendor_id=_VENDOR,
        zone=zone,
        month=month,
        as_of=resolve_as_of(None, month=month, zone=zone, policy=policy, now=now),
        now=now,
        policy=PolicyVersion(
            policy, stored.policy_id, 0, stored.sha256, [(policy.effective_from, policy.hours)]
        ),
        received=n,
        uploads={
            "uploads": 1,
            "received": n,
            "created": n,
            "revised": 0,
            "duplicate": 0,
            "rejected": 0,
            "skipped": 0,
        },
        names={_agent_id(number): f"Agent {number}" for number in range(agents)},
        aliases={},
        code_version="bench",
        **frames,
    )


def write(frames: Frames, folder: Path) -> None:
    """As files that another process reads without leaving anything else in its memory."""
    for name, frame in frames.items():
        frame.write_ipc(folder / f"{name}.arrow")


def read(folder: Path) -> Frames:
    return {file.stem: pl.read_ipc(file.read_bytes()) for file in sorted(folder.glob("*.arrow"))}


def size_of(frames: Frames) -> int:
    """Bytes of all columns in memory."""
    return int(sum(frame.estimated_size() for frame in frames.values()))


def _interactions(n: int, agents: int, start: Micros, end: Micros, seed: int) -> pl.DataFrame:
    row = pl.int_range(seed * n, (seed + 1) * n, dtype=pl.Int64)
    opened = start + _dice(row, 1, (end - start) // SECOND) * SECOND
    reply = opened + (_dice(row, 2, 7200) + 1) * (_dice(row, 3, 7200) + 1) // 1000 * SECOND
    resolved = reply + (_dice(row, 4, 86_400) + 1) * (_dice(row, 5, 40) + 1) // 10 * SECOND
    agent_ids = [_agent_id(number) for number in range(agents)]
    is_rated = _happens(row, 6, 0.2)
    return pl.select(
        source_account=pl.lit(""),
        interaction_id=pl.format("HS-{}", 10_000_000 + row),
        content_sha256=_digest(row, 7),
        channel=_pick(row, 8, _CHANNELS),
        direction=pl.when(_happens(row, 9, 0.04))
        .then(pl.lit("outbound"))
        .otherwise(pl.lit("inbound")),
        status=_pick(row, 10, _STATUSES),
        priority=_pick(row, 11, ("low", "normal", "high", None)),
        opened_at=opened,
        first_reply_at=pl.when(_happens(row, 12, 0.95)).then(reply),
        resolved_at=pl.when(_happens(row, 13, 0.92)).then(resolved),
        abandoned_at=pl.lit(None, pl.Int64),
        first_reply_known=pl.lit(value=True),
        resolution_known=pl.lit(value=True),
        agent_id=_pick(row, 14, agent_ids),
        first_reply_agent_id=pl.when(_happens(row, 15, 0.2)).then(_pick(row, 16, agent_ids)),
        resolved_by_agent_id=pl.lit(None, pl.String),
        resolved_by=pl.lit("agent"),
        customer_ref=pl.when(_happens(row, 17, 0.95)).then(_digest(_dice(row, 18, n // 3 + 1), 19)),
        order_ref=pl.when(_happens(row, 20, 0.5)).then(_digest(_dice(row, 21, n // 2 + 1), 22)),
        topic=_pick(row, 23, _TOPICS),
        reopens=_happens(row, 24, 0.05).cast(pl.Int64),
        handovers=_happens(row, 25, 0.12).cast(pl.Int64),
        csat_invited_at=pl.when(is_rated).then(resolved + 300 * SECOND),
        csat_at=pl.when(is_rated).then(resolved + DAY),
        csat=pl.when(is_rated).then(1 + _dice(row, 26, 5)),
        next_replies=_next_replies(row, reply),
    )


def _next_replies(row: pl.Expr, reply: pl.Expr) -> pl.Expr:
    """Three in ten have one or two runs of messages, one in ten has none, the rest no events."""
    asked = reply + (_dice(row, 40, 40_000) + 1) * SECOND
    answered = asked + (_dice(row, 41, 30_000) + 1) * SECOND
    again = answered + (_dice(row, 42, 90_000) + 1) * SECOND
    kind = pl.when(_happens(row, 12, 0.95)).then(_dice(row, 43, 20)).otherwise(19)
    return (
        pl.when(kind < 4)
        .then(pl.format("[[{},{}]]", asked, answered))
        .when(kind == 4)
        .then(pl.format("[[{},{}],[{},null]]", asked, answered, again))
        .when(kind == 5)
        .then(pl.format("[[{},null]]", asked))
        .when(kind < 8)
        .then(pl.lit("[]"))
    )


def _knowledge(agents: int) -> pl.DataFrame:
    who = [_agent_id(number) for number in range(agents)]
    rows = [
        (agent, "check", 10, 20, 10 + at % 11, at % 11 > 3, False) for at, agent in enumerate(who)
    ]
    return pl.DataFrame(rows, schema=KNOWLEDGE, orient="row")


def _answers(agents: int) -> pl.DataFrame:
    topics = [topic for topic in _TOPICS if topic]
    rows = [
        (_agent_id(number), topic, (number + 3 * at) % 5 > 1)
        for number in range(agents)
        for at, topic in enumerate(topics)
        if (number + at) % 4
    ]
    return pl.DataFrame(rows, schema=ANSWERS, orient="row")


def _reviews(own: pl.DataFrame) -> pl.DataFrame:
    row = pl.col("interaction_id")
    return (
        own.filter(_happens(row, 50, 0.02))
        .select(
            "source_account",
            "interaction_id",
            review_id=pl.format("review of {}", "interaction_id"),
            reviewed_at=pl.col("opened_at") + 3 * DAY,
            share=_pick(row, 51, _SHARES),
        )
        .select(*REVIEWS)
    )


def _agent_id(number: int) -> str:
    return f"hs-{number:03}"


def _dice(of: pl.Expr, seed: int, sides: int) -> pl.Expr:
    """From 0 to `sides` - 1, the same for equal values."""
    return (of.hash(seed) % sides).cast(pl.Int64)


def _happens(of: pl.Expr, seed: int, share: float) -> pl.Expr:
    return _dice(of, seed, 10_000) < round(share * 10_000)


def _pick(of: pl.Expr, seed: int, choices: "tuple[str | None, ...] | list[str]") -> pl.Expr:
    return pl.lit(pl.Series(choices, dtype=pl.String)).gather(_dice(of, seed, len(choices)))


def _digest(of: pl.Expr, seed: int) -> pl.Expr:
    """32 bytes like those of a hash: no two begin alike."""
    parts = [of.hash(seed + part * 100).cast(pl.String).str.zfill(20) for part in range(4)]
    return pl.concat_str(parts).str.slice(4, 64).str.decode("hex")
