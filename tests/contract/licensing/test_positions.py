"""How far the withdrawals of consent have been read: the positions in the head row, on each engine (W5)."""

from sqlalchemy import Connection

from services.chassis.database import Database
from services.licensing.domain.answers import Revision
from services.licensing.storage.head import Positions, lock_head, move_fence, move_scanned, positions

START = Revision(0, 0)


def fence_at(database: Database, to: Revision) -> Revision:
    def unit(connection: Connection) -> None:
        lock_head(connection)
        move_fence(connection, to)

    database.write_now(unit)
    return positions_of(database).fence


def scan(database: Database, start: Revision, to: Revision) -> bool:
    def unit(connection: Connection) -> bool:
        lock_head(connection)
        return move_scanned(connection, start, to)

    return database.write_now(unit)


def positions_of(database: Database) -> Positions:
    return database.write_now(positions)


async def test_a_new_ledger_has_read_nothing(database: Database) -> None:
    assert positions_of(database) == Positions(START, START)


async def test_the_fence_never_moves_back_in_either_part(database: Database) -> None:
    assert fence_at(database, Revision(1, 7)) == Revision(1, 7)
    assert fence_at(database, Revision(1, 6)) == Revision(1, 7)
    assert fence_at(database, Revision(2, 3)) == Revision(2, 3)
    assert fence_at(database, Revision(1, 9)) == Revision(2, 3)
    assert database.write_now(lock_head).fence == Revision(2, 3)


async def test_what_is_scanned_moves_once_from_where_it_stood(database: Database) -> None:
    fence_at(database, Revision(1, 9))

    assert scan(database, START, Revision(1, 4))
    assert not scan(database, START, Revision(1, 6)), "another has been first"
    assert scan(database, Revision(1, 4), Revision(1, 9))
    assert positions_of(database) == Positions(Revision(1, 9), Revision(1, 9))
