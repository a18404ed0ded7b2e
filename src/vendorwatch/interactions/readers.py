"""Whoever reads logs for the server: processes of their own for what takes long.

Reading is the part of receiving that costs most, in Python, on bytes that others wrote. In another
process it takes neither the time of the server's other requests nor, where it goes wrong, the
server with it.
"""

import asyncio
import fcntl
import os
import secrets
import select
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

import msgspec

from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.interactions.batches import Batch, Batches, Order, Part, Summary
from vendorwatch.interactions.formats import faults
from vendorwatch.interactions.formats.inflate import inflate
from vendorwatch.interactions.intake import Window
from vendorwatch.interactions.parse import Share
from vendorwatch.interactions.reader import HEAD, LENGTH, Breakdown, Refusal, Said
from vendorwatch.interactions.refusals import EmptyUpload
from vendorwatch.settings import others_environment

SMALL = 32 * 1024
"""Bytes of a log, decoded, up to which it is read in a thread of the server: it takes a millisecond
or two, as long as telling another process.
"""
_SILENCE_SECONDS = 60.0  # a batch takes a twentieth of a second
_PIPE_BYTES = 2**20  # so that a reader can be one batch ahead
_SHARED_FROM = 2**20  # bytes; each reader goes through all of them
_COMPRESSION = 8
_ATTEMPTS = 2
_QUARANTINE_SECONDS = 3_600.0
_MOST_SUSPECTS = 1_000


class ReaderFailed(VendorwatchError):
    """The process that reads logs died or hung while it read this one. Nothing was stored.

    Send it again after Retry-After. If it happens a second time, the log itself is taken for the
    reason and answered so.
    """

    kind = Kind.UNAVAILABLE
    slug = "reader-failed"
    title = "The log could not be read right now"


class Unreadable(VendorwatchError):
    """The process that reads logs died or hung over this very log twice. Nothing was stored, and
    it is not tried again for an hour.

    Send the log in parts to find the rows that do it, and tell the operator: this should not be
    possible.
    """

    kind = Kind.REFUSED
    slug = "unreadable-upload"
    title = "The log cannot be read"


class BrokenReading(RuntimeError):
    """A mistake of ours, in the reading process; the text is its traceback."""


class Reading(Protocol):
    """A log on its way."""

    async def next(self) -> Batch | None:
        """In the order of their windows. Raises what makes the whole file unreadable."""

    async def summary(self) -> Summary:
        """After the last batch."""


# What reading raises on purpose.
_REFUSALS: dict[str, type[VendorwatchError]] = {
    each.slug: each
    for each in (
        EmptyUpload,
        faults.BadEncoding,
        faults.BadHeader,
        faults.DecompressedTooLarge,
        faults.RowTooLarge,
        faults.TooManyRows,
        faults.UnreadableFormat,
        faults.UnsupportedCharset,
        faults.UnsupportedEncoding,
        faults.UploadTooLarge,
    )
}


class Readers:
    """Of one event loop. Processes that are missing are started when they are needed, and kept."""

    def __init__(
        self, *, cores: int | None = None, silence_seconds: float = _SILENCE_SECONDS
    ) -> None:
        self._cores = cores or len(os.sched_getaffinity(0))
        self._silence = silence_seconds
        # What they hash must be the same for all that share a file, and unknown to whoever sends.
        self._environment = others_environment() | {
            "PYTHONPATH": ":".join(sys.path),
            "PYTHONHASHSEED": str(1 + secrets.randbelow(2**32 - 1)),
        }
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        self._suspects: dict[bytes, list[float]] = {}

    @property
    def process_ids(self) -> list[int]:
        return [process.id for process in self._all]

    def start(self) -> None:
        """As many as share a log. The first one then does not wait for them, and memory is taken
        when the server starts instead of some time later.
        """
        self._idle += [self._started() for _ in range(self._cores - len(self._all))]

    @asynccontextmanager
    async def reading(self, order: Order, size: int, fingerprint: bytes) -> AsyncIterator[Reading]:
        """`size` is that of the file; `fingerprint` tells the same log from another.

        Raises what makes the whole file unreadable, then or inside the block; ReaderFailed, and
        Unreadable where it failed twice before.
        """
        here = await asyncio.to_thread(_read_here, order) if size <= SMALL else None
        if here is not None:
            yield here
            return
        self._refuse_known(fingerprint)
        processes = [self._free() for _ in range(self._wanted(order, size))]
        try:
            for number, process in enumerate(processes):
                share = Share(number, len(processes))
                process.order(msgspec.structs.replace(order, share=share))
            yield _There(processes)
        except ReaderFailed as failed:
            self._suspect(fingerprint, failed)
            raise
        finally:
            for process in processes:
                if process.is_done:
                    self._idle.append(process)
                else:
                    self._drop(process)

    def _wanted(self, order: Order, size: int) -> int:
        """One a core that no other log is read on, where there is enough to share."""
        unpacked = size if order.encoding == "identity" else size * _COMPRESSION
        if unpacked < _SHARED_FROM:
            return 1
        return max(1, self._cores - (len(self._all) - len(self._idle)))

    def close(self) -> None:
        for process in self._all:
            process.kill()
        self._all.clear()
        self._idle.clear()

    def _free(self) -> "_Process":
        while self._idle:
            process = self._idle.pop()
            if process.is_alive:
                return process
            self._drop(process)
        return self._started()

    def _started(self) -> "_Process":
        # Here and not in a thread: it is told to die with the thread that started it.
        process = _Process(self._environment, self._silence)
        self._all.add(process)
        return process

    def _drop(self, process: "_Process") -> None:
        process.kill()
        self._all.discard(process)

    def _suspect(self, fingerprint: bytes, failed: ReaderFailed) -> None:
        self._suspects.setdefault(fingerprint, []).append(time.monotonic())
        while len(self._suspects) > _MOST_SUSPECTS:
            del self._suspects[next(iter(self._suspects))]
        try:
            self._refuse_known(fingerprint)
        except Unreadable as known:
            raise known from failed

    def _refuse_known(self, fingerprint: bytes) -> None:
        since = time.monotonic() - _QUARANTINE_SECONDS
        failures = [at for at in self._suspects.get(fingerprint, ()) if at > since]
        if len(failures) >= _ATTEMPTS:
            raise Unreadable(
                f"Reading this log failed {len(failures)} times in a row. Nothing was stored."
            )


def _is_small(order: Order) -> bool:
    """Of a small file: whether little comes out of it."""
    decoded = 0
    try:
        with Path(order.path).open("rb") as file:
            for chunk in inflate(file, order.encoding, order.limits):
                decoded += len(chunk)
                if decoded > SMALL:
                    return False
    except VendorwatchError:
        pass  # it is told where it is read
    return True


class _Here:
    """What was read in a thread, so that other requests are served meanwhile: all of it in one go,
    as each hop to a thread takes a good part of the time of reading a few rows.
    """

    def __init__(self, batches: Iterable[Batch], part: Part) -> None:
        self._batches = iter(batches)
        self._part = part

    async def next(self) -> Batch | None:
        return next(self._batches, None)

    async def summary(self) -> Summary:
        return Summary.of([self._part])


def _read_here(order: Order) -> _Here | None:
    """Of a small file; null where much comes out of it."""
    if not _is_small(order):
        return None
    with Path(order.path).open("rb") as file:
        batches = Batches(file, order)
        made = list(batches)
    assert batches.part is not None  # noqa: S101  the iteration is complete
    return _Here(made, batches.part)


class _There:
    """In other processes, whose batches are taken in the order of the file."""

    def __init__(self, processes: Sequence["_Process"]) -> None:
        self._busy = list(processes)
        self._parts: list[Part] = []

    async def next(self) -> Batch | None:
        return await asyncio.to_thread(self._listen)

    def _listen(self) -> Batch | None:
        while self._busy:
            # Of the others no more than the window is heard yet: the rest stays in their pipes.
            process = min(self._busy, key=lambda each: each.window())
            said = process.listen()
            if isinstance(said, Batch):
                return said
            if isinstance(said, Refusal):
                raise _REFUSALS[said.slug](said.detail, faults=said.faults)
            if isinstance(said, Breakdown):
                raise BrokenReading(said.traceback)
            self._parts.append(said)
            self._busy.remove(process)
        return None

    async def summary(self) -> Summary:
        return await asyncio.to_thread(Summary.of, self._parts)


class _Process:
    def __init__(self, environment: dict[str, str], silence_seconds: float) -> None:
        self._silence = silence_seconds
        self._decoder: msgspec.msgpack.Decoder[Said] = msgspec.msgpack.Decoder(Said)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "vendorwatch.interactions.reader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            bufsize=0,
        )
        assert self._process.stdin is not None  # noqa: S101  as ordered
        assert self._process.stdout is not None  # noqa: S101  as ordered
        self._orders, self._answers = self._process.stdin, self._process.stdout
        with suppress(AttributeError, OSError):  # other systems; a quota of the user's pipes
            fcntl.fcntl(self._answers, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._head: tuple[int, Window] | None = None  # of what is not yet listened to
        self.is_done = True  # with what it was ordered

    @property
    def id(self) -> int:
        return self._process.pid

    @property
    def answers(self) -> int:
        """The descriptor that they come on."""
        return self._answers.fileno()

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def order(self, order: Order) -> None:
        """Raises ReaderFailed."""
        self.is_done = False
        body = msgspec.msgpack.encode(order)
        try:
            self._orders.write(LENGTH.pack(len(body)) + body)
        except BrokenPipeError:
            raise _failed("died") from None

    def window(self) -> Window:
        """Of what it says next; the first one where that is no batch. Blocks. Raises ReaderFailed."""
        return self._next_head()[1]

    def listen(self) -> Said:
        """Blocks. Raises ReaderFailed."""
        said = self._decoder.decode(self._take(self._next_head()[0]))
        self._head = None
        self.is_done = not isinstance(said, Batch)
        return said

    def _next_head(self) -> tuple[int, Window]:
        if self._head is None:
            length, row, offset = HEAD.unpack(self._take(HEAD.size))
            self._head = length, (row, offset)
        return self._head

    def kill(self) -> None:
        """Whoever listens to it hears that it is dead."""
        self._process.kill()
        self._process.wait()
        self._orders.close()
        self._answers.close()

    def _take(self, size: int) -> bytearray:
        taken = bytearray(size)
        left = memoryview(taken)
        while left:
            _await(self.answers, self._silence)
            count = os.readv(self.answers, [left])
            if not count:
                raise _failed("died")
            left = left[count:]
        return taken


def _await(descriptor: int, seconds: float) -> None:
    """Until it has something to read. Raises ReaderFailed where it has not for so long."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(seconds * 1_000):
        raise _failed(f"said nothing for {seconds:g} seconds")


def _failed(what: str) -> ReaderFailed:
    return ReaderFailed(
        f"The process that read the log {what}. Nothing was stored; send it again.",
        retry_after_seconds=5,
    )
