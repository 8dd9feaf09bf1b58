"""The table of countersignatures."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from services.licensing.storage.base import LicensingTable


class CountersignatureRow(LicensingTable, table=True):
    """What a licensee said of one delivery; the first writer wins."""

    __tablename__ = "countersignatures"
    __table_args__ = (Index("ix_countersignatures_licensee", "licensee_id", "number"),)

    decision_id: str = Field(primary_key=True, max_length=36, foreign_key="decisions.decision_id")
    number: int = Field(sa_type=BigInteger, unique=True)
    """Of the decision's receipt: the order in which differences are listed."""
    licensee_id: str = Field(max_length=63)
    posts: int
    countersigned_at_us: int = Field(sa_type=BigInteger)
