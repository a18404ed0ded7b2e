"""Figures as Prometheus reads them: counters, gauges and histograms in its text format 0.0.4.

Counted from one thread, the event loop's. Whoever names a label answers for it: its values must be
few, and none of them a caller's.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Number = int | float
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class _Family(Protocol):
    kind: str

    def samples(self, name: str) -> Iterator[str]: ...


F = TypeVar("F", bound=_Family)


class Counter:
    """Only ever grows. One number for each combination of the labels' values."""

    kind = "counter"

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = tuple(labels)
        self._counts: dict[tuple[str, ...], Number] = {}
        if not labels:
            self._counts[()] = 0  # there from the start: growth from nothing shows, too

    def add(self, amount: Number, *values: str) -> None:
        self._counts[values] = self._counts.get(values, 0) + amount

    def value(self, *values: str) -> Number:
        return self._counts.get(values, 0)

    def samples(self, name: str) -> Iterator[str]:
        for values, count in sorted(self._counts.items()):
            yield f"{name}{_braced(self._labels, values)} {_number(count)}"


class Gauge:
    """Goes up and down; `read` tells where it stands whenever somebody asks."""

    kind = "gauge"

    def __init__(self, read: Callable[[], Number]) -> None:
        self._read = read

    def samples(self, name: str) -> Iterator[str]:
        yield f"{name} {_number(self._read())}"


class Histogram:
    """How many observations were at most each of `bounds`, their sum and their number."""

    kind = "histogram"

    def __init__(self, bounds: Sequence[float], labels: Sequence[str]) -> None:
        self._labels = tuple(labels)
        self._bounds = tuple(sorted(bounds))
        self._buckets: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}
        if not labels:
            self._buckets[()] = [0] * (len(self._bounds) + 1)

    def observe(self, amount: float, *values: str) -> None:
        buckets = self._buckets.setdefault(values, [0] * (len(self._bounds) + 1))
        buckets[bisect_left(self._bounds, amount)] += 1
        self._sums[values] = self._sums.get(values, 0.0) + amount

    def samples(self, name: str) -> Iterator[str]:
        labels = (*self._labels, "le")
        for values, buckets in sorted(self._buckets.items()):
            total = 0
            for bound, count in zip((*self._bounds, None), buckets, strict=True):
                total += count
                edge = "+Inf" if bound is None else _number(bound)
                yield f"{name}_bucket{_braced(labels, (*values, edge))} {total}"
            own = _braced(self._labels, values)
            yield f"{name}_sum{own} {_number(self._sums.get(values, 0.0))}"
            yield f"{name}_count{own} {total}"


class Registry:
    def __init__(self) -> None:
        self._families: dict[str, tuple[str, _Family]] = {}

    def counter(self, name: str, meaning: str, labels: Sequence[str] = ()) -> Counter:
        return self._add(name, meaning, Counter(labels))

    def gauge(self, name: str, meaning: str, read: Callable[[], Number]) -> Gauge:
        return self._add(name, meaning, Gauge(read))

    def histogram(
        self, name: str, meaning: str, bounds: Sequence[float], labels: Sequence[str] = ()
    ) -> Histogram:
        return self._add(name, meaning, Histogram(bounds, labels))

    def text(self) -> str:
        return "".join(f"{line}\n" for line in self._lines())

    def _add(self, name: str, meaning: str, family: F) -> F:
        if name in self._families:
            raise ValueError(f"{name} is there already")
        self._families[name] = (meaning, family)
        return family

    def _lines(self) -> Iterable[str]:
        for name, (meaning, family) in sorted(self._families.items()):
            yield f"# HELP {name} {meaning}"
            yield f"# TYPE {name} {family.kind}"
            yield from family.samples(name)


def _braced(labels: Sequence[str], values: Sequence[str]) -> str:
    if not labels:
        return ""
    pairs = zip(labels, values, strict=True)
    return "{" + ",".join(f'{label}="{text.translate(_ESCAPED)}"' for label, text in pairs) + "}"


def _number(number: Number) -> str:
    return str(number) if isinstance(number, int) else repr(float(number)).removesuffix(".0")
