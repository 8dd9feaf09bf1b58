"""Works out what somebody owes under the damages policy, and puts it on record (D1 to D4)."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from services.chassis.long_reads import GoOn
from services.chassis.refusals import Kind, Refusal, not_found, precondition
from services.chassis.replays import ReplayKey
from services.metering.domain.allowances import Account
from services.metering.domain.damages.assessments import Assessed, assess, readings
from services.metering.domain.damages.cells import Counted
from services.metering.domain.damages.disputes import Standing
from services.metering.domain.damages.documents import Document, Finding, Proof, RunningImport, proof
from services.metering.domain.damages.evidence import Evidence, Rows, root
from services.metering.domain.damages.members import AssessmentScope, PartyStretch, belonging
from services.metering.domain.damages.policies import DamagesPolicy, Selection, Version, policy_unknown
from services.metering.domain.parties import Known
from services.metering.domain.reservations import Revision

T = TypeVar("T")

RUNNING_US = 60_000_000
"""A source that reported so shortly before may have more to say, microseconds."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: so many readings, or rows of evidence, of so many."""

    rows: bool
    done: int
    of: int


class Snapshot(Protocol):
    """Metering's records at one moment; used on the thread that reads."""

    as_of: Revision

    def version(self, number: int) -> Version | None:
        """One version of the policy; for 0 the latest."""
        ...

    def known(self, of: Account) -> Mapping[str, Known]:
        """What was said of a party, or of all that ever belonged to a group; empty where there is nothing."""
        ...

    def selected(self, members: Sequence[PartyStretch], selection: Selection) -> Counted:
        """What was counted of these."""
        ...

    def row_count(self, members: Sequence[PartyStretch]) -> int:
        """How many rows there are of these, about: entries with several kinds are several rows."""
        ...

    def rows(self, members: Sequence[PartyStretch], until_number: int) -> Iterator[Rows]:
        """The evidence, chunk by chunk."""
        ...

    def running(self, since_us: int) -> Sequence[RunningImport]:
        """Sources that reported after a time, sorted."""
        ...


@dataclass(frozen=True, slots=True)
class OnRecord:
    """An assessment on record."""

    document: bytes
    """docs/evidence-format.md."""
    standing: Standing

    def proof(self) -> Proof:
        """What its evidence is."""
        return proof(json.loads(self.document))


@dataclass(frozen=True, slots=True)
class ShortRecord:
    """An assessment on record, without what may be long in it."""

    number: int
    """Of the change that put it on record."""
    said: Document
    """The document in short."""
    digest: bytes
    """SHA-256 of the document."""
    standing: Standing


class Claims(Protocol):
    """The durable store."""

    def each(self, work: Callable[[Snapshot, GoOn], Iterator[T]]) -> AsyncGenerator[T]:
        """What `work` gives on one snapshot, as it gives it; stopped when the iterator is closed."""
        ...

    async def put_policy(self, policy: DamagesPolicy, key: ReplayKey) -> tuple[Version, Revision]:
        """Puts a version on record, once for each key."""
        ...

    async def versions(self, before: int, size: int) -> tuple[list[Version], bool]:
        """Up to `size` versions before one, latest first, and whether more follow; fewer if large."""
        ...

    async def begin(self, scope: AssessmentScope, key: ReplayKey) -> OnRecord | None:
        """What was put on record with this key. Raises Refusal REQUEST_ID_REUSED, ASSESSMENT_OVERLAPS."""
        ...

    async def record(self, finding: Finding, key: ReplayKey) -> OnRecord:
        """Puts it on record, once for each key. Raises Refusal ASSESSMENT_OVERLAPS."""
        ...

    async def get(self, assessment_id: str) -> OnRecord | None:
        """One on record."""
        ...

    async def list(self, of: Account | None, before: int, size: int) -> tuple[list[ShortRecord], bool]:
        """The same of those on record before a number."""
        ...


class Assessor:
    """Answers what the clause comes to."""

    def __init__(self, claims: Claims, now_us: Callable[[], int]) -> None:
        self._claims = claims
        self._now_us = now_us

    async def preview(self, scope: AssessmentScope) -> AsyncGenerator[Progress | Finding]:
        """How far it is, and last what it comes to. Raises Refusal."""
        now_us = self._now_us()
        scope.check(now_us)
        since_us = now_us - RUNNING_US
        async with aclosing(self._claims.each(partial(_found, scope=scope, since_us=since_us))) as steps:
            async for step in steps:
                yield step

    async def record(self, scope: AssessmentScope, key: ReplayKey) -> AsyncGenerator[Progress | OnRecord]:
        """The same with its evidence, put on record once for each key."""
        now_us = self._now_us()
        scope.check(now_us)
        if (earlier := await self._claims.begin(scope, key)) is not None:
            yield earlier
            return
        since_us = now_us - RUNNING_US
        async with aclosing(self._claims.each(partial(_proved, scope=scope, since_us=since_us))) as steps:
            async for step in steps:
                yield step if isinstance(step, Progress) else await self._claims.record(step, key)

    async def put_policy(self, policy: DamagesPolicy, key: ReplayKey) -> tuple[Version, Revision]:
        """Puts a version on record."""
        return await self._claims.put_policy(policy, key)

    async def versions(self, before: int, size: int) -> tuple[list[Version], int | None]:
        """Up to `size` versions before one, latest first, and the last one's number where more follow."""
        found, has_more = await self._claims.versions(before, size)
        return found, found[-1].number if has_more else None

    async def list(self, of: Account | None, before: int, size: int) -> tuple[list[ShortRecord], int | None]:
        """Up to `size` on record before a number, latest first, and the last one's where more follow."""
        found, has_more = await self._claims.list(of, before, size)
        return found, found[-1].number if has_more else None

    async def evidence(self, assessment_id: str) -> AsyncGenerator[Rows]:
        """Chunk by chunk. Raises Refusal ASSESSMENT_UNKNOWN, EVIDENCE_DIFFERS."""
        # On a thread, for the document may be large.
        proof = await asyncio.to_thread((await self.get(assessment_id)).proof)
        async with aclosing(self._claims.each(partial(_read_again, proof=proof))) as chunks:
            async for rows in chunks:
                yield rows

    async def get(self, assessment_id: str) -> OnRecord:
        """Raises Refusal ASSESSMENT_UNKNOWN."""
        found = await self._claims.get(assessment_id)
        if found is None:
            raise assessment_unknown()
        return found


def _read_again(records: Snapshot, go_on: GoOn, proof: Proof) -> Iterator[Rows]:
    digests = list[bytes]()
    for chunk in records.rows(proof.members, proof.as_of.number):
        go_on()
        digests.append(chunk.digest())
        yield chunk
    if root(digests) != proof.evidence.root:
        # Whoever reads it learns of it before the end, and has nothing to rely on.
        raise Refusal(
            Kind.INTERNAL, "EVIDENCE_DIFFERS", "these rows are not those that were digested: run an audit"
        )


def assessment_unknown() -> Refusal:
    """The refusal of an id that there is not."""
    return not_found("ASSESSMENT_UNKNOWN", "there is no assessment with this id on record")


def assessment_overlaps(assessment_id: str) -> Refusal:
    """The refusal of what is claimed already."""
    return precondition(
        "ASSESSMENT_OVERLAPS",
        f"assessment {assessment_id} is of some of that time: withdraw it first, which takes two",
    )


def _found(
    records: Snapshot, go_on: GoOn, scope: AssessmentScope, since_us: int
) -> Iterator[Progress | Finding]:
    version = records.version(scope.policy_version)
    if version is None:
        raise policy_unknown()
    members, exempt = belonging(scope, records.known(scope.of))
    steps = assess(version.policy, members, scope.since_us, scope.until_us, records.selected, go_on)
    for done, step in enumerate(steps, 1):
        if isinstance(step, Assessed):
            running = records.running(since_us)
            yield Finding(scope, version, records.as_of, members, exempt, running, step, evidence=None)
        else:
            yield Progress(rows=False, done=done, of=readings(version.policy))


def _proved(
    records: Snapshot, go_on: GoOn, scope: AssessmentScope, since_us: int
) -> Iterator[Progress | Finding]:
    for step in _found(records, go_on, scope, since_us):
        if isinstance(step, Progress):
            yield step
            continue
        digests, rows, expected = list[bytes](), 0, records.row_count(step.members)
        for chunk in records.rows(step.members, step.as_of.number):
            digests.append(chunk.digest())
            rows += len(chunk)
            yield Progress(rows=True, done=rows, of=max(rows, expected))
        yield replace(step, evidence=Evidence(rows, root(digests)))
