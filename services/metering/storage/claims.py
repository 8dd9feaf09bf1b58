"""Damages policies and assessments in metering's own database, and what assessments are made from."""

import hashlib
import json
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection, bindparam, func, insert, select

from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.chassis.long_reads import GoOn
from services.chassis.replays import ReplayKey, earlier, once
from services.metering.assessor import OnRecord, ShortRecord, assessment_overlaps
from services.metering.domain.allowances import Account, Scope
from services.metering.domain.damages.amounts import Rate
from services.metering.domain.damages.disputes import Standing, State
from services.metering.domain.damages.documents import (
    Finding,
    Recorded,
    RunningImport,
    document,
    encoded,
    in_short,
    named,
    policy_document,
    policy_of,
)
from services.metering.domain.damages.evidence import Rows
from services.metering.domain.damages.members import AssessmentScope, PartyStretch
from services.metering.domain.damages.policies import DamagesPolicy, Selection, Version
from services.metering.domain.parties import Known
from services.metering.domain.reservations import Revision
from services.metering.schema.tables import REPLAYS, MeteringTable
from services.metering.storage.absences import is_unknown
from services.metering.storage.evidence import count_rows, read_rows
from services.metering.storage.head import next_number, read_head
from services.metering.storage.pages import read_page
from services.metering.storage.reports import read_running
from services.metering.storage.selected import SelectedCounts
from services.metering.storage.shelf import read_known, read_members

T = TypeVar("T")

HIGHEST = 2**62
"""Above every version."""

_tables = MeteringTable.metadata.tables
_policies, _assessments = _tables["damages_policies"], _tables["assessments"]
_VERSIONS = (
    select(_policies)
    .where(_policies.c.version < bindparam("before"))
    .order_by(_policies.c.version.desc())
    .limit(bindparam("limit"))
)
_OVERLAPPING = (
    select(_assessments.c.assessment_id)
    .where(
        _assessments.c.scope == bindparam("scope"),
        _assessments.c.key == bindparam("key"),
        _assessments.c.since_us < bindparam("until_us"),
        _assessments.c.until_us > bindparam("since_us"),
        _assessments.c.state != int(State.WITHDRAWN),
    )
    .order_by(_assessments.c.number.desc())
    .limit(1)
)
_STANDING = (_assessments.c.state, _assessments.c.in_force)
_IS_THE_ONE = _assessments.c.assessment_id == bindparam("id")
_ONE = select(_assessments.c.document, *_STANDING).where(_IS_THE_ONE)
_CLAIM = select(_assessments.c.rate, *_STANDING).where(_IS_THE_ONE)
_NAMED = select(_assessments.c.named).where(_IS_THE_ONE)
_LATEST = (
    select(_assessments.c.number, _assessments.c.short, _assessments.c.digest, *_STANDING)
    .where(_assessments.c.number < bindparam("before"))
    .order_by(_assessments.c.number.desc())
    .limit(bindparam("limit"))
)


class SqlSnapshot:
    """Satisfies `assessor.Snapshot`, on an open read transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.as_of = read_head(connection)

    def version(self, number: int) -> Version | None:
        """One version, or the latest."""
        before = number + 1 if number else HIGHEST
        found, _ = _versions(self._connection, before, 1)
        return found[0] if found and number in {0, found[0].number} else None

    def known(self, of: Account) -> Mapping[str, Known]:
        """What was said of it, or of all that ever belonged to it; a party that was counted suffices."""
        if of.scope is Scope.GROUP:
            return read_known(self._connection, read_members(self._connection, of.id))
        if is_unknown(self._connection, of):
            return {}
        return {of.id: Known.nothing()} | read_known(self._connection, [of.id])

    def selected(self, members: Sequence[PartyStretch], selection: Selection) -> SelectedCounts:
        """What was counted of these."""
        return SelectedCounts(self._connection, members, selection)

    def row_count(self, members: Sequence[PartyStretch]) -> int:
        """How many entries there are of these."""
        return count_rows(self._connection, members)

    def rows(self, members: Sequence[PartyStretch], until_number: int) -> Iterator[Rows]:
        """The evidence, chunk by chunk."""
        return read_rows(self._connection, members, until_number)

    def running(self, since_us: int) -> Sequence[RunningImport]:
        """Sources that reported after a time."""
        return read_running(self._connection, since_us)


class SqlClaims:
    """Satisfies `assessor.Claims`."""

    def __init__(self, database: Database, now_us: Callable[[], int]) -> None:
        """`now_us` tells the present in microseconds UTC; it is asked under the lock of the head."""
        self._database = database
        self._now_us = now_us

    def each(self, work: Callable[[SqlSnapshot, GoOn], Iterator[T]]) -> AsyncGenerator[T]:
        """What `work` gives on one snapshot."""
        return self._database.read_each(lambda connection, go_on: work(SqlSnapshot(connection), go_on))

    async def put_policy(self, policy: DamagesPolicy, key: ReplayKey) -> tuple[Version, Revision]:
        """Puts a version on record."""

        def unit(connection: Connection) -> tuple[Version, Revision]:
            now_us = self._now_us()

            def produce() -> bytes:
                revision = next_number(connection)
                latest = connection.execute(select(func.max(_policies.c.version))).scalar() or 0
                row = {
                    "version": latest + 1,
                    "policy": encoded(policy_document(policy)).decode(),
                    "recorded_us": now_us,
                    "recorded_by": key.principal,
                }
                connection.execute(insert(_policies), [row])
                return json.dumps([latest + 1, revision.epoch, revision.number]).encode()

            number, epoch, at = json.loads(once(connection, REPLAYS, key, now_us, produce))
            (version,), _ = _versions(connection, number + 1, 1)
            return version, Revision(epoch, at)

        return await self._database.write(unit)

    async def versions(self, before: int, size: int) -> tuple[list[Version], bool]:
        """Up to `size` versions before one, latest first."""
        return await self._database.read(lambda connection: _versions(connection, before, size))

    async def begin(self, scope: AssessmentScope, key: ReplayKey) -> OnRecord | None:
        """What was put on record with this key, or nothing that stands in the way."""

        def query(connection: Connection) -> OnRecord | None:
            # Looked for first: what the same request puts on record meanwhile is then its answer.
            overlapping = _overlapping(connection, scope)
            if (id := earlier(connection, REPLAYS, key)) is not None:
                return read_assessment(connection, id.decode())
            if overlapping is not None:
                raise assessment_overlaps(overlapping)
            return None

        return await self._database.read(query)

    async def record(self, finding: Finding, key: ReplayKey) -> OnRecord:
        """Puts it on record."""

        def unit(connection: Connection) -> OnRecord:
            now_us = self._now_us()

            def produce() -> bytes:
                # Again, under the lock: another may have been put on record while this was worked out.
                if (overlapping := _overlapping(connection, finding.scope)) is not None:
                    raise assessment_overlaps(overlapping)
                recorded = Recorded(str(uuid7(now_us)), now_us, key.principal)
                _insert(connection, finding, recorded)
                return recorded.assessment_id.encode()

            id = once(connection, REPLAYS, key, now_us, produce).decode()
            found = read_assessment(connection, id)
            assert found is not None
            return found

        return await self._database.write(unit)

    async def get(self, assessment_id: str) -> OnRecord | None:
        """One on record."""
        return await self._database.read(lambda connection: read_assessment(connection, assessment_id))

    async def list(self, of: Account | None, before: int, size: int) -> tuple[list[ShortRecord], bool]:
        """Up to `size` before a number, latest first."""
        query = _LATEST
        if of is not None:
            query = query.where(_assessments.c.scope == int(of.scope), _assessments.c.key == of.id)

        def found(connection: Connection) -> tuple[list[ShortRecord], bool]:
            rows, has_more = read_page(connection, query, before, size)
            return [_short(*row) for row in rows], has_more

        return await self._database.read(found)


def _overlapping(connection: Connection, scope: AssessmentScope) -> str | None:
    """Id of an assessment of the same, in some of the same time, that was not withdrawn.

    Whatever two operators decided of it would otherwise be undone by one, who records it again (D4).
    """
    given = {"scope": int(scope.of.scope), "key": scope.of.id}
    times = {"since_us": scope.since_us, "until_us": scope.until_us}
    found: str | None = connection.execute(_OVERLAPPING, given | times).scalar()
    return found


def _insert(connection: Connection, finding: Finding, recorded: Recorded) -> None:
    said = document(finding, recorded)
    whole, rate = encoded(said), finding.version.policy.rate
    row = {
        "number": next_number(connection).number,
        "assessment_id": recorded.assessment_id,
        "scope": int(finding.scope.of.scope),
        "key": finding.scope.of.id,
        "since_us": finding.scope.since_us,
        "until_us": finding.scope.until_us,
        "document": whole.decode(),
        "short": encoded(in_short(said)).decode(),
        "digest": hashlib.sha256(whole).digest(),
        "rate": json.dumps([rate.currency, rate.nanos, rate.digits]),
        "named": json.dumps(named(said)),
        "state": int(State.RECORDED),
        "in_force": finding.assessed.amount,
    }
    connection.execute(insert(_assessments), [row])


def read_assessment(connection: Connection, assessment_id: str) -> OnRecord | None:
    """One on record."""
    row = connection.execute(_ONE, {"id": assessment_id}).one_or_none()
    return None if row is None else OnRecord(row.document.encode(), _standing(row.state, row.in_force))


def read_claim(connection: Connection, assessment_id: str) -> tuple[Standing, Rate] | None:
    """Where one on record stands, and what its amounts are told in."""
    row = connection.execute(_CLAIM, {"id": assessment_id}).one_or_none()
    return None if row is None else (_standing(row.state, row.in_force), Rate(*json.loads(row.rate)))


def read_named(connection: Connection, assessment_id: str) -> list[str]:
    """The parties that one on record names; none where there is no such assessment."""
    return [*json.loads(connection.execute(_NAMED, {"id": assessment_id}).scalar() or "[]")]


def _short(number: int, short: str, digest: bytes, *standing: int) -> ShortRecord:
    return ShortRecord(number, json.loads(short), digest, _standing(*standing))


def _standing(state: int, in_force: int) -> Standing:
    return Standing(State(state), in_force)


def _versions(connection: Connection, before: int, size: int) -> tuple[list[Version], bool]:
    rows, has_more = read_page(connection, _VERSIONS, before, size)
    versions = [
        Version(row.version, policy_of(json.loads(row.policy)), row.recorded_us, row.recorded_by)
        for row in rows
    ]
    return versions, has_more
