"""Releases, withdrawals and processes that recall, with what a slow oracle says of them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, select, update

from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.licensing.domain.answers import Revision
from services.licensing.domain.history import Change, StepTaken
from services.licensing.domain.licenses import Licensee, Step, draft
from services.licensing.domain.reasons import Reason, Reasons
from services.licensing.domain.recalls.backlog import Backlog
from services.licensing.domain.recalls.recalls import RecallState
from services.licensing.domain.recalls.rechecks import FIRST_RECHECK, Recheck
from services.licensing.domain.recalls.releases import Release
from services.licensing.domain.recalls.withdrawals import Cause, Withdrawal
from services.licensing.domain.released import Contents, Released, released_of
from services.licensing.domain.terms import Purpose, Terms
from services.licensing.domain.versions import Version
from services.licensing.following import FenceMover, Follower
from services.licensing.rechecking import Rechecker
from services.licensing.scanning import Scanner
from services.licensing.storage.contracts import ContractRows
from services.licensing.storage.head import lock_head, positions, take_number
from services.licensing.storage.ledger_tables import ConfirmationRow, DecisionRow
from services.licensing.storage.recall_tables import RecallEntryRow, RecallRow
from services.licensing.storage.recalls import RecallRows, RecallStore
from services.licensing.storage.released import write_released
from tests.support.clock import NOON_US, ManualClock
from tests.support.counted import Made, values
from tests.support.indexed import Post, batch_of
from tests.support.licensing import put_into_force, some_terms

SECOND_US = 1_000_000
PERMIT_US = 30 * SECOND_US

_TABLES = DecisionRow.metadata.tables
_DECISIONS, _CONFIRMATIONS = _TABLES["decisions"], _TABLES[ConfirmationRow.__tablename__]
_ENTRIES, _RECALLS = _TABLES[RecallEntryRow.__tablename__], _TABLES[RecallRow.__tablename__]

Taken = tuple[int, str, int, int]
"""The revision of a withdrawal, a licensee, a receipt number and a post id."""


class Died(BaseException):
    """A process is gone, at any line."""


@dataclass(frozen=True)
class Contract:
    """A license of one version."""

    license_id: str
    licensee_id: str
    territory: tuple[str, ...] = ("*",)


CONTRACTS = (
    Contract("acme-world", "acme"),
    Contract("acme-de", "acme", ("DE",)),
    Contract("beta-us", "beta", ("US", "FR")),
)


@dataclass(frozen=True)
class Sent:
    """A release, as the slow oracle reads it."""

    posts: tuple[Post, ...]
    contract: Contract
    revision: int
    decided_at_us: int
    purpose: int = int(Purpose.AI_TRAINING_GENERATIVE)
    undelivered: frozenset[int] | None = None
    """Ids of posts confirmed as not delivered; None where nothing was confirmed."""

    @property
    def released(self) -> list[Post]:
        return [post for post in self.posts if post.released]

    def concerned(self, withdrawal: Withdrawal) -> Iterator[int]:
        """Released and perhaps delivered posts with something of the subject, or of the post."""
        for post in self.released:
            authors = {post.author, *(author for _, author in post.embeds)}
            ids = {post.id, *(id for id, _ in post.embeds)}
            theirs = withdrawal.subject_id in authors or withdrawal.post_id in ids
            if theirs and post.id not in (self.undelivered or ()):
                yield post.id

    def is_reached(self, withdrawal: Withdrawal) -> bool:
        """W1, said once more."""
        everywhere = "*" in self.contract.territory or withdrawal.countries & {"XX", "XY"}
        countries = everywhere or withdrawal.countries & set(self.contract.territory)
        return bool(
            self.revision < withdrawal.revision.number
            and withdrawal.licensee_id in {"", self.contract.licensee_id}
            and self.purpose in withdrawal.purposes
            and (not withdrawal.countries or countries)
        )


def add_contracts(database: Database, contracts: Sequence[Contract] = CONTRACTS, **changes: Any) -> None:
    """Writes the licensees and their licenses, in force; `changes` are of the terms of all of them."""

    def unit(connection: Connection) -> None:
        rows = ContractRows(connection)
        rows.lock_head()
        for licensee_id in sorted({contract.licensee_id for contract in contracts}):
            rows.add_licensee(Licensee(licensee_id, licensee_id, NOON_US), "operator:ann")
        for contract in contracts:
            terms = some_terms(
                licensee_id=contract.licensee_id, territory=frozenset(contract.territory), **changes
            )
            _add_license(rows, contract.license_id, terms)

    database.write_now(unit)


def _add_license(rows: ContractRows, license_id: str, terms: Terms) -> None:
    license = put_into_force(draft(license_id, terms, NOON_US))
    rows.add_license(license, Change("operator:ann", NOON_US, "", StepTaken.DRAFTED, 1))
    version = Version(1, terms, license.terms_digest, NOON_US, "operator:ann", "", NOON_US, None)
    rows.add_version(license_id, version)


def record(database: Database, sent: Sent) -> int:
    """Writes a release into the ledger; its number."""

    def unit(connection: Connection) -> int:
        lock_head(connection)
        number = take_number(connection)
        decision_id = _insert_decision(connection, number, sent)
        mask = np.array([post.released for post in sent.posts])
        write_released(connection, number, released_of(batch_of(sent.posts), mask))
        if sent.undelivered is not None:
            _confirm(connection, decision_id, sent)
        return number

    return database.write_now(unit)


def _insert_decision(connection: Connection, number: int, sent: Sent) -> str:
    reasons = tuple(Reason.RELEASED if post.released else Reason.CHOICE_DENIES for post in sent.posts)
    row = values(Made(sent.decided_at_us, sent.contract.licensee_id, sent.purpose, reasons), number)
    row |= {
        "license_id": sent.contract.license_id,
        "consent_epoch": 1,
        "consent_revision": sent.revision,
        "not_after_us": sent.decided_at_us + PERMIT_US,
        "posts_released": len(sent.released),
        "recorded_at_us": sent.decided_at_us,
    }
    connection.execute(insert(_DECISIONS), row)
    return str(row["decision_id"])


def _confirm(connection: Connection, decision_id: str, sent: Sent) -> None:
    assert sent.undelivered is not None, "it was confirmed"
    delivered = np.array([post.released and post.id not in sent.undelivered for post in sent.posts])
    bitmap = np.packbits(delivered, bitorder="little").tobytes()
    connection.execute(
        insert(_CONFIRMATIONS),
        {
            "decision_id": decision_id,
            "delivered": bitmap,
            "posts": int(delivered.sum()),
            "confirmed_at_us": sent.decided_at_us + SECOND_US,
            "license_id": sent.contract.license_id,
            "undelivered": len(sent.undelivered),
            "recorded_at_us": sent.decided_at_us + SECOND_US,
        },
    )


@dataclass
class Stream:
    """Consent: withdrawals, and whom a policy forbids as of which revision."""

    withdrawals: list[Withdrawal] = field(default_factory=list)
    forbidden: dict[int, frozenset[int]] = field(default_factory=dict)
    """Authors, by the revision of the policy."""
    asked: int = 0

    async def follow(self, after: Revision) -> AsyncGenerator[Withdrawal | Revision]:
        """Those that are there by now."""
        for withdrawal in [each for each in self.withdrawals if each.revision > after]:
            yield withdrawal

    async def reasons(self, release: Release, contents: Contents, withdrawal: Withdrawal) -> Reasons:
        """As of that very revision, so that the oracle need not know when it was asked."""
        assert isinstance(contents, Released)
        self.asked += 1
        forbidden = np.array(sorted(self.forbidden[withdrawal.revision.number]), np.uint64)
        denied = np.isin(contents.author_ids, forbidden)
        embeds = np.flatnonzero(np.isin(contents.embed_author_ids, forbidden))
        denied[np.searchsorted(contents.embed_offsets, embeds, side="right") - 1] = True
        why = Reason.PROHIBITED if withdrawal.cause == Cause.POLICY else Reason.HALTED
        return np.where(denied, why, Reason.RELEASED).astype(np.uint8)


class Mortal(RecallStore):
    """A store whose process dies at a call of it: before it, or with the answer on its way."""

    def __init__(self, database: Database, dies: Callable[[], str]) -> None:
        """`dies` says of each call: "" or "before" or "after"."""
        super().__init__(database)
        self._dies = dies

    async def write(self, unit: Callable[[Any], Any]) -> Any:
        return await self._call(super().write, unit)

    async def read(self, query: Callable[[Any], Any]) -> Any:
        return await self._call(super().read, query)

    async def find(self, *arguments: Any) -> Any:
        return await self._call(super().find, *arguments)

    async def cargoes(self, *arguments: Any) -> Any:
        return await self._call(super().cargoes, *arguments)

    async def _call(self, call: Callable[..., Any], *arguments: Any) -> Any:
        death = self._dies()
        if death == "before":
            raise Died
        result = await call(*arguments)
        if death == "after":
            raise Died
        return result


class Meeting(RecallStore):
    """A store of processes that write only when all of them have looked."""

    def __init__(self, database: Database, barrier: asyncio.Barrier) -> None:
        super().__init__(database)
        self._barrier = barrier

    async def write(self, unit: Callable[[Any], Any]) -> Any:
        await self._barrier.wait()
        return await super().write(unit)


class Process:
    """What one process of licensing does, a step at a time; it begins anew when it has died."""

    def __init__(
        self, store: RecallStore, stream: Stream, clock: ManualClock, most_in_hand: int = 1_000
    ) -> None:
        self._store, self._stream, self._clock, self._most = store, stream, clock, most_in_hand
        self._begin()

    def _begin(self) -> None:
        def new_id() -> str:
            return uuid7(self._clock.now_us())

        self.backlog = Backlog(self._most)
        self.follower = Follower(self._stream, self._store, self.backlog, self._clock)
        self.fence = FenceMover(self._store, self.backlog, interval_seconds=1)
        self.scanner = Scanner(
            self._store, self.backlog, self._clock, new_id=new_id, new_withdrawal_id=new_id
        )
        self.rechecker = Rechecker(self._store, self._stream, self._clock, new_id=new_id)

    async def _recheck(self) -> bool:
        rechecks = await self._store.read(lambda rows: rows.open_rechecks(FIRST_RECHECK, 10))
        for recheck in rechecks:
            await self.rechecker.step(recheck)
        return bool(rechecks)

    async def take(self, step: str) -> bool:
        """Takes a step; whether there may be more of it. A death is survived by the next process."""
        try:
            match step:
                case "follow":
                    await self.follower.follow()
                case "fence":
                    await self.fence.advance()
                case "scan":
                    return await self.scanner.scan()
                case "recheck":
                    return await self._recheck()
        except Died:
            self._begin()
            return True
        return False

    async def finish(self) -> None:
        """Goes on until nothing is left to do."""
        more = True
        while more:
            more = False
            for step in ("follow", "fence", "scan", "recheck"):
                more |= await self.take(step)


STEPS = ("follow", "fence", "scan", "recheck")


def fence_of(database: Database) -> int:
    """The number of the fence: no release rests on an answer below it once it is there."""
    return database.read_now(positions).fence.number


def entries(database: Database) -> list[Any]:
    """All rows of entries."""
    return database.read_now(lambda connection: list(connection.execute(select(_ENTRIES))))


def recalls(database: Database) -> list[Any]:
    """All rows of recalls."""
    return database.read_now(lambda connection: list(connection.execute(select(_RECALLS))))


def posts_by_number(row: Any) -> Iterator[tuple[int, int, int]]:
    """(number, post, gap) of an entry."""
    offsets, posts = np.frombuffer(row.post_offsets, "<u4"), np.frombuffer(row.post_ids, "<u8")
    for at, number in enumerate(np.frombuffer(row.decisions, "<u8").tolist()):
        for post in posts[offsets[at] : offsets[at + 1]].tolist():
            yield number, post, row.gaps[at]


def taken(database: Database) -> list[Taken]:
    """Everything that was taken back, as often as it was."""
    return [
        (row.revision, row.licensee_id, number, post)
        for row in entries(database)
        for number, post, _ in posts_by_number(row)
    ]


def expected(sent: dict[int, Sent], stream: Stream) -> set[Taken]:
    """What must be taken back, found by looking at everything."""
    return {
        (withdrawal.revision.number, each.contract.licensee_id, number, post)
        for withdrawal in stream.withdrawals
        for number, each in sent.items()
        if each.is_reached(withdrawal)
        for subject in stream.forbidden.get(withdrawal.revision.number, frozenset({withdrawal.subject_id}))
        for post in each.concerned(replace(withdrawal, subject_id=subject))
    }


def resolve_all(database: Database) -> None:
    """The licensees attest that all that was recalled so far is deleted."""
    deleted = int(RecallState.DELETED)
    database.write_now(
        lambda connection: connection.execute(update(_RECALLS).values(state=deleted, outcome=deleted))
    )


def add_license_to(database: Database, contract: Contract, **changes: Any) -> None:
    """One more license of a licensee that is there."""

    def unit(connection: Connection) -> None:
        rows = ContractRows(connection)
        rows.lock_head()
        _add_license(rows, contract.license_id, some_terms(licensee_id=contract.licensee_id, **changes))

    database.write_now(unit)


def resume(database: Database, license_id: str, now_us: int) -> None:
    """An operator resumes a license."""

    def unit(connection: Connection) -> None:
        rows = ContractRows(connection)
        rows.lock_head()
        license = rows.license(license_id)
        assert license is not None, "it was added"
        change = Change("operator:ann", now_us, "", StepTaken.RESUMED, license.version)
        rows.put_license(license.after(Step.RESUME, now_us, ""), change)

    database.write_now(unit)


def open_rechecks(connection: Connection) -> Sequence[Recheck]:
    """Those that go on."""
    return RecallRows(connection).open_rechecks(FIRST_RECHECK, 100)
