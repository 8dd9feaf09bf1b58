"""Operators and pipelines at full speed over replicas of licensing, and which decisions were wrong.

The oracle is what was sent and acknowledged (`license_books`). A decision is against it when it says anything
else than follows from where its license stood all through the call, or at the moment that its receipt names.
"""

import asyncio
import base64
import itertools
import json
import random
import signal
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import grpc

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.statuses import from_rpc_error
from sluice.licensing.v1 import contract_service_pb2 as contracts_pb
from sluice.licensing.v1 import license_pb2, post_pb2
from sluice.licensing.v1 import release_service_pb2 as releases_pb
from tests.support.cluster import TRAINING, some_terms
from tests.support.license_books import LicenseBook, Version, given
from tests.support.licensing_fleet import AUTHORS, CONTRACTS, RELEASES
from tests.support.replicas import Lines, Replica, pause

LICENSES_OF_AN_OPERATOR, OPERATORS, PIPELINES = 10, 4, 20
POSTS = 4
TERMS = (("en",), ("de",), ("en", "de"))
"""Languages of the versions of a license; one follows another in any order."""
LONGEST_AHEAD_US = 400_000
LONGEST_STOP_SECONDS = 1.5
CHANGE_SECONDS = 0.5
"""Shorter than most stops: what one replica does not do while it is stopped the other one acknowledges."""
DECISION_SECONDS = 5.0
"""Longer than any stop, for what a replica says when it goes on is what matters most."""

PATIENCE_SECONDS = 0.05
"""Before what was not answered is asked again: who asks without a pause leaves no time to start again."""
BLOWS_A_KILL = 20
"""Every so many-th blow to a replica kills it; the others stop it."""
LONGEST_SECONDS = 1_200.0
"""Of a run; who has not seen enough by then never will."""


@dataclass(frozen=True)
class Size:
    """Of a run, which goes on until there is so much of each: a slow machine sees no less, only later."""

    decisions: int
    compared_by_call: int = 0
    steps: int = 0
    amendments: int = 0
    stops: int = 0
    kills: int = 0


@dataclass
class Figures:
    """What happened."""

    seed: int
    decisions: int = 0
    compared_by_call: int = 0
    """Nothing changed from the beginning of the call to its end."""
    compared_by_receipt: int = 0
    """It is known where the license stood at `decided_at`."""
    against: int = 0
    replayed: int = 0
    unanswered: int = 0
    contended: int = 0
    steps: int = 0
    amendments: int = 0
    ahead: int = 0
    """Of these, with a time."""
    stops: int = 0
    kills: int = 0
    seconds: float = 0.0

    def reach(self, size: Size) -> bool:
        """Whether there is enough of everything."""
        return all(getattr(self, each.name) >= getattr(size, each.name) for each in fields(size))

    def __str__(self) -> str:
        """In one line."""
        return (
            f"seed {self.seed}: {self.decisions:,} decisions, {self.compared_by_call:,} compared by their "
            f"calls and {self.compared_by_receipt:,} by the times in their receipts ({self.replayed:,} "
            f"replayed, {self.unanswered:,} calls not answered, {self.contended:,} sent back), "
            f"{self.steps:,} suspensions and resumptions, {self.amendments:,} amendments ({self.ahead:,} "
            f"with a time), {self.stops} stops, {self.kills} kills, {self.against} against, "
            f"{self.seconds:.0f} s"
        )


class Fire:
    """One run; it ends when it is large enough, or enough decisions are against what was acknowledged."""

    def __init__(self, replicas: Sequence[Replica], folder: Path, seed: int) -> None:
        self.figures = Figures(seed)
        self._replicas = replicas
        addresses = [each.address for each in replicas]
        self._contracts = Lines(addresses, CONTRACTS, folder, seconds=CHANGE_SECONDS)
        self._releases = Lines(addresses, RELEASES, folder, seconds=DECISION_SECONDS)
        self._random = random.Random(seed)
        self._clock = SystemClock()
        self._books = [
            LicenseBook(f"license-{number}") for number in range(OPERATORS * LICENSES_OF_AN_OPERATOR)
        ]
        self._over = asyncio.Event()
        self._blows = itertools.count(1)

    async def prepare(self) -> None:
        """Active licenses, all alike."""
        licensee = license_pb2.Licensee(licensee_id="acme", display_name="Acme")
        create = contracts_pb.CreateLicenseeRequest(request_id=self._new_id(), licensee=licensee)
        await self._change("CreateLicensee", create, contracts_pb.CreateLicenseeResponse)
        for book in self._books:
            request = contracts_pb.CreateLicenseRequest(
                request_id=self._new_id(),
                license_id=book.license_id,
                terms=some_terms(languages=TERMS[0]),
            )
            created = await self._change("CreateLicense", request, contracts_pb.CreateLicenseResponse)
            assert created is not None
            await self._activate(book, Version(1, created.license.terms_digest, TERMS[0]), None)
            book.active.begin(True, book.version.last.from_us).acknowledged(self._clock.now_us())

    async def burn(self, size: Size, against: int = 1) -> Figures:
        """Returns when there is so much, or so many decisions are against what was acknowledged.

        Raises TimeoutError where it does not come to that.
        """
        started, share = time.monotonic(), LICENSES_OF_AN_OPERATOR
        try:
            async with asyncio.timeout(LONGEST_SECONDS), asyncio.TaskGroup() as tasks:
                for number in range(PIPELINES):
                    tasks.create_task(self._pipeline(number, size, against))
                for n in range(OPERATORS):
                    tasks.create_task(self._operator(self._books[n * share : (n + 1) * share]))
                for replica in self._replicas:
                    tasks.create_task(self._torment(replica))
        finally:
            await self._contracts.close()
            await self._releases.close()
        self.figures.seconds = time.monotonic() - started
        return self.figures

    async def _pipeline(self, number: int, size: Size, against: int) -> None:
        """Asks one replica, and the other when it does not answer."""
        figures, at = self.figures, number
        while not self._over.is_set():
            book, languages = self._random.choice(self._books), self._random.choices(("en", "de"), k=POSTS)
            request, begin_us = self._question(book, languages), self._clock.now_us()
            while not self._over.is_set():
                answer = await self._asked(at % len(self._replicas), request)
                if answer is not None:
                    self._compare(book, languages, begin_us, answer.decision)
                    break
                at += 1
                await pause(self._over, PATIENCE_SECONDS)
            if figures.reach(size) or figures.against >= against:
                self._over.set()

    async def _asked(self, number: int, request: releases_pb.DecideRequest) -> Any:
        kind, answer = PrincipalKind.PIPELINE, releases_pb.DecideResponse
        try:
            answered = await self._releases.call(number, "Decide", kind, request, answer)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.ABORTED:
                raise
            self.figures.contended += 1
            return None
        self.figures.unanswered += answered is None
        return answered

    def _compare(
        self, book: LicenseBook, languages: Sequence[str], begin_us: int, decision: releases_pb.Decision
    ) -> None:
        figures, end_us = self.figures, self._clock.now_us()
        decided_us = decision.decided_at.ToMicroseconds()
        by_call = book.known(languages, begin_us, end_us)
        by_receipt = book.known(languages, decided_us, decided_us)
        said = given(decision, _claims(decision.receipt))
        figures.decisions += 1
        figures.replayed += decision.replayed
        figures.compared_by_call += by_call is not None
        figures.compared_by_receipt += by_receipt is not None
        wrong = any(known is not None and known != said for known in (by_call, by_receipt))
        figures.against += wrong or not begin_us <= decided_us <= end_us

    async def _operator(self, books: Sequence[LicenseBook]) -> None:
        """One change after the other, each repeated until it is acknowledged."""
        while not self._over.is_set():
            book = self._random.choice(books)
            # A version whose time has not come stands in the way of another one, but not of a suspension.
            waits = book.version.last.from_us > self._clock.now_us()
            if waits or self._random.random() < 0.5:
                await self._step(book)
            else:
                await self._amend(book)

    async def _step(self, book: LicenseBook) -> None:
        suspends = book.active.last.value
        method = "SuspendLicense" if suspends else "ResumeLicense"
        request = getattr(contracts_pb, f"{method}Request")(
            request_id=self._new_id(), license_id=book.license_id
        )
        turn = book.active.begin(not suspends, self._clock.now_us())
        if await self._change(method, request, getattr(contracts_pb, f"{method}Response")) is not None:
            turn.acknowledged(self._clock.now_us())
            self.figures.steps += 1

    async def _amend(self, book: LicenseBook) -> None:
        """Drafts the next version, and activates it at once or with a time."""
        before = book.version.last.value
        languages = self._random.choice([each for each in TERMS if each != before.languages])
        request = contracts_pb.AmendLicenseRequest(
            request_id=self._new_id(),
            license_id=book.license_id,
            base_digest=before.digest,
            terms=some_terms(languages=languages),
        )
        drafted = await self._change("AmendLicense", request, contracts_pb.AmendLicenseResponse)
        if drafted is None:
            return
        version = Version(before.number + 1, drafted.license.next.terms_digest, languages)
        self.figures.amendments += 1
        ahead_us = self._random.randrange(LONGEST_AHEAD_US) if self._random.random() < 0.3 else None
        if ahead_us is None or not await self._activate(book, version, ahead_us):
            await self._activate(book, version, None)

    async def _activate(self, book: LicenseBook, version: Version, ahead_us: int | None) -> bool:
        """Whether the version was activated; not when its time had passed until somebody listened."""
        from_us = self._clock.now_us() + (ahead_us or 0)
        request = contracts_pb.ActivateLicenseRequest(
            request_id=self._new_id(),
            license_id=book.license_id,
            version=version.number,
            terms_digest=version.digest,
        )
        if ahead_us is not None:
            request.effective_at.FromMicroseconds(from_us)
        turn = book.version.begin(version, from_us)
        try:
            answer = await self._change("ActivateLicense", request, contracts_pb.ActivateLicenseResponse)
        except grpc.aio.AioRpcError as error:
            if from_rpc_error(error).reason != "ACTIVATION_IN_PAST":
                raise
            book.version.take_back(turn)
            return False
        if answer is not None:
            turn.acknowledged(self._clock.now_us())
            self.figures.ahead += ahead_us is not None
        return True

    async def _change(self, method: str, request: Any, answer: Any) -> Any:
        """The answer, unless it is over before there is one; the same request at any replica until then."""
        while not self._over.is_set():
            at = self._random.randrange(len(self._replicas))
            answered = await self._contracts.call(at, method, PrincipalKind.OPERATOR, request, answer)
            if answered is not None:
                return answered
            await pause(self._over, PATIENCE_SECONDS)
        return None

    async def _torment(self, replica: Replica) -> None:
        """Stops the replica again and again, and now and then kills it."""
        chance = self._random
        while not self._over.is_set():
            await pause(self._over, chance.uniform(0.5, 7.0))
            if next(self._blows) % BLOWS_A_KILL == 0:
                await replica.kill()
                self.figures.kills += 1
                await replica.start()
            else:
                self.figures.stops += 1
                replica.signal(signal.SIGSTOP)
                await pause(self._over, chance.uniform(0.1, LONGEST_STOP_SECONDS))
                replica.signal(signal.SIGCONT)

    def _question(self, book: LicenseBook, languages: Sequence[str]) -> releases_pb.DecideRequest:
        count = len(languages)
        columns = post_pb2.PostColumns(
            ids=struct.pack(f"<{count}Q", *self._random.sample(range(1, 2**40), count)),
            author_ids=struct.pack(f"<{count}Q", *self._random.choices(AUTHORS, k=count)),
            kinds=b"\x01" * count,
            media_flags=bytes(count),
            posted_at_us=struct.pack(f"<{count}q", *[1_600_000_000_000_000] * count),
            languages=["en", "de"],
            language_indexes=bytes(language == "de" for language in languages),
            embed_offsets=bytes(4 * (count + 1)),
        )
        return releases_pb.DecideRequest(
            request_id=self._new_id(), license_id=book.license_id, purpose=TRAINING, columns=columns
        )

    def _new_id(self) -> str:
        return uuid7(self._clock.now_us())


def _claims(receipt: str) -> dict[str, Any]:
    """What a receipt says; who signed it is shown elsewhere."""
    payload = receipt.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims
