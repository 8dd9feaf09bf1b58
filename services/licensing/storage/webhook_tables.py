"""The tables of webhooks: where recalls are announced, and which still wait for it."""

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field

from services.licensing.storage.base import LicensingTable


class RecallWebhookRow(LicensingTable, table=True):
    """The webhook of a licensee."""

    __tablename__ = "recall_webhooks"

    licensee_id: str = Field(primary_key=True, max_length=63, foreign_key="licensees.licensee_id")
    url: str = Field(max_length=512)
    enabled: bool
    told_number: int = Field(sa_type=BigInteger)
    """Recalls of the licensee up to here were announced, wait for it, or are not to be."""
    secret: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    """It signs, so it is kept as it is; nobody is shown it again."""
    secret_made_at_us: int = Field(sa_type=BigInteger)
    old_secret: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32)))
    old_until_us: int | None = Field(default=None, sa_type=BigInteger)
    put_by: str = Field(max_length=160)
    """Kind and party of the principal."""
    put_at_us: int = Field(sa_type=BigInteger)
    last_delivered_at_us: int | None = Field(default=None, sa_type=BigInteger)
    last_fault: int | None = None
    """Of the last try that was in vain, like the next two."""
    last_status: int = 0
    last_failed_at_us: int | None = Field(default=None, sa_type=BigInteger)
    given_up: int = 0
    last_given_up_at_us: int | None = Field(default=None, sa_type=BigInteger)
    tries: int = 0
    """In vain, since the last that was not."""
    next_try_us: int = Field(default=0, sa_type=BigInteger)
    """Whoever sends something moves this first: until then it is theirs."""


class RecallAnnouncementRow(LicensingTable, table=True):
    """A recall that waits to be announced. The row goes when it was, or is given up."""

    __tablename__ = "recall_announcements"

    licensee_id: str = Field(primary_key=True, max_length=63, foreign_key="recall_webhooks.licensee_id")
    number: int = Field(primary_key=True, sa_type=BigInteger)
    """Of the recall."""
    since_us: int = Field(sa_type=BigInteger)
