"""The canonical record of one interaction: its fields, their limits, and how a row becomes one.

`Interaction` is the one table of fields and limits: rows of JSON, cells of text and the page of
the reference are all checked against or made from its annotations.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from vendorwatch.db.text import nfc
from vendorwatch.errors import Fault
from vendorwatch.interactions.events import (
    DERIVED,
    BadEvents,
    Event,
    derive,
    differing_claims,
    read_events,
)
from vendorwatch.interactions.fields import Field, describe, mistakes, show
from vendorwatch.interactions.formats.returned import OURS
from vendorwatch.interactions.instants import BadInstant, DateOrder, parse_instant
from vendorwatch.interactions.personal_data import FEWEST_DIGITS, holds_card_number
from vendorwatch.interactions.values import (
    Unusable,
    check_characters,
    is_illegal,
    plain,
    read_integer,
    read_list,
    read_percentage,
    read_tags,
)
from vendorwatch.periods import CLOCK_SKEW, Micros, format_instant
from vendorwatch.scoring.words import Channel, Direction, Priority, ResolvedBy, Status

Instant = Annotated[Micros, msgspec.Meta(title="instant")]
Id = Annotated[str, msgspec.Meta(title="id", min_length=1, max_length=128)]
CustomerRef = Annotated[str, msgspec.Meta(title="id", min_length=1, max_length=256)]
Source = Annotated[str, msgspec.Meta(title="id", min_length=1, max_length=32)]
Account = Annotated[str, msgspec.Meta(title="id", max_length=64)]
Url = Annotated[
    str, msgspec.Meta(title="url", max_length=2000, pattern=r"\A(?i:https?)://[^\s/]\S*\Z")
]
Language = Annotated[
    str,
    msgspec.Meta(
        title="language",
        max_length=35,
        pattern=r"\A(?:[A-Za-z]{2,8}|[xXiI](?=-))(?:-[A-Za-z0-9]{1,8})*\Z",
    ),
]
Label = Annotated[str, msgspec.Meta(title="text", min_length=1, max_length=64)]
Messages = Annotated[int, msgspec.Meta(title="integer", ge=0, le=100_000)]
Turns = Annotated[int, msgspec.Meta(title="integer", ge=0, le=1_000)]
HandleSeconds = Annotated[int, msgspec.Meta(title="integer", ge=0, le=864_000)]
Csat = Annotated[int, msgspec.Meta(title="integer", ge=1, le=5)]
Nps = Annotated[int, msgspec.Meta(title="integer", ge=0, le=10)]
Percentage = Annotated[str, msgspec.Meta(title="decimal")]
Tag = Annotated[str, msgspec.Meta(min_length=1)]
Tags = Annotated[tuple[Tag, ...], msgspec.Meta(title="tags", max_length=50)]
Events = Annotated[tuple[Event, ...], msgspec.Meta(title="events")]
DEFAULT_SOURCE = "custom"
_EARLIEST: Micros = 0
"""Months are counted from 1970 on. Many systems write their year 1 where they know no time."""


class Interaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Instants are Micros; customer_ref and order_ref are as sent; vendor_quality is a decimal as
    text, exactly as sent. Values that events override are the derived ones, with the vendor's own
    in `claims` (events.differing_claims) where they differ.
    """

    interaction_id: Id
    source_system: Source = DEFAULT_SOURCE
    source_account: Account = ""
    source_updated_at: Instant | None = None
    source_url: Url | None = None
    channel: Channel
    direction: Direction = "inbound"
    status: Status
    priority: Priority | None = None
    opened_at: Instant
    first_reply_at: Instant | None = None
    resolved_at: Instant | None = None
    abandoned_at: Instant | None = None
    agent_id: Id | None = None
    first_reply_agent_id: Id | None = None
    resolved_by_agent_id: Id | None = None
    resolved_by: ResolvedBy = "unknown"
    customer_ref: CustomerRef | None = None
    order_ref: Id | None = None
    topic: Label | None = None
    product: Label | None = None
    language: Language | None = None
    agent_replies: Messages | None = None
    customer_messages: Messages | None = None
    reopens: Turns | None = None
    handovers: Turns | None = None
    handle_seconds: HandleSeconds | None = None
    csat_invited_at: Instant | None = None
    csat_at: Instant | None = None
    csat: Csat | None = None
    nps: Nps | None = None
    vendor_quality: Percentage | None = None
    tags: Tags = ()
    events: Events = ()
    extra: dict[str, object] = {}
    # false: the source has no such field at all, so its absence says nothing about the vendor
    first_reply_known: bool = True
    resolution_known: bool = True
    claims: dict[str, dict[str, object]] = {}


Reader = Callable[[object], object]
"""Raises Unusable."""


@dataclass(frozen=True, slots=True)
class Context:
    """`supplied` are the fields that the file has at all; null where every field counts as such."""

    now: Micros
    zone: ZoneInfo | None = None
    date_order: DateOrder | None = None
    supplied: frozenset[str] | None = None


FIELDS: Mapping[str, Field] = describe(
    Interaction, leave_out={"extra", "first_reply_known", "resolution_known", "claims"}
)
NO_EXTRA: Mapping[str, object] = {}
_OF_CELLS: Mapping[str, Reader] = {
    "integer": read_integer,
    "tags": read_tags,
    "events": read_list,
}
_OF_ALL: Mapping[str, Reader] = {"decimal": read_percentage, "tags": plain}
_NOT_BEFORE_OPENED = (
    ("first_reply_at", "reply_before_open"),
    ("resolved_at", "resolved_before_open"),
    ("abandoned_at", "abandoned_before_open"),
)
_CONTENT = msgspec.json.Encoder(order="sorted", decimal_format="number")
# msgspec fills in what it knows of a Struct at its first use, without a lock: two threads at once
# crash the process. Here there is one thread.
msgspec.json.Decoder(Interaction)


@dataclass(frozen=True, slots=True)
class Plan:
    """What values under certain names need before they are checked against `Interaction`.

    The rows of a log have few different sets of names, and for each this is found out once.
    """

    ids: tuple[str, ...]
    instants: tuple[str, ...]
    not_before_opened: tuple[tuple[str, str], ...]  # and the code of the fault
    cells: tuple[tuple[str, Reader], ...]  # from text to what JSON would hold
    composites: tuple[tuple[str, Reader], ...]
    free_text: tuple[str, ...]  # without product, whose number may look like a card's
    extra: tuple[str, ...]  # names that are not the record's

    @classmethod
    def of(cls, names: Collection[str], *, text: bool) -> "Plan":
        fields = [field for field in FIELDS.values() if field.name in names]
        return cls(
            ids=tuple(f.name for f in fields if f.kind == "id"),
            instants=tuple(f.name for f in fields if f.kind == "instant"),
            not_before_opened=tuple(pair for pair in _NOT_BEFORE_OPENED if pair[0] in names),
            cells=_readers(fields, _OF_CELLS) if text else (),
            composites=_readers(fields, _OF_ALL),
            free_text=tuple(name for name in ("topic", "tags") if name in names),
            extra=tuple(name for name in names if name not in FIELDS),
        )


def _readers(
    fields: Iterable[Field], by_kind: Mapping[str, Reader]
) -> tuple[tuple[str, Reader], ...]:
    return tuple((f.name, by_kind[f.kind]) for f in fields if f.kind in by_kind)


class RowRefused(Exception):
    """One row cannot be an interaction; `faults` are all the reasons, without row and line."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def build(
    fields: Mapping[str, object],
    context: Context,
    *,
    text: bool,
    extra: Mapping[str, object] = NO_EXTRA,
) -> Interaction:
    """`text`: values are cells, an empty one is null. Else they are as JSON gives them, numbers
    with a fraction as Decimal. Fields that are not the record's go to `extra`; what is given as
    `extra` goes there whatever its name. Raises RowRefused.
    """
    plan = Plan.of(fields, text=text)
    values = {n: v for n, v in fields.items() if v is not None and not (text and v == "")}
    return build_filled(values, plan, context, extra=extra)


def build_filled(
    values: dict[str, object],
    plan: Plan,
    context: Context,
    *,
    extra: Mapping[str, object] = NO_EXTRA,
    suspect: bool = True,
) -> Interaction:
    """The same of values that are not null, all of whose names are in the plan. They are used up.

    `suspect` is false only where the caller knows that no text holds an illegal character.
    """
    row = _Row(values, plan)
    row.read(context, extra, suspect=suspect)
    if not row.faults:
        try:
            interaction = msgspec.convert(values, Interaction)
        except msgspec.ValidationError:
            pass  # it tells the first mistake only, and not in the vendor's terms
        else:
            return _with_derived(interaction) if interaction.events else interaction
    raise RowRefused((*row.faults, *mistakes(values, FIELDS, row.refused)))


def content(interaction: Interaction, *, customer: bytes | None, order: bytes | None) -> bytes:
    """Canonical bytes: equal for equal interactions, with the references' HMACs in their place."""
    return _CONTENT.encode(
        msgspec.structs.replace(
            interaction,
            customer_ref=customer.hex() if customer else None,
            order_ref=order.hex() if order else None,
        )
    )


class _Row:
    """One row on its way: `values` are replaced by what they mean, or taken out and refused."""

    __slots__ = ("_extra", "_plan", "faults", "refused", "values")

    def __init__(self, values: dict[str, object], plan: Plan) -> None:
        self.values = values
        self.faults: list[Fault] = []
        self.refused: set[str] = set()
        self._plan = plan
        self._extra: dict[str, object] = {}

    def read(self, context: Context, extra: Mapping[str, object], *, suspect: bool) -> None:
        """In the order in which faults are told."""
        values, plan = self.values, self._plan
        if plan.extra:
            self._add_extra({name: values.pop(name) for name in plan.extra if name in values})
        if extra:
            self._add_extra(extra)
        self._refuse_cards(plan.free_text)  # before a message repeats the number
        if suspect:
            self._check_characters()
        self._read_ids()
        self._replace_all(plan.cells)
        self._read_instants(context)
        self._replace_all(plan.composites)
        if plan.cells and "tags" in values:
            self._refuse_cards(("tags",))  # that a JSON array in a cell spelt with escapes
        if "events" in values:
            self._read_events(context)
        supplied = context.supplied
        if supplied is not None and "events" not in supplied:
            values["first_reply_known"] = "first_reply_at" in supplied
            values["resolution_known"] = "resolved_at" in supplied

    def _refuse(self, name: str, code: str, detail: str) -> None:
        self.faults.append(Fault(code, detail, field=name))
        self.refused.add(name)
        self.values.pop(name, None)

    def _refuse_cards(self, names: Iterable[str]) -> None:
        for name in names:
            value = self.values.get(name)
            is_short = value is None or (type(value) is str and len(value) < FEWEST_DIGITS)
            if not is_short and holds_card_number(value):
                self._refuse(name, "card_number", f"{name} holds the number of a payment card")

    def _replace_all(self, readers: Iterable[tuple[str, Reader]]) -> None:
        values = self.values
        for name, read in readers:
            if name in values:
                try:
                    values[name] = read(values[name])
                except Unusable as bad:
                    self._refuse(name, bad.code, bad.detail)

    def _add_extra(self, extra: Mapping[str, object]) -> None:
        for name, value in extra.items():
            if name.startswith(OURS):
                continue
            try:
                check_characters(name)
                self._extra[name] = plain(value)
            except Unusable as bad:
                self.faults.append(Fault(bad.code, bad.detail, field=name))
        if self._extra:
            self.values["extra"] = self._extra

    def _check_characters(self) -> None:
        texts = {name: value for name, value in self.values.items() if type(value) is str}
        if is_illegal("".join(texts.values())):
            self._replace_all((name, plain) for name in texts)

    def _read_ids(self) -> None:
        values = self.values
        for name in self._plan.ids:
            value = values.get(name)
            if type(value) is not str:
                continue
            if not value.isascii():  # compared as NFC: typed on two systems, still one
                values[name] = value = nfc(value)
            if value != value.strip():
                self._refuse(name, "bad_value", f"{show(value)} has white space around it")
        if values.get("source_system") == DEFAULT_SOURCE:
            del values["source_system"]  # said or left out, it is the same interaction

    def _read_instants(self, context: Context) -> None:
        values, zone, date_order = self.values, context.zone, context.date_order
        latest = context.now + CLOCK_SKEW
        for name in self._plan.instants:
            written = values.get(name)
            if written is None:
                continue
            try:
                values[name] = instant = parse_instant(written, zone, date_order)
                if not _EARLIEST <= instant <= latest:
                    raise _out_of_time(written, instant)
            except (Unusable, BadInstant) as bad:
                self._refuse(name, bad.code, bad.detail)
        self._check_order()

    def _check_order(self) -> None:
        values = self.values
        opened_at = values.get("opened_at")
        if type(opened_at) is not int:
            return
        for name, code in self._plan.not_before_opened:
            at = values.get(name)
            if type(at) is int and at < opened_at:
                opened = format_instant(opened_at)
                self._refuse(name, code, f"{format_instant(at)} lies before opened_at, {opened}")

    def _read_events(self, context: Context) -> None:
        try:
            self.values["events"] = read_events(
                self.values["events"], lambda written: _instant(written, context)
            )
        except BadEvents as bad:
            self.faults += bad.faults
            self.refused.add("events")


def _instant(written: object, context: Context) -> Micros:
    instant = parse_instant(written, context.zone, context.date_order)
    if not _EARLIEST <= instant <= context.now + CLOCK_SKEW:
        raise _out_of_time(written, instant)
    return instant


def _out_of_time(written: object, instant: Micros) -> Unusable:
    if instant < _EARLIEST:
        told = "lies before 1970, in no month that is counted; leave out what is not known"
        return Unusable("out_of_range", f"{show(written)} {told}")
    return Unusable("future_timestamp", f"{show(written)} lies in the future")


def _with_derived(claimed: Interaction) -> Interaction:
    derived = derive(claimed.events, claimed.opened_at)
    return msgspec.structs.replace(
        claimed,
        first_reply_at=derived.first_reply_at,
        first_reply_agent_id=derived.first_reply_agent_id or claimed.first_reply_agent_id,
        resolved_at=derived.resolved_at,
        reopens=derived.reopens,
        handovers=derived.handovers,
        agent_replies=derived.agent_replies,
        customer_messages=derived.customer_messages,
        claims=differing_claims({name: getattr(claimed, name) for name in DERIVED}, derived),
    )
