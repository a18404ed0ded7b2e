"""How the months stand and what decides about them: of one engagement, or of all at once."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.closing import store
from vendorwatch.closing.model import Rules, State
from vendorwatch.db.scope import Scope
from vendorwatch.periods import load_zone
from vendorwatch.policies.model import StoredPolicy
from vendorwatch.policies.service import default_policy, everybodys_policies, policies
from vendorwatch.scoring.policy_file import parse_policy
from vendorwatch.vendors.model import Engagement
from vendorwatch.vendors.service import engagements, find_engagement


async def read_state(connection: AsyncConnection, scope: Scope) -> State:
    return _state(
        await find_engagement(connection, scope.engagement_id),
        await store.kept(connection, scope),
        await policies(connection, scope),
    )


async def everybodys_states(
    connection: AsyncConnection,
) -> list[tuple[Scope, State | Exception]]:
    """Or why it cannot be read; in a transaction of the operator. In as many statements as one
    engagement's takes: it is asked again and again.
    """
    found: list[tuple[Scope, State | Exception]] = []
    everybody = await engagements(connection)
    kept = await store.everybodys(connection)
    versions = await everybodys_policies(connection)
    for engagement in everybody:
        known = engagement.engagement_id
        try:
            state: State | Exception = _state(
                engagement, kept.get(known, store.Kept()), versions.get(known, ())
            )
        except Exception as error:  # noqa: BLE001  whatever it is, the others' months are due
            state = error
        found.append((engagement.scope, state))
    return found


def _state(engagement: Engagement, kept: store.Kept, versions: Sequence[StoredPolicy]) -> State:
    rules, newest, noticed = kept.read()
    return State(
        zone=load_zone(engagement.time_zone),
        created_at=engagement.created_at,
        rules=rules or Rules(),
        policies=[parse_policy(each.source) for each in versions],
        default=parse_policy(default_policy().source),
        newest=newest,
        noticed=noticed,
    )
