"""The examination of a month in a terminal's width. What a log says is shown as it cannot do harm."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from vendorwatch.anomalies.shown import ContactRuns, MonthAnomalies
from vendorwatch.integrity.left_out import LeftOut
from vendorwatch.integrity.numbers import Numbers, Sequence
from vendorwatch.integrity.report import Flag
from vendorwatch.integrity.volume import Volume
from vendorwatch.interactions.fields import show
from vendorwatch.periods import load_zone

_MOST = 5  # of each kind; JSON has more


def lines(found: MonthAnomalies) -> Iterator[str]:
    asked, unseen = _words(found.flags), _words(_not_looked_at(found))
    yield f"{found.month} ({found.time_zone}), as of {found.as_of}"
    yield f"Reasons to ask: {asked}." if asked else "No reason to ask in what was looked at."
    if unseen:
        yield f"Nothing to look at: {unseen}."
    yield "None of this proves anything, and none of it changes a score."
    yield ""
    yield from _volume(found.volume)
    yield from _runs(found.contact_runs, load_zone(found.time_zone))
    yield from _numbers(found.missing_numbers)
    yield from _left_out(found.left_out)


def _words(flags: Iterable[Flag]) -> str:
    return ", ".join(flag.replace("_", " ") for flag in flags)


def _not_looked_at(found: MonthAnomalies) -> Iterator[Flag]:
    if not found.volume.days:
        yield "volume"
    if not found.contact_runs.of:
        yield "contact_runs"
    if not found.missing_numbers.sequences:
        yield "missing_numbers"
    if not found.left_out.of:
        yield "left_out"


def _volume(volume: Volume) -> Iterator[str]:
    if not volume.days:
        yield "  volume            nothing was counted yet (vendorwatch contact-counts set)"
        return
    yield (
        f"{_mark(volume.flagged)} volume            {volume.counted} counted, {volume.logged} in the "
        f"log: {volume.missing} missing, {volume.surplus} too many"
    )
    apart = [each for each in volume.days if each.counted != each.logged]
    furthest = sorted(apart, key=lambda each: (-abs(each.counted - each.logged), each.day))[:_MOST]
    for each in furthest:
        channel = f" {each.channel}" if each.channel else ""
        yield f"      {each.day}{channel}: {each.counted} counted, {each.logged} in the log"


def _runs(on_end: ContactRuns, zone: ZoneInfo) -> Iterator[str]:
    yield (
        f"{_mark(on_end.flagged)} contact runs      {on_end.interactions} of {on_end.of} interactions "
        f"in {on_end.runs} {'run' if on_end.runs == 1 else 'runs'}"
    )
    for run in on_end.longest[:_MOST]:
        agents = f" by {', '.join(map(show, run.agent_ids[:_MOST]))}" if run.agent_ids else ""
        opened = datetime.fromisoformat(run.first_opened_at).astimezone(zone)
        [first, *_] = run.begins_with
        account = f" of {show(first.source_account)}" if first.source_account else ""
        begins = f"{show(first.interaction_id)}{account}"
        yield f"      {run.interactions} from {opened:%Y-%m-%d %H:%M}{agents}, {begins} ..."


def _numbers(numbers: Numbers) -> Iterator[str]:
    if not numbers.sequences:
        yield "  missing numbers   the ids are in no sequence"
        return
    yield (
        f"{_mark(numbers.flagged)} missing numbers   {numbers.missing} of "
        f"{numbers.missing + numbers.present}"
    )
    for sequence in numbers.sequences[:_MOST]:
        yield f"      {_sequence(sequence)}"


def _sequence(sequence: Sequence) -> str:
    gaps = [gap for gap in sequence.gaps if not gap.is_jump][:_MOST]
    named = ", ".join(
        show(gap.first) if gap.numbers == 1 else f"{show(gap.first)} to {show(gap.last)}"
        for gap in gaps
    )
    account = f" of {show(sequence.source_account)}" if sequence.source_account else ""
    ends = f"{show(sequence.first)} to {show(sequence.last)}{account}"
    return f"{ends}: {sequence.missing} missing{f': {named}' if named else ''}"


def _left_out(left_out: LeftOut) -> Iterator[str]:
    reasons = ", ".join(
        f"{number} {reason}" for reason, number in left_out.reasons.items() if number
    )
    yield (
        f"{_mark(left_out.flagged)} left out          {left_out.interactions} of {left_out.of} "
        f"interactions{f': {reasons}' if reasons else ''}"
    )
    for agent in left_out.agents[:_MOST] if left_out.flagged else ():
        yield f"      {show(agent.agent_id)}: {agent.left_out} of {agent.of}"


def _mark(flagged: bool) -> str:
    return "!" if flagged else " "
