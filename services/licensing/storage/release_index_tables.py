"""The tables of what was released, post by post, and of the release index, which is made of them."""

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field

from services.licensing.storage.base import LicensingTable


class ReleasedColumnsRow(LicensingTable, table=True):
    """The released posts of a decision as they were resolved; none for a decision that releases nothing.

    The columns are those of `domain.released.Released`, little-endian. A release of the program before this
    table wrote none: of its decisions there is the manifest.
    """

    __tablename__ = "released_columns"

    number: int = Field(
        sa_type=BigInteger,
        primary_key=True,
        foreign_key="decisions.number",
        sa_column_kwargs={"autoincrement": False},
    )
    ids: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    author_ids: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    embed_offsets: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    embed_ids: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    embed_author_ids: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ReleaseIndexRow(LicensingTable, table=True):
    """The one row that says how far the index is made. Whoever changes the index locks it first."""

    __tablename__ = "release_index"

    id: int = Field(primary_key=True)
    indexed: int = Field(sa_type=BigInteger)
    """The number of the last decision that is in a segment."""
    next_segment: int = Field(sa_type=BigInteger)
    """A number is given once, so that whoever writes late meets no other segment."""


class ReleaseSegmentRow(LicensingTable, table=True):
    """A segment (`domain.finding.segments`)."""

    __tablename__ = "release_segments"

    id: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    level: int
    after_number: int = Field(sa_type=BigInteger)
    last_number: int = Field(sa_type=BigInteger)
    state: int
    merged_kind: int
    """Where its merge stands, like the next two (`domain.finding.pairs.Place`); nothing where it has none."""
    merged_key: int = Field(sa_type=BigInteger)
    merged_number: int = Field(sa_type=BigInteger)


class ReleaseBlockRow(LicensingTable, table=True):
    """Pairs of a segment that follow each other. A row is written once and removed with its segment."""

    __tablename__ = "release_blocks"

    segment: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: int = Field(primary_key=True)
    first_key: int = Field(sa_type=BigInteger, primary_key=True)
    """Of 64 bits without sign, less 2^63: so the database has them in their order."""
    first_number: int = Field(sa_type=BigInteger, primary_key=True)
    keys: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """64 bits each, without sign, little-endian."""
    numbers: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """32 bits each, counted from the segment's `after_number`."""
