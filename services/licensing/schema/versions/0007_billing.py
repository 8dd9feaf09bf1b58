"""Invoices and credit notes; and of decisions and confirmations what billing adds up.

Nothing is counted here: what is on record is before anything is billed (`storage.uncounted`).
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    _extend_head()
    _extend_decisions()
    _extend_confirmations()
    _create_bills()


def _extend_head() -> None:
    for name, value in (("next_invoice", "1"), ("next_credit_note", "1"), ("cut_off_us", "0")):
        op.add_column("head", sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text(value)))


def _extend_decisions() -> None:
    # Whoever writes a row says both. The defaults are for the rows that are there, and for those that
    # processes of the release before write beside this one: billing counts them page by page.
    zero = sa.text("0")
    op.add_column("decisions", sa.Column("posts_released", sa.Integer, nullable=False, server_default=zero))
    op.add_column(
        "decisions", sa.Column("recorded_at_us", sa.BigInteger, nullable=False, server_default=zero)
    )
    op.create_index(
        "ix_decisions_billed",
        "decisions",
        ["license_id", "counted_at_us", "recorded_at_us", "posts_released"],
        sqlite_where=sa.text("posts_released > 0"),
        postgresql_where=sa.text("posts_released > 0"),
    )
    _index_uncounted("decisions")


def _extend_confirmations() -> None:
    zero = sa.text("0")
    op.add_column(
        "confirmations", sa.Column("license_id", sa.String(63), nullable=False, server_default=sa.text("''"))
    )
    op.add_column("confirmations", sa.Column("counted_at_us", sa.BigInteger))
    op.add_column("confirmations", sa.Column("undelivered", sa.Integer, nullable=False, server_default=zero))
    op.add_column(
        "confirmations", sa.Column("recorded_at_us", sa.BigInteger, nullable=False, server_default=zero)
    )
    op.create_index(
        "ix_confirmations_billed",
        "confirmations",
        ["license_id", "counted_at_us", "recorded_at_us", "undelivered"],
        sqlite_where=sa.text("undelivered > 0"),
        postgresql_where=sa.text("undelivered > 0"),
    )
    _index_uncounted("confirmations")


def _index_uncounted(table: str) -> None:
    uncounted = sa.text("recorded_at_us = 0")
    op.create_index(
        f"ix_{table}_uncounted",
        table,
        ["decision_id"],
        sqlite_where=uncounted,
        postgresql_where=uncounted,
    )


def _create_bills() -> None:
    op.create_table(
        "bills",
        sa.Column("bill_id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("number", sa.String(24)),
        sa.Column("licensee_id", sa.String(63), nullable=False),
        sa.Column("license_id", sa.String(63), sa.ForeignKey("licenses.license_id"), nullable=False),
        sa.Column("period_from_us", sa.BigInteger, nullable=False),
        sa.Column("invoice_id", sa.String(36), sa.ForeignKey("bills.bill_id"), index=True),
        sa.Column("document", sa.String, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("total_minor", sa.BigInteger, nullable=False),
        sa.Column("books", sa.Integer, nullable=False),
        sa.Column("drafted_at_us", sa.BigInteger, nullable=False),
        sa.Column("drafted_by", sa.String(160), nullable=False),
        sa.Column("final_at_us", sa.BigInteger),
        sa.Column("final_by", sa.String(160)),
        sa.UniqueConstraint("number", name="uq_bills_number"),
    )
    op.create_index(
        "uq_bills_period",
        "bills",
        ["license_id", "period_from_us"],
        unique=True,
        sqlite_where=sa.text("kind = 'invoice'"),
        postgresql_where=sa.text("kind = 'invoice'"),
    )
    op.create_index("ix_bills_license", "bills", ["license_id", "books"])
    op.create_index("ix_bills_licensee", "bills", ["licensee_id", "bill_id"])
    op.create_table(
        "bill_amounts",
        sa.Column("bill_id", sa.String(36), sa.ForeignKey("bills.bill_id"), primary_key=True),
        sa.Column("period_from_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("licensee_id", sa.String(63), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("decimals", sa.Integer, nullable=False),
        sa.Column("invoiced", sa.BigInteger, nullable=False),
        sa.Column("credited", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_bill_amounts_revenue", "bill_amounts", ["month", "licensee_id", "currency"])


def downgrade() -> None:
    op.drop_table("bill_amounts")
    op.drop_table("bills")
    op.drop_index("ix_confirmations_uncounted", "confirmations")
    op.drop_index("ix_confirmations_billed", "confirmations")
    for name in ("license_id", "counted_at_us", "undelivered", "recorded_at_us"):
        op.drop_column("confirmations", name)
    op.drop_index("ix_decisions_uncounted", "decisions")
    op.drop_index("ix_decisions_billed", "decisions")
    for name in ("posts_released", "recorded_at_us"):
        op.drop_column("decisions", name)
    for name in ("next_invoice", "next_credit_note", "cut_off_us"):
        op.drop_column("head", name)
