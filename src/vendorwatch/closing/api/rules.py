"""By what rules months are closed."""

from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from vendorwatch.audit.model import Actor
from vendorwatch.closing import issuing
from vendorwatch.closing.api.months import READERS
from vendorwatch.closing.bodies import ClosingRulesBody, ClosingRulesItem, rules_item
from vendorwatch.closing.refusals import BadClosingRequest
from vendorwatch.closing.states import read_state
from vendorwatch.db.engine import Database
from vendorwatch.telemetry import Clock
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import BodyTooLarge, UnsupportedMediaType, problem_responses
from vendorwatch.web.strict import BadBody, BadContent


@get(
    "/closing-rules",
    tags=["closings"],
    summary="By what rules months are closed",
    responses=problem_responses(InsufficientScope),
)
async def get_closing_rules(
    principal: NamedDependency[Principal], database: NamedDependency[Database]
) -> ClosingRulesItem:
    principal.require(*READERS)
    async with database.read(principal.scope) as connection:
        return rules_item(await read_state(connection, principal.scope))


@put(
    "/closing-rules",
    tags=["closings"],
    summary="Set by what rules months are closed",
    description="A month that was closed already stays as it is.",
    responses=problem_responses(
        InsufficientScope,
        BadBody,
        BadClosingRequest,
        BadContent,
        BodyTooLarge,
        UnsupportedMediaType,
    ),
)
async def put_closing_rules(
    data: JSONBody[ClosingRulesBody],
    principal: NamedDependency[Principal],
    database: NamedDependency[Database],
    clock: NamedDependency[Clock],
    actor: NamedDependency[Actor],
) -> ClosingRulesItem:
    principal.require("manage")
    rules = data.rules()
    async with database.write(principal.scope) as connection:
        return rules_item(
            await issuing.set_rules(connection, principal.scope, rules, clock(), by=actor)
        )


HANDLERS = (get_closing_rules, put_closing_rules)
