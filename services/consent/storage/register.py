"""The register over a `Database`: each write a unit of work, each read a snapshot.

A write is of the moment at which its turn has come, not of that at which it arrived (`turn_us`): it may have
waited for others, and a check that was answered meanwhile did not know of it (C11).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from sqlalchemy import Connection

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.refusals import Behind
from services.chassis.replays import ReplayKey, once
from services.consent.domain.changes import Follower
from services.consent.domain.choices import Draft
from services.consent.domain.outcomes import Imported, Objected, Published, Recorded, Retracted
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

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

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
            self._database,
            self._clock,
            key,
            now_us,
            lambda c, at_us: choices.record(c, draft, at_us, key.principal),
        )

    async def object(
        self, subject_id: int, source: str, signals: frozenset[Signal], key: ReplayKey, now_us: int
    ) -> Objected:
        """Records the denies of signals that are new from this source."""
        return await write_once(
            self._database,
            self._clock,
            key,
            now_us,
            lambda c, at_us: objections.record(
                c, objections.Sent(subject_id, source, signals), at_us, key.principal
            ),
        )

    async def import_choices(self, rows: Sequence[choices.Row], key: ReplayKey, now_us: int) -> Imported:
        """Records (line, choice) rows."""
        return await write_once(
            self._database,
            self._clock,
            key,
            now_us,
            lambda c, at_us: choices.import_rows(c, rows, at_us, key.principal),
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
            self._database,
            self._clock,
            key,
            now_us,
            lambda c, at_us: facts.import_rows(c, described, at_us, key.principal),
        )

    async def publish(self, draft: PolicyDraft, key: ReplayKey, now_us: int) -> Published:
        """Announces a policy."""
        return await write_once(
            self._database,
            self._clock,
            key,
            now_us,
            lambda c, at_us: policies.publish(c, draft, at_us, key.principal),
        )

    async def retract(self, version: int, key: ReplayKey, now_us: int) -> Retracted:
        """Retracts a policy."""
        return await write_once(
            self._database,
            self._clock,
            key,
            now_us,
            lambda c, at_us: policies.retract(c, version, at_us, key.principal),
        )

    async def activate_due(self, now_us: int) -> None:
        """Activates the policies whose time has come, unless that is done already."""
        await self._database.write(lambda c: policies.activate_due(c, turn_us(self._clock, now_us)))

    async def policies(self, below: int | None, limit: int) -> tuple[Policy, ...]:
        """At most `limit` versions below one, newest first."""
        return await self._database.read(lambda connection: policies.read_page(connection, below, limit))


async def write_once(
    database: Database,
    clock: Clock,
    key: ReplayKey,
    now_us: int,
    unit: Callable[[Connection, int], OutcomeT],
) -> OutcomeT:
    """Does `unit` and keeps its outcome, or gives the one kept for this request, which arrived at `now_us`.

    `unit` is told when its turn has come.
    """

    def run(connection: Connection) -> OutcomeT:
        stored = once(
            connection,
            REPLAYS,
            key,
            now_us,
            lambda: encode_outcome(unit(connection, turn_us(clock, now_us))),
        )
        # The key names the RPC, and each has one kind of outcome.
        return cast("OutcomeT", decode_outcome(stored))

    return await database.write(run)


def turn_us(clock: Clock, arrived_us: int) -> int:
    """The present, for a unit of work that holds the head; never before it arrived.

    Read before that, it would be the time of a wait, during which checks were answered without the write.
    """
    return max(arrived_us, clock.now_us())
