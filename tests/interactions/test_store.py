"""The set-based insert against a plain dict that does the same row by row, on both engines."""

import asyncio
import hashlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vendorwatch.db.engine import Database
from vendorwatch.db.scope import Scope
from vendorwatch.interactions import store
from vendorwatch.interactions.batches import Batch
from vendorwatch.interactions.intake import REJECT_COLUMNS, STAGED_COLUMNS
from vendorwatch.interactions.model import Cell, Effect, Filter, Receipt, StoredUpload
from vendorwatch.interactions.packing import Engine, pack
from vendorwatch.interactions.staging import Stretches
from vendorwatch.vendors import service as vendors

_names = iter(range(10**9))


@dataclass(frozen=True)
class Sent:
    """What decides the fate of a row: the rest of it makes the content different."""

    name: str = "T-1"
    account: str = ""
    updated_at: int | None = None
    text: str = "a"

    @property
    def content(self) -> bytes:
        return hashlib.sha256(repr(self).encode()).digest()

    def staged(self, row: int) -> tuple[Cell, ...]:
        cells: dict[str, Cell] = dict.fromkeys(STAGED_COLUMNS)
        cells |= {
            "source_account": self.account,
            "interaction_id": self.name,
            "content_sha256": self.content,
            "row_number": row,
            "source_system": "custom",
            "source_updated_at": self.updated_at,
            "channel": "email",
            "direction": "inbound",
            "status": "open",
            "opened_at": 0,
            "first_reply_known": True,
            "resolution_known": False,
            "resolved_by": "unknown",
            "topic": self.text,
        }
        return tuple(cells[name] for name in STAGED_COLUMNS)


@dataclass
class Model:
    """The same, written as one would say it: newest source_updated_at, then upload, then row."""

    revisions: dict[tuple[str, str], dict[bytes, tuple[int, int, int]]] = field(
        default_factory=dict
    )

    def upload(self, sequence: int, rows: Sequence[Sent]) -> Effect:
        created = revised = duplicate = 0
        for number, sent in enumerate(rows, start=1):
            known = self.revisions.setdefault((sent.account, sent.name), {})
            if sent.content in known:
                duplicate += 1
                continue
            created += not known
            revised += bool(known)
            updated_at = -1 if sent.updated_at is None else sent.updated_at
            known[sent.content] = (updated_at, sequence, number)
        return Effect(created, revised, duplicate)

    def in_force(self) -> dict[tuple[str, str], bytes]:
        return {name: max(known, key=lambda c: known[c]) for name, known in self.revisions.items()}


async def new_scope(database: Database) -> Scope:
    async with database.write_as_operator() as connection:
        made = await vendors.create_engagement(
            connection, merchant=f"M{next(_names)}", vendor="V", time_zone="UTC", now=0
        )
    return made.scope


def is_distinct(rows: Sequence[Sent]) -> bool:
    return len({(sent.account, sent.name) for sent in rows}) == len(rows)


def packed(database: Database, rows: Sequence[tuple[Cell, ...]]) -> Batch:
    return Batch((0, 0), len(rows), pack(STAGED_COLUMNS, rows, _engine(database)), None, None)


def _engine(database: Database) -> Engine:
    return "postgresql" if database.is_postgresql else "sqlite"


async def upload(
    database: Database,
    scope: Scope,
    sequence: int,
    rows: Sequence[Sent],
    batch: int = 1000,
    windows: Sequence[Sequence[int]] | None = None,
) -> Effect:
    """With `windows` as if the rows were stored while they are read, by two readers: of which rows,
    from 1 on, each window is.
    """
    staged = [sent.staged(number) for number, sent in enumerate(rows, start=1)]
    if windows is not None:
        return await upload_meanwhile(database, scope, sequence, staged, windows)
    async with database.workbench(scope) as bench:
        bench.use_up()
        async with bench.aside() as connection:
            await store.LASTING.prepare(connection)
            for start in range(0, len(staged), batch):
                await store.LASTING.add(connection, packed(database, staged[start : start + batch]))
        async with bench.write() as connection:
            assert await store.lock_engagement(connection, scope) == sequence - 1
            effect = await store.LASTING.find(
                connection, scope, staged=len(staged), is_distinct=is_distinct(rows)
            )
            await store.LASTING.move(connection, scope, effect, sequence=sequence)
            made = stored(sequence, effect)
            await store.insert_upload(
                connection, scope, made, idempotency_key=None, key_id=None, read_by=None
            )
    return effect


async def upload_meanwhile(
    database: Database,
    scope: Scope,
    sequence: int,
    staged: Sequence[tuple[Cell, ...]],
    windows: Sequence[Sequence[int]],
) -> Effect:
    async with database.workbench(scope) as bench:
        async with bench.aside() as connection:
            if store.BRIEF.name not in bench.laid_out:
                await store.BRIEF.prepare(connection)
                bench.laid_out.add(store.BRIEF.name)
        async with bench.write_at_once() as connection_:
            assert connection_ is not None
            rows = Stretches(store.BRIEF, connection_, scope, sequence=sequence, at_once=2)
            for number, window in enumerate(windows):
                for share in (1, 0):
                    own = [staged[row - 1] for row in window if row % 2 == share]
                    batch = pack(STAGED_COLUMNS, own, "postgresql")
                    await rows.add(Batch((number, 0), len(own), batch, None, None))
            effect = await rows.move_rest()
            await store.insert_upload(
                connection_,
                scope,
                stored(sequence, effect),
                idempotency_key=None,
                key_id=None,
                read_by=None,
            )
    return effect


def stored(sequence: int, effect: Effect) -> StoredUpload:
    receipt = Receipt(
        upload_id=str(uuid.uuid4()),
        sequence=sequence,
        received_at=0,
        status="stored",
        format="canonical",
        media_type="text/csv",
        content_encoding="identity",
        mapping_version=None,
        time_zone=None,
        mode="partial",
        size_bytes=0,
        received=effect.created + effect.revised + effect.duplicate,
        created=effect.created,
        revised=effect.revised,
        duplicate=effect.duplicate,
        rejected=0,
        skipped=0,
        excluded=0,
        claims_differ=0,
        first_opened_at=None,
        last_opened_at=None,
        measurable=(),
        extra_columns=(),
        flags=(),
        sha256=bytes(32),
        previous_sha256=None,
    )
    return StoredUpload(
        receipt=receipt,
        receipt_sha256=receipt.receipt_sha256(),
        request_sha256=bytes(32),
        content_type="text/csv",
        columns=("a", "b"),
    )


async def found_in_force(database: Database, scope: Scope) -> dict[tuple[str, str], bytes]:
    async with database.read(scope) as connection:
        rows = await store.in_force(connection, scope, Filter(), after=None, limit=1000)
    assert len({(r.source_account, r.interaction_id) for r in rows}) == len(rows)
    return {(r.source_account, r.interaction_id): bytes.fromhex(r.content_sha256) for r in rows}


async def all_rows(database: Database, scope: Scope) -> list[tuple[object, ...]]:
    names = ("source_account", "interaction_id", "content_sha256", "upload_sequence", "row_number")
    async with database.read(scope) as connection:
        rows = await store.all_revisions(connection, scope, after=None, limit=1000)
    return sorted((*(row[name] for name in names), row["in_force"]) for row in rows)


async def test_uploads_without_a_time_of_change_the_later_one_is_in_force(
    database: Database,
) -> None:
    scope = await new_scope(database)
    first, second = Sent(text="a"), Sent(text="b")
    assert await upload(database, scope, 1, [first, second]) == Effect(1, 1, 0)
    assert await found_in_force(database, scope) == {("", "T-1"): second.content}
    # What was said before has no effect when it is said again.
    assert await upload(database, scope, 2, [first, first]) == Effect(0, 0, 2)
    assert await found_in_force(database, scope) == {("", "T-1"): second.content}
    third = Sent(text="c")
    assert await upload(database, scope, 3, [third, first]) == Effect(0, 1, 1)
    assert await found_in_force(database, scope) == {("", "T-1"): third.content}


async def test_an_older_state_that_comes_late_is_kept_and_not_in_force(database: Database) -> None:
    scope = await new_scope(database)
    new, old, undated = Sent(updated_at=9), Sent(updated_at=5), Sent(updated_at=None)
    await upload(database, scope, 1, [new])
    assert await upload(database, scope, 2, [old, undated]) == Effect(0, 2, 0)
    assert await found_in_force(database, scope) == {("", "T-1"): new.content}
    async with database.read(scope) as connection:
        revisions = await store.revisions(connection, scope, "", "T-1")
    assert [(r.row, r.in_force) for r in revisions] == [(1, True), (1, False), (2, False)]


async def test_an_upload_that_rolls_back_leaves_nothing_for_the_next(database: Database) -> None:
    scope = await new_scope(database)

    async def fail_midway() -> None:
        async with database.workbench(scope) as bench:
            async with bench.aside() as connection:
                await store.BRIEF.prepare(connection)
            async with bench.write() as connection:
                await store.BRIEF.add(connection, packed(database, [Sent(name="lost").staged(1)]))
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_midway()
    async with database.workbench(scope) as bench, bench.write() as connection:
        await store.BRIEF.add(connection, packed(database, [Sent(name="kept").staged(1)]))
        effect = await store.BRIEF.find(connection, scope, staged=1, is_distinct=True)
    assert effect == Effect(1, 0, 0)


async def test_engagements_do_not_meet(database: Database) -> None:
    one, other = await new_scope(database), await new_scope(database)
    assert await upload(database, one, 1, [Sent(updated_at=9)]) == Effect(1, 0, 0)
    assert await upload(database, other, 1, [Sent(updated_at=5)]) == Effect(1, 0, 0)
    assert await found_in_force(database, one) == {("", "T-1"): Sent(updated_at=9).content}
    assert await found_in_force(database, other) == {("", "T-1"): Sent(updated_at=5).content}


async def test_a_thousand_rows_are_staged_in_batches(database: Database) -> None:
    scope = await new_scope(database)
    rows = [Sent(name=f"T-{n}") for n in range(1000)]
    assert await upload(database, scope, 1, rows, batch=300) == Effect(1000, 0, 0)
    changed = [replace(sent, text="b") for sent in rows]
    assert await upload(database, scope, 2, rows + changed, batch=300) == Effect(0, 1000, 1000)
    expected = {("", sent.name): sent.content for sent in changed}
    assert await found_in_force(database, scope) == expected


async def test_of_equal_rows_in_one_window_the_first_is_stored_whichever_comes_first(
    database: Database,
) -> None:
    scope, equal = await new_scope(database), [Sent(name="T-2"), Sent(name="T-2")]
    rows = [Sent(name="T-1"), *equal, Sent(name="T-4")]
    windows = [[1, 2, 3, 4]] if database.is_postgresql else None
    assert await upload(database, scope, 1, rows, windows=windows) == Effect(3, 0, 1)
    assert [row[4] for row in await all_rows(database, scope)] == [1, 2, 4]


async def test_rejects_come_back_byte_for_byte_in_the_order_of_the_file(database: Database) -> None:
    scope = await new_scope(database)
    raws = [b"\x00\xff,\r\n\t\\N", b"", b"\\.\n"]
    rows = [
        (number, "rejected", number, 10 * number, None, "malformed", "no", '[{"a":1}]', raw)
        for number, raw in enumerate(raws, start=1)
    ]
    assert len(rows[0]) == len(REJECT_COLUMNS)
    async with database.workbench(scope) as bench:
        bench.use_up()
        async with bench.aside() as connection:
            await store.LASTING.prepare(connection)
            await store.LASTING.add(
                connection,
                Batch((0, 0), 0, None, pack(REJECT_COLUMNS, rows, _engine(database)), None),
            )
        async with bench.write() as connection:
            nothing = Effect(0, 0, 0)
            await store.LASTING.finish(connection, scope, nothing, sequence=7, rejects=3, now=0)
    async with database.read(scope) as connection:
        first = await store.rejects(connection, scope, 7, after=0, limit=2)
        rest = await store.rejects(connection, scope, 7, after=first[-1].row, limit=2)
        assert await store.rejects(connection, scope, 8, after=0, limit=2) == []
    assert [reject.raw for reject in first + rest] == raws
    assert first[0].errors == ({"a": 1},)


async def test_a_stored_receipt_reads_back_as_it_was(database: Database) -> None:
    scope = await new_scope(database)
    made = stored(1, Effect(0, 0, 0))
    made = replace(
        made, receipt=replace(made.receipt, measurable=("csat",), extra_columns=("a, b", "ü"))
    )
    made = replace(made, receipt_sha256=made.receipt.receipt_sha256())
    async with database.write(scope) as connection:
        await store.insert_upload(
            connection, scope, made, idempotency_key="k", key_id="id", read_by=b"r"
        )
    async with database.read(scope) as connection:
        content = made.request_sha256
        for key, request, read_by, found in (
            ("k", b"?", b"r", (made, None)),
            ("k", content, b"r", (made, made)),
            ("K", content, b"r", (None, made)),
            ("K", content, b"R", (None, None)),
            ("K", b"?", b"r", (None, None)),
        ):
            assert found == await store.upload_by_key_or_content(
                connection, scope, (key,), request, read_by, now=made.receipt.received_at
            )
        assert made.receipt.upload_id is not None
        assert await store.upload(connection, scope, made.receipt.upload_id) == made
        for key, place, expected in (
            ("k", 1, (made, made.receipt_sha256)),
            ("x", 1, (None, made.receipt_sha256)),
            ("k", 2, (made, None)),
            ("x", 2, (None, None)),
        ):
            found = await store.upload_by_key_or_place(connection, scope, (key,), place)
            assert found == expected


rows_of_a_file = st.lists(
    st.builds(
        Sent,
        name=st.sampled_from(["a", "b", "ä"]),
        account=st.sampled_from(["", "x"]),
        updated_at=st.sampled_from([None, 0, 1, 2]),
        text=st.sampled_from(["1", "2"]),
    ),
    max_size=8,
)


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def test_any_sequence_of_uploads_does_what_the_dict_does(
    database_url: str, loop: asyncio.Runner
) -> None:
    async def opened() -> Database:
        return Database(database_url)

    database = loop.run(opened())

    async def run(files: list[list[Sent]], window: int) -> None:
        scope, model = await new_scope(database), Model()
        meanwhile, told = await new_scope(database), Model()
        for sequence, rows in enumerate(files, start=1):
            assert await upload(database, scope, sequence, rows) == model.upload(sequence, rows)
            assert await found_in_force(database, scope) == model.in_force()
            if database.is_postgresql:
                numbers = range(1, len(rows) + 1)
                windows = [numbers[n : n + window] for n in range(0, len(rows), window)]
                effect = await upload(database, meanwhile, sequence, rows, windows=windows)
                assert effect == told.upload(sequence, rows)
                assert await found_in_force(database, meanwhile) == told.in_force()
                assert await all_rows(database, meanwhile) == await all_rows(database, scope)

    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.lists(rows_of_a_file, min_size=1, max_size=4), st.integers(1, 4))
    def check(files: list[list[Sent]], window: int) -> None:
        loop.run(run(files, window))

    check()

    @settings(max_examples=10, deadline=None, database=None)
    @given(st.permutations([Sent(updated_at=n, text="1") for n in range(4)]), st.integers(1, 4))
    def check_order(rows: list[Sent], cut: int) -> None:
        """Dated revisions give the same row in force in any order and in any cut into files."""

        async def send_both() -> None:
            scope = await new_scope(database)
            await upload(database, scope, 1, rows[:cut])
            await upload(database, scope, 2, rows[cut:])
            found = await found_in_force(database, scope)
            assert found == {("", "T-1"): Sent(updated_at=3, text="1").content}

        loop.run(send_both())

    check_order()
    loop.run(database.close())
