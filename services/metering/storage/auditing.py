"""The audit of metering's own database: check by check, all of it read from one snapshot."""

import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import cast

from sqlalchemy import Connection

from services.chassis.database import Database
from services.chassis.long_reads import GoOn
from services.metering.audit import Step
from services.metering.domain.audits import Finding, Started
from services.metering.domain.reservations import Revision
from services.metering.storage.checks import COMPARISONS
from services.metering.storage.head import read_head
from services.metering.storage.share_checks import CHECK, check_shares

_Check = Callable[[Connection], Finding]

CHECKS: tuple[tuple[str, _Check], ...] = (
    *((comparison.check, comparison) for comparison in COMPARISONS),
    (CHECK, check_shares),
)


class SqlAudit:
    """Satisfies `audit.Auditor`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def steps(self) -> AsyncGenerator[tuple[Step, Revision]]:
        """Each check as it starts, and what it finds as soon as it is done."""
        async with contextlib.aclosing(self._database.read_each(_findings)) as results:
            revision = cast(Revision, await anext(results))
            for check, _ in CHECKS:
                yield Started(check), revision
                yield cast(Finding, await anext(results)), revision


def _findings(connection: Connection, go_on: GoOn) -> Iterator[Finding | Revision]:
    yield read_head(connection)
    for _, check in CHECKS:
        go_on()
        yield check(connection)
