"""The canonical record of one interaction: its fields, their limits, and how a row becomes one.

`Interaction` is the one table of fields and limits: rows of JSON, cells of text and the page of
the reference are all checked against or made from its annotations.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from vendorwatch.errors import Fault
from vendorwatch.interactions.events import (
    DERIVED,
    BadEvents,
    Event,
    Status,
    derive,
    differing_claims,
    read_events,
)
from vendorwatch.interactions.fields import Field, describe, mistakes, show
from vendorwatch.interactions.instants import BadInstant, DateOrder, parse_instant
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
from vendorwatch.scoring.policy import Channel, Priority

Direction = Literal["inbound", "outbound"]
ResolvedBy = Literal["agent", "customer", "automation", "unknown"]

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


class Interaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Instants are Micros; customer_ref and order_ref are as sent; vendor_quality is a decimal as
    text, exactly as sent. Values that events override are the derived ones, with the vendor's own
    in `claims` (events.differing_claims) where they differ.
    """

    interaction_id: Id
    source_system: Source = "custom"
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
OUR_COLUMNS = "vendorwatch_"
"""Columns whose names start so were added by us to a file of rejects, and are nobody's data."""

NO_EXTRA: Mapping[str, object] = {}
_NAMES = frozenset(FIELDS)
_INSTANTS = tuple(f.name for f in FIELDS.values() if f.kind == "instant")
_IDS = tuple(f.name for f in FIELDS.values() if f.kind == "id")
_OF_CELLS: Mapping[str, Callable[[object], object]] = {
    **{f.name: read_integer for f in FIELDS.values() if f.kind == "integer"},
    "tags": read_tags,
    "events": read_list,
}
_NOT_BEFORE_OPENED = {
    "first_reply_at": "reply_before_open",
    "resolved_at": "resolved_before_open",
    "abandoned_at": "abandoned_before_open",
}
_CONTENT = msgspec.json.Encoder(order="sorted")


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
    row = _Row(fields, context, text=text)
    row.add_extra(extra)
    if not row.faults:
        try:
            interaction = msgspec.convert(row.values, Interaction)
        except msgspec.ValidationError:
            pass  # it tells the first mistake only, and not in the vendor's terms
        else:
            return _with_derived(interaction) if interaction.events else interaction
    raise RowRefused((*row.faults, *mistakes(row.values, FIELDS, row.refused)))


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

    def __init__(self, fields: Mapping[str, object], context: Context, *, text: bool) -> None:
        self.faults: list[Fault] = []
        self.refused: set[str] = set()
        self._extra: dict[str, object] = {}
        self.values: dict[str, object] = (
            {name: value for name, value in fields.items() if value}
            if text
            else {name: value for name, value in fields.items() if value is not None}
        )
        self._context = context
        if not _NAMES.issuperset(self.values):
            self._set_extra_apart()
        self._check_texts()
        if text:
            self._read_cells()
        self._read_instants()
        self._check_order()
        self._read_composites()
        supplied = context.supplied
        if supplied is not None and "events" not in supplied:
            self.values["first_reply_known"] = "first_reply_at" in supplied
            self.values["resolution_known"] = "resolved_at" in supplied

    def _refuse(self, name: str, code: str, detail: str) -> None:
        self.faults.append(Fault(code, detail, field=name))
        self.refused.add(name)
        self.values.pop(name, None)

    def _replace(self, name: str, read: Callable[[object], object]) -> None:
        try:
            self.values[name] = read(self.values[name])
        except (Unusable, BadInstant) as bad:
            self._refuse(name, bad.code, bad.detail)

    def _set_extra_apart(self) -> None:
        extra = {name: value for name, value in self.values.items() if name not in _NAMES}
        for name in extra:
            del self.values[name]
        self.add_extra(extra)

    def add_extra(self, extra: Mapping[str, object]) -> None:
        for name, value in extra.items():
            if name.startswith(OUR_COLUMNS):
                continue
            try:
                check_characters(name)
                self._extra[name] = plain(value)
            except Unusable as bad:
                self.faults.append(Fault(bad.code, bad.detail, field=name))
        if self._extra:
            self.values["extra"] = self._extra

    def _check_texts(self) -> None:
        together = "".join([value for value in self.values.values() if type(value) is str])
        if not together.isascii() or "\0" in together:
            self._check_characters(together)
        for name in _IDS:
            value = self.values.get(name)
            if type(value) is str and value != value.strip():
                self._refuse(name, "bad_value", f"{show(value)} has white space around it")

    def _check_characters(self, together: str) -> None:
        if is_illegal(together):
            for name, value in list(self.values.items()):
                if isinstance(value, str):
                    self._replace(name, plain)
        for name in _IDS:
            value = self.values.get(name)
            if isinstance(value, str):  # ids are compared as NFC: typed on two systems, still one
                self.values[name] = unicodedata.normalize("NFC", value)

    def _read_cells(self) -> None:
        for name, read in _OF_CELLS.items():
            if name in self.values:
                self._replace(name, read)

    def _read_instants(self) -> None:
        values, context = self.values, self._context
        for name in _INSTANTS:
            if name in values:
                try:
                    values[name] = _instant(values[name], context)
                except (Unusable, BadInstant) as bad:
                    self._refuse(name, bad.code, bad.detail)

    def _check_order(self) -> None:
        values = self.values
        opened_at = values.get("opened_at")
        if not isinstance(opened_at, int):
            return
        for name, code in _NOT_BEFORE_OPENED.items():
            at = values.get(name)
            if isinstance(at, int) and at < opened_at:
                opened = format_instant(opened_at)
                self._refuse(name, code, f"{format_instant(at)} lies before opened_at, {opened}")

    def _read_composites(self) -> None:
        if "vendor_quality" in self.values:
            self._replace("vendor_quality", read_percentage)
        if "tags" in self.values:
            self._replace("tags", plain)
        if "events" in self.values:
            try:
                self.values["events"] = read_events(
                    self.values["events"], lambda written: _instant(written, self._context)
                )
            except BadEvents as bad:
                self.faults += bad.faults
                self.refused.add("events")


def _instant(written: object, context: Context) -> Micros:
    instant = parse_instant(written, context.zone, context.date_order)
    if instant > context.now + CLOCK_SKEW:
        raise Unusable("future_timestamp", f"{show(written)} lies in the future")
    return instant


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
