"""The process that reads logs: `python -m vendorwatch.interactions.reader`.

It knows no database and no settings. Orders come on standard input and what is read goes to
standard output, each as four bytes that tell its length and then MessagePack; between them, where
it is a batch, its window. When standard input ends, the server is gone, and so is this process.
"""

import os
import signal
import struct
import sys
import traceback
from pathlib import Path
from typing import BinaryIO

import msgspec

from vendorwatch.confinement import die_with_parent, limit_memory, limit_processor
from vendorwatch.errors import Fault, VendorwatchError
from vendorwatch.interactions.batches import Batch, Batches, Order, Part

LENGTH = struct.Struct("!I")
HEAD = struct.Struct("!IQQ")  # of an answer: the length, the window (0, 0 where it is no batch)
_MEGABYTES = 256  # of memory beyond the program itself; a million rows take about ten
_NICENESS = 5  # the server and the database, which others wait for, come first
_PROCESSOR_SECONDS = 600  # of one log; two gibibytes take about sixty


class Refusal(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """An error that was meant to be raised: whoever ordered raises it again."""

    slug: str
    detail: str
    faults: tuple[Fault, ...]


class Breakdown(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A mistake of ours."""

    traceback: str


Said = Batch | Part | Refusal | Breakdown


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which stops us
    die_with_parent()
    os.nice(_NICENESS)
    orders, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # nothing else may get between the answers
    limit_memory(_MEGABYTES)
    decoder = msgspec.msgpack.Decoder(Order)
    while head := orders.read(LENGTH.size):
        order = decoder.decode(orders.read(*LENGTH.unpack(head)))
        limit_processor(_PROCESSOR_SECONDS)
        _carry_out(order, answers)


def _carry_out(order: Order, answers: BinaryIO) -> None:
    last: Said | None
    try:
        with Path(order.path).open("rb") as file:
            batches = Batches(file, order)
            for batch in batches:
                _send(answers, batch)
            last = batches.part
    except VendorwatchError as error:
        last = Refusal(error.slug, error.detail, error.faults)
    except MemoryError:
        os._exit(1)  # what is left of it is not to be trusted
    except BrokenPipeError:
        raise  # nobody listens any more
    except Exception:  # noqa: BLE001  whatever it is, the server logs it and answers
        last = Breakdown(traceback.format_exc())
    assert last is not None  # noqa: S101  the iteration is complete
    _send(answers, last)


def _send(answers: BinaryIO, said: Said) -> None:
    body = msgspec.msgpack.encode(said)
    window = said.window if isinstance(said, Batch) else (0, 0)
    for part in (HEAD.pack(len(body), *window), body):
        view = memoryview(part)
        while view:
            view = view[answers.write(view) :]


if __name__ == "__main__":
    main()
