"""Disputes of assessments and notices about them, in metering's own database."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from services.chassis import approvals
from services.chassis.approvals import Proposal
from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.chassis.refusals import invalid, precondition
from services.chassis.replays import ReplayKey, once
from services.metering.assessor import assessment_unknown
from services.metering.disputes import Notice, Step, Wanted
from services.metering.domain.damages.amounts import Rate
from services.metering.domain.damages.disputes import Change, DisputeStep, Standing, State, StepKind
from services.metering.domain.seen import FURTHEST_AHEAD_US
from services.metering.schema.tables import PROPOSALS, REPLAYS, MeteringTable
from services.metering.storage.claims import read_claim, read_named
from services.metering.storage.head import next_number

_tables = MeteringTable.metadata.tables
_assessments, _changes, _notices = _tables["assessments"], _tables["step_changes"], _tables["notices"]


class SqlDisputes:
    """Satisfies `disputes.Disputes`."""

    def __init__(self, database: Database, now_us: Callable[[], int]) -> None:
        """`now_us` tells the present in microseconds UTC; it is asked under the lock of the head."""
        self._database = database
        self._now_us = now_us

    async def propose(self, wanted: Wanted, key: ReplayKey) -> Step:
        """Puts a proposal on record."""

        def unit(connection: Connection) -> Step:
            now_us = self._now_us()
            id = once(connection, REPLAYS, key, now_us, lambda: _propose(connection, wanted, key, now_us))
            step = _step(connection, approvals.find(connection, PROPOSALS, id.decode()))
            # The first answer, whatever was decided meanwhile.
            return Step(step.proposal.as_proposed(), step.step, step.rate, change=None)

        return await self._database.write(unit)

    async def decide(self, proposal_id: str, reason: str, key: ReplayKey, *, approve: bool) -> Step:
        """Decides, and does what was approved."""

        def unit(connection: Connection) -> Step:
            now_us = self._now_us()

            def produce() -> bytes:
                proposal = approvals.find(connection, PROPOSALS, proposal_id)
                decided = proposal.decided(key.principal, now_us, reason, approve=approve)
                _decide(connection, decided, approve=approve)
                return proposal_id.encode()

            id = once(connection, REPLAYS, key, now_us, produce).decode()
            return _step(connection, approvals.find(connection, PROPOSALS, id))

        return await self._database.write(unit)

    async def steps(self, assessment_id: str, before: int, limit: int) -> Sequence[Step]:
        """Those of an assessment, or all that wait."""

        def query(connection: Connection) -> list[Step]:
            subject = assessment_id or None
            found = approvals.list_of(connection, PROPOSALS, before, limit, subject=subject)
            return [_step(connection, each) for each in found]

        return await self._database.read(query)

    async def notice(self, assessment_id: str, notice: Notice, key: ReplayKey) -> Notice:
        """Puts it on record."""

        def unit(connection: Connection) -> Notice:
            now_us = self._now_us()

            def produce() -> bytes:
                _claim(connection, assessment_id)
                _check_notice(read_named(connection, assessment_id), notice, now_us)
                number = next_number(connection).number
                row = {name: getattr(notice, name) for name in ("party_id", "sent_us", "how", "digest")}
                given = {"number": number, "assessment_id": assessment_id}
                connection.execute(
                    insert(_notices), [row | given | {"recorded_by": key.principal, "recorded_us": now_us}]
                )
                return str(number).encode()

            number = int(once(connection, REPLAYS, key, now_us, produce))
            query = select(_notices).where(_notices.c.number == number)
            return _notice(connection.execute(query).one())

        return await self._database.write(unit)

    async def notices(self, assessment_id: str, before: int, limit: int) -> Sequence[Notice]:
        """Those of an assessment, latest first."""

        def query(connection: Connection) -> list[Notice]:
            _claim(connection, assessment_id)
            found = (
                select(_notices)
                .where(_notices.c.assessment_id == assessment_id, _notices.c.number < before)
                .order_by(_notices.c.number.desc())
                .limit(limit)
            )
            return [_notice(row) for row in connection.execute(found)]

        return await self._database.read(query)


def _propose(connection: Connection, wanted: Wanted, key: ReplayKey, now_us: int) -> bytes:
    standing, rate = _claim(connection, wanted.assessment_id)
    amount = None if wanted.amount is None else rate.minor(*wanted.amount)
    step = DisputeStep(StepKind(wanted.kind), amount)
    standing.after(step)
    if approvals.is_pending(connection, PROPOSALS, wanted.assessment_id):
        raise precondition("STEP_PENDING", "another step of this assessment waits for a second operator")
    proposal = Proposal(
        number=next_number(connection).number,
        proposal_id=uuid7(now_us),
        subject=wanted.assessment_id,
        content=json.dumps([int(step.kind), step.amount]).encode(),
        reason=wanted.reason,
        proposed_by=key.principal,
        proposed_us=now_us,
    )
    approvals.keep(connection, PROPOSALS, proposal)
    return proposal.proposal_id.encode()


def _decide(connection: Connection, decided: Proposal, *, approve: bool) -> None:
    before, _ = _claim(connection, decided.subject)
    after = before.after(_content(decided)) if approve else before
    approvals.settle(connection, PROPOSALS, decided)
    changed = update(_assessments).where(_assessments.c.assessment_id == decided.subject)
    connection.execute(changed.values(state=int(after.state), in_force=after.in_force))
    row = {
        "proposal": decided.number,
        "state_before": int(before.state),
        "in_force_before": before.in_force,
        "state_after": int(after.state),
        "in_force_after": after.in_force,
    }
    connection.execute(insert(_changes), [row])


def _check_notice(named: Sequence[str], notice: Notice, now_us: int) -> None:
    if notice.party_id not in named:
        raise invalid("PARTY_NOT_LIABLE", "the assessment does not name this party", field="notice.party_id")
    if notice.sent_us > now_us + FURTHEST_AHEAD_US:
        raise invalid("NOTICE_IN_THE_FUTURE", "it lies over 5 minutes ahead", field="notice.sent_at")


def _claim(connection: Connection, assessment_id: str) -> tuple[Standing, Rate]:
    found = read_claim(connection, assessment_id)
    if found is None:
        raise assessment_unknown()
    return found


def _content(proposal: Proposal) -> DisputeStep:
    kind, amount = json.loads(proposal.content)
    return DisputeStep(StepKind(kind), amount)


def _step(connection: Connection, proposal: Proposal) -> Step:
    _, rate = _claim(connection, proposal.subject)
    return Step(proposal, _content(proposal), rate, _change(connection, proposal))


def _change(connection: Connection, proposal: Proposal) -> Change | None:
    row = connection.execute(select(_changes).where(_changes.c.proposal == proposal.number)).one_or_none()
    if row is None:
        return None
    before = Standing(State(row.state_before), row.in_force_before)
    return Change(before, Standing(State(row.state_after), row.in_force_after))


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        row.number,
        row.party_id,
        row.sent_us,
        row.how,
        bytes(row.digest),
        row.recorded_by,
        row.recorded_us,
    )
