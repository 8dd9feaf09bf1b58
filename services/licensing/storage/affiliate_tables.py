"""The table of changes of affiliates."""

from sqlalchemy import BigInteger, Column, LargeBinary, UniqueConstraint
from sqlmodel import Field

from services.licensing.storage.base import LicensingTable
from services.licensing.storage.ledger_tables import ROW_ID


class AffiliateChangeRow(LicensingTable, table=True):
    """A change of an affiliate. Taken down before metering is asked; only `finished_at_us` changes."""

    __tablename__ = "affiliate_changes"
    __table_args__ = (
        UniqueConstraint("principal", "adds", "request_id", name="uq_affiliate_changes_request"),
    )

    number: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    """Given under the lock of the head: in the order of commits."""
    licensee_id: str = Field(max_length=63, foreign_key="licensees.licensee_id", index=True)
    affiliate_id: str = Field(max_length=63, index=True)
    adds: bool
    """It makes the party an affiliate; else it ends that."""
    since_us: int = Field(sa_type=BigInteger)
    """From when it holds."""
    display_name: str = Field(max_length=200)
    reason: str = Field(max_length=1000)
    principal: str = Field(max_length=160)
    """Kind and party of whoever asked."""
    request_id: str = Field(max_length=36)
    digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    """SHA-256 of the request."""
    begun_at_us: int = Field(sa_type=BigInteger)
    finished_at_us: int | None = Field(default=None, sa_type=BigInteger, index=True)
    """When metering was known to have it; none yet while it may not."""
