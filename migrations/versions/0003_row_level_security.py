"""The second wall between tenants: row-level security, and a role that only it lets see rows."""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROLE = "vendorwatch_app"
PARTITIONS = 16  # as in 0001


def _setting(name: str, kind: str = "uuid") -> str:
    """Read once for a statement, not once for a row; after a transaction it is '', not null."""
    return f"(SELECT NULLIF(current_setting('vendorwatch.{name}', true), '')::{kind})"


_ENGAGEMENT = f"engagement_id = {_setting('engagement')}"
_MERCHANT = f"merchant_id = {_setting('merchant')}"
_OPERATOR = f"{_setting('operator', 'text')} = 'on'"


def _of_engagement(column: str) -> str:
    """What the engagement at hand itself names, such as its merchant."""
    return f"{column} = (SELECT own.{column} FROM engagements AS own WHERE own.{_ENGAGEMENT})"  # noqa: S608  names of our own


_OWN_MERCHANT = _of_engagement("merchant_id")
_SIBLING = f"engagement_id IN (SELECT sibling.engagement_id FROM engagements AS sibling WHERE sibling.{_MERCHANT})"  # noqa: S608  names of our own
# These look at tables with policies of their own: an engagement sees its own assignments only.
_ASSIGNED = "EXISTS (SELECT FROM assignments AS own WHERE own.merchant_id = {0}.merchant_id AND own.check_id = {0}.check_id)"
_PINNED = "EXISTS (SELECT FROM check_questions AS pin WHERE pin.merchant_id = {0}.merchant_id AND pin.question_id = {0}.question_id AND pin.version = {0}.version)"

# Which rows of each table are seen, and which are written. Others' do not exist.
POLICIES = {
    "merchants": (f"{_MERCHANT} OR {_OWN_MERCHANT} OR {_OPERATOR}", f"{_MERCHANT} OR {_OPERATOR}"),
    "vendors": (f"{_MERCHANT} OR {_of_engagement('vendor_id')} OR {_OPERATOR}", _OPERATOR),
    "engagements": (
        f"{_ENGAGEMENT} OR {_MERCHANT} OR {_OPERATOR}",
        f"{_ENGAGEMENT} OR {_OPERATOR}",
    ),
    "api_keys": (
        f"{_ENGAGEMENT} OR key_id = {_setting('key', 'text')}",
        f"{_ENGAGEMENT} AND {_OWN_MERCHANT}",
    ),
    "interactions": (f"{_ENGAGEMENT} OR {_SIBLING}", _ENGAGEMENT),
    "scorecards": (f"{_ENGAGEMENT} OR {_OPERATOR}", _ENGAGEMENT),
    **dict.fromkeys(
        ("agents", "answers", "attempts", "mappings", "policies", "rejects", "uploads"),
        (_ENGAGEMENT, _ENGAGEMENT),
    ),
    # They name the merchant, too: another's must not be named.
    **dict.fromkeys(
        ("assignments", "quality_reviews"), (_ENGAGEMENT, f"{_ENGAGEMENT} AND {_OWN_MERCHANT}")
    ),
    "rubrics": (f"{_MERCHANT} OR {_OWN_MERCHANT}", _MERCHANT),
    # A vendor knows of the checks that its agents were assigned, and of what those ask.
    **{
        name: (f"{_MERCHANT} OR {condition.format(name)}", _MERCHANT)
        for name, condition in {
            "checks": _ASSIGNED,
            "check_questions": _ASSIGNED,
            "questions": _PINNED,
            "question_withdrawals": _PINNED,
        }.items()
    },
}

# All else is only ever added. A lock on a row, too, needs the right to change one of its columns.
_CHANGED = {
    "agents": "name, team, started_on, ended_on, languages, aliases, on_roster",
    "api_keys": "expires_at, last_used_at, revoked_at",
    "assignments": "excused",
    "engagements": "upload_sequence",
    "interactions": "in_force",
    "merchants": "created_at",
}

_MAKE_ROLE = f"""
    DO $$ BEGIN
        CREATE ROLE {ROLE} NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- made meanwhile for another database of this server
    END $$
"""


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    _prepare_role(op.get_bind())
    _grant(op.get_bind())
    for table in POLICIES:
        _protect(table, table)
    for part in range(PARTITIONS):
        _protect(f"interactions_p{part:02}", "interactions")


def downgrade() -> None:
    """The role stays: it belongs to the server, and another database may use it."""
    if op.get_context().dialect.name != "postgresql":
        return
    partitions = [f"interactions_p{part:02}" for part in range(PARTITIONS)]
    for table in (*POLICIES, *partitions):
        for command in ("select", "insert", "update", "delete"):
            op.execute(f"DROP POLICY {ROLE}_{command} ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute(f"REVOKE ALL ON {', '.join(POLICIES)}, alembic_version FROM {ROLE}")
    # Rights on columns fall with those on their table, and the one on the schema harms nothing.


def _protect(table: str, like: str) -> None:
    """FORCE, because ENABLE alone leaves the owner outside."""
    seen, written = (condition.replace(f"{like}.", f"{table}.") for condition in POLICIES[like])
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for command, conditions in {
        "select": f"USING ({seen})",
        "insert": f"WITH CHECK ({written})",
        "update": f"USING ({written}) WITH CHECK ({written})",
        "delete": f"USING ({written})",
    }.items():
        op.execute(
            f"CREATE POLICY {ROLE}_{command} ON {table} FOR {command.upper()} TO {ROLE} {conditions}"
        )


def _grant(connection: sa.Connection) -> None:
    schema = connection.execute(
        sa.text("SELECT current_schema(), has_schema_privilege(:role, current_schema(), 'USAGE')"),
        {"role": ROLE},
    ).one()
    if not schema[1]:
        quoted = connection.dialect.identifier_preparer.quote(schema[0])
        op.execute(f"GRANT USAGE ON SCHEMA {quoted} TO {ROLE}")
    op.execute(f"GRANT SELECT ON alembic_version TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT ON {', '.join(POLICIES)} TO {ROLE}")
    for table, columns in _CHANGED.items():
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO {ROLE}")


def _prepare_role(connection: sa.Connection) -> None:
    """Raises CommandError, with what to ask the administrator for, where we may not do it."""
    try:
        with connection.begin_nested():
            _make_role(connection)
    except sa.exc.ProgrammingError as error:
        user = connection.execute(sa.text("SELECT quote_ident(current_user)")).scalar_one()
        raise CommandError(
            f"The role {ROLE} is needed, and {user} may not make or enter it. As an administrator "
            f"of the database run: CREATE ROLE {ROLE} NOLOGIN; GRANT {ROLE} TO {user};"
        ) from error
    powers = sa.text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = :role")
    if connection.execute(powers, {"role": ROLE}).scalar_one():
        raise CommandError(
            f"The role {ROLE} passes row-level security. As an administrator of the database run: "
            f"ALTER ROLE {ROLE} NOSUPERUSER NOBYPASSRLS;"
        )


def _make_role(connection: sa.Connection) -> None:
    there = sa.text("SELECT count(*) FROM pg_roles WHERE rolname = :role")
    if not connection.execute(there, {"role": ROLE}).scalar_one():
        connection.execute(sa.text(_MAKE_ROLE))
    # From PostgreSQL 16 on, whoever makes a role is not by that allowed to act as it.
    may_enter = sa.text(f"""
        SELECT pg_has_role(current_user, '{ROLE}',
            CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END)
    """)
    if not connection.execute(may_enter).scalar_one():
        connection.execute(sa.text(f"GRANT {ROLE} TO CURRENT_USER"))
