"""The restores of the database that were accepted."""

from sqlalchemy import BigInteger
from sqlmodel import Field

from services.chassis.restore_rows import RestoreRows
from services.licensing.storage.action_tables import ACTIONS
from services.licensing.storage.base import LicensingTable
from services.licensing.storage.head import HeadRow


class AcceptedRestoreRow(LicensingTable, table=True):
    """What a restore that an operator has accepted means for the log (R5). Rows are only ever added."""

    __tablename__ = "accepted_restores"

    epoch: int = Field(sa_type=BigInteger, primary_key=True)
    """The one that began with it."""
    accepted_at_us: int = Field(sa_type=BigInteger)
    accepted_by: str = Field(max_length=160)
    reason: str = Field(max_length=500)
    first_lost: int | None = Field(default=None, sa_type=BigInteger)
    """The receipts that were published and are not here any more, by their numbers; NULL where none is."""
    last_lost: int | None = Field(default=None, sa_type=BigInteger)
    published: int = Field(sa_type=BigInteger)
    """Leaves of the log as its folder showed it then."""


RESTORES = RestoreRows(HeadRow.metadata, ACTIONS)
"""The same restores as all services have them on record, and what this database is known by."""
