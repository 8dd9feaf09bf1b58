"""Several processes follow one history: states say when they changed, and profile ids are never given again.

States of posts, halts, signals, erasures and withdrawals.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
phase = "contract"

WIDE_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _head()
    _profiles()
    _states()
    _posts()
    _halts()
    _others()


def _added(table: str, *columns: tuple[str, sa.types.TypeEngine[Any], str]) -> None:
    """Adds columns that rows already there get a value for."""
    for name, kind, value in columns:
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=sa.text(value)))


def _head() -> None:
    number = sa.BigInteger()
    _added(
        "head",
        *(
            (name, number, "0")
            for name in ("latest_us", "subjects_at", "posts_at", "policies_at", "halts_at")
        ),
    )
    op.execute("UPDATE head SET subjects_at = number, policies_at = number")


def _profiles() -> None:
    """New ids are revisions, which are positive: those there are turned out of their way."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.drop_constraint("states_profile_id_fkey", "states", type_="foreignkey")
        op.execute("ALTER TABLE profiles ALTER profile_id DROP DEFAULT, ALTER profile_id TYPE BIGINT")
        op.execute("DROP SEQUENCE profiles_profile_id_seq")
        op.execute("ALTER TABLE states ALTER profile_id TYPE BIGINT")
    op.execute("UPDATE profiles SET profile_id = -profile_id")
    op.execute("UPDATE states SET profile_id = -profile_id")
    if postgresql:
        op.create_foreign_key("states_profile_id_fkey", "states", "profiles", ["profile_id"], ["profile_id"])


def _states() -> None:
    flag = "false" if op.get_bind().dialect.name == "postgresql" else "0"
    _added(
        "states",
        ("times", sa.String(), "'{}'"),
        ("erased", sa.Boolean(), flag),
        ("revision", sa.BigInteger(), "0"),
    )
    op.add_column("states", sa.Column("seen_us", sa.BigInteger))
    op.execute("UPDATE states SET revision = (SELECT number FROM head)")
    op.create_index("ix_states_revision", "states", ["revision"])
    _added(
        "subjects",
        ("withheld", sa.String(), "''"),
        ("kind", sa.Integer(), "0"),
        ("occurred_us", sa.BigInteger(), "0"),
    )
    op.execute("UPDATE subjects SET occurred_us = recorded_us")
    # Those who were described have been at some time; that of the record is the latest that it can have been.
    op.execute(
        "UPDATE states SET seen_us = (SELECT max(recorded_us) FROM subjects "
        "WHERE subjects.subject_id = states.subject_id)"
    )
    # [jurisdiction, states, notices] gets a fourth part: no countries.
    statement = (
        "UPDATE profiles SET content = substr(content, 1, instr(content, ']') - 1) || ',\"\"' || "
        "substr(content, instr(content, ']')) WHERE content NOT LIKE '[null%'"
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    op.execute(statement.replace("instr", "strpos") if postgresql else statement)


def _posts() -> None:
    op.create_table(
        "posts",
        sa.Column("revision", WIDE_KEY, primary_key=True),
        sa.Column("post_id", sa.BigInteger, nullable=False),
        sa.Column("marks", sa.Integer, nullable=False),
        sa.Column("withheld", sa.String, nullable=False),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("occurred_us", sa.BigInteger, nullable=False),
        sa.Column("recorded_us", sa.BigInteger, nullable=False),
        sa.Column("recorded_by", sa.String(160), nullable=False),
    )
    op.create_index("ix_posts_post_id", "posts", ["post_id"])
    op.create_table(
        "post_states",
        sa.Column("post_id", WIDE_KEY, primary_key=True),
        sa.Column("marks", sa.Integer, nullable=False),
        sa.Column("withheld", sa.String, nullable=False),
        sa.Column("times", sa.String, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_post_states_revision", "post_states", ["revision"])


def _halts() -> None:
    op.create_table(
        "halts",
        sa.Column("halt_id", WIDE_KEY, primary_key=True),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("value", sa.String(63), nullable=False),
        sa.Column("cause", sa.String(500), nullable=False),
        sa.Column("recall", sa.Boolean, nullable=False),
        sa.Column("ordered_us", sa.BigInteger, nullable=False),
        sa.Column("ordered_by", sa.String(160), nullable=False),
    )
    op.create_table(
        "halt_ends",
        sa.Column("halt_id", WIDE_KEY, sa.ForeignKey("halts.halt_id"), primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False, unique=True),
        sa.Column("lifted_us", sa.BigInteger, nullable=False),
        sa.Column("lifted_by", sa.String(160), nullable=False),
    )


def _others() -> None:
    op.create_table(
        "signals",
        sa.Column("subject_id", sa.BigInteger, primary_key=True),
        sa.Column("source", sa.String(127), primary_key=True),
        sa.Column("signal", sa.String(16), primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "erasures",
        sa.Column("revision", WIDE_KEY, primary_key=True),
        sa.Column("subject_id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("erased_us", sa.BigInteger, nullable=False),
        sa.Column("erased_by", sa.String(160), nullable=False),
    )
    op.create_table(
        "withdrawals",
        sa.Column("revision", WIDE_KEY, primary_key=True),
        sa.Column("cause", sa.Integer, nullable=False),
        sa.Column("subject_id", sa.BigInteger, nullable=False),
        sa.Column("post_id", sa.BigInteger, nullable=False),
        sa.Column("licensee", sa.String(63), nullable=False),
        sa.Column("purposes", sa.String(64), nullable=False),
        sa.Column("countries", sa.String, nullable=False),
        sa.Column("policy_version", sa.Integer, nullable=False),
        sa.Column("halt_kind", sa.Integer, nullable=False),
        sa.Column("halt_value", sa.String(63), nullable=False),
        sa.Column("recorded_us", sa.BigInteger, nullable=False),
    )
    # What was denied before there was a stream of withdrawals begins it.
    op.execute(
        "INSERT INTO withdrawals SELECT revision, 1, subject_id, 0, licensee, "
        "CASE WHEN purpose <= 1 THEN '1,2,3,4,5,6,7' ELSE CAST(purpose AS VARCHAR(64)) END, "
        "'', 0, 0, '', recorded_us FROM choices WHERE stance = 2"
    )
    op.execute(
        "INSERT INTO withdrawals SELECT revision, 2, subject_id, 0, '', '1,2,3,4,5,6,7,8', '', 0, 0, '', "
        "recorded_us FROM subjects WHERE states <> 0"
    )
