"""The HTTP composition root: which handlers there are and what they are given. Nothing else."""

import gc
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from litestar import Litestar, Request, Router
from litestar.datastructures import State
from litestar.di import Provide

from vendorwatch.access import api as access
from vendorwatch.alarms.service import overdue
from vendorwatch.anomalies import api as anomalies
from vendorwatch.audit import api as audit
from vendorwatch.closing import api as closing
from vendorwatch.db import migrate
from vendorwatch.db.engine import Database
from vendorwatch.db.objects import ObjectStore
from vendorwatch.interactions import api as interactions
from vendorwatch.interactions.quota import DailyQuota
from vendorwatch.interactions.readers import Readers
from vendorwatch.knowledge import api as knowledge
from vendorwatch.mailing import api as mailing
from vendorwatch.periods import DAY, SECOND
from vendorwatch.policies import api as policies
from vendorwatch.quality import api as quality
from vendorwatch.scorecards import api as scorecards
from vendorwatch.scorecards.render import Renderer
from vendorwatch.settings import Settings
from vendorwatch.supervision import end_with_parent
from vendorwatch.telemetry import Clock, configure_library_logging, configure_logging, system_clock
from vendorwatch.vendors import api as vendors
from vendorwatch.web import documents, health
from vendorwatch.web.admission import Admission
from vendorwatch.web.exchange import Exchange
from vendorwatch.web.limits import RequestLimits, limited
from vendorwatch.web.methods import options_for
from vendorwatch.web.metrics import Metrics, metrics_page
from vendorwatch.web.paging import provide_pages
from vendorwatch.web.problems import EXCEPTION_HANDLERS
from vendorwatch.web.readiness import Lateness
from vendorwatch.web.strict import StrictRequest, check_query
from vendorwatch.worker.commands import beside_the_server
from vendorwatch.worker.composition import alarm_duty
from vendorwatch.worker.duties import Round
from vendorwatch.worker.loop import beside, watching

MOST_BODY_BYTES = 8 * 1024 * 1024
"""Of a JSON body. Uploads have limits of their own, and are read as a stream."""

SHUTDOWN_SECONDS = 30
"""How long a server that is told to stop may go on with what it does."""

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]

# Everything under /v1: a key is needed, unless the handler says `opt={"public": True}`.
V1_HANDLERS = (
    *access.HANDLERS,
    *anomalies.HANDLERS,
    *audit.HANDLERS,
    *closing.HANDLERS,
    *interactions.HANDLERS,
    *knowledge.HANDLERS,
    *mailing.HANDLERS,
    *policies.HANDLERS,
    *quality.HANDLERS,
    *scorecards.HANDLERS,
    *vendors.HANDLERS,
)

# How long a thread that reads a log may keep the event loop from its next step. A short request
# takes dozens of steps, so that at Python's own 5 milliseconds one busy thread makes it wait longer
# than it works.
_SWITCH_SECONDS = 0.0005

# What handlers get by name, besides the principal.
_STATE = (
    "admission",
    "clock",
    "database",
    "lateness",
    "metrics",
    "objects",
    "quota",
    "readers",
    "renderer",
    "secret",
    "settings",
)


def app_from_environment() -> Litestar:
    """What the server starts in its worker."""
    settings = Settings.from_env()
    configure_logging(settings.log_level)
    configure_library_logging()
    sys.setswitchinterval(_SWITCH_SECONDS)
    end_with_parent(grace_seconds=SHUTDOWN_SECONDS)
    worker = [_with_worker] if settings.brings_worker else []
    app = create_app(settings, lifespans=[_with_readers, watched, *worker])
    # The libraries' hundreds of thousands of objects stay as long as the process: to look through
    # them again and again is a fifth of the time of scoring a month of a few thousand interactions.
    gc.collect()
    gc.freeze()
    return app


def create_app(
    settings: Settings, *, clock: Clock = system_clock, lifespans: Sequence[Lifespan] = ()
) -> Litestar:
    """Opens nothing before its lifespan starts. `lifespans` are begun after its own."""
    metrics = Metrics()
    v1 = Router(
        "/v1",
        route_handlers=[*options_for(V1_HANDLERS), *V1_HANDLERS],
        guards=[limited(access.require_key, access.provide_principal)],
        after_response=access.note_use,
        security=[{documents.SECURITY: []}],
    )
    app = Litestar(
        route_handlers=[v1, health.health, health.ready, metrics_page, *documents.HANDLERS],
        lifespan=[_with_resources, *lifespans],
        dependencies={
            "principal": Provide(access.provide_principal),
            "actor": Provide(audit.provide_actor),
            "pages": Provide(provide_pages),
            **{name: Provide(_from_state(name), sync_to_thread=False) for name in _STATE},
        },
        state=State(
            {
                "settings": settings,
                "clock": clock,
                "metrics": metrics,
                "limits": RequestLimits(settings.bounds, metrics),
                "admission": Admission(settings.bounds, metrics),
                "quota": DailyQuota(settings.bounds),
            }
        ),
        exception_handlers=EXCEPTION_HANDLERS,
        request_class=StrictRequest,
        request_max_body_size=MOST_BODY_BYTES,
        before_request=check_query,
        openapi_config=documents.openapi_config(),
        logging_config=None,
    )
    app.asgi_handler = Exchange(
        app.asgi_handler, hosts=settings.hosts, bounds=settings.bounds, metrics=metrics
    )
    return app


@asynccontextmanager
async def _with_readers(app: Litestar) -> AsyncIterator[None]:
    app.state.readers.start()
    yield


@asynccontextmanager
async def _with_worker(app: Litestar) -> AsyncIterator[None]:
    async with beside(beside_the_server):
        yield


@asynccontextmanager
async def watched(app: Litestar, *, every_seconds: float = 300) -> AsyncIterator[None]:
    """The operators are told of what is overdue also if no worker runs, or none survives its work."""
    state = app.state
    duty = alarm_duty(state.settings, state.database, state.clock)
    async with watching(Round([duty], state.clock), every_seconds=every_seconds):
        yield


@asynccontextmanager
async def _with_resources(app: Litestar) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    database = Database(settings.database_url)
    app.state.renderer = Renderer()
    app.state.readers = Readers()
    try:
        await migrate.prepare(database)
        app.state.database = database
        app.state.objects = ObjectStore(settings.data_dir / "uploads")
        app.state.objects.sweep(older_than=(app.state.clock() - DAY) / SECOND)
        app.state.secret = settings.secret()
        app.state.metrics.watch_database(database)
        app.state.lateness = Lateness(lambda: overdue(database, app.state.clock()))
        app.state.metrics.watch_lateness(app.state.lateness)
        async with app.state.metrics.watching_the_loop():
            yield
    finally:
        app.state.readers.close()
        app.state.renderer.close()
        await database.close()


def _from_state(name: str) -> Callable[[Request[Any, Any, Any]], Any]:
    def provide(request: Request[Any, Any, Any]) -> Any:
        return request.app.state[name]

    return provide
