"""Entries of recalls in SQL. A row never changes, but for the recall that a recheck puts it into."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

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

    def put_into(self, withdrawal: Withdrawal, licensee_id: str, recall_id: str) -> None:
        """Puts all that a withdrawal takes back from a licensee into a recall."""
        self._connection.execute(
            update(_ENTRIES).where(_of(withdrawal, licensee_id)).values(recall_id=recall_id)
        )

    def taken(self, withdrawal: Withdrawal, licensee_id: str, withdrawal_id: str) -> Taking:
        """All that a withdrawal takes back from a licensee so far."""
        query = select(_ENTRIES).where(_of(withdrawal, licensee_id)).order_by(_ENTRIES.c.part)
        parts = [_part(row) for row in self._connection.execute(query)]
        numbers = [int(number) for part in parts for number in part.decisions]
        licenses = frozenset(licenses_of(self._connection, numbers))
        return Taking(withdrawal, licensee_id, withdrawal_id, parts, licenses)


def signed(id: int) -> int:
    """An id of 64 bits as the database has it."""
    return id - _TWO_TO_64 if id >= _TWO_TO_64 >> 1 else id


def _of(withdrawal: Withdrawal, licensee_id: str) -> ColumnElement[bool]:
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


def _part(row: Any) -> Part:
    return Part(
        decisions=np.frombuffer(row.decisions, "<u8"),
        post_offsets=np.frombuffer(row.post_offsets, "<u4"),
        post_ids=np.frombuffer(row.post_ids, "<u8"),
        gaps=np.frombuffer(row.gaps, np.uint8),
    )
