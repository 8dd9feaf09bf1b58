"""The tables of the log of receipts."""

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field

from services.licensing.storage.base import LicensingTable


class LogTileRow(LicensingTable, table=True):
    """A tile of the log; the last one of a level has fewer hashes than 256, and gets more."""

    __tablename__ = "log_tiles"

    level: int = Field(primary_key=True)
    tile: int = Field(sa_type=BigInteger, primary_key=True)
    """Its index in the level, from 0."""
    hashes: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """32 bytes each."""


class CheckpointRow(LicensingTable, table=True):
    """What was signed of the log. Rows are only ever added, or signed again: no size ever has two roots."""

    __tablename__ = "log_checkpoints"

    size: int = Field(sa_type=BigInteger, primary_key=True)
    """Leaves."""
    root: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    note: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """The checkpoint as a signed note."""
    published_at_us: int = Field(sa_type=BigInteger)
