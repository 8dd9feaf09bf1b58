"""Writers and checkers at full speed over replicas that are stopped and killed, and who was answered wrongly.

The oracle is what was acknowledged. A check is stale when it says of a subject something else than the last
acknowledged choice, and no write of that subject was under way at any time between its beginning and its end.
"""

import asyncio
import itertools
import random
import signal
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from sluice.consent.v1 import choice_pb2, reason_pb2
from sluice.consent.v1 import consent_service_pb2 as pb
from tests.support.consent_fleet import CONSENT
from tests.support.replicas import Lines, Replica, pause
from tests.support.willing_subjects import NOTICE, TRAINING, an_import, an_opt_out_policy

SUBJECTS = range(1_000, 1_120)
WRITERS, CHECKERS = 8, 96
ASKED_AT_ONCE = 4
"""Subjects in a check: little enough that most have no write under way."""
LONGEST_STOP_SECONDS = 2.0
CALL_SECONDS = 3.0
"""Longer than any stop, for what a replica says when it goes on is what matters most."""
BLOWS_A_KILL = 8
"""Every so many-th blow to a replica kills it; the others stop it."""
LONGEST_SECONDS = 1_200.0
"""Of a run; who has not seen enough by then never will."""


@dataclass(frozen=True)
class Size:
    """Of a run, which goes on until there is so much of each: a slow machine sees no less, only later."""

    checks: int
    writes: int = 0
    stops: int = 0
    kills: int = 0


@dataclass
class Told:
    """What is known of a subject from what was acknowledged."""

    denies: bool = False
    begun: int = 0
    """Writes that were begun, the one under way included."""
    ended: int = 0

    @property
    def settled(self) -> bool:
        """Whether no write is under way."""
        return self.begun == self.ended


@dataclass
class Figures:
    """What happened."""

    seed: int
    checks: int = 0
    unanswered: int = 0
    compared: int = 0
    """Subjects in checks with no write under way."""
    writes: int = 0
    stops: int = 0
    kills: int = 0
    stale: int = 0
    seconds: float = 0.0

    def reach(self, size: Size) -> bool:
        """Whether there is enough of everything."""
        return all(getattr(self, each.name) >= getattr(size, each.name) for each in fields(size))

    def __str__(self) -> str:
        """In one line."""
        return (
            f"seed {self.seed}: {self.checks:,} checks answered ({self.compared:,} answers compared, "
            f"{self.unanswered:,} calls not answered), {self.writes:,} choices acknowledged, "
            f"{self.stops} stops, {self.kills} kills, {self.stale} stale, {self.seconds:.0f} s"
        )


class Fire:
    """One run; `burn` ends when it is large enough, or when enough answers were stale."""

    def __init__(self, replicas: Sequence[Replica], folder: Path, seed: int) -> None:
        self.figures = Figures(seed)
        self._replicas = replicas
        self._lines = Lines([each.address for each in replicas], CONSENT, folder, seconds=CALL_SECONDS)
        self._random = random.Random(seed)
        self._clock = SystemClock()
        self._told = {subject: Told() for subject in SUBJECTS}
        self._over = asyncio.Event()
        self._blows = itertools.count(1)

    async def prepare(self) -> None:
        """Subjects who may go unless they deny, under a policy in force."""
        imported = an_import(self._new_id(), SUBJECTS)
        await self._write(0, "ImportSubjects", imported, pb.ImportSubjectsResponse)
        request = an_opt_out_policy(self._new_id(), self._clock.now_us() + 500_000)
        await self._write(0, "PublishPolicy", request, pb.PublishPolicyResponse)
        for number in range(len(self._replicas)):
            while True:
                if await self._asked(number, [SUBJECTS[0]]) == bytes([reason_pb2.CONSENT_REASON_ALLOWED]):
                    break
                await asyncio.sleep(0.02)

    async def burn(self, size: Size, stale: int = 1) -> Figures:
        """Returns when there is so much, or so many checks were stale.

        Raises TimeoutError where it does not come to that.
        """
        started = time.monotonic()
        share = len(SUBJECTS) // WRITERS
        tasks = [
            *(self._checker(size, stale) for _ in range(CHECKERS)),
            *(self._writer(SUBJECTS[n * share : (n + 1) * share]) for n in range(WRITERS)),
            *(self._torment(replica) for replica in self._replicas),
        ]
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await asyncio.gather(*tasks)
        finally:
            await self._lines.close()
        self.figures.seconds = time.monotonic() - started
        return self.figures

    async def _checker(self, size: Size, stale: int) -> None:
        figures = self.figures
        while not self._over.is_set():
            await self._check()
            if figures.reach(size) or figures.stale >= stale:
                self._over.set()

    async def _check(self) -> None:
        subjects = self._random.sample(SUBJECTS, ASKED_AT_ONCE)
        before = [(self._told[each].settled, self._told[each].begun) for each in subjects]
        denies = [self._told[each].denies for each in subjects]
        reasons = await self._asked(self._random.randrange(len(self._replicas)), subjects)
        if reasons is None:
            self.figures.unanswered += 1
            return
        self.figures.checks += 1
        for subject, (settled, begun), denied, reason in zip(subjects, before, denies, reasons, strict=True):
            if settled and self._told[subject].begun == begun:
                self.figures.compared += 1
                allowed = reason == reason_pb2.CONSENT_REASON_ALLOWED
                self.figures.stale += allowed == denied

    async def _writer(self, subjects: Sequence[int]) -> None:
        """One choice after the other, each repeated until it is acknowledged."""
        while not self._over.is_set():
            told = self._told[subject := self._random.choice(subjects)]
            request = self._choice(subject, denies=not told.denies)
            told.begun += 1
            if not await self._write(None, "RecordChoice", request, pb.RecordChoiceResponse):
                return
            told.denies = not told.denies
            told.ended += 1
            self.figures.writes += 1

    async def _torment(self, replica: Replica) -> None:
        """Stops the replica again and again, and now and then kills it."""
        chance = self._random
        while not self._over.is_set():
            await pause(self._over, chance.uniform(0.2, 2.5))
            if next(self._blows) % BLOWS_A_KILL == 0:
                await replica.kill()
                self.figures.kills += 1
                await replica.start()
            else:
                self.figures.stops += 1
                replica.signal(signal.SIGSTOP)
                await pause(self._over, chance.uniform(0.1, LONGEST_STOP_SECONDS))
                replica.signal(signal.SIGCONT)

    async def _asked(self, number: int, subjects: Sequence[int]) -> bytes | None:
        ids = struct.pack(f"<{len(subjects)}Q", *subjects)
        request = pb.CheckConsentRequest(
            licensee_id="acme",
            purpose=TRAINING,
            post_ids=ids,
            author_ids=ids,
            embed_offsets=bytes(4 * (len(subjects) + 1)),
            author_jurisdictions=["*"],
        )
        answer = await self._lines.call(
            number, "CheckConsent", PrincipalKind.SERVICE, request, pb.CheckConsentResponse
        )
        return None if answer is None else bytes(answer.reasons)

    async def _write(self, number: int | None, method: str, request: object, answer: object) -> bool:
        """Whether it was acknowledged before it was over; the same request at one replica after the other."""
        while not self._over.is_set():
            at = self._random.randrange(len(self._replicas)) if number is None else number
            operator = PrincipalKind.OPERATOR
            if await self._lines.call(at, method, operator, request, answer) is not None:
                return True
        return False

    def _choice(self, subject: int, *, denies: bool) -> pb.RecordChoiceRequest:
        choice = choice_pb2.Choice(
            subject_id=subject,
            stance=choice_pb2.STANCE_DENY if denies else choice_pb2.STANCE_ALLOW,
            everyone=True,
            all_purposes=True,
            method=choice_pb2.CHOICE_METHOD_SETTINGS,
            notice_digest=NOTICE,
        )
        return pb.RecordChoiceRequest(request_id=self._new_id(), choice=choice)

    def _new_id(self) -> str:
        return uuid7(self._clock.now_us())
