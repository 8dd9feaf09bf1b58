"""What this process knows to be committed in licensing's database, which may never have less again (R5)."""

from collections.abc import Mapping

from sqlalchemy import Connection

from services.chassis.database import Database
from services.chassis.refusals import Behind

_OPTION = "licensing_known"


class Known:
    """The highest receipt number that this process has seen committed, and the epoch that it writes in."""

    def __init__(self) -> None:
        self._number = 0
        self._epoch: int | None = None

    def has(self, number: int) -> None:
        """A receipt with this number is committed: acknowledged by this process, or published by anyone."""
        self._number = max(self._number, number)

    def check(self, epoch: int, next_number: int) -> None:
        """Compares with the head row as it stands under its lock; uncommitted numbers of a group only add.

        Raises Behind where a number is missing, and where a restore was accepted while this process ran:
        what it has under way is of the history before.
        """
        if self._epoch is None:
            self._epoch = epoch
        if epoch != self._epoch or next_number <= self._number:
            raise Behind


def remembering() -> Mapping[str, Known]:
    """The options of a database that knows what it had, for `Database.open`."""
    return {_OPTION: Known()}


def known_to(connection: Connection) -> Known | None:
    """What is known of the database that a unit writes on; None where nobody remembers."""
    known: Known | None = connection.get_execution_options().get(_OPTION)
    return known


def known_of(database: Database) -> Known | None:
    """The same, of a database."""
    known: Known | None = database.options.get(_OPTION)
    return known
