"""The tables of the sums of decisions."""

from sqlalchemy import BigInteger, Column, Index, String
from sqlmodel import Field

from services.licensing.storage.base import LicensingTable


class DecisionCountRow(LicensingTable, table=True):
    """One cell of `domain.statistics`. Every decision is in one cell of each length of stretches."""

    __tablename__ = "decision_counts"
    __table_args__ = (
        # For whoever asks about one licensee: in the order of places, like the primary key.
        Index("ix_decision_counts_licensee", "stretch_us", "licensee_id", "since_us", "purpose"),
    )

    stretch_us: int = Field(sa_type=BigInteger, primary_key=True)
    """The length of the stretch."""
    since_us: int = Field(sa_type=BigInteger, primary_key=True)
    # By bytes on either engine: what is read is merged with rows that the program has put in order.
    licensee_id: str = Field(
        sa_column=Column(
            String(63).with_variant(String(63, collation="C"), "postgresql"), primary_key=True, nullable=False
        )
    )
    purpose: int = Field(primary_key=True)
    outcome: int = Field(primary_key=True)
    reason: int = Field(primary_key=True)
    count: int = Field(sa_type=BigInteger)


class CountedRow(LicensingTable, table=True):
    """The one row that says how far the sums are made. Moved in the transaction that adds to them."""

    __tablename__ = "decisions_counted"

    id: int = Field(primary_key=True)
    number: int = Field(sa_type=BigInteger)
    """Of the last receipt in the sums; less than 0 while they are dropped, and not to be used."""
