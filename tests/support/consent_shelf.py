"""A register of consent with an index that follows it, and the same register after a restart."""

from typing import Any

from sqlalchemy import Connection

from services.consent.domain.batches import Batch
from services.consent.domain.changes import Revision
from services.consent.domain.outcomes import Imported
from services.consent.domain.policies import Regime
from services.consent.domain.state_changes import StateRow
from services.consent.domain.verdicts import Question
from services.consent.domain.withdrawals import Withdrawal
from services.consent.index import Index
from services.consent.registrar import Register
from services.consent.storage.custody import SqlCustody
from services.consent.storage.register import SqlRegister
from tests.support.clock import NOON_US, ManualClock
from tests.support.consent import (
    a_batch,
    a_key,
    a_policy_draft,
    a_question,
    consent_database_at,
    names,
)

NO_WAIT = ManualClock(0)
"""For writes whose turn comes when they arrive, at the time that the test says."""


class Shelf:
    """A register, and an index that follows it."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.index = Index(seed=7)

    async def head(self) -> Revision:
        """How far the records have come."""
        await self.register.follow(self.index)
        return self.index.view().revision

    async def answers(self, question: Question, batch: Batch) -> list[str]:
        """As of now."""
        await self.register.follow(self.index)
        return names(self.index.view().reasons(question, batch))

    async def reasons(self, *posts: tuple[int, ...], licensee: str = "acme") -> list[str]:
        """As of now, for generative training."""
        return await self.answers(a_question(licensee), a_batch(*posts))

    async def put_in_force(self, regime: Regime = Regime.OPT_OUT) -> None:
        """A policy, at noon."""
        await self.register.publish(a_policy_draft(NOON_US, regime), a_key(900), NOON_US)
        await self.register.activate_due(NOON_US)

    async def reopen(self) -> None:
        """The service starts again: nothing is left of the index."""
        self.index = Index(seed=8)


class SqlShelf(Shelf):
    """A register in a database, with everything else that is in there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.database = consent_database_at(url)
        super().__init__(SqlRegister(self.database, NO_WAIT))
        self.custody = SqlCustody(self.database, NO_WAIT)

    async def reopen(self) -> None:
        """The service starts again, with what is on disk."""
        await self.database.close()
        self.database = consent_database_at(self.url)
        self.register, self.custody = SqlRegister(self.database, NO_WAIT), SqlCustody(self.database, NO_WAIT)
        await super().reopen()

    async def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Behind the back of the service; the rows where it returns some."""

        def unit(connection: Connection) -> list[tuple[Any, ...]]:
            result = connection.exec_driver_sql(statement)
            return [tuple(row) for row in result] if result.returns_rows else []

        return await self.database.write(unit)

    async def states(self, *rows: StateRow, request: int, now_us: int = NOON_US) -> Imported:
        """Changes of state."""
        return await self.custody.record_states(rows, a_key(request), now_us)

    async def withdrawals(self, above: int = 0, limit: int = 100) -> list[tuple[int, Withdrawal]]:
        """With their revisions."""
        page, _ = await self.custody.withdrawals(above, limit)
        return [(each.revision, each.withdrawal) for each in page]

    async def close(self) -> None:
        """Gives the database up."""
        await self.database.close()
