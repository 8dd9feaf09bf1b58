"""The ledger's rows in SQL."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    LargeBinary,
    Row,
    String,
    bindparam,
    case,
    delete,
    exists,
    insert,
    select,
)

from services.chassis.database import Database
from services.licensing.domain.answers import Revision
from services.licensing.domain.attempts import Ending
from services.licensing.domain.counts import ContentCounts
from services.licensing.domain.decisions import Asker, Decision
from services.licensing.domain.deliveries import Confirmation, Said, Settlement
from services.licensing.domain.licenses import License
from services.licensing.domain.manifests import Manifest
from services.licensing.domain.posts import Ids
from services.licensing.domain.released import Released
from services.licensing.storage.contracts import license_row
from services.licensing.storage.decision_rows import decision_of_row, values_of
from services.licensing.storage.head import Head, Seen, lock_head, shown, take
from services.licensing.storage.known import known_to
from services.licensing.storage.ledger_tables import (
    AttemptRow,
    ConfirmationRow,
    DecisionRow,
    ManifestRow,
    OpenPermitRow,
    OutboxRow,
    ProbeRow,
    SettlementRow,
)
from services.licensing.storage.released import contents_of, write_released
from services.licensing.storage.restore_queries import restored_us

T = TypeVar("T")

_TABLES = AttemptRow.metadata.tables
_ATTEMPTS = _TABLES[AttemptRow.__tablename__]
_DECISIONS = _TABLES[DecisionRow.__tablename__]
_MANIFESTS = _TABLES[ManifestRow.__tablename__]
_PERMITS = _TABLES[OpenPermitRow.__tablename__]
_SETTLEMENTS = _TABLES[SettlementRow.__tablename__]
_CONFIRMATIONS = _TABLES[ConfirmationRow.__tablename__]
_PROBES = _TABLES[ProbeRow.__tablename__]
_OUTBOX = _TABLES[OutboxRow.__tablename__]

_RECORDED_AT_US = bindparam("recorded_at_us", type_=BigInteger)
_CONFIRM = insert(_CONFIRMATIONS).from_select(
    [
        *("decision_id", "delivered", "posts", "confirmed_at_us"),
        *("license_id", "counted_at_us", "undelivered", "recorded_at_us", "confirmed_by"),
    ],
    select(
        _DECISIONS.c.decision_id,
        bindparam("delivered", type_=LargeBinary),
        bindparam("posts", type_=Integer),
        bindparam("confirmed_at_us", type_=BigInteger),
        _DECISIONS.c.license_id,
        _DECISIONS.c.counted_at_us,
        _DECISIONS.c.posts_released - bindparam("posts", type_=Integer),
        # Another process may have decided by a clock that is ahead: a bill has the decision with it. One of
        # the release before billing counts nothing: decision and confirmation are later (`uncounted`).
        case(
            (_DECISIONS.c.recorded_at_us == 0, 0),
            (_DECISIONS.c.recorded_at_us > _RECORDED_AT_US, _DECISIONS.c.recorded_at_us),
            else_=_RECORDED_AT_US,
        ),
        bindparam("confirmed_by", type_=String),
    ).where(_DECISIONS.c.decision_id == bindparam("of_decision")),
)


class LedgerRows:
    """The rows of the ledger inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known = known_to(connection)
        self._head: Head | None = None
        """Once it is locked."""
        self._taken = 0
        """The last number that was taken."""
        self.seen: Seen | None = None
        """The highest that the peers had shown to any process when it was; None where none was taken."""

    def lock_head(self) -> None:
        """Makes this transaction the only one that writes here, until it ends."""
        self._head = lock_head(self._connection)

    def fence(self) -> Revision:
        """What no release may rest on an answer below of (W5); the head must be locked."""
        return self._locked_head.fence

    def take_number(self, consent: Revision | None, metering: Revision | None) -> int:
        """The next receipt number, used up with this transaction, for a decision on these answers (R5)."""
        self._taken, self.seen = take(self._connection, consent, metering)
        return self._taken

    def committed(self) -> None:
        """The transaction has committed: what it took can never be missing again (R5)."""
        if self._known:
            self._known.has(self._taken)

    def has_ended(self, attempt_id: str) -> bool:
        """Whether the attempt, or what holds room for probes, has concluded or is tombstoned."""
        if self._has(select(_ATTEMPTS.c.attempt_id).where(_ATTEMPTS.c.attempt_id == attempt_id)):
            return True
        return self.probes(attempt_id) is not None

    def ended(self, attempt_ids: Sequence[str]) -> dict[str, Ending]:
        """How each attempt ended that has; what holds room for probes ends like one."""
        asked = _ATTEMPTS.c.attempt_id.in_(list(attempt_ids))
        query = select(_ATTEMPTS.c.attempt_id, _ATTEMPTS.c.decision_id, _ATTEMPTS.c.lost_posts).where(asked)
        probes = select(_PROBES.c.probe_id).where(_PROBES.c.probe_id.in_(list(attempt_ids)))
        counted = dict.fromkeys(self._connection.execute(probes).scalars(), Ending.CONCLUDED)
        ended = {id: _ending(decision_id, lost) for id, decision_id, lost in self._connection.execute(query)}
        return counted | ended

    def is_lost(self, attempt_id: str) -> bool:
        """Whether the attempt may have led to a decision that a restore has lost."""
        mine = _ATTEMPTS.c.attempt_id == attempt_id
        return self._has(select(_ATTEMPTS.c.attempt_id).where(mine, _ATTEMPTS.c.lost_posts.is_not(None)))

    def bury(self, attempt_id: str, now_us: int) -> None:
        """Writes the tombstone of an attempt that has not ended."""
        self._insert(_ATTEMPTS, attempt_id=attempt_id, decision_id=None, ended_at_us=now_us)

    def bury_lost(self, attempt_id: str, posts: int, now_us: int) -> None:
        """Writes that an attempt may have led to a decision that was lost, with all these posts."""
        self._insert(_ATTEMPTS, attempt_id=attempt_id, decision_id=None, ended_at_us=now_us, lost_posts=posts)

    def restored_us(self) -> int | None:
        """When the latest restore of this database was accepted; None where there was none."""
        return restored_us(self._connection)

    def license(self, license_id: str) -> License | None:
        """The license as it stands now."""
        return license_row(self._connection, license_id)

    def decision_of(self, asker: Asker) -> Decision | None:
        """The decision that a request got."""
        return self._decision(
            _DECISIONS.c.principal_kind == asker.principal_kind,
            _DECISIONS.c.principal == asker.principal,
            _DECISIONS.c.request_id == asker.request_id,
        )

    def decision(self, decision_id: str) -> Decision | None:
        """A decision by its id."""
        return self._decision(_DECISIONS.c.decision_id == decision_id)

    def decision_of_attempt(self, attempt_id: str) -> Decision | None:
        """The decision that an attempt concluded."""
        mine = select(_ATTEMPTS.c.decision_id).where(_ATTEMPTS.c.attempt_id == attempt_id)
        return self._decision(_DECISIONS.c.decision_id == mine.scalar_subquery())

    def record(self, attempt_id: str, decision: Decision, manifest: Manifest, released: Released) -> None:
        """Writes a decision, its manifest, the end of its attempt and, if it releases, posts and permit.

        The head must be locked, as for a confirmation.
        """
        self._insert(
            _DECISIONS, **values_of(decision), recorded_at_us=self._recorded_at_us(decision.decided_at_us)
        )
        self._insert(
            _MANIFESTS,
            decision_id=decision.decision_id,
            root=manifest.root,
            leaves=len(manifest),
            contributors=manifest.contributors.tobytes(),
            post_offsets=manifest.post_offsets.tobytes(),
            post_ids=manifest.post_ids.tobytes(),
        )
        self._insert(
            _ATTEMPTS,
            attempt_id=attempt_id,
            decision_id=decision.decision_id,
            ended_at_us=decision.decided_at_us,
        )
        if decision.not_after_us is not None:
            write_released(self._connection, decision.number, released)
            self._insert(_PERMITS, decision_id=decision.decision_id, not_after_us=decision.not_after_us)

    def record_probes(self, probe_id: str, decision_id: str, posts: int) -> None:
        """Writes how many posts of a decision count as denied probes."""
        self._insert(_PROBES, probe_id=probe_id, decision_id=decision_id, posts=posts)

    def probes(self, probe_id: str) -> int | None:
        """How many posts count under a reservation for probes; None where none has concluded."""
        row = self._one(select(_PROBES.c.posts).where(_PROBES.c.probe_id == probe_id))
        return None if row is None else int(row.posts)

    def released_ids(self, decision: Decision) -> Ids | None:
        """N ids of the posts that a decision released, in the order of the request.

        None of a decision made before released posts were kept one by one: their order is not known.
        """
        contents = contents_of(self._connection, [decision.number])[decision.number]
        return contents.ids if contents.is_resolved or not len(contents) else None

    def settlement(self, decision_id: str) -> Settlement | None:
        """What metering is told of a decision, if that is settled."""
        row = self._one(select(_SETTLEMENTS).where(_SETTLEMENTS.c.decision_id == decision_id))
        return row and Settlement(row.posts, row.by_expiry, row.settled_at_us)

    def settle(self, decision_id: str, settlement: Settlement) -> None:
        """Writes the settlement and closes the permit."""
        self._insert(
            _SETTLEMENTS,
            decision_id=decision_id,
            posts=settlement.posts,
            by_expiry=settlement.by_expiry,
            settled_at_us=settlement.settled_at_us,
        )
        self._connection.execute(delete(_PERMITS).where(_PERMITS.c.decision_id == decision_id))

    def confirmation(self, decision_id: str) -> Confirmation | None:
        """The confirmation that stands."""
        row = self._one(select(_CONFIRMATIONS).where(_CONFIRMATIONS.c.decision_id == decision_id))
        return row and Confirmation(row.delivered, row.posts, row.confirmed_at_us, row.confirmed_by)

    def confirm(self, decision_id: str, confirmation: Confirmation) -> None:
        """Writes the first confirmation, with what billing reads of its decision."""
        given = {
            "of_decision": decision_id,
            "delivered": confirmation.bitmap,
            "posts": confirmation.posts,
            "confirmed_at_us": confirmation.confirmed_at_us,
            "confirmed_by": confirmation.confirmed_by,
            "recorded_at_us": self._recorded_at_us(confirmation.confirmed_at_us),
        }
        self._connection.execute(_CONFIRM, given)

    def expired_permits(self, now_us: int, limit: int) -> Sequence[str]:
        """Ids of decisions whose permits are no longer valid and not settled, oldest first."""
        return (
            self._connection.execute(
                select(_PERMITS.c.decision_id)
                .where(_PERMITS.c.not_after_us <= now_us)
                .order_by(_PERMITS.c.not_after_us)
                .limit(limit)
            )
            .scalars()
            .all()
        )

    def send_settle(self, reservation_id: str, delivered: ContentCounts, now_us: int) -> None:
        """Has metering told what was delivered, once this transaction has committed."""
        self._send(reservation_id, Said.SETTLE, delivered, now_us)

    def send_reduce(self, reservation_id: str, keep: ContentCounts, now_us: int) -> None:
        """Has metering told to hold only that much, once this transaction has committed."""
        self._send(reservation_id, Said.REDUCE, keep, now_us)

    def send_cancel(self, reservation_id: str, now_us: int) -> None:
        """Has metering told that the attempt is dead, once this transaction has committed."""
        self._send(reservation_id, Said.CANCEL, (), now_us)

    def is_pending(self, reservation_id: str) -> bool:
        """Whether metering is still to be told something about the reservation."""
        return self._has(select(_OUTBOX.c.seq).where(_OUTBOX.c.reservation_id == reservation_id))

    def _recorded_at_us(self, now_us: int) -> int:
        """When this transaction puts on record what happened at `now_us`, whosever clock that is."""
        return max(now_us, self._locked_head.cut_off_us)

    @property
    def _locked_head(self) -> Head:
        assert self._head is not None, "what depends on the head is read and written while it is locked"
        return self._head

    def _send(self, reservation_id: str, said: Said, counts: ContentCounts, now_us: int) -> None:
        self._insert(
            _OUTBOX,
            reservation_id=reservation_id,
            cancels=said is Said.CANCEL,
            reduces=said is Said.REDUCE,
            delivered=json.dumps(counts, separators=(",", ":")),
            written_at_us=now_us,
        )

    def _decision(self, *where: Any) -> Decision | None:
        row = self._one(select(_DECISIONS).where(*where))
        return row and decision_of_row(row)

    def _one(self, statement: Any) -> Row[Any] | None:
        return self._connection.execute(statement).one_or_none()

    def _has(self, statement: Any) -> bool:
        return bool(self._connection.execute(select(exists(statement))).scalar())

    def _insert(self, table: Any, **values: object) -> None:
        self._connection.execute(insert(table), values)


class LedgerStore:
    """The ledger in licensing's own database."""

    def __init__(
        self, database: Database, on_seen: Callable[[Revision, Revision], None] = lambda _, __: None
    ) -> None:
        """`on_seen` hears what consent and metering have shown to any process, with each decision (R5)."""
        self._database = database
        self._on_seen = on_seen

    async def write(self, unit: Callable[[LedgerRows], T]) -> T:
        """Runs `unit` in a transaction; what `Database.write` raises."""
        rows: LedgerRows

        def run(connection: Connection) -> T:
            nonlocal rows
            rows = LedgerRows(connection)
            return unit(rows)

        result = await self._database.write(run)
        rows.committed()
        if rows.seen is not None:
            self._on_seen(*rows.seen)
        return result

    async def read(self, query: Callable[[LedgerRows], T]) -> T:
        """Runs `query` on one snapshot; what `Database.read` raises.

        Confirmed where there is something, for a decision that is shown is one: a permit, a receipt to keep;
        and where it is refused, for what is not there may be elsewhere. None is for those who look again in
        the transaction that concludes.
        """
        return await self._database.read(
            lambda connection: query(LedgerRows(connection)), confirmed=lambda found: found is not None
        )

    async def shown(self) -> tuple[Revision, Revision]:
        """The highest that consent and metering have shown to this ledger; what `Database.read` raises."""
        return await self._database.read(shown)


def _ending(decision_id: str | None, lost_posts: int | None) -> Ending:
    if decision_id is not None:
        return Ending.CONCLUDED
    return Ending.TOMBSTONED if lost_posts is None else Ending.LOST
