"""Policies as the API and the commands show them."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from vendorwatch.periods import format_instant
from vendorwatch.policies.model import Effective, StoredPolicy, effective_months


class EffectiveMonths(msgspec.Struct, frozen=True, kw_only=True):
    first: Annotated[str, msgspec.Meta(description="YYYY-MM")]
    last: Annotated[str | None, msgspec.Meta(description="YYYY-MM; null: there is no end yet.")]


class PolicyItem(msgspec.Struct, frozen=True, kw_only=True):
    policy_id: str
    version: Annotated[int, msgspec.Meta(description="From 1; 0 is the default of the package.")]
    sha256: Annotated[str, msgspec.Meta(description="Of the file.")]
    name: str
    effective_from: Annotated[str, msgspec.Meta(description="YYYY-MM, as the file says.")]
    effective_months: Annotated[
        EffectiveMonths | None,
        msgspec.Meta(
            description="For which it counts, with the versions that there are; null: for none."
        ),
    ]
    replaced_by: Annotated[
        int | None, msgspec.Meta(description="The version that counts after it, or instead of it.")
    ]
    created_at: Annotated[
        str | None, msgspec.Meta(description="RFC 3339; null: the default of the package.")
    ]


class PolicyDetail(PolicyItem, frozen=True, kw_only=True):
    source: Annotated[str, msgspec.Meta(description="The TOML as it was set, comments and all.")]


def policy_items(versions: Sequence[StoredPolicy]) -> list[PolicyItem]:
    effective = effective_months(versions)
    return [_item(*each) for each in zip(versions, effective, strict=True)]


def policy_detail(policy: StoredPolicy, versions: Sequence[StoredPolicy]) -> PolicyDetail:
    """`versions` are the engagement's own, or the policy alone if it is the package's."""
    found = next(each for each in policy_items(versions) if each.version == policy.version)
    return msgspec.convert({**msgspec.structs.asdict(found), "source": policy.source}, PolicyDetail)


def _item(policy: StoredPolicy, effective: Effective) -> PolicyItem:
    first, last = effective.first, effective.last
    return PolicyItem(
        policy_id=policy.policy_id,
        version=policy.version,
        sha256=policy.sha256,
        name=policy.name,
        effective_from=policy.effective_from,
        effective_months=(
            EffectiveMonths(first=str(first), last=str(last) if last else None) if first else None
        ),
        replaced_by=effective.replaced_by,
        created_at=None if policy.created_at is None else format_instant(policy.created_at),
    )
