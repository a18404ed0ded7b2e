"""Uploads take turns, and whoever goes away meanwhile takes nobody's."""

import asyncio
import random
from contextlib import ExitStack

import pytest

from vendorwatch.errors import NotFound
from vendorwatch.settings import Bounds
from vendorwatch.web.admission import Admission, ServerBusy
from vendorwatch.web.limits import TooManyRequests
from vendorwatch.web.metrics import Metrics, UploadFigures


class Uploads:
    """Each takes as long as the test wants; `order` is that of their starts."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.order: list[str] = []

    async def arrive(self, *names: str) -> None:
        for name in names:
            self._ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._upload(name))
        await self.settle()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def _upload(self, name: str) -> None:
        with self._admission.place(name[0]):
            async with self._admission.turn(name[0]):
                self.order.append(name)
                await self._ends[name].wait()


def figures(metrics: Metrics) -> dict[str, str]:
    lines = [line.rsplit(" ", 1) for line in metrics.registry.text().splitlines()]
    return {name: value for name, value in lines if not name.startswith("#")}


async def test_a_flood_lets_others_through() -> None:
    metrics = Metrics()
    uploads = Uploads(Admission(Bounds(uploads_at_once=2), metrics))
    await uploads.arrive(*(f"a{number}" for number in range(20)))
    assert uploads.order == ["a0"]
    await uploads.arrive("b0", "b1", "c0")
    assert uploads.order == ["a0", "b0"]
    found = figures(metrics)
    assert found["vendorwatch_uploads_open"] == "23"
    assert found["vendorwatch_uploads_waiting"] == "21"
    assert found["vendorwatch_uploads_running"] == "2"
    for name in ("b0", "a0", "c0", "a1"):
        await uploads.end(name)
    assert uploads.order == ["a0", "b0", "c0", "b1", "a1", "a2"]
    for task in uploads.tasks.values():
        task.cancel()
    await uploads.settle()
    assert figures(metrics)["vendorwatch_uploads_open"] == "0"


@pytest.mark.parametrize("seed", range(20))
async def test_whoever_is_cancelled_gives_back_what_it_had(seed: int) -> None:
    """Waiting, running, and in the very moment in which its turn comes."""
    dice = random.Random(seed)
    metrics = Metrics()
    uploads = Uploads(Admission(Bounds(uploads_at_once=2), metrics))
    names = [f"{group}{number}" for number in range(10) for group in "abc"]
    await uploads.arrive(*names)
    for name in dice.sample(names, len(names)):
        if dice.random() < 0.5:
            uploads.tasks[name].cancel()
        else:
            uploads._ends[name].set()  # noqa: SLF001  without the pause: both in one moment
        if dice.random() < 0.5:
            await uploads.settle()
    await asyncio.wait(uploads.tasks.values(), timeout=5)
    assert all(task.done() for task in uploads.tasks.values())
    found = figures(metrics)
    assert {found[f"vendorwatch_uploads_{each}"] for each in ("open", "waiting", "running")} == {
        "0"
    }


def test_no_more_places_than_there_are() -> None:
    metrics = Metrics()
    admission = Admission(Bounds(uploads_open=5, uploads_open_each=3), metrics)
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(admission.place("a"))
        with pytest.raises(TooManyRequests) as own, admission.place("a"):
            pass
        for _ in range(2):
            held.enter_context(admission.place("b"))
        with pytest.raises(ServerBusy) as all_taken, admission.place("b"):
            pass
    assert own.value.retry_after_seconds
    assert all_taken.value.retry_after_seconds
    with admission.place("a"):
        assert figures(metrics)["vendorwatch_uploads_open"] == "1"
    found = figures(metrics)
    assert found['vendorwatch_refusals_total{limit="uploads_open_each"}'] == "1"
    assert found['vendorwatch_refusals_total{limit="uploads_open"}'] == "1"


def test_what_came_of_an_upload_is_counted_once() -> None:
    metrics = Metrics()
    admission = Admission(Bounds(), metrics)
    with admission.place("a") as seen:
        seen.note(
            UploadFigures(
                "partial", rows={"created": 2, "rejected": 1}, codes={"bad_value": 1}, wire_bytes=90
            )
        )
    with pytest.raises(NotFound), admission.place("a"):
        raise NotFound("x")
    with pytest.raises(RuntimeError), admission.place("a"):
        raise RuntimeError
    found = figures(metrics)
    outcomes = {n: v for n, v in found.items() if n.startswith("vendorwatch_uploads_total")}
    assert outcomes == {
        'vendorwatch_uploads_total{outcome="partial"}': "1",
        'vendorwatch_uploads_total{outcome="refused"}': "1",
        'vendorwatch_uploads_total{outcome="broken"}': "1",
    }
    assert found['vendorwatch_upload_rows_total{outcome="created"}'] == "2"
    assert found['vendorwatch_upload_rejects_total{code="bad_value"}'] == "1"
    assert found['vendorwatch_upload_bytes_total{form="wire"}'] == "90"
