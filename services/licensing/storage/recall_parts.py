"""Entries of recalls in SQL. A row never changes, but for the recall that a recheck puts it into."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Column, ColumnElement, Connection, and_, func, insert, select, update

from services.licensing.domain.posts import Ids
from services.licensing.domain.recalls.entries import Part, Taking
from services.licensing.domain.recalls.withdrawals import Withdrawal
from services.licensing.storage.recall_reads import licenses_of
from services.licensing.storage.recall_tables import RecallEntryRow

_ENTRIES = RecallEntryRow.metadata.tables[RecallEntryRow.__tablename__]
_TWO_TO_64 = 1 << 64


class PartRows:
    """Entries inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_parts(self, takings: Sequence[Taking], recall_id: str | None, first_part: int = 0) -> None:
        """Writes what withdrawals take back; None: the recall that it goes into is not known yet."""
        rows = [
            _row(taking, recall_id, number, part)
            for taking in takings
            for number, part in enumerate(taking.parts, first_part)
        ]
        if rows:
            self._connection.execute(insert(_ENTRIES), rows)

    def parts_outside(self, withdrawal: Withdrawal, licensee_id: str, limit: int) -> Sequence[int]:
        """The first parts of what a withdrawal takes back from a licensee that are in no recall yet."""
        outside = and_(of_withdrawal(withdrawal, licensee_id), _ENTRIES.c.recall_id.is_(None))
        query = select(_ENTRIES.c.part).where(outside).order_by(_ENTRIES.c.part).limit(limit)
        return self._connection.execute(query).scalars().all()

    def put_into(
        self, withdrawal: Withdrawal, licensee_id: str, parts: Sequence[int], recall_id: str
    ) -> None:
        """Puts these parts of what a withdrawal takes back from a licensee into a recall."""
        chosen = and_(of_withdrawal(withdrawal, licensee_id), _ENTRIES.c.part.in_(parts))
        self._connection.execute(update(_ENTRIES).where(chosen).values(recall_id=recall_id))

    def posts_found(self, withdrawal: Withdrawal, licensee_id: str) -> int:
        """How many posts a withdrawal takes back from a licensee, one for each release that it is in."""
        query = select(func.coalesce(func.sum(_ENTRIES.c.posts), 0)).where(
            of_withdrawal(withdrawal, licensee_id)
        )
        return int(self._connection.execute(query).scalar_one())

    def some_posts(self, withdrawal: Withdrawal, licensee_id: str, from_part: int, limit: int) -> Ids:
        """The posts of at most `limit` parts from one on; none behind the last."""
        theirs = and_(
            of_withdrawal(withdrawal, licensee_id), _ENTRIES.c.part.between(from_part, from_part + limit - 1)
        )
        found = self._connection.execute(select(_ENTRIES.c.post_ids).where(theirs)).scalars()
        return np.concatenate([np.empty(0, np.uint64), *(np.frombuffer(ids, "<u8") for ids in found)])

    def some_licenses(
        self, withdrawal: Withdrawal, licensee_id: str, from_part: int, limit: int
    ) -> frozenset[tuple[str, int]]:
        """Ids and versions of the licenses that the posts of these parts were released under."""
        theirs = and_(
            of_withdrawal(withdrawal, licensee_id), _ENTRIES.c.part.between(from_part, from_part + limit - 1)
        )
        found = self._connection.execute(select(_ENTRIES.c.decisions).where(theirs)).scalars()
        numbers = [number for each in found for number in np.frombuffer(each, "<u8").tolist()]
        return frozenset(licenses_of(self._connection, numbers))

    def _column(
        self, column: Column[Any], withdrawal: Withdrawal, licensee_id: str, from_part: int, limit: int
    ) -> Iterable[bytes]:
        some = _ENTRIES.c.part.between(from_part, from_part + limit - 1)
        query = select(column).where(of_withdrawal(withdrawal, licensee_id), some)
        return self._connection.execute(query).scalars()


def signed(id: int) -> int:
    """An id of 64 bits as the database has it."""
    return id - _TWO_TO_64 if id >= _TWO_TO_64 >> 1 else id


def of_withdrawal(withdrawal: Withdrawal, licensee_id: str) -> ColumnElement[bool]:
    """Entries of a withdrawal and a licensee."""
    return and_(
        _ENTRIES.c.consent_epoch == withdrawal.revision.epoch,
        _ENTRIES.c.revision == withdrawal.revision.number,
        _ENTRIES.c.licensee_id == licensee_id,
    )


def _row(taking: Taking, recall_id: str | None, number: int, part: Part) -> dict[str, object]:
    withdrawal = taking.withdrawal
    return {
        "consent_epoch": withdrawal.revision.epoch,
        "revision": withdrawal.revision.number,
        "licensee_id": taking.licensee_id,
        "part": number,
        "recall_id": recall_id,
        "withdrawal_id": taking.withdrawal_id,
        "subject_id": signed(withdrawal.subject_id),
        "post_id": signed(withdrawal.post_id),
        "cause": withdrawal.cause,
        "recorded_at_us": withdrawal.recorded_at_us,
        "decisions": part.decisions.astype("<u8", copy=False).tobytes(),
        "post_offsets": part.post_offsets.astype("<u4", copy=False).tobytes(),
        "post_ids": part.post_ids.astype("<u8", copy=False).tobytes(),
        "gaps": part.gaps.tobytes(),
        "first_number": int(part.decisions[0]),
        "last_number": int(part.decisions[-1]),
        "posts": len(part.post_ids),
        "gaps_found": part.gaps_found,
    }
