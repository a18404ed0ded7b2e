"""What is decided of an upload before a row of it is read."""

import hmac
import uuid
from dataclasses import dataclass
from functools import cache
from importlib import metadata

from sqlalchemy.ext.asyncio import AsyncConnection

from vendorwatch.db.objects import Draft
from vendorwatch.db.scope import Scope
from vendorwatch.interactions import store
from vendorwatch.interactions.batches import READING, Order
from vendorwatch.interactions.intake import pseudonym_key
from vendorwatch.interactions.model import Limits, StoredMapping, UploadRequest
from vendorwatch.interactions.packing import Engine
from vendorwatch.interactions.quota import DailyQuota
from vendorwatch.interactions.refusals import NoMapping
from vendorwatch.periods import Micros
from vendorwatch.vendors import service as vendors


@dataclass(frozen=True, slots=True)
class Plan:
    """What is decided before a row is read. The mapping is pinned: a newer one changes nothing."""

    scope: Scope
    request: UploadRequest
    mapping: StoredMapping | None
    fingerprint: bytes
    key: str
    pseudonym_key: bytes
    now: Micros
    limits: Limits
    quota: DailyQuota

    @property
    def read_by(self) -> bytes:
        """Equal where the same bytes, sent in the same way, are read as the same rows."""
        return hmac.digest(self.pseudonym_key, f"reading {READING} {_zones()}".encode(), "sha256")

    @property
    def refused_key(self) -> str:
        """What the upload is found under if every row of it is refused. The same log again gets that
        receipt, and a mended one may use the key. A key that is sent holds no blank.
        """
        return f"{self.key} {self.fingerprint.hex()}"

    @property
    def keys(self) -> tuple[str, str]:
        """What an earlier receipt of this request is found under, the better answer first."""
        return self.refused_key, self.key

    @property
    def suspect(self) -> bytes:
        """Tells this engagement's log from another one where reading it goes wrong."""
        return self.scope.engagement_id.encode() + self.fingerprint

    def new_id(self) -> str | None:
        return None if self.request.dry_run else str(uuid.uuid4())

    def order(self, body: Draft, engine: Engine) -> Order:
        request = self.request
        return Order(
            path=str(body.path.absolute()),
            now=self.now,
            media=request.media,
            format=request.format,
            encoding=request.encoding,
            time_zone=request.time_zone,
            date_order=request.date_order,
            mapping=self.mapping.source if self.mapping else None,
            limits=self.limits,
            is_atomic=request.mode == "atomic",
            pseudonym_key=self.pseudonym_key,
            engine=engine,
        )


async def plan_upload(
    connection: AsyncConnection,
    scope: Scope,
    request: UploadRequest,
    body: Draft,
    *,
    secret: bytes,
    now: Micros,
    limits: Limits,
    quota: DailyQuota,
) -> Plan:
    engagement = await vendors.find_engagement(connection, scope.engagement_id)
    mapping = await _mapping_for(connection, scope, request)
    fingerprint = request.fingerprint(body.sha256, mapping.version if mapping else None)
    return Plan(
        scope=scope,
        request=request,
        mapping=mapping,
        fingerprint=fingerprint,
        key=request.idempotency_key or fingerprint.hex(),
        pseudonym_key=pseudonym_key(secret, engagement.pseudonym_key),
        now=now,
        limits=limits,
        quota=quota,
    )


async def _mapping_for(
    connection: AsyncConnection, scope: Scope, request: UploadRequest
) -> StoredMapping | None:
    if request.format != "mapped":
        return None
    if request.mapping_version is None:
        found = await store.newest_mapping(connection, scope)
    else:
        found = await store.mapping(connection, scope, request.mapping_version)
    if found is None:
        version = request.mapping_version
        wanted = "mapping" if version is None else f"version {version} of the mapping"
        raise NoMapping(f"There is no {wanted} yet. Send one to /v1/mappings first.")
    return found


@cache
def _zones() -> str:
    """The release of the rules that local times are read by."""
    return metadata.version("tzdata")
