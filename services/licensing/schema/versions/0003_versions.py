"""Versions of licenses: those that were, the one in force, and the one that is next."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
phase = "expand"

_NEW = (
    ("effective_from_us", sa.BigInteger()),
    ("next_version", sa.Integer()),
    ("next_terms", sa.String()),
    ("next_digest", sa.LargeBinary(32)),
    ("next_from_us", sa.BigInteger()),
)


def upgrade() -> None:
    for name, kind in _NEW:
        op.add_column("licenses", sa.Column(name, kind))
    op.create_table(
        "license_versions",
        sa.Column("license_id", sa.String(63), sa.ForeignKey("licenses.license_id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("terms", sa.String, nullable=False),
        sa.Column("terms_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at_us", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(160), nullable=False),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("effective_from_us", sa.BigInteger),
        sa.Column("withdrawn_at_us", sa.BigInteger),
    )
    _fill()


def _fill() -> None:
    """Every license has had one version until now, in force since it was first activated."""
    # States as they are stored: 1 is a draft, 2 active.
    op.execute(
        sa.text(
            "UPDATE licenses SET effective_from_us = ("
            " SELECT min(h.changed_at_us) FROM license_history AS h"
            " WHERE h.license_id = licenses.license_id AND h.state = 2"
            ") WHERE state <> 1"
        )
    )
    op.execute(
        sa.text(
            "INSERT INTO license_versions (license_id, version, terms, terms_digest, created_at_us,"
            " created_by, reason, effective_from_us, withdrawn_at_us)"
            " SELECT l.license_id, l.version, l.terms, l.terms_digest, l.created_at_us, h.changed_by,"
            " '', l.effective_from_us, NULL"
            " FROM licenses AS l JOIN license_history AS h ON h.license_id = l.license_id AND h.ordinal = 1"
        )
    )


def downgrade() -> None:
    op.drop_table("license_versions")
    for name, _ in reversed(_NEW):
        op.drop_column("licenses", name)
