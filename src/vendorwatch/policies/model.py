"""Policies as they are kept, and which of them counts for a month."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from typing_extensions import override

from vendorwatch.periods import Micros, Month
from vendorwatch.scoring.inputs import PolicyVersion
from vendorwatch.scoring.policy import in_force
from vendorwatch.scoring.policy_file import parse_policy

DEFAULT_POLICY_ID = "default"
DEFAULT_VERSION = 0
WHAT_IF_POLICY_ID = "what-if"


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """One version; `source` is the file as it was set. The package's own has version 0."""

    policy_id: str
    version: int
    sha256: str
    name: str
    effective_from: str
    source: str
    created_at: Micros | None  # None: the package's own, or one that is not kept


@dataclass(frozen=True, slots=True)
class Effective:
    """The months for which one version counts, while there are these versions.

    `first` is None if there are none; `last` is None if there is no end. `replaced_by` is the
    version that counts after it, or instead of it.
    """

    first: Month | None
    last: Month | None
    replaced_by: int | None

    @override
    def __str__(self) -> str:
        if self.first is None:
            return f"never: replaced by version {self.replaced_by} from its first month"
        if self.last is None:
            return f"from {self.first}"
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def read_policy(
    source: str, policy_id: str, version: int, created_at: Micros | None
) -> StoredPolicy:
    """Raises BadPolicy with every mistake."""
    policy = parse_policy(source)
    return StoredPolicy(
        policy_id=policy_id,
        version=version,
        sha256=hashlib.sha256(source.encode()).hexdigest(),
        name=policy.name,
        effective_from=str(policy.effective_from),
        source=source,
        created_at=created_at,
    )


def read_default(source: str) -> StoredPolicy:
    """The package's own, of this release or of another. Raises BadPolicy."""
    return read_policy(source, DEFAULT_POLICY_ID, DEFAULT_VERSION, None)


def effective_months(versions: Sequence[StoredPolicy]) -> list[Effective]:
    """Of each version, oldest first: a later one replaces it from its own first month on."""
    made = []
    for index, version in enumerate(versions):
        first = Month.parse(version.effective_from)
        later = [(Month.parse(each.effective_from), each) for each in versions[index + 1 :]]
        if not later:
            made.append(Effective(first, None, None))
            continue
        end = max(min(month for month, _ in later), first)
        # Of several that begin no later, the newest counts.
        successor = [each.version for month, each in later if month <= end][-1]
        if end == first:
            made.append(Effective(None, None, successor))
        else:
            made.append(Effective(first, end.previous(), successor))
    return made


def policy_for(
    versions: Sequence[StoredPolicy], default: StoredPolicy, month: Month
) -> PolicyVersion:
    """The version for the month, else the package's own, which then also gives the calendar."""
    parsed = [parse_policy(version.source) for version in versions]
    calendars = [(each.effective_from, each.hours) for each in parsed if each.hours]
    chosen = in_force(parsed, month)
    if chosen is None:
        stored = default
        chosen = parse_policy(stored.source)
        calendars.insert(0, (chosen.effective_from, chosen.hours))
    else:
        # Of several that say the same, the newest counts.
        pairs = reversed([*zip(versions, parsed, strict=True)])
        stored = next(version for version, each in pairs if each == chosen)
    return PolicyVersion(chosen, stored.policy_id, stored.version, stored.sha256, calendars)


def what_if(
    versions: Sequence[StoredPolicy], default: StoredPolicy, source: str, month: Month
) -> PolicyVersion:
    """As if `source` were set now and counted for the month and all that follow.

    Its hours, if it has any, are those of every day that the month's spans can reach. Raises
    BadPolicy.
    """
    asked = replace(parse_policy(source), effective_from=month)
    in_its_place = policy_for(versions, default, month)
    calendars = list(in_its_place.calendars)
    if asked.hours:
        calendars.append((month, asked.hours))
    digest = hashlib.sha256(source.encode()).hexdigest()
    return PolicyVersion(asked, WHAT_IF_POLICY_ID, len(versions) + 1, digest, calendars)
