"""A client of the API: sends a log as a stream and keeps trying as it is told to."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from vendorwatch.errors import Fault, Kind, VendorwatchError
from vendorwatch.interactions.formats.faults import DecompressedTooLarge
from vendorwatch.interactions.model import MEDIA_TYPES, Encoding, Media
from vendorwatch.interactions.sending import Body, OnProgress

Receipt = dict[str, object]
_TRIES = 3
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
# The answer comes only when everything is stored, which may take minutes for a long file.
_TIMEOUT = httpx.Timeout(connect=10, write=60, read=900, pool=10)
_SUFFIXES = {
    ".csv": "text/csv",
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
    ".json": "application/json",
}
_ENCODINGS: dict[str, Encoding] = {".gz": "gzip", ".zst": "zstd"}
_WAIT_AND_TRY_AGAIN = frozenset({408, 409, 429, 503})
_REFUSED = 422


class UnknownFileType(VendorwatchError):
    """`vendorwatch push` tells the type of a log by the end of its name, and this name ends
    otherwise.

    Rename the file: .csv, .ndjson or .json, with .gz or .zst after it where it is compressed.
    """

    kind = Kind.UNSUPPORTED
    slug = "unknown-file-type"
    title = "The file's name does not tell what it is"


class ServerUnreachable(VendorwatchError):
    """No server answers at the address, or the connection broke.

    Check --url and the network, and push again: what was stored already is not stored twice.
    """

    kind = Kind.UNAVAILABLE
    slug = "server-unreachable"
    title = "The server does not answer"


class ServerRefused(VendorwatchError):
    """The server did not take the request. Its own words stand in the message.

    Do what they say; if the answer is not vendorwatch's at all, check --url.
    """

    kind = Kind.REFUSED
    slug = "server-refused"
    title = "The server refused"


class ServerKnowsNot(VendorwatchError):
    """The server knows no such address or id.

    Check --url, and that the key is one of the engagement that you mean.
    """

    kind = Kind.NOT_FOUND
    slug = "server-knows-not"
    title = "The server has no such thing"


class ServerConflict(VendorwatchError):
    """The server is still busy with the first sending of the same log.

    Wait a moment and push again: you get the first receipt.
    """

    kind = Kind.CONFLICT
    slug = "server-conflict"
    title = "The server is busy with the same request"


class ServerUnavailable(VendorwatchError):
    """The server is there, and cannot do its work at the moment.

    Push again later: what was stored already is not stored twice.
    """

    kind = Kind.UNAVAILABLE
    slug = "server-unavailable"
    title = "The server cannot do it now"


@dataclass(frozen=True, slots=True)
class Log:
    """A file, and what its name says of it: `log.csv`, `log.ndjson.gz`."""

    path: Path
    content_type: str
    content_encoding: Encoding | None

    @classmethod
    def at(cls, path: Path) -> "Log":
        """Raises UnknownFileType."""
        suffixes = [suffix.lower() for suffix in path.suffixes]
        encoding = _ENCODINGS.get(suffixes[-1]) if suffixes else None
        if encoding:
            suffixes.pop()
        content_type = _SUFFIXES.get(suffixes[-1]) if suffixes else None
        if content_type is None:
            raise UnknownFileType(
                f"{path.name} does not end in one of {', '.join(_SUFFIXES)}, "
                f"with or without {' or '.join(_ENCODINGS)} after it."
            )
        return cls(path, content_type, encoding)

    @property
    def media(self) -> Media:
        return MEDIA_TYPES[self.content_type]


@dataclass(frozen=True, slots=True)
class Pushed:
    """`receipt` is the server's, as it came; `faults` are the first ones where all was refused."""

    receipt: Receipt
    faults: tuple[Fault, ...] = ()

    @property
    def upload_id(self) -> str | None:
        found = self.receipt["id"]
        return str(found) if found is not None else None

    def count(self, name: str) -> int:
        return int(str(self.receipt[name]))


@dataclass(slots=True)
class Client:
    """`pause` waits for as many seconds."""

    url: str
    key: str = field(repr=False)
    pause: Callable[[float], None] = time.sleep
    progress: OnProgress = lambda what, done: None
    transport: httpx.BaseTransport | None = None

    def push(self, log: Log, parameters: dict[str, str], *, compress: bool = True) -> Pushed:
        """The same file again gives the same receipt, so trying again is always safe.

        With `compress`, a file that is not compressed is while it is sent. Raises the errors above.
        """
        packs = compress and log.content_encoding is None
        response = self._send_log(log, parameters, packs=packs)
        answer = _json(response)
        if packs and _slug(answer) == DecompressedTooLarge.slug:
            # A log that says the same over and over looks like a bomb once it is compressed.
            response = self._send_log(log, parameters, packs=False)
            answer = _json(response)
        if response.is_success:
            return Pushed(answer)
        receipt = answer.get("upload")
        if response.status_code == _REFUSED and isinstance(receipt, dict):
            return Pushed(receipt, _faults(answer))
        raise _refusal(response, answer)

    def _send_log(self, log: Log, parameters: dict[str, str], *, packs: bool) -> httpx.Response:
        body = Body.of(log.path, packs=packs, progress=self.progress)
        encoding = "gzip" if packs else log.content_encoding
        headers = {
            "Content-Type": log.content_type,
            "Content-Length": str(body.size),
            "Content-Digest": body.digest_header,
        }
        if encoding:
            headers["Content-Encoding"] = encoding
        if parameters.get("format") != "mapped" or "mapping" in parameters:
            headers["Idempotency-Key"] = body.key(log.content_type, encoding or "", parameters)
        # Or else it is the server that chooses the mapping: another one next time may read more of
        # the same file, and must not be answered with the first receipt.
        return self._send("/v1/uploads", params=parameters, headers=headers, content=body.chunks)

    def set_mapping(self, source: str) -> int:
        """Its version."""
        response = self._send(
            "/v1/mappings",
            headers={"Content-Type": "application/toml"},
            content=lambda: iter([source.encode()]),
        )
        answer = _json(response)
        if not response.is_success:
            raise _refusal(response, answer)
        return int(str(answer["version"]))

    def save_rejects(self, upload_id: str, target: Path) -> None:
        """Written whole under another name first, so that nobody sees half of it."""
        draft = target.with_name(f"{target.name}.part")
        with self._client() as client:
            address = f"/v1/uploads/{upload_id}/rejects"
            try:
                with (
                    client.stream("GET", address, params={"format": "csv"}) as response,
                    draft.open("wb") as file,
                ):
                    if not response.is_success:
                        response.read()
                        raise _refusal(response, _json(response))
                    for chunk in response.iter_bytes():
                        file.write(chunk)
            except httpx.TransportError as error:
                raise _unreachable(self.url, error) from error
        draft.replace(target)

    def _client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=_TIMEOUT,
            transport=self.transport,
        )

    def _send(
        self,
        address: str,
        *,
        headers: dict[str, str],
        content: Callable[[], Iterator[bytes]],
        params: dict[str, str] | None = None,
    ) -> httpx.Response:
        wait = _FIRST_PAUSE_SECONDS
        with self._client() as client:
            for left in reversed(range(_TRIES)):
                try:
                    response = client.post(
                        address, params=params, headers=headers, content=content()
                    )
                except httpx.TransportError as error:
                    if not left:
                        raise _unreachable(self.url, error) from error
                    told = None
                else:
                    if response.status_code not in _WAIT_AND_TRY_AGAIN or not left:
                        return response
                    told = response.headers.get("Retry-After")
                    if _seconds(told, wait) > _LONGEST_PAUSE_SECONDS:
                        return response  # such as tomorrow, when there is a new quota
                self.pause(min(_seconds(told, wait), _LONGEST_PAUSE_SECONDS))
                wait *= 2
        raise AssertionError("the last try returns or raises")


def _seconds(retry_after: str | None, otherwise: float) -> float:
    return float(retry_after) if retry_after and retry_after.isdecimal() else otherwise


def _json(response: httpx.Response) -> dict[str, object]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ServerRefused(
            f"The answer ({response.status_code}) is not vendorwatch's. Is the URL right?"
        )
    return answer


def _slug(answer: dict[str, object]) -> str:
    return str(answer.get("type")).rpartition("/")[2]


def _faults(answer: dict[str, object]) -> tuple[Fault, ...]:
    listed = answer.get("errors")
    names = ("code", "detail", "field", "row", "line")
    return tuple(
        Fault(**{name: item[name] for name in names if name in item})
        for item in (listed if isinstance(listed, list) else [])
    )


def _refusal(response: httpx.Response, answer: dict[str, object]) -> VendorwatchError:
    by_status: dict[int, type[VendorwatchError]] = {
        404: ServerKnowsNot,
        408: ServerUnavailable,
        409: ServerConflict,
        429: ServerUnavailable,
        503: ServerUnavailable,
    }
    is_theirs = response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR
    error = by_status.get(response.status_code, ServerUnavailable if is_theirs else ServerRefused)
    detail = str(answer.get("detail") or answer.get("title") or response.status_code)
    return error(detail, faults=_faults(answer))


def _unreachable(url: str, error: httpx.TransportError) -> ServerUnreachable:
    reason = str(error) or type(error).__name__
    return ServerUnreachable(f"{url}: {reason}. Nothing is known to be stored; try again.")
