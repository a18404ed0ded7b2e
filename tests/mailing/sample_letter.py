"""What mails are made from: some scorecards, and a reader."""

from typing import Any

from scorecards import sample
from vendorwatch.mailing.letter import Part, Reader
from vendorwatch.mailing.notice import About

LINK = "https://scores.example.org/v1/reports/" + 86 * "B"
UNSUBSCRIBE = "https://scores.a-rather-long-name-of-a-host.example.org/v1/unsubscribe/" + 86 * "A"
READER = Reader("en", "linh@trasen.vn", "Trống Đồng Books", UNSUBSCRIBE)
# What stands in either form whatever the language: names, and figures without separators.
FACTS = {
    "one": ["Hoa Sen BPO", LINK],
    "two": ["Hoa Sen BPO", "Rival BPO", LINK],
    "revision": ["Hoa Sen BPO", LINK],
    "nothing": ["Hoa Sen BPO", LINK],
    "large": ["Hoa Sen BPO", LINK],
    "approval_reminder": [
        "Hoa Sen BPO",
        "vendorwatch approve --engagement b778d27e-989e-4ac1-8f3a-938018128a56 --month 2026-10",
    ],
    "missing_data": ["Hoa Sen BPO", "vendorwatch push"],
    "no_upload": ["Hoa Sen BPO", "vendorwatch push"],
}


def parts(name: str) -> list[Part]:
    whole = sample.with_new_metrics(sample.document(names=[]))
    made = {
        "one": [Part(whole, LINK, is_attached=True)],
        "two": [
            Part(whole, LINK, is_attached=True),
            Part(sample.document(vendor="Rival BPO", names=[]), LINK, is_attached=True),
        ],
        "revision": [
            Part(
                sample.document(revision=2, names=[]), LINK, is_attached=True, replaced=corrected()
            )
        ],
        "nothing": [Part(unmeasured(), LINK, is_attached=True)],
        "large": [Part(whole, LINK, is_attached=False)],
    }
    return made[name]


def corrected() -> dict[str, Any]:
    """What stood there before the vendor sent some rows anew."""
    made = sample.document(score="69.05", names=[])
    made["vendor_scores"]["metrics"]["resolution_rate"]["value"] = "0.7100"
    made["volume"]["scored"] -= 12
    return made


def unmeasured() -> dict[str, Any]:
    """A month of which too little is known."""
    made = sample.document(score=None, names=[])
    for figures in made["vendor_scores"]["metrics"].values():
        if figures["contract"]:
            figures |= {"contract": "not_measurable", "evidence": "too_few", "points": None}
        figures |= {"value": None, "denominator": 0, "interval": None}
    return made


def notice_of(kind: Any) -> About:
    return About(
        kind,
        "Hoa Sen BPO",
        "b778d27e-989e-4ac1-8f3a-938018128a56",
        "2026-10",
        {"days": ["2026-10-12", "2026-10-13"]},
    )
