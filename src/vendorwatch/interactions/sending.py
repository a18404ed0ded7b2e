"""The body of an upload as it is sent: read once for its length and digest, and again each time it
goes out, never whole in memory.
"""

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

OnProgress = Callable[[str, int], None]
"""What is done ("reading" or "sending"), and of how many bytes of the file by now."""

_CHUNK_BYTES = 256 * 2**10
_LEVEL = 6
_AS_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Body:
    """`size` and `sha256` are those of the bytes on the wire. The same file makes the same bytes."""

    path: Path
    packs: bool
    progress: OnProgress
    size: int
    sha256: bytes

    @classmethod
    def of(cls, path: Path, *, packs: bool, progress: OnProgress) -> "Body":
        """Reads the file. If it changes before it is sent, the server finds another digest."""
        digest, size = hashlib.sha256(), 0
        for chunk in _wire(path, packs, lambda done: progress("reading", done)):
            digest.update(chunk)
            size += len(chunk)
        return cls(path, packs, progress, size, digest.digest())

    def chunks(self) -> Iterator[bytes]:
        """From the start, each time."""
        return _wire(self.path, self.packs, lambda done: self.progress("sending", done))

    @property
    def digest_header(self) -> str:
        return f"sha-256=:{base64.b64encode(self.sha256).decode()}:"

    def key(self, media_type: str, encoding: str, parameters: Mapping[str, str]) -> str:
        """The same for the same bytes that are to be read in the same way, today and tomorrow.

        Of the bytes and not of the file: where another version of the library compresses otherwise,
        the key would belong to another body.
        """
        said = [self.sha256.hex(), media_type, encoding]
        said += [f"{name}={value}" for name, value in sorted(parameters.items())]
        return f"push-{hashlib.sha256(chr(10).join(said).encode()).hexdigest()}"


def _wire(path: Path, packs: bool, told: Callable[[int], None]) -> Iterator[bytes]:
    pieces = _pieces(path, told)
    return _packed(pieces) if packs else pieces


def _pieces(path: Path, told: Callable[[int], None]) -> Iterator[bytes]:
    done = 0
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            yield piece
            done += len(piece)
            told(done)


def _packed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """As gzip without a name and a time."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _AS_GZIP)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
