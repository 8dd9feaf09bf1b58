"""API keys in SQL: their descriptions and the digests of their texts."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Row, bindparam, insert, select, update
from sqlmodel import Field

from services.chassis.database import Database
from services.licensing.domain.api_keys import ApiKey, Holder, HolderKind
from services.licensing.storage.base import LicensingTable
from services.licensing.storage.contracts import ContractRows

T = TypeVar("T")


class ApiKeyRow(LicensingTable, table=True):
    """An API key. Written only while the head is locked."""

    __tablename__ = "api_keys"
    __table_args__ = (Index("ix_api_keys_holder", "party", "kind", "sandbox"),)

    key_id: str = Field(primary_key=True, max_length=16)
    digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    """SHA-256 of the key's text, which is kept nowhere."""
    kind: str = Field(max_length=16)
    party: str = Field(max_length=63)
    sandbox: bool
    label: str = Field(max_length=200)
    created_by: str = Field(max_length=160)
    """Kind and party of the principal."""
    created_at_us: int = Field(sa_type=BigInteger)
    expires_at_us: int | None = Field(default=None, sa_type=BigInteger)
    revoked_at_us: int | None = Field(default=None, sa_type=BigInteger)
    revoked_by: str = Field(max_length=160)
    """As `created_by`; "" where nobody did."""


_KEYS = ApiKeyRow.metadata.tables[ApiKeyRow.__tablename__]

# Made once: it is run for every token.
_KEY = select(_KEYS).where(_KEYS.c.key_id == bindparam("key_id"))


class ApiKeyRows(ContractRows):
    """API keys, beside the licensees whose they are, inside one transaction."""

    def api_key(self, key_id: str) -> ApiKey | None:
        """A key by its id."""
        row = self._connection.execute(_KEY, {"key_id": key_id}).one_or_none()
        return _api_key(row) if row else None

    def api_keys_of(self, holder: Holder) -> Sequence[ApiKey]:
        """Every key that a holder has or had."""
        whose = {"kind": holder.kind.value, "party": holder.party, "sandbox": holder.sandbox}
        rows = self._connection.execute(select(_KEYS).filter_by(**whose))
        return [_api_key(row) for row in rows]

    def api_keys(self, licensee_id: str | None, after: str, limit: int) -> Sequence[ApiKey]:
        """Keys with ids above `after`, in the order of ids; those of one licensee, or of all (None)."""
        page = select(_KEYS).where(_KEYS.c.key_id > after)
        if licensee_id is not None:
            page = page.where(_KEYS.c.kind == HolderKind.LICENSEE.value, _KEYS.c.party == licensee_id)
        rows = self._connection.execute(page.order_by(_KEYS.c.key_id).limit(limit))
        return [_api_key(row) for row in rows]

    def add_api_key(self, key: ApiKey) -> None:
        """Writes a new key."""
        self._connection.execute(
            insert(_KEYS),
            {
                "key_id": key.key_id,
                "digest": key.digest,
                "kind": key.holder.kind.value,
                "party": key.holder.party,
                "sandbox": key.holder.sandbox,
                "label": key.label,
                "created_by": key.created_by,
                "created_at_us": key.created_at_us,
                "expires_at_us": key.expires_at_us,
                "revoked_at_us": key.revoked_at_us,
                "revoked_by": key.revoked_by,
            },
        )

    def revoke_api_key(self, key: ApiKey) -> None:
        """Writes when a key was revoked, and by whom."""
        values = {"revoked_at_us": key.revoked_at_us, "revoked_by": key.revoked_by}
        self._connection.execute(update(_KEYS).where(_KEYS.c.key_id == key.key_id), values)


class ApiKeyStore:
    """API keys in licensing's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, unit: Callable[[ApiKeyRows], T]) -> T:
        """Runs `unit` in a transaction; what `Database.write` raises."""
        return await self._database.write(lambda connection: unit(ApiKeyRows(connection)))

    async def read(self, query: Callable[[ApiKeyRows], T]) -> T:
        """Runs `query` on one snapshot; what `Database.read` raises.

        Confirmed, for a primary that was cut off does not know which keys were revoked since.
        """
        return await self._database.read(lambda connection: query(ApiKeyRows(connection)), confirmed=True)


def _api_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        key_id=row.key_id,
        digest=bytes(row.digest),
        holder=Holder(HolderKind(row.kind), row.party, row.sandbox),
        label=row.label,
        created_by=row.created_by,
        created_at_us=row.created_at_us,
        expires_at_us=row.expires_at_us,
        revoked_at_us=row.revoked_at_us,
        revoked_by=row.revoked_by,
    )
