"""The register over a `Database`: each write a unit of work, followed in the order of commits."""

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from services.chassis.database import Database
from services.chassis.engines import OwnershipLost
from services.chassis.group_commit import CommitUnknown
from services.chassis.replays import ReplayKey, once
from services.consent.domain.changes import Change, Contents, Follower, Placement, Revision
from services.consent.domain.choices import Draft
from services.consent.domain.outcomes import Imported, Published, Recorded
from services.consent.domain.policies import Policy, PolicyDraft
from services.consent.storage import choices, policies, subjects
from services.consent.storage.codec import Outcome, decode_outcome, decode_profile, encode_outcome
from services.consent.storage.head import read_head
from services.consent.storage.tables import REPLAYS, TABLES

ROWS_AT_ONCE = 100_000

_PROFILES = TABLES["profiles"]
_PLACEMENT = "SELECT subject_id, profile_id FROM states"

T = TypeVar("T")
OutcomeT = TypeVar("OutcomeT", Recorded, Imported, Published)


class SqlRegister:
    """Satisfies `registrar.Register`."""

    def __init__(self, database: Database, follower: Follower) -> None:
        """`follower` is told of everything, on the writer's thread and before the caller of a write is."""
        self._database = database
        self._follower = follower

    async def head(self) -> Revision:
        """The revision given last; where another process may have given it, the follower starts over."""
        try:
            return await self._database.read(read_head)
        except OwnershipLost:
            self._follower.distrust()
            raise

    async def load(self) -> None:
        """Has the follower start over. Writes wait meanwhile, so that none falls between old and new."""
        await self._database.write(_contents, self._follower.replace)

    async def record(self, draft: Draft, key: ReplayKey, now_us: int) -> Recorded:
        """Records a live choice."""
        return await self._write_once(key, now_us, lambda c: choices.record(c, draft, now_us, key.principal))

    async def import_choices(self, rows: Sequence[choices.Row], key: ReplayKey, now_us: int) -> Imported:
        """Records (line, choice) rows."""
        return await self._write_once(
            key, now_us, lambda c: choices.import_rows(c, rows, now_us, key.principal)
        )

    async def import_subjects(self, rows: Sequence[subjects.Row], key: ReplayKey, now_us: int) -> Imported:
        """Records (subject id, facts) rows."""
        return await self._write_once(
            key, now_us, lambda c: subjects.import_rows(c, rows, now_us, key.principal)
        )

    async def publish(self, draft: PolicyDraft, key: ReplayKey, now_us: int) -> Published:
        """Announces a policy."""
        return await self._write_once(
            key, now_us, lambda c: policies.publish(c, draft, now_us, key.principal)
        )

    async def activate_due(self, now_us: int) -> None:
        """Activates the policies whose time has come, unless that is done already."""

        def unit(connection: Connection) -> tuple[None, Change | None]:
            return None, policies.activate_due(connection, now_us)

        await self._write(unit)

    async def policies(self, below: int | None, limit: int) -> tuple[Policy, ...]:
        """At most `limit` versions below one, newest first."""
        return await self._database.read(lambda connection: policies.read_page(connection, below, limit))

    async def _write_once(
        self,
        key: ReplayKey,
        now_us: int,
        unit: Callable[[Connection], tuple[OutcomeT, Change | None]],
    ) -> OutcomeT:
        """Does `unit` and keeps its outcome, or gives the one kept for this request."""

        def run(connection: Connection) -> tuple[OutcomeT, Change | None]:
            change: Change | None = None

            def produce() -> bytes:
                nonlocal change
                outcome, change = unit(connection)
                return encode_outcome(outcome)

            stored: Outcome = decode_outcome(once(connection, REPLAYS, key, now_us, produce))
            # The key names the RPC, and each has one kind of outcome.
            return cast("OutcomeT", stored), change

        return await self._write(run)

    async def _write(self, unit: Callable[[Connection], tuple[T, Change | None]]) -> T:
        def follow(result: tuple[T, Change | None]) -> None:
            if result[1] is not None:
                self._follower.apply(result[1])

        try:
            answer, _ = await self._database.write(unit, follow)
        except CommitUnknown:
            self._follower.distrust()
            raise
        return answer


def _contents(connection: Connection) -> Contents:
    profiles = connection.execute(select(_PROFILES.c.profile_id, _PROFILES.c.content))
    return Contents(
        read_head(connection),
        _placement(connection),
        {profile_id: decode_profile(content) for profile_id, content in profiles},
        policies.read_book(connection),
    )


def _placement(connection: Connection) -> Placement:
    """Reads through the driver, for there is a row for every subject and objects of rows are slow."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(_PLACEMENT)
        parts: list[NDArray[np.int64]] = [np.empty((0, 2), np.int64)]
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            parts.append(np.array(rows, np.int64))
    finally:
        cursor.close()
    columns = np.concatenate(parts)
    return Placement(columns[:, 0].copy().view(np.uint64), columns[:, 1].astype(np.uint32))
