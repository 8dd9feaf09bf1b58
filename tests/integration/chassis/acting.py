"""A process that dies in the middle of an operator's action: `python -m tests.integration.chassis.acting`."""

import asyncio
import os
import sys
from typing import Any

from services.chassis.action_rows import SqlActions
from services.chassis.clock import SystemClock
from services.chassis.identity import Principal, PrincipalKind, acting_as
from services.chassis.recording import recorded
from services.metering.schema.tables import ACTIONS
from services.metering.storage.head import next_number
from tests.support.metering import metering_database_at

EXIT_CODE = 9


async def act(url: str, where: str) -> None:
    """Dies before the handler has done anything, or after what it does is durable."""
    database = metering_database_at(url)

    async def handler(_request: Any, _context: Any) -> None:
        if where == "before":
            os._exit(EXIT_CODE)
        await database.write(next_number)
        os._exit(EXIT_CODE)

    log = SqlActions(database, ACTIONS, SystemClock())
    with acting_as(Principal(PrincipalKind.OPERATOR, "ada", frozenset())):
        await recorded(handler, "/test.Acting/Act", log, request_streaming=False)(None, None)


if __name__ == "__main__":
    asyncio.run(act(sys.argv[1], sys.argv[2]))
