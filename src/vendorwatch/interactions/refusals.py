"""Why an upload is not taken, or not now."""

from vendorwatch.errors import Kind, VendorwatchError


class EmptyUpload(VendorwatchError):
    """The body has no bytes, or nothing but white space. An empty month is sent as a CSV header
    without rows.

    Look at what your export wrote.
    """

    kind = Kind.MALFORMED
    slug = "empty-upload"
    title = "The upload is empty"


class UnsupportedFormat(VendorwatchError):
    """The parameter `format` names something else than the formats that are known.

    Use canonical; or send a mapping to /v1/mappings once, and then use mapped.
    """

    kind = Kind.REFUSED
    slug = "unsupported-format"
    title = "The format is not known"


class NoMapping(VendorwatchError):
    """The log is to be read with a mapping, and the engagement has none, or not that version.

    Send the mapping to /v1/mappings first, or set it with `vendorwatch mapping set`.
    """

    kind = Kind.REFUSED
    slug = "no-mapping"
    title = "The mapping is not there"


class RowsRefused(VendorwatchError):
    """Nothing was stored, because every row was refused, or because one was and the mode is atomic.
    The member `upload` holds the receipt, if there is one; the same log again gets the same one.

    Mend the rows: `errors` holds the first faults, /v1/uploads/{id}/rejects all of them. The mended log
    may have the same Idempotency-Key; with a new one, the same log is read anew.
    """

    kind = Kind.REFUSED
    slug = "rows-refused"
    title = "The rows were refused"


class IdempotencyKeyReused(VendorwatchError):
    """The same Idempotency-Key came before with another body or other parameters. Nothing was
    changed.

    Use a new key for a new log, or leave it out: the same log again is then known by its bytes.
    """

    kind = Kind.REFUSED
    slug = "idempotency-key-reused"
    title = "The idempotency key belongs to another upload"


class RequestInFlight(VendorwatchError):
    """The same log is being received right now over another connection.

    Wait for Retry-After and send it again: you get the first receipt.
    """

    kind = Kind.CONFLICT
    slug = "request-in-flight"
    title = "The same upload is still being received"
