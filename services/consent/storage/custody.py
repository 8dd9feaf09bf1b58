"""States, halts, withdrawals and whole records over a `Database`."""

from collections.abc import Sequence

from sqlalchemy import Connection

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.heads import Head
from services.chassis.replays import ReplayKey
from services.consent.domain.changes import Revision
from services.consent.domain.dossiers import ChoiceRecord, Dossier
from services.consent.domain.explanations import Known
from services.consent.domain.halts import Halt, HaltOrder
from services.consent.domain.outcomes import Erased, Halted, Imported
from services.consent.domain.state_changes import StateRow
from services.consent.domain.subjects import Subject
from services.consent.domain.withdrawals import Recorded
from services.consent.storage import dossiers, facts, halts, posts
from services.consent.storage.head import read_head
from services.consent.storage.known import read_known, read_known_now
from services.consent.storage.register import write_once
from services.consent.storage.states import read_subjects
from services.consent.storage.tables import RESTORES
from services.consent.storage.withdrawals import read_withdrawals


class SqlCustody:
    """Satisfies `custodian.Custody` and `watching.Withdrawals`.

    What subjects and licensing are shown is confirmed: who sees their choice on record takes it for made.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def record_states(self, rows: Sequence[StateRow], key: ReplayKey, now_us: int) -> Imported:
        """Records changes that change something, each kind of target in its order."""
        subjects = [facts.Row(row.line, row.subject_id, row.change) for row in rows if row.subject_id]
        of_posts = [posts.Row(row.line, row.post_id, row.change) for row in rows if row.post_id]

        def unit(connection: Connection, at_us: int) -> Imported:
            first = facts.import_rows(connection, subjects, at_us, key.principal)
            second = posts.import_rows(connection, of_posts, at_us, key.principal)
            return Imported(
                first.accepted + second.accepted,
                first.unchanged + second.unchanged,
                (*first.rejected, *second.rejected),
                second.revision,
            )

        return await write_once(self._database, self._clock, key, now_us, unit)

    async def order_halt(self, order: HaltOrder, key: ReplayKey, now_us: int) -> Halted:
        """Records a halt."""
        return await write_once(
            self._database,
            self._clock,
            key,
            now_us,
            lambda c, at_us: halts.order(c, order, at_us, key.principal),
        )

    async def lift_halt(self, halt_id: int, key: ReplayKey, now_us: int) -> Halted:
        """Records its end."""
        return await write_once(
            self._database,
            self._clock,
            key,
            now_us,
            lambda c, at_us: halts.lift(c, halt_id, at_us, key.principal),
        )

    async def halts(self, below: int | None, limit: int, *, in_force_only: bool) -> tuple[Halt, ...]:
        """At most `limit` with an id below one, newest first."""
        return await self._database.read(
            lambda c: halts.read_page(c, below, limit, in_force_only=in_force_only)
        )

    async def erase(self, subject_id: int, key: ReplayKey, now_us: int) -> Erased:
        """Takes a subject's records away."""
        return await write_once(
            self._database,
            self._clock,
            key,
            now_us,
            lambda c, at_us: dossiers.erase(c, subject_id, at_us, key.principal),
        )

    async def dossier(self, subject_id: int, now_us: int) -> Dossier | None:
        """All records of a subject."""
        return await self._database.read(
            lambda c: dossiers.read_dossier(c, subject_id, now_us), confirmed=True
        )

    async def known(self, subject_id: int, post_id: int, as_of_us: int) -> tuple[Known, Revision]:
        """What was known at a time, and how far the records had come when they were read."""
        return await self._database.read(
            lambda c: (read_known(c, subject_id, post_id, as_of_us), read_head(c)), confirmed=True
        )

    async def known_now(self, subject_id: int) -> tuple[Known, Revision]:
        """What is known, of no post, and how far the records have come; of the erased there is nothing."""
        return await self._database.read(
            lambda c: (read_known_now(c, subject_id), read_head(c)), confirmed=True
        )

    async def standing(self, subject_id: int) -> tuple[Subject, tuple[ChoiceRecord, ...], Revision]:
        """A subject as of now, with the records of the choices that still matter, oldest first."""

        def query(connection: Connection) -> tuple[Subject, tuple[ChoiceRecord, ...], Revision]:
            subject = read_subjects(connection, [subject_id]).subjects.get(subject_id, Subject())
            kept = {choice.revision for choice in subject.choices}
            return subject, dossiers.read_choices_at(connection, kept), read_head(connection)

        return await self._database.read(query, confirmed=True)

    async def choices(
        self, subject_id: int, below: int | None, limit: int
    ) -> tuple[tuple[ChoiceRecord, ...], Revision]:
        """At most `limit` of a subject's choices with a revision below one, newest first."""
        return await self._database.read(
            lambda c: (dossiers.read_choices(c, subject_id, below, limit), read_head(c)), confirmed=True
        )

    async def withdrawals(self, above: int, limit: int) -> tuple[tuple[Recorded, ...], Revision]:
        """At most `limit` after a revision, and the head of the same snapshot."""
        # Confirmed, for whoever reads them takes note of how far they have read.
        return await self._database.read(lambda c: _withdrawals_and_head(c, above, limit), confirmed=True)

    async def course(self) -> tuple[Revision, tuple[Head, ...]]:
        """The head, and (epoch, number up to which all earlier ones share it) of each restore, in order."""
        return await self._database.read(lambda c: (read_head(c), RESTORES.points(c)), confirmed=True)


def _withdrawals_and_head(
    connection: Connection, above: int, limit: int
) -> tuple[tuple[Recorded, ...], Revision]:
    head = read_head(connection)
    # Mostly nothing was withdrawn since somebody looked before, and then the head alone is read.
    return (read_withdrawals(connection, above, limit) if head.number > above else ()), head
