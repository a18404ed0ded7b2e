"""Scoring's inputs of any size, seeded, made by Polars expressions alone."""

import polars as pl

from bench.rows import MONTH, ZONE
from vendorwatch.periods import DAY, SECOND, Micros, Month, load_zone
from vendorwatch.scorecards.service import default_policy
from vendorwatch.scoring.frames import ANSWERS, CONTACTS, INTERACTIONS, KNOWLEDGE, REVIEWS
from vendorwatch.scoring.policy_file import parse_policy
from vendorwatch.scoring.score import Inputs, PolicyVersion, resolve_as_of

_VENDOR, _RIVAL = "vendor-a", "vendor-b"
_CHANNELS = ("email", "chat", "messaging", "phone", "web_form", "social")
_STATUSES = (*["resolved"] * 12, *["closed"] * 4, "open", "pending", "abandoned", "spam")
_TOPICS = ("returns", "sizing", "delivery", "payment", "warranty", "account", None, None)


def inputs(n: int, agents: int, *, now: Micros) -> Inputs:
    """`n` interactions of the month, all of them known customers' contacts but a twentieth, and a
    quarter as many contacts of the same customers with another vendor.
    """
    month, zone = Month.parse(MONTH), load_zone(ZONE)
    stored = default_policy()
    policy = parse_policy(stored.source)
    start, end = month.bounds(zone)
    own = _interactions(n, agents, start, end)
    # In no order: to sort what is sorted already would be no yardstick.
    own = own.sample(fraction=1, shuffle=True, seed=1)
    others = _interactions(n // 4, agents, start, end).with_columns(
        interaction_id=pl.format("R-{}", "interaction_id"), vendor_id=pl.lit(_RIVAL)
    )
    contacts = pl.concat(
        frame.select(*CONTACTS) for frame in (own.with_columns(vendor_id=pl.lit(_VENDOR)), others)
    )
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
        interactions=own.select(*INTERACTIONS),
        contacts=contacts.filter(pl.col("customer_ref").is_not_null()),
        knowledge=_knowledge(agents),
        answers=pl.DataFrame(schema=ANSWERS),
        reviews=pl.DataFrame(schema=REVIEWS),
        names={_agent_id(number): f"Agent {number}" for number in range(agents)},
        aliases={},
        code_version="bench",
    )


def _interactions(n: int, agents: int, start: Micros, end: Micros) -> pl.DataFrame:
    row = pl.int_range(n, dtype=pl.Int64)
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
        next_replies=pl.lit(None, pl.String),
    )


def _knowledge(agents: int) -> pl.DataFrame:
    who = [_agent_id(number) for number in range(agents)]
    rows = [
        (agent, "check", 10, 20, 10 + at % 11, at % 11 > 3, False) for at, agent in enumerate(who)
    ]
    return pl.DataFrame(rows, schema=KNOWLEDGE, orient="row")


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
    """32 bytes, as long as a SHA-256."""
    halves = [of.hash(seed + part * 100).cast(pl.String).str.zfill(20) for part in (0, 1)]
    return pl.concat_str(halves).str.slice(4, 32).cast(pl.Binary)
