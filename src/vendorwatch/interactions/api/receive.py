"""`POST /v1/uploads` and the limits that it keeps."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter

from vendorwatch.db.engine import Database
from vendorwatch.db.objects import ObjectStore, StorageUnavailable
from vendorwatch.db.scope import Scope
from vendorwatch.errors import Fault
from vendorwatch.interactions import reception, service
from vendorwatch.interactions.api.bodies import UploadOperation
from vendorwatch.interactions.api.refused import RefusedUploads
from vendorwatch.interactions.formats import faults as file_faults
from vendorwatch.interactions.headers import (
    ENCODINGS,
    BadContentLength,
    BadDigest,
    BadIdempotencyKey,
    DigestMismatch,
    WeakDigest,
    content_encoding,
    idempotency_key,
    media_type,
    only,
)
from vendorwatch.interactions.instants import DateOrder
from vendorwatch.interactions.model import FORMATS, MEDIA_TYPES, Format, Limits, Mode, UploadRequest
from vendorwatch.interactions.quota import DailyQuota, QuotaExceeded
from vendorwatch.interactions.readers import ReaderFailed, Readers, Unreadable
from vendorwatch.interactions.receiving import IncompleteUpload, InFlight, receive_body
from vendorwatch.interactions.refusals import (
    EmptyUpload,
    IdempotencyKeyReused,
    NoMapping,
    RequestInFlight,
    RowsRefused,
    UnsupportedFormat,
)
from vendorwatch.interactions.shown import UploadLimits, UploadReceipt, receipt_of
from vendorwatch.interactions.storing import Outcome
from vendorwatch.periods import load_zone
from vendorwatch.settings import Settings
from vendorwatch.telemetry import Clock
from vendorwatch.web.admission import Admission, ServerBusy
from vendorwatch.web.exchange import add_header
from vendorwatch.web.metrics import UploadFigures
from vendorwatch.web.principal import InsufficientScope, Principal
from vendorwatch.web.problems import (
    MOST_FAULTS,
    BadParameter,
    UnsupportedMediaType,
    answer_error,
    problem_responses,
)

LIMITS = Limits()
_IN_FLIGHT = "vendorwatch_uploads_in_flight"


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who sends, and all that receiving takes: one dependency, as the framework starts a task for
    each of several.
    """

    principal: Principal
    database: Database
    objects: ObjectStore
    settings: Settings
    secret: bytes
    clock: Clock
    admission: Admission
    quota: DailyQuota
    readers: Readers


async def provide_receiver(
    request: Request[Any, Any, Any], principal: NamedDependency[Principal]
) -> Receiver:
    names = (field.name for field in fields(Receiver) if field.name != "principal")
    return Receiver(principal, **{name: request.app.state[name] for name in names})


def _name_encodings(
    request: Request[Any, Any, Any], error: file_faults.UnsupportedEncoding
) -> Response[bytes]:
    answer = answer_error(request, error)
    answer.headers["Accept-Encoding"] = ENCODINGS
    return answer


@post(
    "/uploads",
    tags=["uploads"],
    summary="Send a log",
    description="The body is the file. The answer is sent when rows, receipt and raw bytes are "
    "durably stored; every row that is refused is named in the rejects.",
    operation_class=UploadOperation,
    middleware=[RefusedUploads],
    dependencies={"receiver": Provide(provide_receiver)},
    exception_handlers={file_faults.UnsupportedEncoding: _name_encodings},
    request_max_body_size=None,  # the stream is bounded by LIMITS
    responses=problem_responses(
        InsufficientScope,
        BadParameter,
        EmptyUpload,
        BadDigest,
        WeakDigest,
        DigestMismatch,
        BadIdempotencyKey,
        BadContentLength,
        IncompleteUpload,
        file_faults.BadHeader,
        file_faults.BadEncoding,
        RequestInFlight,
        file_faults.UploadTooLarge,
        file_faults.DecompressedTooLarge,
        file_faults.RowTooLarge,
        file_faults.TooManyRows,
        UnsupportedMediaType,
        file_faults.UnsupportedEncoding,
        file_faults.UnsupportedCharset,
        file_faults.UnreadableFormat,
        UnsupportedFormat,
        NoMapping,
        RowsRefused,
        IdempotencyKeyReused,
        QuotaExceeded,
        Unreadable,
        StorageUnavailable,
        ReaderFailed,
        ServerBusy,
    )
    | {
        200: ResponseSpec(UploadReceipt, description="What a dry run would have stored."),
        207: ResponseSpec(UploadReceipt, description="Some rows were refused, the others stored."),
    },
)
async def create_upload(
    request: Request[Any, Any, Any],
    receiver: NamedDependency[Receiver],
    format_: Annotated[
        str, QueryParameter(name="format", description=f"One of {', '.join(FORMATS)}.")
    ] = "auto",
    mapping: Annotated[
        int | None, QueryParameter(ge=1, description="Its version; without one, the newest.")
    ] = None,
    time_zone: Annotated[
        str | None, QueryParameter(description="Of instants without an offset.")
    ] = None,
    date_order: Annotated[
        DateOrder | None, QueryParameter(description="Of dates that are not year-month-day.")
    ] = None,
    mode: Annotated[Mode, QueryParameter(description="atomic: all rows or none.")] = "partial",
    dry_run: Annotated[
        bool, QueryParameter(description="Computes all, and stores nothing.")
    ] = False,
    key: Annotated[
        str | None,
        HeaderParameter(
            name="Idempotency-Key",
            description="The same key again gives the first receipt. Without one, the same body "
            "with the same parameters does. The key of a log of which every row was refused may be "
            "used for the mended one.",
        ),
    ] = None,
) -> Response[UploadReceipt]:
    principal, clock = receiver.principal, receiver.clock
    principal.require("upload")
    asked = UploadRequest(
        media=media_type(only(request.headers, "Content-Type")),
        content_type=request.headers.get("Content-Type", ""),
        encoding=content_encoding(only(request.headers, "Content-Encoding")),
        format=_format(format_, mapping),
        mapping_version=mapping,
        time_zone=_zone(time_zone),
        date_order=date_order,
        mode=mode,
        dry_run=dry_run,
        idempotency_key=idempotency_key(only(request.headers, "Idempotency-Key")),
        key_id=principal.key_id,
    )
    held = _in_flight(request)
    engagement = principal.scope.engagement_id
    with (
        receiver.admission.place(engagement) as seen,
        receiver.objects.draft(principal.scope) as body,
        held.hold(engagement, asked.idempotency_key),
    ):
        await receive_body(request, body, encoding=asked.encoding, limits=LIMITS)
        implied = None if asked.idempotency_key else asked.fingerprint(body.sha256, mapping).hex()
        with held.hold(engagement, implied):
            async with receiver.admission.turn(engagement):
                outcome = await reception.receive_upload(
                    receiver.database,
                    principal.scope,
                    asked,
                    body,
                    secret=receiver.secret,
                    now=clock(),
                    limits=LIMITS,
                    quota=receiver.quota,
                    readers=receiver.readers,
                )
        seen.note(_counted(outcome))
    if outcome.replayed:
        add_header(request.scope, "Idempotency-Replayed", "true")
        outcome = await _as_first_told(receiver.database, principal.scope, outcome)
    return _answer(outcome, receiver.settings)


async def _as_first_told(database: Database, scope: Scope, replay: Outcome) -> Outcome:
    """With its faults, where they stand in the answer."""
    receipt = replay.upload.receipt
    if receipt.status != "rejected":
        return replay
    async with database.read(scope) as connection:
        faults = await service.first_faults(connection, scope, receipt.sequence)
    return replace(replay, faults=faults)


def _counted(outcome: Outcome) -> UploadFigures:
    receipt = outcome.upload.receipt
    if outcome.replayed or receipt.upload_id is None:
        return UploadFigures("replayed" if outcome.replayed else "dry_run")
    outcomes = ("created", "revised", "duplicate", "rejected", "skipped")
    return UploadFigures(
        receipt.status,
        rows={name: getattr(receipt, name) for name in outcomes},
        codes=outcome.codes,
        wire_bytes=receipt.size_bytes,
        decoded_bytes=outcome.decoded_bytes,
    )


def _answer(outcome: Outcome, settings: Settings) -> Response[UploadReceipt]:
    receipt = receipt_of(outcome.upload, settings.public_url)
    if receipt.status == "rejected":
        raise RowsRefused(
            f"All {receipt.rejected} rows were refused.",
            faults=outcome.faults,
            extra={"upload": receipt},
        )
    if receipt.id is None:
        # There are no rejects to fetch: the reasons must stand here.
        told = [*receipt.warnings, *map(str, outcome.faults[:MOST_FAULTS])]
        receipt = msgspec.structs.replace(receipt, warnings=told)
        return Response(receipt, status_code=207 if receipt.rejected else 200)
    headers = {"Location": f"/v1/uploads/{receipt.id}"}
    return Response(receipt, status_code=207 if receipt.rejected else 201, headers=headers)


def _format(name: str, mapping: int | None) -> Format:
    if name not in FORMATS:
        raise UnsupportedFormat(
            f"{name!r} is not one of {', '.join(FORMATS)}. For a log in another form, send a "
            "mapping to /v1/mappings once and then use format=mapped.",
            extra={"supported": list(FORMATS)},
        )
    if name == "mapped":
        return "mapped"
    if mapping is not None:
        raise BadParameter("mapping goes with format=mapped only.")
    return "canonical"


def _zone(name: str | None) -> str | None:
    try:
        return load_zone(name).key if name is not None else None
    except ValueError as error:
        raise BadParameter(
            str(error), faults=(Fault("bad_value", str(error), field="time_zone"),)
        ) from error


def _in_flight(request: Request[Any, Any, Any]) -> InFlight:
    found: InFlight | None = request.app.state.get(_IN_FLIGHT)
    if found is None:
        found = request.app.state[_IN_FLIGHT] = InFlight()
    return found


@get("/limits", tags=["uploads"], summary="What an upload may be at most")
async def get_limits(
    principal: NamedDependency[Principal], settings: NamedDependency[Settings]
) -> UploadLimits:
    bounds = settings.bounds
    return UploadLimits(
        **asdict(LIMITS),
        requests_per_minute=bounds.rate_limit or None,
        daily_rows=bounds.daily_rows or None,
        daily_bytes=bounds.daily_bytes or None,
        open_uploads=bounds.uploads_open_each or None,
        bytes_per_second=bounds.body_floor or None,
        formats=list(FORMATS),
        content_types=list(MEDIA_TYPES),
        content_encodings=ENCODINGS.split(", "),
    )
