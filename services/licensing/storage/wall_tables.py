"""The table of the login wall."""

from sqlalchemy import BigInteger
from sqlmodel import Field

from services.licensing.storage.base import LicensingTable


class WallChangeRow(LicensingTable, table=True):
    """One change of the wall. Rows are only ever added, while the head is locked."""

    __tablename__ = "wall_changes"

    number: int = Field(primary_key=True, sa_type=BigInteger)
    """Counts the changes, from 1; the last says how the wall stands."""
    raised: bool
    tiers: int
    """Bit n is set where tier n passes."""
    reason: str = Field(max_length=1000)
    until_us: int | None = Field(default=None, sa_type=BigInteger)
    """When the wall comes down by itself; NULL where it does not."""
    changed_by: str = Field(max_length=160)
    """Kind and party of the principal."""
    changed_at_us: int = Field(sa_type=BigInteger)
