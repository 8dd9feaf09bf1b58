"""What one operator proposes and takes effect when another one approves it: the two-operator check.

A proposal is decided once, and never approved by the one who made it. Whoever uses it applies what was
approved in the transaction that approves it, so that a crash leaves both or neither.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    SmallInteger,
    String,
    Table,
    Text,
    insert,
    select,
    text,
    update,
)

from services.chassis.refusals import forbidden, not_found, precondition

_PENDING = text("state = 1")


class ProposalState(enum.IntEnum):
    """Where a proposal stands; the numbers are those of `ProposalState` in the contracts."""

    PENDING = 1
    APPROVED = 2
    REJECTED = 3


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something that two operators decide."""

    number: int
    """Higher than that of every one before it."""
    proposal_id: str
    subject: str
    """Id of what it is about."""
    content: bytes
    """What is to be done, in a form of whoever does it."""
    reason: str
    proposed_by: str
    """Kind and party of the caller."""
    proposed_us: int
    state: ProposalState = ProposalState.PENDING
    decided_by: str = ""
    decided_us: int | None = None
    decision_reason: str = ""

    def decided(self, by: str, at_us: int, reason: str, *, approve: bool) -> "Proposal":
        """As it stands once it is decided.

        Raises Refusal: precondition PROPOSAL_DECIDED, forbidden SAME_OPERATOR.
        """
        if self.state is not ProposalState.PENDING:
            raise precondition("PROPOSAL_DECIDED", f"this was decided before, by {self.decided_by}")
        if approve and by == self.proposed_by:
            raise forbidden("SAME_OPERATOR", "another operator than the one who proposed it approves it")
        state = ProposalState.APPROVED if approve else ProposalState.REJECTED
        return replace(self, state=state, decided_by=by, decided_us=at_us, decision_reason=reason)

    def as_proposed(self) -> "Proposal":
        """As it stood when it was made."""
        state = ProposalState.PENDING
        return replace(self, state=state, decided_by="", decided_us=None, decision_reason="")


def proposal_table(metadata: MetaData) -> Table:
    """The table of proposals, as each service that needs it has it in its own database."""
    return Table(
        "proposals",
        metadata,
        # SQLite takes a primary key for its row id only if the type is spelt INTEGER.
        Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
        Column("proposal_id", String(36), nullable=False, unique=True),
        Column("subject", Text, nullable=False),
        Column("content", LargeBinary, nullable=False),
        Column("reason", Text, nullable=False),
        Column("proposed_by", String(160), nullable=False),
        Column("proposed_us", BigInteger, nullable=False),
        Column("state", SmallInteger, nullable=False),
        Column("decided_by", String(160), nullable=False),
        Column("decided_us", BigInteger, nullable=True),
        Column("decision_reason", Text, nullable=False),
        Index("proposals_of", "subject", "number"),
        Index("proposals_pending", "number", sqlite_where=_PENDING, postgresql_where=_PENDING),
    )


def keep(connection: Connection, table: Table, proposal: Proposal) -> None:
    """Puts a new one on record."""
    connection.execute(insert(table), [_row(proposal)])


def settle(connection: Connection, table: Table, proposal: Proposal) -> None:
    """Puts on record how it was decided."""
    changed = {
        name: value
        for name, value in _row(proposal).items()
        if name in {"state", "decided_by", "decided_us", "decision_reason"}
    }
    connection.execute(update(table).where(table.c.number == proposal.number).values(changed))


def find(connection: Connection, table: Table, proposal_id: str) -> Proposal:
    """One by its id; raises Refusal (not found, PROPOSAL_UNKNOWN)."""
    row = connection.execute(select(table).where(table.c.proposal_id == proposal_id)).one_or_none()
    if row is None:
        raise not_found("PROPOSAL_UNKNOWN", "there is no proposal with this id")
    return _proposal(row)


def list_of(
    connection: Connection, table: Table, before: int, limit: int, *, subject: str | None = None
) -> Sequence[Proposal]:
    """Those about a subject with a lower number, latest first; where none is named, all that wait."""
    wanted = table.c.state == int(ProposalState.PENDING) if subject is None else table.c.subject == subject
    query = select(table).where(wanted, table.c.number < before).order_by(table.c.number.desc()).limit(limit)
    return [_proposal(row) for row in connection.execute(query)]


def is_pending(connection: Connection, table: Table, subject: str) -> bool:
    """Whether one about this subject waits."""
    waits = table.c.state == int(ProposalState.PENDING)
    query = select(table.c.number).where(table.c.subject == subject, waits).limit(1)
    return connection.execute(query).first() is not None


def _row(proposal: Proposal) -> dict[str, object]:
    return {name: getattr(proposal, name) for name in Proposal.__slots__} | {"state": int(proposal.state)}


def _proposal(row: Row[tuple[object, ...]]) -> Proposal:
    columns = dict(row._mapping)
    columns["state"] = ProposalState(columns["state"])
    columns["content"] = bytes(columns["content"])
    return Proposal(**columns)
