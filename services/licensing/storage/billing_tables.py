"""The tables of billing: invoices and credit notes, and what the final ones come to by period."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from services.licensing.storage.base import LicensingTable

_OF_INVOICES = text("kind = 'invoice'")


class BillRow(LicensingTable, table=True):
    """An invoice or a credit note. With a number it is final, and no more than read from then on (B3)."""

    __tablename__ = "bills"
    __table_args__ = (
        UniqueConstraint("number", name="uq_bills_number"),
        # A period has one invoice, drafted or final.
        Index(
            "uq_bills_period",
            *("license_id", "period_from_us"),
            unique=True,
            sqlite_where=_OF_INVOICES,
            postgresql_where=_OF_INVOICES,
        ),
        Index("ix_bills_license", "license_id", "books"),
        Index("ix_bills_licensee", "licensee_id", "bill_id"),
    )

    bill_id: str = Field(primary_key=True, max_length=36)
    kind: str = Field(max_length=16)
    """A BillKind."""
    number: str | None = Field(default=None, max_length=24)
    """NULL for a draft."""
    licensee_id: str = Field(max_length=63)
    license_id: str = Field(max_length=63, foreign_key="licenses.license_id")
    period_from_us: int = Field(sa_type=BigInteger)
    invoice_id: str | None = Field(default=None, max_length=36, foreign_key="bills.bill_id", index=True)
    """The invoice that a credit note is about."""
    document: str
    """All of it but its number, in canonical JSON; what else is here is taken from it."""
    digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    total_minor: int = Field(sa_type=BigInteger)
    books: int
    """Final bills of the license that it takes into account; of a final bill, those before it."""
    drafted_at_us: int = Field(sa_type=BigInteger)
    drafted_by: str = Field(max_length=160)
    """Kind and party of the principal."""
    final_at_us: int | None = Field(default=None, sa_type=BigInteger)
    final_by: str | None = Field(default=None, max_length=160)


class BillAmountRow(LicensingTable, table=True):
    """What the lines of one final bill come to for one period; written with its number, from its document."""

    __tablename__ = "bill_amounts"
    __table_args__ = (Index("ix_bill_amounts_revenue", "month", "licensee_id", "currency"),)

    bill_id: str = Field(primary_key=True, max_length=36, foreign_key="bills.bill_id")
    period_from_us: int = Field(primary_key=True, sa_type=BigInteger)
    month: str = Field(max_length=7)
    """In which the period begins, in the time zone of its invoice."""
    licensee_id: str = Field(max_length=63)
    currency: str = Field(max_length=3)
    decimals: int
    invoiced: int = Field(sa_type=BigInteger)
    """In minor units, where the bill is an invoice; else 0."""
    credited: int = Field(sa_type=BigInteger)
    """In minor units, where it is a credit note: what is taken back, above zero; else 0."""
