"""What is wrong with an upload as a whole, so that no row of it can be kept."""

from vendorwatch.errors import Kind, VendorwatchError


class BadHeader(VendorwatchError):
    """The first row of a CSV file names a column twice, cannot be read, or lacks columns that are
    needed.

    Correct the header. If it is a single column, the delimiter is another one: see the mapping
    file.
    """

    kind = Kind.MALFORMED
    slug = "bad-header"
    title = "The header does not fit"


class BadEncoding(VendorwatchError):
    """The body is not whole gzip or zstd data: it was cut off, or changed on the way, or is put
    together from far too many pieces. Nothing was stored.

    Compress it anew, in one piece, and send it again.
    """

    kind = Kind.MALFORMED
    slug = "bad-encoding"
    title = "The compressed body is damaged"


class UnsupportedEncoding(VendorwatchError):
    """The Content-Encoding is not taken here, or the body is compressed and no header says so, or
    compressed twice.

    Compress with gzip, zstd or not at all, once, and name it in Content-Encoding.
    """

    kind = Kind.UNSUPPORTED
    slug = "unsupported-encoding"
    title = "The content encoding is not supported"


class UnsupportedCharset(VendorwatchError):
    """The file is UTF-16 or UTF-32.

    Write it as UTF-8; for other encodings of one byte a character, the mapping file has `encoding`.
    """

    kind = Kind.UNSUPPORTED
    slug = "charset"
    title = "The text is not UTF-8"


class UnreadableFormat(VendorwatchError):
    """The body as a whole is not what its Content-Type says, such as a JSON array that does not
    end.

    Check the type, and that the export was complete.
    """

    kind = Kind.REFUSED
    slug = "unreadable-format"
    title = "The body is not what its type says"


class DecompressedTooLarge(VendorwatchError):
    """The body decompresses to more bytes than are taken, or to too many times its size.

    Send the log in parts. GET /v1/limits tells the limits.
    """

    kind = Kind.TOO_LARGE
    slug = "decompressed-too-large"
    title = "The decompressed body is too large"


class UploadTooLarge(VendorwatchError):
    """The body is larger than is taken.

    Compress it, or send the log in parts. GET /v1/limits tells the limits.
    """

    kind = Kind.TOO_LARGE
    slug = "upload-too-large"
    title = "The body is too large"


class RowTooLarge(VendorwatchError):
    """A row has no end within a megabyte, so that nothing after it can be read. (A row that is
    merely over the limit is refused alone.)

    Look for a quote that is never closed, or for line ends that are missing.
    """

    kind = Kind.TOO_LARGE
    slug = "row-too-large"
    title = "A row is too large"


class TooManyRows(VendorwatchError):
    """The log has more rows than are taken at once, or a million empty lines. Nothing was stored.

    Send it in parts. GET /v1/limits tells the limits.
    """

    kind = Kind.TOO_LARGE
    slug = "too-many-rows"
    title = "The upload has too many rows"
