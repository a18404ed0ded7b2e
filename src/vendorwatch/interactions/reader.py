"""A body on its way into batches of rows, one ahead of whoever stores them."""

import asyncio
from collections.abc import AsyncGenerator
from typing import BinaryIO

from vendorwatch.interactions.intake import Batch, Intake
from vendorwatch.interactions.model import Tally
from vendorwatch.interactions.parse import ReadOptions, read
from vendorwatch.interactions.refusals import RowsRefused

_BATCH_ROWS = 2_000
_REMEMBERED_AGENTS = 20_000  # bounds the memory of a file that names another agent in each row


class Reader:
    """Reads a body in a thread, so that other requests are served meanwhile."""

    def __init__(
        self, file: BinaryIO, options: ReadOptions, *, pseudonym_key: bytes, is_atomic: bool
    ) -> None:
        self.reading = read(file, options)
        self._is_atomic = is_atomic
        self._intake = Intake(self.reading, pseudonym_key=pseudonym_key)
        self._batches = self._intake.batches(_BATCH_ROWS)
        self._named: set[str] = set()

    @property
    def tally(self) -> Tally:
        return self._intake.tally

    @property
    def is_refused(self) -> bool:
        """From then on only the other faults are of interest."""
        return self._is_atomic and self.tally.rejected > 0

    def refuse_if_atomic(self) -> None:
        """Raises RowsRefused where the mode is atomic and a row is refused."""
        if self.is_refused:
            raise RowsRefused(
                f"{self.tally.rejected} of {self.tally.received} rows were refused, and the mode "
                "is atomic: nothing was stored.",
                faults=tuple(self.tally.faults),
            )

    async def next(self) -> Batch | None:
        return await asyncio.to_thread(next, self._batches, None)

    async def rest(self) -> AsyncGenerator[Batch]:
        """One batch is read while the one before it is staged; to be closed when that breaks off."""
        upcoming = asyncio.create_task(self.next())
        try:
            while (batch := await upcoming) is not None:
                upcoming = asyncio.create_task(self.next())
                yield batch
        finally:
            # The thread has the file open and does not hear of a cancellation.
            _ = await asyncio.wait({upcoming})

    def not_named_yet(self, agents: set[str]) -> set[str]:
        unseen = agents - self._named
        if len(self._named) > _REMEMBERED_AGENTS:
            self._named.clear()
        self._named |= unseen
        return unseen
