"""The register over a `Database`: each write a unit of work, each read a snapshot."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from sqlalchemy import Connection

from services.chassis.database import Database
from services.chassis.replays import ReplayKey, once
from services.consent.domain.changes import Behind, Follower
from services.consent.domain.choices import Draft
from services.consent.domain.outcomes import Imported, Objected, Published, Recorded
from services.consent.domain.policies import Policy, PolicyDraft
from services.consent.domain.purposes import Signal
from services.consent.domain.subjects import Facts
from services.consent.storage import choices, facts, objections, policies
from services.consent.storage.codec import Outcome, decode_outcome, encode_outcome
from services.consent.storage.history import prepare
from services.consent.storage.tables import REPLAYS

OutcomeT = TypeVar("OutcomeT", bound=Outcome)


class SqlRegister:
    """Satisfies `registrar.Register`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def follow(self, follower: Follower) -> None:
        """Brings the follower to the head, by one snapshot that is taken after this call."""
        # Every check waits for this one, and for no other read.
        take = await self._database.read(
            lambda connection: prepare(connection, follower), confirmed=True, urgent=True
        )
        if take is not None:
            try:
                # A table that grows takes a while.
                await asyncio.to_thread(take)
            except Behind as behind:
                # Whatever becomes of the database: what this process has seen is of another history.
                self._database.give_up(behind)
                raise

    async def record(self, draft: Draft, key: ReplayKey, now_us: int) -> Recorded:
        """Records a live choice."""
        return await write_once(
            self._database, key, now_us, lambda c: choices.record(c, draft, now_us, key.principal)
        )

    async def object(
        self, subject_id: int, source: str, signals: frozenset[Signal], key: ReplayKey, now_us: int
    ) -> Objected:
        """Records the denies of signals that are new from this source."""
        return await write_once(
            self._database,
            key,
            now_us,
            lambda c: objections.record(
                c, objections.Sent(subject_id, source, signals), now_us, key.principal
            ),
        )

    async def import_choices(self, rows: Sequence[choices.Row], key: ReplayKey, now_us: int) -> Imported:
        """Records (line, choice) rows."""
        return await write_once(
            self._database, key, now_us, lambda c: choices.import_rows(c, rows, now_us, key.principal)
        )

    async def import_subjects(
        self, rows: Sequence[tuple[int, int, Facts, int | None]], key: ReplayKey, now_us: int
    ) -> Imported:
        """Records (line, subject id, facts, as of) rows."""
        described = [
            facts.Row(line, subject_id, facts.Description(said, as_of_us))
            for line, subject_id, said, as_of_us in rows
        ]
        return await write_once(
            self._database, key, now_us, lambda c: facts.import_rows(c, described, now_us, key.principal)
        )

    async def publish(self, draft: PolicyDraft, key: ReplayKey, now_us: int) -> Published:
        """Announces a policy."""
        return await write_once(
            self._database, key, now_us, lambda c: policies.publish(c, draft, now_us, key.principal)
        )

    async def activate_due(self, now_us: int) -> None:
        """Activates the policies whose time has come, unless that is done already."""
        await self._database.write(lambda connection: policies.activate_due(connection, now_us))

    async def policies(self, below: int | None, limit: int) -> tuple[Policy, ...]:
        """At most `limit` versions below one, newest first."""
        return await self._database.read(lambda connection: policies.read_page(connection, below, limit))


async def write_once(
    database: Database, key: ReplayKey, now_us: int, unit: Callable[[Connection], OutcomeT]
) -> OutcomeT:
    """Does `unit` and keeps its outcome, or gives the one kept for this request."""

    def run(connection: Connection) -> OutcomeT:
        stored = once(connection, REPLAYS, key, now_us, lambda: encode_outcome(unit(connection)))
        # The key names the RPC, and each has one kind of outcome.
        return cast("OutcomeT", decode_outcome(stored))

    return await database.write(run)
