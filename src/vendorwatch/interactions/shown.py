"""What the API answers with, as integrators and the OpenAPI document see it."""

from typing import Annotated, Literal

import msgspec

from vendorwatch.interactions.model import StoredMapping, StoredUpload
from vendorwatch.interactions.revision import Instant, Revision
from vendorwatch.periods import format_instant

Sha256 = Annotated[str, msgspec.Meta(description="64 hexadecimal digits.")]


class Links(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of what a dry run would have stored there is none."""

    self: str | None = None
    rejects: str | None = None
    source: str | None = None


class UploadReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """received = created + revised + duplicate + rejected + skipped.

    `warnings`: `no-rows`; `more-extra-columns` than the thousand that are named; and in words, with
    how many accepted rows and which fields, `pii-in-text: ...` and `direction-controls: ...`.

    `receipt_sha256` is over this document as JSON without `receipt_sha256` and `links`: keys
    sorted, no blanks, UTF-8. `previous_sha256` is that of the engagement's upload before: a chain.
    """

    id: str | None
    sequence: int
    received_at: Instant
    status: Literal["stored", "partial", "rejected"]
    format: str
    content_type: str
    content_encoding: str
    mapping_version: int | None
    time_zone: str | None
    mode: str
    size_bytes: int
    received: int
    created: int
    revised: int
    duplicate: int
    rejected: int
    skipped: int
    excluded: int
    claims_differ: int
    first_opened_at: Instant | None
    last_opened_at: Instant | None
    measurable: list[str]
    extra_columns: list[str]
    warnings: list[str]
    sha256: Sha256
    previous_sha256: Sha256 | None
    receipt_sha256: Sha256
    links: Links


class InteractionDetail(msgspec.Struct, frozen=True, kw_only=True):
    """The revision that counts, and all of them in the order in which they came."""

    interaction: Revision
    revisions: list[Revision]


class MappingItem(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    sha256: Sha256
    created_at: Instant


class MappingDetail(MappingItem, frozen=True, kw_only=True):
    source: Annotated[str, msgspec.Meta(description="The TOML as it was sent.")]


class UploadLimits(msgspec.Struct, frozen=True, kw_only=True):
    wire_bytes: Annotated[int, msgspec.Meta(description="Of a body as sent.")]
    decoded_bytes: Annotated[int, msgspec.Meta(description="Of a body without its compression.")]
    ratio: Annotated[int, msgspec.Meta(description="Decoded bytes to bytes as sent.")]
    row_bytes: int
    rows: int
    requests_per_minute: Annotated[
        int | None, msgspec.Meta(description="With one key. Null: as many as you like.")
    ]
    daily_rows: Annotated[
        int | None, msgspec.Meta(description="Of the engagement, stored in a day (UTC).")
    ]
    daily_bytes: Annotated[
        int | None, msgspec.Meta(description="As sent, of the engagement, stored in a day (UTC).")
    ]
    open_uploads: Annotated[
        int | None, msgspec.Meta(description="Of the engagement, under way at the same time.")
    ]
    bytes_per_second: Annotated[
        int | None, msgspec.Meta(description="That a body must come in at, at least.")
    ]
    formats: list[str]
    content_types: list[str]
    content_encodings: list[str]


def receipt_of(upload: StoredUpload, public_url: str) -> UploadReceipt:
    here = f"{public_url}/v1/uploads/{upload.receipt.upload_id}"
    links = Links(self=here, rejects=f"{here}/rejects", source=f"{here}/source")
    return msgspec.convert(
        {
            **upload.receipt.document(),
            "receipt_sha256": upload.receipt_sha256.hex(),
            "links": links if upload.receipt.upload_id else Links(),
        },
        UploadReceipt,
    )


def mapping_item(mapping: StoredMapping) -> MappingItem:
    return MappingItem(
        version=mapping.version,
        sha256=mapping.sha256.hex(),
        created_at=format_instant(mapping.created_at),
    )


def mapping_detail(mapping: StoredMapping) -> MappingDetail:
    return MappingDetail(
        version=mapping.version,
        sha256=mapping.sha256.hex(),
        created_at=format_instant(mapping.created_at),
        source=mapping.source,
    )
