"""One read of a database, and whether a failover could lose what it found.

What is confirmed waits for the standby after its snapshot, on the session that it was read on. That something
is not there, or was refused, is a fact as any other: a failover may have brought it elsewhere.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy import Connection

from services.chassis.engines import Engine
from services.chassis.heads import Attendance, Witness
from services.chassis.refusals import Behind, Refusal, unavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """What somebody wants to know, and since when."""

    query: Callable[[Connection], T]
    confirmed: bool | Callable[[T], bool]
    """Whether it is to be; where that depends on the result, a Refusal is confirmed in any case."""
    since: float = field(default_factory=time.monotonic)

    def check_patience(self, engine: Engine, seconds: float) -> None:
        """Raises Refusal DATABASE_UNAVAILABLE where it has waited for its turn as long as for a standby.

        Those before it have held the threads: it is not to wait as long again, nor are those after it.
        """
        if self.confirmed and engine.may_fail_over and time.monotonic() - self.since > seconds:
            raise unavailable("DATABASE_UNAVAILABLE", "what is read cannot be confirmed now")

    def run(self, engine: Engine, witness: Witness) -> T:
        """Raises what the query raises, and the engine's driver errors."""
        # Before the session is had: what others have seen of a server that took over is not of this one.
        attendance = Attendance(witness)
        with engine.reading() as connection:
            attendance.on(connection)
            try:
                result = self.query(connection)
            except Behind:
                raise
            except Refusal:
                if self.confirmed:
                    engine.confirm(connection, self.since)
                raise
            is_confirmed = self.confirmed if isinstance(self.confirmed, bool) else self.confirmed(result)
            if is_confirmed:
                # After the snapshot: what was in it comes before this in the log that the standby follows.
                engine.confirm(connection, self.since)
        if is_confirmed or not engine.may_fail_over:
            attendance.holds()
        return result
