"""Temporary tables for an upload's rows, and the statements that lead from there into
`interactions`, `rejects` and `agents`.
"""

from functools import cached_property
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Delete,
    Insert,
    Integer,
    MetaData,
    Select,
    Subquery,
    Table,
    TextClause,
    Update,
    Uuid,
    and_,
    bindparam,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

_BY_UPLOAD = ("engagement_id", "in_force", "upload_sequence")  # known or decided on insertion
BEFORE_ALL_TIME = -(2**62)  # a revision without source_updated_at gives way to any with one

# Written out because SQLAlchemy says `in_force = 1` on SQLite, which does not match the condition
# of the partial indexes.
IN_FORCE = text("interactions.in_force")

_OWNER = bindparam("owner", type_=Uuid(as_uuid=False))
_SEQUENCE = bindparam("sequence", type_=BigInteger)
_NOW = bindparam("now", type_=BigInteger)


class StagedTables:
    """For the tables `interactions`, `rejects` and `agents`; `columns` and `reject_columns` are the
    cells of what is staged for the first two.

    `lasting`: what is staged outlives its transaction, and goes with its connection; for files that
    take long to read.

    Statements are put together once: that costs more than a few rows do.
    """

    def __init__(
        self,
        interactions: Table,
        columns: tuple[str, ...],
        rejects: Table,
        reject_columns: tuple[str, ...],
        agents: Table,
        *,
        lasting: bool,
    ) -> None:
        self._all = interactions
        self._rejects = rejects
        self._agents = agents
        self.columns = columns
        self.reject_columns = reject_columns
        self.is_lasting = lasting
        self.metadata = MetaData()
        self.staged = self._temporary("staged_interactions", interactions, columns)
        self.refused = self._temporary("staged_rejects", rejects, reject_columns)
        self.seen = self._temporary("staged_agents", agents, ("agent_id",))
        self.fresh = self._table(
            "fresh_interactions",
            Column("row_number", Integer, primary_key=True),
            Column("source_account", interactions.c.source_account.type, nullable=False),
            Column("interaction_id", interactions.c.interaction_id.type, nullable=False),
            Column("known", Boolean, nullable=False),  # there before this upload
            Column("in_force", Boolean, nullable=False),
        )

    def _temporary(self, name: str, like: Table, columns: tuple[str, ...]) -> Table:
        carried = [like.c[column] for column in columns]
        return self._table(name, *(Column(c.name, c.type, nullable=c.nullable) for c in carried))

    def _table(self, name: str, *columns: Column[object]) -> Table:
        return Table(
            f"lasting_{name}" if self.is_lasting else name,
            self.metadata,
            *columns,
            prefixes=["TEMPORARY"],
            postgresql_on_commit="PRESERVE ROWS" if self.is_lasting else "DELETE ROWS",
        )

    @cached_property
    def clearing(self) -> tuple[Delete, ...]:
        return tuple(delete(table) for table in self.metadata.sorted_tables)

    @cached_property
    def any_known(self) -> Select[bool]:
        staged, interactions = self.staged.c, self._all.c
        there = exists().where(
            interactions.engagement_id == _OWNER,
            interactions.source_account == staged.source_account,
            interactions.interaction_id == staged.interaction_id,
        )
        return select(exists(select(staged.row_number).where(there)))

    def _copies(self) -> Subquery:
        """Keys of the rows that the table has not; `copy` counts equal rows of the file."""
        staged, interactions = self.staged.c, self._all.c
        there = exists().where(
            interactions.engagement_id == _OWNER,
            interactions.source_account == staged.source_account,
            interactions.interaction_id == staged.interaction_id,
            interactions.content_sha256 == staged.content_sha256,
        )
        copy = func.row_number().over(
            partition_by=[staged.source_account, staged.interaction_id, staged.content_sha256],
            order_by=staged.row_number,
        )
        return (
            select(
                staged.row_number,
                staged.source_account,
                staged.interaction_id,
                func.coalesce(staged.source_updated_at, BEFORE_ALL_TIME).label("updated_at"),
                copy.label("copy"),
            )
            .where(~there)
            .subquery("copies")
        )

    @cached_property
    def find_fresh(self) -> Insert:
        """Narrow rows of what is new, each with whether it comes into force.

        A row is not new if the same revision is in the table, or earlier in the same file. The
        window functions sort keys only, never whole rows.
        """
        copies, rival = self._copies().c, self._all.c
        newest = (
            func.row_number().over(
                partition_by=[copies.source_account, copies.interaction_id],
                order_by=[copies.updated_at.desc(), copies.row_number.desc()],
            )
            == 1
        )
        # On a tie, the later upload wins.
        beats = or_(
            rival.interaction_id.is_(None),
            copies.updated_at >= func.coalesce(rival.source_updated_at, BEFORE_ALL_TIME),
        )
        is_rival = and_(
            rival.engagement_id == _OWNER,
            rival.source_account == copies.source_account,
            rival.interaction_id == copies.interaction_id,
            IN_FORCE,
        )
        fresh = (
            select(
                copies.row_number,
                copies.source_account,
                copies.interaction_id,
                rival.interaction_id.is_not(None),
                and_(newest, beats),
            )
            .select_from(copies.row_number.table.outerjoin(self._all, is_rival))
            .where(copies.copy == 1)
        )
        return insert(self.fresh).from_select([c.name for c in self.fresh.columns], fresh)

    @cached_property
    def count_fresh(self) -> Select[int, int]:
        fresh = self.fresh.c
        # Of an interaction that was not there, exactly one row comes into force.
        created = func.count().filter(~fresh.known, fresh.in_force)
        return select(func.count(), created).select_from(self.fresh)

    @cached_property
    def retire_beaten(self) -> Update:
        fresh, interactions = self.fresh.c, self._all.c
        beaten = select(fresh.source_account, fresh.interaction_id).where(
            fresh.known, fresh.in_force
        )
        return (
            update(self._all)
            .where(
                interactions.engagement_id == _OWNER,
                tuple_(interactions.source_account, interactions.interaction_id).in_(beaten),
                IN_FORCE,
            )
            .values(in_force=False)
        )

    @cached_property
    def insert_staged(self) -> Insert:
        """Where all that is staged is new, and so in force."""
        rows = select(_OWNER, true(), _SEQUENCE, *(self.staged.c[name] for name in self.columns))
        return insert(self._all).from_select([*_BY_UPLOAD, *self.columns], rows)

    @cached_property
    def insert_fresh(self) -> Insert:
        rows = select(
            _OWNER,
            self.fresh.c.in_force,
            _SEQUENCE,
            *(self.staged.c[name] for name in self.columns),
        ).join_from(self.staged, self.fresh, self.fresh.c.row_number == self.staged.c.row_number)
        return insert(self._all).from_select([*_BY_UPLOAD, *self.columns], rows)

    @cached_property
    def empty_staged(self) -> TextClause:
        return text(f"TRUNCATE {self.staged.name}")

    @cached_property
    def insert_rejects(self) -> Insert:
        rejects, refused = self._rejects, self.refused.c
        rows = select(
            _OWNER,
            _SEQUENCE,
            *(refused[name] for name in self.reject_columns),
        )
        names = ["engagement_id", "upload_sequence", *self.reject_columns]
        return insert(rejects).from_select(names, rows)

    @cached_property
    def add_agents_postgresql(self) -> Insert:
        names, rows = self._unknown_agents("C")
        return postgresql.insert(self._agents).from_select(names, rows).on_conflict_do_nothing()

    @cached_property
    def add_agents_sqlite(self) -> Insert:
        names, rows = self._unknown_agents("BINARY")
        return sqlite.insert(self._agents).from_select(names, rows).on_conflict_do_nothing()

    def _unknown_agents(self, code_points: str) -> tuple[list[str], Select[*tuple[Any, ...]]]:
        """Those that are not known yet, without a name and off the roster."""
        agents, seen = self._agents, self.seen.c.agent_id
        there = exists().where(agents.c.engagement_id == _OWNER, agents.c.agent_id == seen)
        unknown = select(seen).where(~there).distinct().subquery("unknown").c.agent_id
        values: dict[str, ColumnElement[Any]] = {
            "engagement_id": _OWNER,
            "agent_id": unknown,
            "languages": literal("[]"),
            "aliases": literal("[]"),
            "on_roster": false(),
            "created_at": _NOW,
        }
        rows = (
            select(*values.values())
            .where(true())  # SQLite takes what follows for a join without it
            # Everybody adds agents in this order: two at once then wait instead of deadlocking.
            .order_by(unknown.collate(code_points))
        )
        return list(values), rows
