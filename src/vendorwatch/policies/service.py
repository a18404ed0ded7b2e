"""Policies are set and read; for a month, one of them counts."""

import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.audit import service as audit
from vendorwatch.audit.model import COMMAND, Actor
from vendorwatch.db.locks import lock_engagement
from vendorwatch.db.scope import Scope
from vendorwatch.errors import NotFound
from vendorwatch.periods import Micros, Month
from vendorwatch.policies import store
from vendorwatch.policies.model import (
    StoredPolicy,
    policy_for,
    read_default,
    read_policy,
    what_if,
)
from vendorwatch.scoring.inputs import PolicyVersion


@cache
def default_policy() -> StoredPolicy:
    """What counts until an engagement has set a policy of its own."""
    file = resources.files("vendorwatch.policies") / "default_policy.toml"
    return read_default(file.read_bytes().decode())


async def set_policy(
    connection: AsyncConnection, scope: Scope, source: str, now: Micros, *, by: Actor = COMMAND
) -> tuple[StoredPolicy, bool]:
    """The next version, and whether it is new: the newest one's content again is that version.

    Raises BadPolicy with every mistake.
    """
    await lock_engagement(connection, scope)  # two must not make the same version
    versions = await store.policies(connection, scope)
    made = read_policy(source, str(uuid.uuid4()), len(versions) + 1, now)
    if versions and versions[-1].sha256 == made.sha256:
        return versions[-1], False
    await store.add_policy(connection, scope, made)
    await audit.record(
        connection, scope, "policy.set", by, now, version=made.version, sha256=made.sha256
    )
    return made, True


async def policies(connection: AsyncConnection, scope: Scope) -> list[StoredPolicy]:
    """The engagement's own, oldest first."""
    return await store.policies(connection, scope)


async def everybodys_policies(connection: AsyncConnection) -> Mapping[str, Sequence[StoredPolicy]]:
    """By engagement, oldest first; in a transaction of the operator. Who has none has no entry."""
    return await store.everybodys_policies(connection)


def find_policy(versions: Sequence[StoredPolicy], name: str) -> StoredPolicy:
    """By its number or its id; `0` and `default` are the package's own. Raises NotFound."""
    for version in (default_policy(), *versions):
        if name in {str(version.version), version.policy_id}:
            return version
    raise NotFound("There is no such policy.")


async def version_for(
    connection: AsyncConnection, scope: Scope, month: Month, instead: str | None = None
) -> PolicyVersion:
    """What counts for the month, with the calendars that its spans are measured on.

    `instead` is a policy file that is to count as if it were the newest version, from that month
    on. Raises BadPolicy if it has mistakes.
    """
    versions = await store.policies(connection, scope)
    if instead is not None:
        return what_if(versions, default_policy(), instead, month)
    return policy_for(versions, default_policy(), month)
