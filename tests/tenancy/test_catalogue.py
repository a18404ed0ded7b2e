"""What PostgreSQL's own catalogue says of the second wall. A new table fails until it is behind it."""

from typing import Any

import psycopg
import pytest

from vendorwatch.db.wall import ROLE

# A merchant's name is nobody's else; the schema's version is no tenant's.
ABOVE_TENANTS = {"uq_merchants_name"}
WITHOUT_TENANTS = {"alembic_version"}
# All else is only ever added.
CHANGED = {
    "alarms": {
        "state", "message_id", "attempts", "next_attempt_at", "leased_until", "lease_token",
        "last_reply", "sent_at",
    },
    "agents": {"name", "team", "started_on", "ended_on", "languages", "aliases", "on_roster"},
    "api_keys": {"expires_at", "last_used_at", "revoked_at"},
    "assignments": {"excused"},
    "audit_heads": {"sequence"},
    "deliveries": {
        "state", "reason", "message_id", "attempts", "next_attempt_at", "leased_until", "lease_token",
        "last_reply", "sent_at",
    },
    "closing_failures": {"times", "reason", "failed_at"},
    "closing_rules": {"approval", "late_data", "first_month", "last_month", "updated_at"},
    "engagements": {"upload_sequence"},
    "interactions": {"in_force"},
    "issuances": {"state", "issued_at", "decided_by", "reason", "compared_at", "differs"},
    "merchants": {"created_at"},  # nothing writes it: a lock on a row needs one
    "recipients": {"removed_at", "bounced_at"},
}  # fmt: skip
_TABLES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
"""


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


@pytest.fixture
def catalogue(database_url: str) -> Any:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield lambda query, **values: connection.execute(query, values).fetchall()


@pytest.fixture
def tables(catalogue: Any) -> set[str]:
    return {name for (name,) in catalogue(_TABLES)} - WITHOUT_TENANTS


def test_row_level_security_is_forced_on_every_table(catalogue: Any, tables: set[str]) -> None:
    forced = catalogue("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
    assert {name for (name,) in forced} == tables
    assert len(tables) > 30  # with the partitions


def test_every_table_has_a_policy_for_every_command(catalogue: Any, tables: set[str]) -> None:
    found = catalogue("SELECT tablename, cmd, roles::text[], permissive FROM pg_policies")
    assert len(found) == len({(table, command) for table, command, *_ in found})
    for table in tables:
        policies = {command: rest for name, command, *rest in found if name == table}
        assert policies.keys() == {"SELECT", "INSERT", "UPDATE", "DELETE"}, table
        assert all(rest == [[ROLE], "PERMISSIVE"] for rest in policies.values()), table


def test_no_policy_lets_everything_through(catalogue: Any) -> None:
    """Each names a setting, or looks through a table whose policies do."""
    for table, command, seen, written in catalogue(
        "SELECT tablename, cmd, qual, with_check FROM pg_policies"
    ):
        for condition in filter(None, (seen, written)):
            assert "current_setting('vendorwatch." in condition, (table, command)


def test_the_role_has_no_powers(catalogue: Any) -> None:
    [powers] = catalogue(
        "SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication "
        "FROM pg_roles WHERE rolname = %(role)s",
        role=ROLE,
    )
    assert powers == (False,) * 6
    member_of = "SELECT 1 FROM pg_auth_members WHERE member = %(role)s::regrole"
    assert catalogue(member_of, role=ROLE) == []


def test_the_role_owns_nothing(catalogue: Any) -> None:
    owned = "SELECT classid::regclass, objid FROM pg_shdepend WHERE deptype = 'o' AND refobjid = "
    assert catalogue(owned + "%(role)s::regrole", role=ROLE) == []
    [(may_create,)] = catalogue(
        "SELECT has_schema_privilege(%(role)s, 'public', 'CREATE')", role=ROLE
    )
    assert not may_create


def test_rows_are_added_and_hardly_ever_changed(catalogue: Any, tables: set[str]) -> None:
    for table in tables:
        rights = {
            right
            for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
            if catalogue(
                "SELECT has_table_privilege(%(role)s, %(table)s, %(right)s)",
                role=ROLE, table=table, right=right,
            ) == [(True,)]
        }  # fmt: skip
        partition = table.startswith("interactions_p")
        assert rights == (set() if partition else {"SELECT", "INSERT"}), table
        changed = catalogue(
            "SELECT attname FROM pg_attribute WHERE attrelid = %(table)s::regclass AND attnum > 0 "
            "AND has_column_privilege(%(role)s, attrelid, attnum, 'UPDATE')",
            role=ROLE, table=table,
        )  # fmt: skip
        assert {name for (name,) in changed} == CHANGED.get(table, set()), table


def test_nobody_else_has_rights(catalogue: Any) -> None:
    granted = catalogue(
        "SELECT DISTINCT grantee FROM information_schema.role_table_grants "
        "WHERE table_schema = 'public'"
    )
    assert {name for (name,) in granted} == {"postgres", ROLE}


def test_every_unique_key_starts_with_the_tenant(catalogue: Any, tables: set[str]) -> None:
    """Without it, a conflict would tell that somebody else has that id."""
    keys = catalogue("""
        SELECT i.indexrelid::regclass::text, i.indrelid::regclass::text, a.attname
        FROM pg_index AS i
        JOIN pg_class AS c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indisunique
    """)
    assert {table for _, table, _ in keys} >= tables
    loose = [
        name
        for name, table, column in keys
        if column not in {"engagement_id", "merchant_id"}
        and name not in ABOVE_TENANTS
        and table not in WITHOUT_TENANTS
    ]
    assert loose == []


def test_nothing_else_shows_rows(catalogue: Any) -> None:
    """No view without the caller's rights, no materialized view, no sequence, no function."""
    shown = catalogue("""
        SELECT relname, relkind FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND (
            relkind IN ('m', 'S', 'f')
            OR relkind = 'v' AND NOT 'security_invoker=true' = ANY (coalesce(reloptions, '{}'))
        )
    """)
    assert shown == []
    functions = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    assert catalogue(functions) == []
