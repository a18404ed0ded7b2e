"""What a revision changed, in a terminal's width."""

from collections.abc import Iterator, Sequence

from vendorwatch.scorecards.changes import Change, Changes


def change_lines(changes: Changes) -> Iterator[str]:
    """What did not change is left out."""
    yield from _lines("", [*changes.terms, *changes.scores])
    for metric in changes.metrics:
        yield from _lines(f"{metric.metric} ", metric.figures)
    yield from _lines("volume ", changes.volume)
    told = ", ".join(f"{count} {name}" for name, count in changes.rows.items() if count)
    yield f"  interactions since: {told or 'none'}"
    if changes.withdrawn:
        yield f"  withdrawn: {', '.join(changes.withdrawn)}"
    if changes.agents:
        yield f"  agents whose figures differ: {', '.join(changes.agents)}"


def _lines(prefix: str, changes: Sequence[Change]) -> Iterator[str]:
    for each in changes:
        if each.old != each.new:
            yield f"  {prefix + each.name:42} {_text(each.old):>22} -> {_text(each.new)}"


def _text(value: str | int | None) -> str:
    return "-" if value is None else str(value)
