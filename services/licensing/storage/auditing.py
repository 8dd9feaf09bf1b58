"""The ledger as an audit reads it: page by page, each of one moment, and nothing is written."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, func, select

from services.chassis.database import Database
from services.licensing.auditing import LateMessage
from services.licensing.domain.audits.entries import Entry
from services.licensing.domain.audits.holds import Tombstone
from services.licensing.domain.deliveries import Confirmation, Settlement
from services.licensing.domain.log.tiles import FULL
from services.licensing.domain.manifests import Manifest
from services.licensing.domain.merkle import HASH_BYTES
from services.licensing.storage.decision_rows import decision_of_row
from services.licensing.storage.head import HeadRow
from services.licensing.storage.ledger_tables import (
    AttemptRow,
    ConfirmationRow,
    DecisionRow,
    ManifestRow,
    OpenPermitRow,
    OutboxRow,
    SettlementRow,
)
from services.licensing.storage.log_tables import CheckpointRow, LogTileRow
from services.licensing.storage.restore_queries import lost_numbers, restored_us

LISTED = 100

_TABLES = AttemptRow.metadata.tables
_ATTEMPTS = _TABLES[AttemptRow.__tablename__]
_DECISIONS = _TABLES[DecisionRow.__tablename__]
_MANIFESTS = _TABLES[ManifestRow.__tablename__]
_PERMITS = _TABLES[OpenPermitRow.__tablename__]
_SETTLEMENTS = _TABLES[SettlementRow.__tablename__]
_CONFIRMATIONS = _TABLES[ConfirmationRow.__tablename__]
_OUTBOX = _TABLES[OutboxRow.__tablename__]
_TILES = _TABLES[LogTileRow.__tablename__]
_CHECKPOINTS = _TABLES[CheckpointRow.__tablename__]
_HEAD = _TABLES[HeadRow.__tablename__]

_IS_PENDING = select(_OUTBOX.c.seq).where(_OUTBOX.c.reservation_id == _DECISIONS.c.reservation_id).exists()
_ENTRIES = (
    select(
        _DECISIONS,
        _MANIFESTS.c.root,
        _MANIFESTS.c.contributors,
        _MANIFESTS.c.post_offsets,
        _MANIFESTS.c.post_ids,
        _SETTLEMENTS.c.posts.label("posts_settled"),
        _SETTLEMENTS.c.by_expiry,
        _SETTLEMENTS.c.settled_at_us,
        _CONFIRMATIONS.c.delivered,
        _CONFIRMATIONS.c.posts.label("posts_confirmed"),
        _CONFIRMATIONS.c.confirmed_at_us,
        _PERMITS.c.not_after_us.label("permit_until_us"),
        _ATTEMPTS.c.decision_id.label("attempt_decision_id"),
        _IS_PENDING.label("is_pending"),
    )
    .outerjoin(_MANIFESTS, _MANIFESTS.c.decision_id == _DECISIONS.c.decision_id)
    .outerjoin(_SETTLEMENTS, _SETTLEMENTS.c.decision_id == _DECISIONS.c.decision_id)
    .outerjoin(_CONFIRMATIONS, _CONFIRMATIONS.c.decision_id == _DECISIONS.c.decision_id)
    .outerjoin(_PERMITS, _PERMITS.c.decision_id == _DECISIONS.c.decision_id)
    .outerjoin(_ATTEMPTS, _ATTEMPTS.c.attempt_id == _DECISIONS.c.reservation_id)
    .order_by(_DECISIONS.c.number)
)


class AuditStore:
    """Satisfies `auditing.Store`, in licensing's own database. All raise what `Database.read` raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reservations(self, after: int, limit: int) -> Mapping[int, str | None]:
        """The reservations of the next decisions, by number."""
        query = select(_DECISIONS.c.number, _DECISIONS.c.reservation_id).where(_DECISIONS.c.number > after)
        rows = await self._rows(query.order_by(_DECISIONS.c.number).limit(limit))
        return {row.number: row.reservation_id for row in rows}

    async def entries(self, first: int, last: int) -> Sequence[Entry]:
        """What there is of the decisions with these numbers, both included."""
        return [
            _entry(row) for row in await self._rows(_ENTRIES.where(_DECISIONS.c.number.between(first, last)))
        ]

    async def leaves(self, first: int, last: int) -> Mapping[int, bytes]:
        """The leaf hashes of these numbers, as far as a checkpoint covers them."""
        return await self._database.read(lambda connection: _leaves(connection, first, last))

    async def lost(self) -> Sequence[range]:
        """Numbers whose decisions were lost with an older database that was accepted."""
        return await self._database.read(lost_numbers)

    async def restored_at_us(self) -> int | None:
        """When an older database was last accepted."""
        return await self._database.read(restored_us)

    async def next_number(self) -> int:
        """The number of the next receipt."""
        rows = await self._rows(select(_HEAD.c.next_number))
        return int(rows[0].next_number) if rows else 1

    async def not_concluded_once(self, after: int) -> Sequence[tuple[str, int]]:
        """Decisions that no attempt has concluded, or several, with how many; the first hundred."""
        attempts = func.count(_ATTEMPTS.c.attempt_id)
        query = (
            select(_DECISIONS.c.decision_id, attempts)
            .outerjoin(_ATTEMPTS, _ATTEMPTS.c.decision_id == _DECISIONS.c.decision_id)
            .where(_DECISIONS.c.number > after)
            .group_by(_DECISIONS.c.decision_id)
            .having(attempts != 1)
            .limit(LISTED)
        )
        found: list[tuple[str, int]] = []
        # All attempts at once, for they are not in the order of decisions: on the reader for what takes long.
        async for rows in self._database.read_each(lambda connection, _: [connection.execute(query).all()]):
            found += [(row[0], row[1]) for row in rows]
        return found

    async def count_decisions(self, after: int) -> int:
        """How many there are above a number."""
        query = select(func.count().label("decisions")).where(_DECISIONS.c.number > after)
        return int((await self._rows(query))[0].decisions)

    async def tombstoned(self, after: str, limit: int) -> Sequence[str]:
        """The next attempts that were given up, by id."""
        given_up = (_ATTEMPTS.c.decision_id.is_(None), _ATTEMPTS.c.lost_posts.is_(None))
        query = select(_ATTEMPTS.c.attempt_id).where(*given_up, _ATTEMPTS.c.attempt_id > after)
        rows = await self._rows(query.order_by(_ATTEMPTS.c.attempt_id).limit(limit))
        return [row.attempt_id for row in rows]

    async def tombstones(self, attempt_ids: Sequence[str]) -> Sequence[Tombstone]:
        """These attempts, which were given up."""
        pending = select(_OUTBOX.c.seq).where(_OUTBOX.c.reservation_id == _ATTEMPTS.c.attempt_id).exists()
        query = select(_ATTEMPTS.c.attempt_id, _ATTEMPTS.c.ended_at_us, pending.label("is_pending"))
        rows = await self._rows(query.where(_ATTEMPTS.c.attempt_id.in_(list(attempt_ids))))
        return [Tombstone(row.attempt_id, row.ended_at_us, bool(row.is_pending)) for row in rows]

    async def ended(self, attempt_ids: Sequence[str]) -> frozenset[str]:
        """Those of these attempts that have ended."""
        query = select(_ATTEMPTS.c.attempt_id).where(_ATTEMPTS.c.attempt_id.in_(list(attempt_ids)))
        return frozenset(row.attempt_id for row in await self._rows(query))

    async def messages(self) -> Sequence[LateMessage]:
        """What metering has not taken yet, oldest first."""
        query = select(_OUTBOX.c.reservation_id, _OUTBOX.c.written_at_us, _OUTBOX.c.parked)
        rows = await self._rows(query.order_by(_OUTBOX.c.seq))
        return [LateMessage(row.reservation_id, row.written_at_us, row.parked) for row in rows]

    async def _rows(self, query: Any) -> Sequence[Row[Any]]:
        return await self._database.read(lambda connection: connection.execute(query).all())


def _entry(row: Row[Any]) -> Entry:
    decision = decision_of_row(row)
    return Entry(
        decision=decision,
        manifest=_manifest(row),
        settlement=None
        if row.posts_settled is None
        else Settlement(row.posts_settled, row.by_expiry, row.settled_at_us),
        confirmation=None
        if row.delivered is None
        else Confirmation(row.delivered, row.posts_confirmed, row.confirmed_at_us),
        permit_until_us=row.permit_until_us,
        attempt_decision_id=row.attempt_decision_id,
        is_pending=bool(row.is_pending),
    )


def _manifest(row: Row[Any]) -> Manifest | None:
    if row.root is None:
        return None
    return Manifest(
        salt=row.salt,
        contributors=np.frombuffer(row.contributors, "<u8").astype(np.uint64),
        post_offsets=np.frombuffer(row.post_offsets, "<u4").astype(np.uint32),
        post_ids=np.frombuffer(row.post_ids, "<u8").astype(np.uint64),
        root=bytes(row.root),
    )


def _leaves(connection: Connection, first: int, last: int) -> dict[int, bytes]:
    size = connection.execute(select(func.coalesce(func.max(_CHECKPOINTS.c.size), 0))).scalar_one()
    last = min(last, size)
    tiles = select(_TILES.c.tile, _TILES.c.hashes).where(
        _TILES.c.level == 0, _TILES.c.tile.between((first - 1) // FULL, (last - 1) // FULL)
    )
    found: dict[int, bytes] = {}
    for tile, hashes in connection.execute(tiles):
        for place in range(len(hashes) // HASH_BYTES):
            number = tile * FULL + place + 1
            if first <= number <= last:
                found[number] = bytes(hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES])
    return found
