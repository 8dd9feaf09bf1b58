"""Recalls as a test wants them in licensing's database, and the service that shows them."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, insert, select, update

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.identity import PrincipalKind
from services.licensing.domain.answers import Revision
from services.licensing.domain.recalls.recalls import Gap, RecallState
from services.licensing.recall_watching import RecallWatch
from services.licensing.recalling import RecallDesk
from services.licensing.rpc.admissions import ADMISSIONS
from services.licensing.rpc.recalls import bolt
from services.licensing.storage.contract_tables import LicenseeRow
from services.licensing.storage.head import HeadRow, lock_head
from services.licensing.storage.ledger_tables import DecisionRow
from services.licensing.storage.recall_answers import RecallAnswerStore
from services.licensing.storage.recall_parts import signed
from services.licensing.storage.recall_tables import RecallEntryRow, RecallRow
from sluice.licensing.v1.recall_service_pb2_grpc import RecallServiceStub
from tests.support.clock import NOON_US
from tests.support.grpc import LocalServer, serving

_TABLES = RecallRow.metadata.tables
_HEAD, _LICENSEES = _TABLES[HeadRow.__tablename__], _TABLES[LicenseeRow.__tablename__]
_DECISIONS, _RECALLS = _TABLES[DecisionRow.__tablename__], _TABLES[RecallRow.__tablename__]
_ENTRIES = _TABLES[RecallEntryRow.__tablename__]
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US

ACME = (PrincipalKind.LICENSEE, "acme")
BETA = (PrincipalKind.LICENSEE, "beta")
LEGAL = (PrincipalKind.OPERATOR, "ada", ("legal",))
AUDITOR = (PrincipalKind.AUDITOR, "eve")

Posts = Mapping[int, Sequence[int]]
"""Post ids of each release, by receipt number."""


@dataclass
class NoFollowing:
    """Of a process that reads no withdrawals."""

    followed: Revision = field(default_factory=lambda: Revision(0, 0))
    oldest_at_us: int | None = None


def decision_id(number: int) -> str:
    """Of the decision with a receipt number."""
    return str(uuid.UUID(int=0x7000 << 64 | 1 << 63 | number))


class Shelf:
    """Puts recalls and their like into a database, as the background tasks would."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._revisions = 0

    def licensees(self, *ids: str) -> None:
        rows = [
            {"licensee_id": id, "display_name": id, "created_by": "test", "created_at_us": 0} for id in ids
        ]
        self._write(insert(_LICENSEES), rows)

    def decisions(self, *numbers: int, licensee_id: str = "acme", at_us: int = NOON_US) -> None:
        """Releases that are not read but for who, what under and when."""
        self._write(insert(_DECISIONS), [_decision(number, licensee_id, at_us) for number in numbers])

    def collect(self, recall_id: str, licensee_id: str = "acme") -> None:
        """A recall that is not issued."""
        recall = {
            "recall_id": recall_id,
            "licensee_id": licensee_id,
            "state": int(RecallState.COLLECTING),
            "collecting_since_us": NOON_US,
            "withdrawals": 0,
            "posts": 0,
        }
        self._write(insert(_RECALLS), [recall])

    def issue(self, recall_id: str, at_us: int = NOON_US, days: int = 30) -> int:
        """Gives a recall its number."""

        def unit(connection: Connection) -> int:
            lock_head(connection)
            number = int(connection.execute(select(_HEAD.c.next_recall)).scalar_one())
            connection.execute(update(_HEAD).values(next_recall=number + 1))
            mine = select(_RECALLS.c.licensee_id).where(_RECALLS.c.recall_id == recall_id).scalar_subquery()
            theirs = select(func.count(_RECALLS.c.number)).where(_RECALLS.c.licensee_id == mine)
            issued = {
                "number": number,
                "licensee_number": connection.execute(theirs).scalar_one() + 1,
                "issued_at_us": at_us,
                "due_at_us": at_us + days * DAY_US,
            }
            state = {"state": int(RecallState.ISSUED)}
            connection.execute(
                update(_RECALLS).where(_RECALLS.c.recall_id == recall_id).values(issued | state)
            )
            return number

        return self._database.write_now(unit)

    def recall(self, licensee_id: str = "acme", at_us: int = NOON_US, **entry: Any) -> str:
        """An issued recall, with an entry if its posts are said; its id."""
        recall_id = str(uuid.uuid4())
        self.collect(recall_id, licensee_id)
        if entry:
            self.entry(recall_id, licensee_id=licensee_id, **entry)
        self.issue(recall_id, at_us)
        return recall_id

    def entry(
        self,
        recall_id: str | None,
        posts: Posts,
        *,
        licensee_id: str = "acme",
        withdrawal_id: str | None = None,
        part: int = 0,
        gaps: Mapping[int, Gap] | None = None,
        subject_id: int = 0,
        post_id: int = 0,
    ) -> str:
        """What one more withdrawal takes back; its id. `gaps` by receipt number."""
        self._revisions += 0 if part else 1
        withdrawal_id = withdrawal_id or str(uuid.uuid4())
        kinds = [(gaps or {}).get(number, Gap.NONE) for number in posts]
        row = {
            "consent_epoch": 1,
            "revision": self._revisions,
            "licensee_id": licensee_id,
            "part": part,
            "recall_id": recall_id,
            "withdrawal_id": withdrawal_id,
            "subject_id": signed(subject_id),
            "post_id": signed(post_id),
            "cause": 1,
            "recorded_at_us": NOON_US + self._revisions,
            "decisions": np.array(list(posts), "<u8").tobytes(),
            "post_offsets": np.cumsum([0, *map(len, posts.values())]).astype("<u4").tobytes(),
            "post_ids": np.array([id for ids in posts.values() for id in ids], "<u8").tobytes(),
            "gaps": bytes(kinds),
            "first_number": min(posts),
            "last_number": max(posts),
            "posts": sum(map(len, posts.values())),
            "gaps_found": sum(kind is not Gap.NONE for kind in kinds),
        }
        self._write(insert(_ENTRIES), [row])
        return withdrawal_id

    def _write(self, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        self._database.write_now(lambda connection: connection.execute(statement, list(rows)))


def _decision(number: int, licensee_id: str, at_us: int) -> dict[str, Any]:
    return {
        "decision_id": decision_id(number),
        "number": number,
        "principal": "firehose",
        "principal_kind": "pipeline",
        "request_id": decision_id(number),
        **dict.fromkeys(("fingerprint", "terms_digest", "salt"), bytes(32)),
        "licensee_id": licensee_id,
        "license_id": f"{licensee_id}-training",
        "license_version": 1,
        "purpose": 2,
        "outcome": 1,
        **dict.fromkeys(("reasons", "kinds", "media_flags"), b"\0"),
        "decided_at_us": at_us,
        "not_after_us": at_us + 30 * SECOND_US,
        "room_retry_is_exact": False,
        "room_never_fits": False,
        "trace_id": "",
        "receipt": "",
        "posts_released": 1,
        "recorded_at_us": at_us,
    }


@contextlib.asynccontextmanager
async def serving_recalls(database: Database, clock: Clock, folder: Path) -> AsyncIterator[LocalServer]:
    """The service of recalls, over a database."""
    store = RecallAnswerStore(database)
    desk = RecallDesk(store, NoFollowing(), clock)
    watch = RecallWatch(store, look_seconds=0.01)
    async with serving(folder, bolt(desk, watch), admissions=ADMISSIONS, clock=clock) as server:
        yield server


async def call_recalls(service: LocalServer, who: tuple[Any, ...], rpc: str, request: Any) -> Any:
    """Calls it as somebody."""
    peer = service.peer(*who)
    return await peer.call(getattr(RecallServiceStub(peer.channel), rpc), request)
