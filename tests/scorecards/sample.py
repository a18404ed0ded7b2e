"""A believable scorecard document, made from nothing but the figures written here.

Shares no code with scoring: whatever shows a document is tested against the format, not against us.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256
from math import sqrt
from typing import Any

Json = dict[str, Any]

NAMES: tuple[str | None, ...] = (
    "Nguyễn Thị Phương Thảo",
    "Trần Đức Anh",
    "Lê Hoàng Ngọc Bích",
    "Phạm Quỳnh Như",
    "Đặng Văn Lưỡng",
    "Võ Thị Ái Vy",
    "Huỳnh Tấn Phát",
    "Bùi Ngọc Ánh",
    "Đỗ Thuỳ Dương",
    "Hồ Xuân Hương",
    "Ngô Bảo Châu",
    "Dương Khắc Kiệt",
    "สมชาย ใจดี",
    "กนกวรรณ ศรีสุข",
    "ณัฐวุฒิ พงษ์พิพัฒน์",
    "ปิยะดา วงศ์สว่าง",
    "Szűcs Ödön",
    "Kőrösi Ágnes",
    "Őry-Fülöp Tünde",
    "Árvíztűrő Győző",
    "Tóth István",
    "Mai Anh",
    None,
    "Alexandra Konstantinopoulou-Featherstonehaugh de la Vega y Montenegro",
    "Chi",
)

Z = 1.959963984540054

# metric: value, denominator, pending, missing, target, floor, dimension
RATES: dict[str, tuple[str, int, int, int, str | None, str | None]] = {
    "first_reply_on_time": ("0.782", 4712, 12, 0, "0.90", "0.60"),
    "abandon_rate": ("0.061", 1504, 0, 0, "0.05", "0.15"),
    "resolution_rate": ("0.961", 4631, 0, 0, "0.95", "0.80"),
    "resolution_on_time": ("0.899", 4610, 21, 0, "0.90", "0.70"),
    "first_contact_resolution": ("0.713", 3904, 118, 609, "0.75", "0.50"),
    "repeat_contact_rate": ("0.118", 4015, 96, 340, "0.10", "0.25"),
    "reopen_rate": ("0.034", 4451, 0, 0, "0.05", "0.15"),
    "handover_rate": ("0.142", 4631, 0, 0, None, None),
    "csat": ("0.871", 986, 0, 0, "0.85", "0.65"),
    "knowledge_score": ("0.734", 412, 0, 0, "0.80", "0.50"),
    "knowledge_pass_rate": ("0.68", 50, 0, 0, None, None),
}
# metric: value, interval, n, pending, target, floor
PERCENTILES: dict[str, tuple[str, tuple[str, str], int, int, str, str]] = {
    "first_reply_p50": ("2712", ("2588", "2840.5"), 4712, 12, "3600", "14400"),
    "first_reply_p90": ("27840", ("25920", "30011"), 4712, 12, "14400", "86400"),
    "resolution_p50": ("41520", ("40210", "43005"), 4610, 21, "86400", "259200"),
    "resolution_p90": ("273600", ("259320", "288840"), 4610, 21, "172800", "604800"),
}
ORDER = (
    "first_reply_on_time",
    "first_reply_p50",
    "first_reply_p90",
    "abandon_rate",
    "resolution_rate",
    "resolution_on_time",
    "resolution_p50",
    "resolution_p90",
    "first_contact_resolution",
    "repeat_contact_rate",
    "reopen_rate",
    "handover_rate",
    "csat",
    "knowledge_score",
    "knowledge_pass_rate",
)


def document(
    *,
    vendor: str = "Hoa Sen BPO",
    month: str = "2026-10",
    status: str = "final",
    revision: int = 1,
    score: str | None = "71.48",
    names: Sequence[str | None] = NAMES,
) -> Json:
    rated = score is not None
    return {
        "schema": "vendorwatch/scorecard/1",
        "engagement_id": "eng_01JB7Q4N8X3Y",
        "merchant": "Trống Đồng Books",
        "vendor": vendor,
        "month": month,
        "time_zone": "Asia/Ho_Chi_Minh",
        "as_of": "2026-11-07T17:00:00Z" if status == "final" else "2026-11-03T09:12:44.250000Z",
        "status": status,
        "revision": revision,
        "policy": {
            "id": "pol_01JA",
            "version": 3,
            "sha256": sha256(b"policy").hexdigest(),
            "balance": True,
        },
        "records_sha256": sha256(b"records").hexdigest(),
        "code_version": "0.1.0",
        "uploads": {"uploads": 31, "received": 15_310, "rejected": 287},
        "volume": {
            "received": 15023,
            "in_month": 4981,
            "scored": 4724,
            "excluded": {
                "outbound": 181,
                "spam": 44,
                "merged": 17,
                "withdrawn": 3,
                "short_abandoned": 12,
            },
            "unassigned": 93,
        },
        "vendor_scores": {
            "score": score,
            "not_rated": [] if rated else ["knowledge"],
            "dimensions": {
                "response": {"score": "56.20", "weight": "30"},
                "resolution": {"score": "81.94", "weight": "50"},
                "knowledge": {"score": "68.17" if rated else None, "weight": "20"},
            },
            "metrics": metrics(Decimal(0), 1, rated=rated),
        },
        "agents": [agent(index, name) for index, name in enumerate(names)],
    }


def agent(index: int, name: str | None) -> Json:
    """Every fifth one has too few records; the eighth has percentiles that were not reached."""
    share = 600 if index % 5 == 4 else 24
    shift = Decimal(index % 7 - 3) * Decimal("0.017")
    figures = metrics(shift, share, rated=index % 3 != 0)
    if index == 7:
        figures["first_reply_p90"] |= {
            "value": "not_reached",
            "interval": ["88200.000000", "not_reached"],
            "points": "0.00",
            "contract": "missed",
            "evidence": "clear",
        }
    return {
        "agent_id": f"a{index:03}",
        "name": name,
        "volume": 4724 // share,
        "score": None,
        "not_rated": ["knowledge"],
        "dimensions": {
            "response": {"score": None, "weight": "30"},
            "resolution": {"score": None, "weight": "50"},
            "knowledge": {"score": None, "weight": "20"},
        },
        "metrics": figures,
    }


def metrics(shift: Decimal, share: int, *, rated: bool = True) -> Json:
    """The vendor's figures moved by `shift`, over one `share`-th of the records."""
    made = {name: _rate(name, shift, share) for name in RATES}
    made |= {name: _percentile(name, shift, share) for name in PERCENTILES}
    answered = made["csat"]["denominator"]
    made["csat"]["survey"] = {
        "invited": 3 * answered,
        "answered": answered,
        "response_rate": "0.333333" if answered else None,
    }
    if not rated:
        for name in ("knowledge_score", "knowledge_pass_rate"):
            named = made[name]["target"] is not None
            made[name] |= _unmeasured(named=named)
    return {name: made[name] for name in ORDER}


def _rate(name: str, shift: Decimal, share: int) -> Json:
    value, total, pending, missing, target, floor = RATES[name]
    n = total // share
    k = min(max(int((Decimal(value) + shift) * n), 0), n)
    exact = Decimal(k) / n if n else Decimal(0)
    low, high = _wilson(k, n)
    return {
        "kind": "rate",
        "value": _six(exact) if n else None,
        "numerator": k,
        "denominator": n,
        "pending": pending // share,
        "missing": missing // share,
        "interval": [_six(low), _six(high)] if n else None,
        "adjusted": None,
        **_verdicts(exact, low, high, target, floor, n),
    }


def _percentile(name: str, shift: Decimal, share: int) -> Json:
    value, ends, total, pending, target, floor = PERCENTILES[name]
    low, exact, high = (Decimal(text) * (1 - 3 * shift) for text in (ends[0], value, ends[1]))
    n = total // share
    return {
        "kind": "percentile",
        "value": _six(exact),
        "numerator": None,
        "denominator": n,
        "pending": pending // share,
        "missing": 0,
        "interval": [_six(low), _six(high)],
        "adjusted": None,
        **_verdicts(exact, low, high, target, floor, n),
    }


def _verdicts(
    value: Decimal, low: Decimal, high: Decimal, target: str | None, floor: str | None, n: int
) -> Json:
    if target is None or floor is None:
        return {
            "rated": n >= 10,
            "target": None,
            "floor": None,
            "points": None,
            "contract": None,
            "evidence": None,
        }
    goal, bottom = Decimal(target), Decimal(floor)
    points = 100 * min(max((value - bottom) / (goal - bottom), Decimal(0)), Decimal(1))
    met = value >= goal if bottom < goal else value <= goal
    outside = low > goal or high < goal
    return {
        "rated": n >= 10,
        "target": target,
        "floor": floor,
        "points": str(points.quantize(Decimal("0.01"), ROUND_HALF_EVEN)),
        "contract": "met" if met else "missed",
        "evidence": "too_few" if n < 10 else "clear" if outside else "within_noise",
    }


def _unmeasured(*, named: bool) -> Json:
    return {
        "value": None,
        "numerator": 0,
        "denominator": 0,
        "interval": None,
        "rated": False,
        "points": None,
        "contract": "not_measurable" if named else None,
        "evidence": "too_few" if named else None,
    }


def _wilson(k: int, n: int) -> tuple[Decimal, Decimal]:
    if not n:
        return Decimal(0), Decimal(0)
    p, zz = k / n, Z * Z
    middle, half = p + zz / (2 * n), Z * sqrt(p * (1 - p) / n + zz / (4 * n * n))
    return tuple(Decimal((middle + side * half) / (1 + zz / n)) for side in (-1, 1))  # type: ignore[return-value]  # two, as written


def _six(value: Decimal) -> str:
    return str(value.quantize(Decimal("0.000001"), ROUND_HALF_EVEN))


def with_new_metrics(made: Json) -> Json:
    """With a mean, and with a rate that is counted in other things than contacts."""
    for scores in (made["vendor_scores"], *made["agents"]):
        figures = scores["metrics"]
        replies = figures["first_reply_on_time"] | {"value": "0.731114", "denominator": 6248}
        quality = figures["csat"] | {"kind": "mean", "value": "0.723989", "numerator": None}
        quality |= {"denominator": 60, "evidence": "clear", "contract": "missed"}
        added = {"next_reply_on_time": replies, "quality": quality}
        scores["metrics"] = {**figures, **added}
        for name in ("first_reply_p50", "resolution_p50", "resolution_rate"):
            scores["metrics"][name] = figures[name] | {"target": None, "floor": None}
            scores["metrics"][name] |= {"points": None, "contract": None, "evidence": None}
    return made


def with_peers(
    made: Json, metric: str = "first_contact_resolution", *, overdispersed: bool = True
) -> Json:
    """Bùi Ngọc Ánh is outside the 99.8 % limits, Chi outside the 95 % limits."""
    made["vendor_scores"]["metrics"][metric]["peers"] = {
        "agents": len(made["agents"]),
        "dispersion": "3.210000",
        "overdispersed": overdispersed,
        "prior": ["12.000000", "5.000000"],
    }
    outside = {"Bùi Ngọc Ánh": "99.8", "Chi": "95"}
    for agent in made["agents"]:
        figures = agent["metrics"][metric]
        value = Decimal(figures["value"])
        figures["peers"] = {
            "estimate": figures["value"],
            "limits_95": [_six(value - Decimal("0.05")), _six(value + Decimal("0.05"))],
            "limits_99_8": [_six(value - Decimal("0.09")), _six(value + Decimal("0.09"))],
            "outside": outside.get(agent["name"]),
        }
        if agent["name"] == "Đỗ Thuỳ Dương":
            figures["adjusted"] = "0.640000"
    return made
