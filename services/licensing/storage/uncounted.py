"""What processes of the release before billing put on record, filled in before anything is billed (B2).

They know no `recorded_at_us`: it is 0 in what they write, before the migration and beside this release while
it is rolled out, and so it is in a confirmation that this release writes about such a decision. An index
holds those rows alone, and is empty in normal life.
"""

import numpy as np
from sqlalchemy import ColumnClause, Connection, bindparam, literal_column, select, update

from services.licensing.domain.reasons import Reason
from services.licensing.storage.head import lock_head
from services.licensing.storage.ledger_tables import ConfirmationRow, DecisionRow

_DECISIONS = DecisionRow.metadata.tables[DecisionRow.__tablename__]
_CONFIRMATIONS = ConfirmationRow.metadata.tables[ConfirmationRow.__tablename__]

# Written out, as the condition of the index is: a parameter would not be known to imply it.
_NEVER: ColumnClause[int] = literal_column("0")
_PAGE = (
    select(_DECISIONS.c.decision_id, _DECISIONS.c.reasons, _DECISIONS.c.decided_at_us)
    .where(_DECISIONS.c.recorded_at_us == _NEVER)
    .order_by(_DECISIONS.c.decision_id)
)
_CONFIRMED_PAGE = (
    select(
        *(_CONFIRMATIONS.c.decision_id, _CONFIRMATIONS.c.posts, _CONFIRMATIONS.c.confirmed_at_us),
        *(_DECISIONS.c.license_id, _DECISIONS.c.counted_at_us),
        *(_DECISIONS.c.posts_released, _DECISIONS.c.recorded_at_us),
    )
    .join(_DECISIONS, _DECISIONS.c.decision_id == _CONFIRMATIONS.c.decision_id)
    .where(_CONFIRMATIONS.c.recorded_at_us == _NEVER)
    .order_by(_CONFIRMATIONS.c.decision_id)
)
_FILL = update(_DECISIONS).where(_DECISIONS.c.decision_id == bindparam("filled"))
_FILL_CONFIRMED = update(_CONFIRMATIONS).where(_CONFIRMATIONS.c.decision_id == bindparam("filled"))


def count_uncounted(connection: Connection, limit: int) -> bool:
    """Fills in at most so many rows; whether none is left. Locks the head.

    What was written after a cut-off had been made true counts as of that cut-off or later, like all else, so
    that the same cut-off goes on giving the same document: none is made true while a row is left.
    """
    cut_off_us = lock_head(connection).cut_off_us
    left = limit - _count_decisions(connection, limit, cut_off_us)
    # Confirmations rest on their decisions: not before these are all filled in.
    return left > 0 and _count_confirmations(connection, left, cut_off_us) < left


def _count_decisions(connection: Connection, limit: int, cut_off_us: int) -> int:
    """How many decisions it has filled in."""
    filled = [
        {
            "filled": row.decision_id,
            "posts_released": int(np.count_nonzero(np.frombuffer(row.reasons, np.uint8) == Reason.RELEASED)),
            "recorded_at_us": max(row.decided_at_us, cut_off_us),
        }
        for row in connection.execute(_PAGE.limit(limit))
    ]
    if filled:
        connection.execute(_FILL, filled)
    return len(filled)


def _count_confirmations(connection: Connection, limit: int, cut_off_us: int) -> int:
    """How many confirmations it has filled in."""
    filled = [
        {
            "filled": row.decision_id,
            "license_id": row.license_id,
            "counted_at_us": row.counted_at_us,
            "undelivered": row.posts_released - row.posts,
            "recorded_at_us": max(row.recorded_at_us, row.confirmed_at_us, cut_off_us),
        }
        for row in connection.execute(_CONFIRMED_PAGE.limit(limit))
    ]
    if filled:
        connection.execute(_FILL_CONFIRMED, filled)
    return len(filled)
