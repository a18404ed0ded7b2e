"""What a scorecard says, compared with what its records say."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vendorwatch.scorecards.model import Kept

Result = Literal["identical", "different", "not_verifiable"]
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one scorecard. `code_version` is that of the code that made it, if that can be read."""

    scorecard_id: str
    engagement_id: str
    month: str
    result: Result
    code_version: str | None
    differences: tuple[str, ...] = ()


def tampering(kept: Kept) -> list[str]:
    """How the document and its row contradict each other."""
    digest = hashlib.sha256(kept.document.encode()).hexdigest()
    found = []
    if digest != kept.document_sha256:
        found.append(
            f"the stored document was changed: its SHA-256 is {digest}, "
            f"document_sha256 {kept.document_sha256}"
        )
    document = read(kept)
    if document is None:
        found.append("the stored document is not a JSON object")
        return found
    for name, value in kept.beside.items():
        if document.get(name) != value:
            found.append(f"{name}: document {_told(document.get(name))}, its row {_told(value)}")
    return found


def read(kept: Kept) -> dict[str, Any] | None:
    try:
        document = json.loads(kept.document)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def differences(stored: object, recomputed: object, path: str = "") -> Iterator[str]:
    """Line by line, each with its path, as in `agents[3].metrics.csat.numerator`."""
    if isinstance(stored, dict) and isinstance(recomputed, dict):
        for name in _names(stored, recomputed):
            inner = f"{path}.{name}" if path else str(name)
            yield from differences(
                stored.get(name, _NOTHING), recomputed.get(name, _NOTHING), inner
            )
    elif isinstance(stored, list) and isinstance(recomputed, list):
        for place, (one, other) in enumerate(_pairs(stored, recomputed)):
            yield from differences(one, other, f"{path}[{place}]")
    elif stored != recomputed or type(stored) is not type(recomputed):
        yield f"{path}: stored {_told(stored)}, recomputed {_told(recomputed)}"


def _names(stored: Mapping[str, object], recomputed: Mapping[str, object]) -> list[str]:
    return [*stored, *(name for name in recomputed if name not in stored)]


def _pairs(stored: list[Any], recomputed: list[Any]) -> Iterator[tuple[object, object]]:
    """Agents by their id, those that are only recomputed last; anything else by its place."""
    if not all(isinstance(each, dict) and "agent_id" in each for each in (*stored, *recomputed)):
        length = max(len(stored), len(recomputed))
        padded = [[*each, *[_NOTHING] * (length - len(each))] for each in (stored, recomputed)]
        yield from zip(*padded, strict=True)
        return
    again = {each["agent_id"]: each for each in recomputed}
    for each in stored:
        yield each, again.pop(each["agent_id"], _NOTHING)
    for each in again.values():
        yield _NOTHING, each


def _told(value: object) -> str:
    if value is _NOTHING:
        return "nothing"
    if isinstance(value, dict):
        return f"agent {value['agent_id']}" if "agent_id" in value else "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return value if isinstance(value, str) else json.dumps(value)
