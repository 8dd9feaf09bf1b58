"""What is asked about accepted restores while licensing serves."""

from sqlalchemy import Connection, func, select

from services.licensing.storage.restore_tables import AcceptedRestoreRow

_RESTORES = AcceptedRestoreRow.metadata.tables[AcceptedRestoreRow.__tablename__]


def restored_us(connection: Connection) -> int | None:
    """When the latest restore was accepted; None where there was none."""
    latest: int | None = connection.execute(select(func.max(_RESTORES.c.accepted_at_us))).scalar_one()
    return latest


def is_lost(connection: Connection, number: int) -> bool:
    """Whether a receipt of this number was published and lost."""
    query = select(_RESTORES.c.epoch).where(_RESTORES.c.first_lost <= number, _RESTORES.c.last_lost >= number)
    return connection.execute(query.limit(1)).first() is not None


def lost_numbers(connection: Connection) -> tuple[range, ...]:
    """Of the receipts that were published and lost, by restore."""
    query = select(_RESTORES.c.first_lost, _RESTORES.c.last_lost).where(_RESTORES.c.first_lost.is_not(None))
    rows = connection.execute(query.order_by(_RESTORES.c.epoch))
    return tuple(range(first, last + 1) for first, last in rows)
