"""What is due is done, one piece at a time: state decides, whoever runs this only asks.

A piece that fails is told, and stops no other; as it is still due, it comes again. Doing a piece
that has been done meanwhile does nothing, so two workers at once, or a message lost or doubled,
change nothing in the result.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from vendorwatch.errors import VendorwatchError, described
from vendorwatch.periods import SECOND, Micros
from vendorwatch.telemetry import Clock

_log = structlog.get_logger()

Piece = Mapping[str, str]
"""Names one piece of work, such as an engagement and a month; small, and can be sent as JSON."""


@dataclass(frozen=True, slots=True)
class Duty:
    """One kind of work. `due` has the pieces in the order in which they should be done."""

    name: str
    due: Callable[[Micros], Awaitable[Sequence[Piece]]]
    do: Callable[[Piece, Micros], Awaitable[bool]]  # whether there was something to do
    failed: Callable[[Piece, str, Micros], Awaitable[None]] | None = None  # told why
    patience_seconds: float = 900


class Round:
    """Does what is due, again and again; a piece that failed waits longer each time."""

    _FIRST_PAUSE: Micros = 30 * SECOND
    _LONGEST_PAUSE: Micros = 3_600 * SECOND

    def __init__(self, duties: Sequence[Duty], clock: Clock) -> None:
        self._duties = duties
        self._clock = clock
        self._failed: dict[tuple[str, str], tuple[int, Micros]] = {}

    async def run(self) -> int:
        """How many pieces made a difference. What one duty makes due for a later one is done, too."""
        done = 0
        for duty in self._duties:
            for piece in await pieces(duty, self._clock()):
                if self._may_try(duty, piece):
                    done += await self._try(duty, piece)
        return done

    async def _try(self, duty: Duty, piece: Piece) -> bool:
        key = (duty.name, told(piece))
        did = await attempt(duty, piece, self._clock)
        if did is not None:
            self._failed.pop(key, None)
            return did
        times = self._failed.get(key, (0, 0))[0] + 1
        pause = min(self._FIRST_PAUSE * 2 ** (times - 1), self._LONGEST_PAUSE)
        self._failed[key] = (times, self._clock() + pause)
        return False

    def _may_try(self, duty: Duty, piece: Piece) -> bool:
        _, not_before = self._failed.get((duty.name, told(piece)), (0, 0))
        return self._clock() >= not_before


async def pieces(duty: Duty, now: Micros) -> Sequence[Piece]:
    """What is due; nothing while that cannot be asked, which is told in the log."""
    try:
        return await duty.due(now)
    except VendorwatchError as error:
        _log.warning("nobody knows what is due", duty=duty.name, slug=error.slug)
    except Exception:  # noqa: BLE001  what cannot be asked must not keep the other duties from being done
        _log.error("nobody knows what is due", duty=duty.name, exc_info=True)
    return []


async def attempt(duty: Duty, piece: Piece, clock: Clock) -> bool | None:
    """Whether there was something to do; None: it failed. What went wrong is in the log, with the
    piece and nothing that a tenant wrote.
    """
    log = _log.bind(duty=duty.name, **piece)
    try:
        async with asyncio.timeout(duty.patience_seconds):
            did = await duty.do(piece, clock())
    except TimeoutError:
        log.exception("duty took too long", seconds=duty.patience_seconds)
        await _note(duty, piece, f"It took longer than {duty.patience_seconds:g} seconds.", clock())
        return None
    except VendorwatchError as error:
        log.warning("duty refused", slug=error.slug, detail=error.detail)
        await _note(duty, piece, described(error), clock())
        return None
    except Exception as error:  # one piece that cannot be done must not keep the others waiting
        log.exception("duty failed")
        await _note(duty, piece, described(error), clock())
        return None
    if did:
        log.info("duty done")
    return did


async def _note(duty: Duty, piece: Piece, why: str, now: Micros) -> None:
    if duty.failed is None:
        return
    try:
        await duty.failed(piece, why, now)
    except VendorwatchError as error:  # what it says is in the log already
        _log.warning("failure not noted", duty=duty.name, slug=error.slug)


def told(piece: Piece) -> str:
    return " ".join(f"{name}={piece[name]}" for name in sorted(piece))
