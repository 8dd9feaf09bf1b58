"""Decisions, deliveries, choices and reads without a pause while every replica is replaced in turn.

The oracle is what was acknowledged: of an author of whom no choice was on its way from the beginning of a
call to its end, the answer is the last acknowledged choice. A request that is repeated has the receipt it
had, and whatever is read elsewhere about a decision says what the decision said.
"""

import asyncio
import itertools
import random
import struct
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from sluice.consent.v1 import choice_pb2, reason_pb2
from sluice.consent.v1 import consent_service_pb2 as consent_pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.licensing.v1 import contract_service_pb2 as contracts_pb
from sluice.licensing.v1 import license_pb2, post_pb2
from sluice.licensing.v1 import release_service_pb2 as releases_pb
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice.metering.v1 import metering_service_pb2 as metering_pb
from sluice.metering.v1.metering_service_pb2_grpc import MeteringServiceStub
from sluice_gate.answers import Answer
from sluice_gate.asking import DEFAULT_GIVE_UP_AFTER_US, Asking
from sluice_gate.client import LicensingClient
from sluice_gate.clocks import SystemClock as GateClock
from tests.support.cluster import TRAINING, some_terms
from tests.support.keys import a_minter, some_keys
from tests.support.replicas import pause
from tests.support.rolling_callers import CountingClient, CountingGateway, CountingPeer, Tally
from tests.support.rolling_fleet import SERVICES, Pairs
from tests.support.waiting import until, until_told
from tests.support.willing_subjects import NOTICE, an_import, an_opt_out_policy

LICENSES = ("north", "south", "east", "west")
POSTS = 4
WILLING = range(1_000, 1_400)
FICKLE = range(5_000, 5_040)
"""They choose again and again."""
SHARE_OF_FICKLE = 0.3
SHARE_ASKED_AGAIN = 0.25
PIPELINES, CHOOSERS, READERS, PARTNERS = 4, 2, 6, 2
READS = 8
"""Of consent and of licensing in turn, before a reader looks at another decision."""
REMEMBERED = 200
"""Decisions that are read again."""
CHOICE_SECONDS = 0.5
"""Between two choices of one chooser: each has decisions that are on their way look again."""
READY_SECONDS = 3.0
"""How long a new replica serves before the next one is stopped, as minReadySeconds in a cluster: as long as
callers take to connect again."""
SOON_US = 1_000_000
AGAIN_SECONDS = 0.1
"""Until it is looked again whether there were enough calls."""
LONGEST_SECONDS = 1_500.0


class Size(NamedTuple):
    """Of a run, which goes on until there is so much of each."""

    calls: int
    rounds: int
    """In each of which every replica is replaced once."""


@dataclass
class Told:
    """What is known of somebody from what was acknowledged."""

    denies: bool = False
    begun: int = 0
    ended: int = 0

    def standing(self) -> tuple[int, bool] | None:
        """Which choice counts, and whether it denies; None while another one is on its way."""
        return (self.begun, self.denies) if self.begun == self.ended else None


@dataclass
class Figures:
    """What happened."""

    seed: int
    compared: int = 0
    """Authors of whom the answer is known."""
    denied: int = 0
    """Of these, who had denied."""
    repeated: int = 0
    posts: int = 0
    """Released and confirmed."""
    restarts: int = 0
    rounds: int = 0
    statuses: set[int] = field(default_factory=set)
    """With which replicas ended."""
    wrong: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


class Fire:
    """One run."""

    def __init__(self, fleet: Pairs, seed: int) -> None:
        self.figures, self.tally = Figures(seed), Tally()
        self.receipts: dict[int, str] = {}
        """Decisions by the number of their receipt."""
        self._fleet = fleet
        self._random = random.Random(seed)
        self._clock = SystemClock()
        self._told = {author: Told() for author in (*WILLING, *FICKLE)}
        self._over = asyncio.Event()
        self._post_ids = itertools.count(1)
        self._minter = a_minter(some_keys(fleet.folder))
        operator, service = PrincipalKind.OPERATOR, PrincipalKind.SERVICE
        self._operator = {name: self._peer(name, operator, "ada") for name in SERVICES}
        self._service = {name: self._peer(name, service, "licensing") for name in ("consent", "metering")}
        self._reader = self._peer("licensing", PrincipalKind.PIPELINE, "firehose")
        self._client = LicensingClient(
            fleet.target("licensing"),
            lambda: self._token(PrincipalKind.PIPELINE, "firehose"),
        )
        self._gateway = CountingGateway(fleet.gateway, lambda: self._token(operator, "ada"), self.tally)
        self._confirmed: deque[Answer] = deque(maxlen=REMEMBERED)
        self._asking = Asking(
            CountingClient(self._client, self.tally), GateClock(), DEFAULT_GIVE_UP_AFTER_US, asyncio.Event()
        )

    async def prepare(self) -> None:
        """Authors whose posts may go unless they deny, and active licenses."""
        consent = self._operator["consent"]
        stub = ConsentServiceStub(consent.channel)
        await consent.ask(stub.ImportSubjects, an_import(self._new_id(), self._told))
        policy = an_opt_out_policy(self._new_id(), self._clock.now_us() + SOON_US)
        await consent.ask(stub.PublishPolicy, policy)
        await until_told(self._is_willing, "posts may go")
        licensing = self._operator["licensing"]
        contracts = ContractServiceStub(licensing.channel)
        licensee = license_pb2.Licensee(licensee_id="acme", display_name="Acme")
        await licensing.ask(
            contracts.CreateLicensee,
            contracts_pb.CreateLicenseeRequest(request_id=self._new_id(), licensee=licensee),
        )
        for name in LICENSES:
            terms = some_terms(limit=1_000_000)
            create = contracts_pb.CreateLicenseRequest(
                request_id=self._new_id(), license_id=name, terms=terms
            )
            draft = (await licensing.ask(contracts.CreateLicense, create)).license
            activate = contracts_pb.ActivateLicenseRequest(
                request_id=self._new_id(), license_id=name, version=1, terms_digest=draft.terms_digest
            )
            await licensing.ask(contracts.ActivateLicense, activate)

    async def burn(self, size: Size) -> None:
        """Returns when there were so many calls and rounds.

        Raises TimeoutError where it does not come to that.
        """
        started, share = time.monotonic(), len(FICKLE) // CHOOSERS
        async with asyncio.timeout(LONGEST_SECONDS), asyncio.TaskGroup() as tasks:
            for _ in range(PIPELINES):
                tasks.create_task(self._pipeline())
            for _ in range(READERS):
                tasks.create_task(self._look())
            for _ in range(PARTNERS):
                tasks.create_task(self._partner())
            for number in range(CHOOSERS):
                tasks.create_task(self._chooser(FICKLE[number * share : (number + 1) * share]))
            for _ in range(size.rounds):
                await self._round()
            while self.tally.calls.total() < size.calls:
                await pause(self._over, AGAIN_SECONDS)
            self._over.set()
        self.figures.seconds = time.monotonic() - started

    async def close(self) -> None:
        """Closes all connections."""
        await self._client.close()
        await self._gateway.close()
        for peer in (*self._operator.values(), *self._service.values(), self._reader):
            await peer.close()

    def __str__(self) -> str:
        """In one line."""
        figures, calls = self.figures, self.tally.calls
        decisions = calls["Decide"] + calls["ConfirmDelivery"]
        return (
            f"seed {figures.seed}: {figures.restarts} replicas replaced in {figures.rounds} rounds and "
            f"{figures.seconds:.0f} s, {calls.total():,} calls ({decisions:,} decisions and confirmations, "
            f"{calls['RecordChoice']:,} choices, {calls['GetDecision by way of the gateway']:,} reads by way "
            f"of the gateway), {self.tally.slowest()}, "
            f"{self.tally.first_sight.total()} failed at first sight, "
            f"{self.tally.late.total()} not checked or counted by the gateway in time, "
            f"{self.tally.failed.total()} after all tries; {figures.compared:,} answers about authors "
            f"compared ({figures.denied:,} of authors who had denied), {figures.repeated:,} repeated "
            f"requests, {figures.wrong.total()} wrong answers"
        )

    async def _round(self) -> None:
        """Replaces each replica once, one after the other."""
        for service in SERVICES:
            for replica in self._fleet.of[service]:
                self.figures.statuses.add(await replica.stop())
                await replica.start()
                self.figures.restarts += 1
                await pause(self._over, READY_SECONDS)
        self.figures.rounds += 1

    async def _pipeline(self) -> None:
        """One batch after the other: looked up, decided, confirmed, and read back from two services."""
        chance = self._random
        while not self._over.is_set():
            authors = self._some_authors()
            await self._check(authors)
            answer = await self._decide(authors)
            confirming = self._asking.confirm(answer.decision.decision_id, answer.bitmap())
            await self.tally.counted("ConfirmDelivery", confirming)
            self.figures.posts += answer.posts_released
            self._confirmed.append(answer)
            if chance.random() < SHARE_ASKED_AGAIN:
                await self._ask_again(answer)
            await self._read_back(answer)

    async def _chooser(self, authors: Sequence[int]) -> None:
        """One choice after the other, each the opposite of that author's last one."""
        consent = self._operator["consent"]
        record = ConsentServiceStub(consent.channel).RecordChoice
        while not self._over.is_set():
            told = self._told[author := self._random.choice(authors)]
            told.begun += 1
            await consent.ask(record, self._choice(author, denies=not told.denies))
            told.denies, told.ended = not told.denies, told.ended + 1
            await pause(self._over, CHOICE_SECONDS)

    async def _check(self, authors: Sequence[int]) -> None:
        before = self._standing(authors)
        reasons = await self._asked_consent(authors)
        allowed = [reason == reason_pb2.CONSENT_REASON_ALLOWED for reason in reasons]
        self._compare("CheckConsent", authors, before, allowed)

    async def _decide(self, authors: Sequence[int]) -> Answer:
        before, request = self._standing(authors), self._question(authors)
        answer = await self.tally.counted("Decide", self._asking.decide(request))
        self._compare("Decide", authors, before, answer.released.tolist())
        number, decision = answer.decision.receipt_number, answer.decision
        self._expect("a number is given to one receipt alone", number not in self.receipts)
        self.receipts[number] = decision.decision_id
        return answer

    async def _ask_again(self, answer: Answer) -> None:
        again = await self.tally.counted("Decide", self._asking.decide(answer.request))
        self.figures.repeated += 1
        same = (again.decision.receipt, again.decision.verdicts, again.decision.decision_id) == (
            answer.decision.receipt,
            answer.decision.verdicts,
            answer.decision.decision_id,
        )
        self._expect("a repeated request has the same receipt", same and again.decision.replayed)

    async def _read_back(self, answer: Answer) -> None:
        decided = answer.decision
        await self._read(answer)
        if not decided.reservation_id:
            self._expect("what is released has been reserved", not answer.posts_released)
            return
        metering = self._service["metering"]
        held = metering_pb.GetReservationRequest(reservation_id=decided.reservation_id)
        answered = await metering.ask(MeteringServiceStub(metering.channel).GetReservation, held)
        found = answered.reservation.reservation_id == decided.reservation_id
        self._expect("metering knows the reservation", found)

    async def _look(self) -> None:
        """Authors and decisions, one after the other."""
        while not self._over.is_set():
            for _ in range(READS):
                await self._check(self._some_authors())
            if self._confirmed:
                await self._read(self._random.choice(self._confirmed))

    async def _partner(self) -> None:
        """Decisions by way of the gateway, one after the other."""
        await until(lambda: self._confirmed, "there is a decision")
        while not self._over.is_set():
            answer = self._random.choice(self._confirmed)
            if stored := await self._gateway.decision(answer.decision.decision_id):
                self._is_as_told(answer, stored)

    async def _read(self, answer: Answer) -> None:
        asked = releases_pb.GetDecisionRequest(decision_id=answer.decision.decision_id)
        reads = ReleaseServiceStub(self._reader.channel)
        self._is_as_told(answer, (await self._reader.ask(reads.GetDecision, asked)).decision)

    def _is_as_told(self, answer: Answer, stored: releases_pb.Decision) -> None:
        decided = answer.decision
        same = (stored.receipt, stored.verdicts) == (decided.receipt, decided.verdicts)
        self._expect("a decision is read as it was told", same)
        billed = stored.delivery.posts_billed
        self._expect("what was confirmed is billed", billed == answer.posts_released)

    def _some_authors(self) -> list[int]:
        chance = self._random
        return [chance.choice(FICKLE if chance.random() < SHARE_OF_FICKLE else WILLING) for _ in range(POSTS)]

    def _standing(self, authors: Sequence[int]) -> list[tuple[int, bool] | None]:
        return [self._told[author].standing() for author in authors]

    def _compare(
        self,
        name: str,
        authors: Sequence[int],
        before: Sequence[tuple[int, bool] | None],
        allowed: Sequence[bool],
    ) -> None:
        for author, known, goes in zip(authors, before, allowed, strict=True):
            if known is None or self._told[author].standing() != known:
                continue
            _, denies = known
            self.figures.compared += 1
            self.figures.denied += denies
            self._expect(f"{name} follows the last acknowledged choice", goes is not denies)

    def _expect(self, what: str, holds: bool) -> None:
        if not holds:
            self.figures.wrong[what] += 1

    async def _is_willing(self) -> bool:
        return set(await self._asked_consent([WILLING[0]])) == {reason_pb2.CONSENT_REASON_ALLOWED}

    async def _asked_consent(self, authors: Sequence[int]) -> bytes:
        ids = struct.pack(f"<{len(authors)}Q", *authors)
        consent = self._service["consent"]
        request = consent_pb.CheckConsentRequest(
            licensee_id="acme",
            purpose=TRAINING,
            post_ids=struct.pack(f"<{len(authors)}Q", *(next(self._post_ids) for _ in authors)),
            author_ids=ids,
            embed_offsets=bytes(4 * (len(authors) + 1)),
            author_jurisdictions=["*"],
        )
        answer = await consent.ask(ConsentServiceStub(consent.channel).CheckConsent, request)
        return bytes(answer.reasons)

    def _question(self, authors: Sequence[int]) -> releases_pb.DecideRequest:
        count = len(authors)
        columns = post_pb2.PostColumns(
            ids=struct.pack(f"<{count}Q", *(next(self._post_ids) for _ in authors)),
            author_ids=struct.pack(f"<{count}Q", *authors),
            kinds=b"\x01" * count,
            media_flags=bytes(count),
            posted_at_us=struct.pack(f"<{count}q", *[1_600_000_000_000_000] * count),
            languages=["en"],
            language_indexes=bytes(count),
            embed_offsets=bytes(4 * (count + 1)),
        )
        return releases_pb.DecideRequest(
            request_id=self._new_id(),
            license_id=self._random.choice(LICENSES),
            purpose=TRAINING,
            columns=columns,
        )

    def _choice(self, author: int, *, denies: bool) -> consent_pb.RecordChoiceRequest:
        choice = choice_pb2.Choice(
            subject_id=author,
            stance=choice_pb2.STANCE_DENY if denies else choice_pb2.STANCE_ALLOW,
            everyone=True,
            all_purposes=True,
            method=choice_pb2.CHOICE_METHOD_SETTINGS,
            notice_digest=NOTICE,
        )
        return consent_pb.RecordChoiceRequest(request_id=self._new_id(), choice=choice)

    def _peer(self, service: str, kind: PrincipalKind, party: str) -> CountingPeer:
        return CountingPeer(
            self._fleet.target(service),
            lambda: self._token(kind, party),
            service,
            self.tally,
        )

    def _token(self, kind: PrincipalKind, party: str) -> str:
        roles: Any = ["admin"] if kind is PrincipalKind.OPERATOR else []
        return self._minter.mint(kind, party, roles)

    def _new_id(self) -> str:
        return uuid7(self._clock.now_us())
