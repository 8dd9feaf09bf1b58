"""Changes of affiliates in SQL."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select, update

from services.chassis.database import Database
from services.chassis.replays import ReplayKey
from services.licensing.domain.affiliates import Asked, Change
from services.licensing.domain.licenses import Licensee
from services.licensing.storage.affiliate_tables import AffiliateChangeRow
from services.licensing.storage.contracts import ContractRows
from services.licensing.storage.head import lock_head

T = TypeVar("T")

_CHANGES = AffiliateChangeRow.metadata.tables[AffiliateChangeRow.__tablename__]
_OPERATIONS = {"AddAffiliate": True, "RemoveAffiliate": False}


class AffiliateRows:
    """Changes of affiliates inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock_head(self) -> None:
        """Makes this transaction the only one that writes here, until it ends."""
        lock_head(self._connection)

    def licensee(self, licensee_id: str) -> Licensee | None:
        """A licensee by its id."""
        return ContractRows(self._connection).licensee(licensee_id)

    def asked_before(self, key: ReplayKey) -> Change | None:
        """The change that was taken down for this principal, operation and request id, whatever it says."""
        named = (
            _CHANGES.c.principal == key.principal,
            _CHANGES.c.adds == _OPERATIONS[key.operation],
            _CHANGES.c.request_id == key.request_id,
        )
        return next(iter(self._where(*named)), None)

    def with_part_of(self, *party_ids: str) -> Sequence[Change]:
        """Changes in which one of these is the licensee or the affiliate, in order."""
        return self._where(or_(_CHANGES.c.licensee_id.in_(party_ids), _CHANGES.c.affiliate_id.in_(party_ids)))

    def of_licensee(self, licensee_id: str) -> Sequence[Change]:
        """Changes of the affiliates of a licensee, in order."""
        return self._where(_CHANGES.c.licensee_id == licensee_id)

    def unfinished(self) -> Sequence[Change]:
        """Changes that metering may not have yet, in order."""
        return self._where(_CHANGES.c.finished_at_us.is_(None))

    def take_down(self, asked: Asked, since_us: int, key: ReplayKey, now_us: int) -> Change:
        """Writes a change that metering is asked for next; the head must be locked."""
        row = {
            "licensee_id": asked.licensee_id,
            "affiliate_id": asked.affiliate_id,
            "adds": asked.adds,
            "since_us": since_us,
            "display_name": asked.display_name,
            "reason": asked.reason,
            "principal": key.principal,
            "request_id": key.request_id,
            "digest": key.digest,
            "begun_at_us": now_us,
        }
        return _change(self._connection.execute(insert(_CHANGES).values(row).returning(*_CHANGES.c)).one())

    def finish(self, number: int, now_us: int) -> None:
        """Marks a change as one that metering has; the first to say so is right."""
        theirs = (_CHANGES.c.number == number, _CHANGES.c.finished_at_us.is_(None))
        self._connection.execute(update(_CHANGES).where(*theirs).values(finished_at_us=now_us))

    def _where(self, *conditions: ColumnElement[bool]) -> Sequence[Change]:
        rows = self._connection.execute(select(_CHANGES).where(*conditions).order_by(_CHANGES.c.number))
        return [_change(row) for row in rows]


class AffiliateStore:
    """Changes of affiliates in licensing's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, unit: Callable[[AffiliateRows], T]) -> T:
        """Runs `unit` in a transaction; what `Database.write` raises."""
        return await self._database.write(lambda connection: unit(AffiliateRows(connection)))

    async def read(self, query: Callable[[AffiliateRows], T]) -> T:
        """Runs `query` on one snapshot; what `Database.read` raises."""
        return await self._database.read(lambda connection: query(AffiliateRows(connection)))


def _change(row: Row[Any]) -> Change:
    return Change(
        number=row.number,
        licensee_id=row.licensee_id,
        affiliate_id=row.affiliate_id,
        adds=row.adds,
        since_us=row.since_us,
        display_name=row.display_name,
        reason=row.reason,
        principal=row.principal,
        request_id=row.request_id,
        digest=bytes(row.digest),
        begun_at_us=row.begun_at_us,
        finished=row.finished_at_us is not None,
    )
