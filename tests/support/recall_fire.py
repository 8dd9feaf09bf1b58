"""Releases and opt-outs by the real processes, and what licensing's database says of them."""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar

from services.chassis.refusals import Kind, Refusal
from services.console.connections import Connections
from services.console.credentials import PIPELINE, token_source
from services.console.installation import SERVICES
from sluice.consent.v1 import choice_pb2, subject_pb2
from sluice.consent.v1 import consent_service_pb2 as consent_pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.licensing.v1 import post_pb2
from sluice.licensing.v1 import release_service_pb2 as release_pb
from sluice.licensing.v1.reason_pb2 import Verdict
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from tests.support.cluster import TRAINING, a_post
from tests.support.fleet import NOTICE, Fleet, a_fleet
from tests.support.recall_worlds import posts_by_number

QUICK = {"licensing": {"fence_seconds": "0.2", "recall_interval_seconds": "1"}}
AGAIN_SECONDS = 0.1

T = TypeVar("T")


class Took(NamedTuple):
    """One post that one withdrawal took back from one licensee."""

    revision: int
    licensee_id: str
    number: int
    post_id: int


@dataclass(frozen=True)
class Released:
    """A release, as its caller was told."""

    licensee_id: str
    number: int
    revision: int
    contributors: dict[int, frozenset[int]]
    """Of each post that may go."""


def released_by(
    decision: release_pb.Decision, licensee_id: str, posts: Sequence[post_pb2.Post]
) -> Released | None:
    """What a decision on `posts` lets go, if it is anything."""
    gone = {
        post.id: frozenset({post.author_id, *(embed.author_id for embed in post.embeds)})
        for post, verdict in zip(posts, decision.verdicts, strict=True)
        if verdict == Verdict.VERDICT_RELEASED
    }
    if not gone:
        return None
    return Released(licensee_id, decision.receipt_number, decision.consent_revision.number, gone)


def taken_by_all(withdrawn: Mapping[int, int], released: Iterable[Released]) -> set[Took]:
    """What subjects who withdrew at a revision take back of releases, each post looked at (W1)."""
    return {
        Took(withdrawn[subject_id], each.licensee_id, each.number, post_id)
        for each in released
        for post_id, contributors in each.contributors.items()
        for subject_id in contributors & withdrawn.keys()
        if each.revision < withdrawn[subject_id]
    }


def taken_in(entries: Iterable[Any]) -> list[Took]:
    """Every post in rows of entries, as often as it is there."""
    return [
        Took(row.revision, row.licensee_id, number, post_id)
        for row in entries
        for number, post_id, _ in posts_by_number(row)
    ]


@dataclass
class Fire:
    """What callers have been told, whatever became of the processes meanwhile."""

    fleet: Fleet
    pipeline: Connections
    released: list[Released] = field(default_factory=list)
    withdrawn: dict[int, int] = field(default_factory=dict)
    """Revisions of the withdrawals of subjects."""
    acknowledged: int = 0
    """Withdrawals in pages of many that consent said it has taken."""
    refused: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    """Of each decision, with all its tries."""

    async def know(self, subject_ids: Sequence[int]) -> None:
        """Subjects whose posts may go."""
        for first in range(0, len(subject_ids), 5_000):
            rows = [
                consent_pb.ImportSubjectsRequest.Row(
                    line=line,
                    subject=subject_pb2.Subject(
                        subject_id=subject_id, jurisdiction="US", notice_digests=[bytes.fromhex(NOTICE)]
                    ),
                )
                for line, subject_id in enumerate(subject_ids[first : first + 5_000], 1)
            ]
            request = consent_pb.ImportSubjectsRequest(request_id=self.fleet.new_id(), rows=rows)
            peer = self.fleet.operator.peer("consent")
            await peer.call(ConsentServiceStub(peer.channel).ImportSubjects, request)

    async def release(self, license_id: str, posts: Sequence[post_pb2.Post]) -> None:
        """Asks until there is a decision; the license is of the licensee of its name."""
        request = release_pb.DecideRequest(
            request_id=self.fleet.new_id(),
            license_id=license_id,
            purpose=TRAINING,
            posts=post_pb2.PostList(posts=posts),
        )
        peer = self.pipeline.peer("licensing")
        stub, begun = ReleaseServiceStub(peer.channel), time.monotonic()
        decision = (await self._insist(lambda: peer.call(stub.Decide, request))).decision
        self.seconds.append(time.monotonic() - begun)
        if (released := released_by(decision, license_id, posts)) is not None:
            self.released.append(released)

    async def opt_out(self, subject_id: int) -> None:
        """One subject denies everyone everything, until consent has it."""
        choice = choice_pb2.Choice(
            subject_id=subject_id, stance=choice_pb2.STANCE_DENY, everyone=True, all_purposes=True
        )
        request = consent_pb.RecordChoiceRequest(request_id=self.fleet.new_id(), choice=choice)
        peer = self.fleet.operator.peer("consent")
        stub = ConsentServiceStub(peer.channel)
        answer = await self._insist(lambda: peer.call(stub.RecordChoice, request))
        self.withdrawn[subject_id] = answer.revision.number

    async def opt_out_together(self, subject_ids: Iterable[int]) -> int:
        """Many do, in one page; consent's revision after it."""
        rows = [
            consent_pb.RecordChoicesRequest.Row(
                line=line,
                choice=choice_pb2.Choice(
                    subject_id=subject_id, stance=choice_pb2.STANCE_DENY, everyone=True, all_purposes=True
                ),
            )
            for line, subject_id in enumerate(subject_ids, 1)
        ]
        request = consent_pb.RecordChoicesRequest(request_id=self.fleet.new_id(), rows=rows)
        peer = self.fleet.operator.peer("consent")
        async with peer.open(ConsentServiceStub(peer.channel).RecordChoices) as stream:
            await stream.send(request)
            answer = await stream.receive()
        self.acknowledged += answer.accepted
        return int(answer.revision.number)

    def learn_revisions(self) -> None:
        """Reads which withdrawal is whose: of a page of many consent says the last revision alone."""
        rows = self.rows("SELECT subject_id, revision FROM choices", "consent")
        self.withdrawn = {row.subject_id: row.revision for row in rows}

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Repeats the same request until it is answered, as callers do."""
        while True:
            try:
                return await call()
            except Refusal as refusal:
                if refusal.kind not in {Kind.UNAVAILABLE, Kind.ABORTED, Kind.EXHAUSTED}:
                    raise
                self.refused[refusal.reason] += 1
                await asyncio.sleep(AGAIN_SECONDS)

    def expected(self) -> set[Took]:
        """By what callers were told."""
        return taken_by_all(self.withdrawn, self.released)

    def rows(self, statement: str, service: str = "licensing") -> list[Any]:
        """What the database of a service says to a reader."""
        path = self.fleet.database(service)
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            connection.row_factory = _named
            return connection.execute(statement).fetchall()

    def scanned(self) -> int:
        """How far withdrawals have led to recalls."""
        (head,) = self.rows("SELECT scanned_revision FROM head")
        return int(head.scanned_revision)

    def taken(self) -> list[Took]:
        """Every post in every entry, as often as it is there."""
        return taken_in(self.rows("SELECT * FROM recall_entries"))

    def all_issued(self) -> bool:
        """Whether nothing is collecting any more."""
        return not self.rows("SELECT 1 AS one FROM recalls WHERE state = 0")


def _named(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> Any:
    return SimpleNamespace(**{name: value for (name, *_), value in zip(cursor.description, row, strict=True)})


@asynccontextmanager
async def a_fire(folder: Path) -> AsyncIterator[Fire]:
    """The three services with short times, and somebody who asks them."""
    async with a_fleet(folder / "state", QUICK) as fleet:
        addresses = {service: fleet.address(service) for service in SERVICES}
        async with Connections(addresses, token_source(fleet.state, None, PIPELINE)) as pipeline:
            yield Fire(fleet, pipeline)


def posts_of(author_ids: Iterable[int], first_id: int) -> list[post_pb2.Post]:
    """One post each, every third of them with a post of the author before it embedded."""
    posts, before = [], 0
    for at, author_id in enumerate(author_ids):
        embeds = [(first_id + 500_000 + at, before)] if before and at % 3 == 0 else []
        posts.append(a_post(first_id + at, author_id, *embeds))
        before = author_id
    return posts
