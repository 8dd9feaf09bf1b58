"""Releases and opt-outs over two replicas of licensing that are stopped and killed, and what was recalled.

What must be recalled is computed from what callers were told; what was recalled is read from the database.
"""

import asyncio
import itertools
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import psycopg
from psycopg.rows import namedtuple_row

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from sluice.consent.v1 import choice_pb2
from sluice.consent.v1 import consent_service_pb2 as consent_pb
from sluice.licensing.v1 import contract_service_pb2 as contracts_pb
from sluice.licensing.v1 import license_pb2, post_pb2
from sluice.licensing.v1 import release_service_pb2 as releases_pb
from tests.support.cluster import TRAINING, some_terms
from tests.support.consent_fleet import CONSENT
from tests.support.licensing_fleet import CONTRACTS, RELEASES
from tests.support.recall_fire import Released, Took, posts_of, released_by, taken_by_all, taken_in
from tests.support.replicas import Lines, Replica, pause
from tests.support.waiting import until
from tests.support.willing_subjects import an_import

SETTINGS = {"FENCE_SECONDS": "1", "RECALL_INTERVAL_SECONDS": "1"}
LICENSEES = ("alpha", "beta", "gamma")
AUTHORS = range(5_000, 5_080)
AUTHORS_AT_ONCE = 10
PIPELINES = 4
CALL_SECONDS = 5.0
"""Longer than any stop, for what a replica does when it goes on is what matters most."""
LONGEST_STOP_SECONDS = 3.0
LONGEST_REST_SECONDS = 2.0
PATIENCE_SECONDS = 0.05
"""Before what was not answered is asked again."""


class Size(NamedTuple):
    """Of a run."""

    opt_outs: int
    longest_pause_seconds: float
    """Between them."""
    kills: int
    stops: int


@dataclass
class ReplicasFire:
    """One run."""

    replicas: Sequence[Replica]
    folder: Path
    """Has the keys."""
    url: str
    """Of licensing's database, on PostgreSQL."""
    seed: int
    released: list[Released] = field(default_factory=list)
    withdrawn: dict[int, int] = field(default_factory=dict)
    """Revisions of the withdrawals of subjects."""
    decisions: int = 0
    unanswered: int = 0
    contended: int = 0
    kills: int = 0
    stops: int = 0

    def __post_init__(self) -> None:
        addresses = [each.address for each in self.replicas]
        consent = [self.replicas[0].settings["CONSENT_TARGET"]]
        self._contracts = Lines(addresses, CONTRACTS, self.folder, seconds=CALL_SECONDS)
        self._releases = Lines(addresses, RELEASES, self.folder, seconds=CALL_SECONDS)
        self._consent = Lines(consent, CONSENT, self.folder, seconds=CALL_SECONDS)
        self._chance = random.Random(self.seed)
        self._over = asyncio.Event()
        self._clock = SystemClock()

    def __str__(self) -> str:
        """In one line."""
        return (
            f"seed {self.seed}: {self.decisions:,} decisions, {len(self.released):,} releases, "
            f"{len(self.withdrawn)} opt-outs, {self.kills} kills, {self.stops} stops, "
            f"{self.unanswered:,} calls not answered, {self.contended:,} sent back"
        )

    async def burn(self, size: Size) -> None:
        """Returns when so many opted out, so much was done to the replicas, and all recalls are issued."""
        await self._prepare()
        async with asyncio.TaskGroup() as tasks:
            for number in range(PIPELINES):
                tasks.create_task(self._pipeline(number))
            await until(lambda: len(self.released) >= PIPELINES, "there is something to recall")
            for replica in self.replicas:
                tasks.create_task(self._torment(replica, size))
            for author in AUTHORS[: size.opt_outs]:
                await self._opt_out(author)
                await pause(self._over, self._chance.uniform(0, size.longest_pause_seconds))
            await until(lambda: self._is_done(size), "replicas were killed and stopped", 0.1)
            self._over.set()
        last = max(self.withdrawn.values())
        await until(lambda: self._scanned() >= last, "all is scanned", 0.1)
        await until(lambda: not self.rows("SELECT 1 FROM recalls WHERE state = 0"), "all is issued", 0.1)
        for lines in (self._contracts, self._releases, self._consent):
            await lines.close()

    def expected(self) -> set[Took]:
        """By what callers were told."""
        return taken_by_all(self.withdrawn, self.released)

    def taken(self) -> list[Took]:
        """Every post in every entry, as often as it is there."""
        return taken_in(self.rows("SELECT * FROM recall_entries"))

    def rows(self, statement: str) -> list[Any]:
        """What licensing's database says to a reader."""
        with psycopg.connect(self.url, row_factory=namedtuple_row) as connection:
            return connection.execute(statement.encode()).fetchall()

    def _scanned(self) -> int:
        (head,) = self.rows("SELECT scanned_revision FROM head")
        return int(head.scanned_revision)

    async def _prepare(self) -> None:
        """Authors whose posts may go, and active licenses of several licensees."""
        known = an_import(self._new_id(), AUTHORS)
        await self._asked(self._consent, 0, "ImportSubjects", known, consent_pb.ImportSubjectsResponse)
        for name in LICENSEES:
            licensee = license_pb2.Licensee(licensee_id=name, display_name=name.title())
            await self._contract("CreateLicensee", licensee=licensee)
            terms = some_terms(licensee_id=name)
            license = (await self._contract("CreateLicense", license_id=name, terms=terms)).license
            digest = license.terms_digest
            await self._contract("ActivateLicense", license_id=name, version=1, terms_digest=digest)

    async def _contract(self, method: str, **fields: Any) -> Any:
        request = getattr(contracts_pb, f"{method}Request")(request_id=self._new_id(), **fields)
        return await self._asked(
            self._contracts, 0, method, request, getattr(contracts_pb, f"{method}Response")
        )

    async def _asked(self, lines: Lines, number: int, method: str, request: Any, answer: Any) -> Any:
        """As an operator, until there is an answer."""
        while (said := await lines.call(number, method, PrincipalKind.OPERATOR, request, answer)) is None:
            await pause(self._over, PATIENCE_SECONDS)
        return said

    async def _opt_out(self, subject_id: int) -> None:
        choice = choice_pb2.Choice(
            subject_id=subject_id, stance=choice_pb2.STANCE_DENY, everyone=True, all_purposes=True
        )
        request = consent_pb.RecordChoiceRequest(request_id=self._new_id(), choice=choice)
        answer = await self._asked(self._consent, 0, "RecordChoice", request, consent_pb.RecordChoiceResponse)
        self.withdrawn[subject_id] = answer.revision.number

    async def _pipeline(self, number: int) -> None:
        """Each request again until it is answered, so that no release is left of which nobody knows."""
        for at in itertools.count():
            if self._over.is_set():
                return
            authors = self._chance.sample(AUTHORS, AUTHORS_AT_ONCE)
            posts = posts_of(authors, (number + 1) * 100_000_000 + at * 1_000)
            await self._release(number, self._chance.choice(LICENSEES), posts)

    async def _release(self, number: int, licensee: str, posts: Sequence[post_pb2.Post]) -> None:
        """Asks one replica, and the other one when it does not answer."""
        request = releases_pb.DecideRequest(
            request_id=self._new_id(),
            license_id=licensee,
            purpose=TRAINING,
            posts=post_pb2.PostList(posts=posts),
        )
        for at in itertools.count(number):
            if (answer := await self._decided(at % len(self.replicas), request)) is not None:
                break
            await asyncio.sleep(PATIENCE_SECONDS)
        self.decisions += 1
        if (released := released_by(answer.decision, licensee, posts)) is not None:
            self.released.append(released)

    async def _decided(self, number: int, request: releases_pb.DecideRequest) -> Any:
        kind, answer = PrincipalKind.PIPELINE, releases_pb.DecideResponse
        try:
            said = await self._releases.call(number, "Decide", kind, request, answer)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.ABORTED:
                raise
            self.contended += 1
            return None
        self.unanswered += said is None
        return said

    def _is_done(self, size: Size) -> bool:
        """Whether as much was done to the replicas as was asked for, or more."""
        return self.kills >= size.kills and self.stops >= size.stops

    async def _torment(self, replica: Replica, size: Size) -> None:
        """Kills or stops the replica at chance moments, as often one as the other; it goes on in the end."""
        while not self._is_done(size):
            await pause(self._over, self._chance.uniform(0.1, LONGEST_REST_SECONDS))
            if self.kills <= self.stops:
                self.kills += 1
                await replica.kill()
                await replica.start()
            else:
                self.stops += 1
                replica.signal(signal.SIGSTOP)
                await pause(self._over, self._chance.uniform(0.5, LONGEST_STOP_SECONDS))
                replica.signal(signal.SIGCONT)

    def _new_id(self) -> str:
        return uuid7(self._clock.now_us())
