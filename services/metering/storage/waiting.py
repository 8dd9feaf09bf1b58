"""Reads that stop soon after nobody waits for them any more."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from services.chassis.database import Database
from services.chassis.long_reads import GoOn, Stopped

T = TypeVar("T")


async def read_while_awaited(database: Database, query: Callable[[Connection, GoOn], T]) -> T:
    """`Database.read` of a query that is given something to call between its statements.

    When the caller is cancelled, as it is when whoever called hangs up or their deadline passes, that raises
    and so gives the reader back.
    """
    gone = threading.Event()

    def go_on() -> None:
        if gone.is_set():
            raise Stopped

    try:
        return await database.read(lambda connection: query(connection, go_on), confirmed=True)
    except asyncio.CancelledError:
        gone.set()
        raise
