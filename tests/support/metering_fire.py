"""Metering that is killed while it counts, over and over; and what must be there afterwards (M2, M4, M7)."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.chassis.clock import SystemClock
from services.chassis.ids import uuid7
from services.chassis.refusals import Kind, Refusal
from sluice.metering.v1 import metering_service_pb2 as pb
from sluice.metering.v1 import usage_service_pb2 as usage_pb
from sluice.metering.v1.metering_service_pb2_grpc import MeteringServiceStub
from sluice.metering.v1.usage_pb2 import USAGE_ORIGIN_GATE, UsageOf
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub
from tests.support.metering import an_id
from tests.support.metering_messages import a_day, a_reserve, posts
from tests.support.metering_process import MeteringProcess, metering_in
from tests.support.metering_usage import ACCEPTED, DUPLICATE, an_access

WORKERS = 24
PARTIES = ("acme", "initech", "umbrella")
LIMIT = 10_000_000
MOST_POSTS = 9
PAGE = 20
AT_ONCE = 64
"""More at once are turned away."""
OLD_ONES = 200
"""Requests of earlier rounds that are made again after each kill."""

Sums = dict[str, tuple[int, int, int]]
"""(used, held, seen elsewhere) by party."""


@dataclass(eq=False)
class Deed:
    """A request, and what was answered the first time."""

    method: str
    request: Any
    answer: Any = None
    """None where the process was gone before it came."""

    async def ask(self, process: MeteringProcess) -> Any:
        """The answer, without what is of the moment."""
        if self.method == "ReportAccesses":
            usage = UsageServiceStub(process.peer.channel)
            async with process.peer.open(usage.ReportAccesses) as stream:
                await stream.send(self.request)
                answer = await stream.receive()
        else:
            metering = MeteringServiceStub(process.peer.channel)
            answer = await process.peer.call(getattr(metering, self.method), self.request)
        if self.method in {"Reserve", "Record"}:
            answer.ClearField("revision")
        if self.method == "Reserve" and answer.HasField("counted_at"):
            # Where it stands changes when it ends; when and what it held never does.
            answer.ClearField("state")
        if isinstance(answer, pb.ReduceHoldResponse):
            # So it is with what became of the rest.
            for field in ("state", "held", "posts_settled", "posts_freed"):
                answer.reservation.ClearField(field)
        return answer


@dataclass(frozen=True)
class Hold:
    """What is held, as far as was heard."""

    id: str
    posts: int
    is_reduced: bool = False


@dataclass
class Figures:
    """What was seen."""

    kills: int = 0
    acknowledged: Counter[str] = field(default_factory=Counter)
    """By method, before a kill."""
    unanswered: int = 0
    """Cut off by a kill."""
    compared: int = 0
    """Answers to requests that had been answered before."""
    audited: int = 0
    """Things that audits compared."""

    def __str__(self) -> str:
        told = ", ".join(f"{count} {method}" for method, count in sorted(self.acknowledged.items()))
        return (
            f"{self.kills} kills; acknowledged {told}; {self.unanswered} cut off and asked again;"
            f" {self.compared} repeated answers and {self.audited} sums the same"
        )


class MeteringFire:
    """Reserves, reduces, settles, cancels, records, reports until the process is gone, and remembers all."""

    def __init__(self, folder: Path, url: str | None, seed: int) -> None:
        self.figures = Figures()
        self.wrong: list[str] = []
        """What is not as it must be."""
        self._folder, self._url = folder, url
        self._chance = random.Random(seed)
        self._clock = SystemClock()
        self._began_us = self._clock.now_us()
        self._deeds: list[Deed] = []
        self._open: list[Hold] = []
        """Those that nobody has tried to end."""
        self._next_access = 0
        self._enough = asyncio.Event()
        self._left = 0

    async def burn(self, kills: int) -> None:
        """Loads and kills so often, and looks at all that there is after each time."""
        for _ in range(kills):
            before = len(self._deeds)
            await self._load_and_kill()
            async with metering_in(self._folder, self._url) as process:
                await self._check(process, before)

    async def _load_and_kill(self) -> None:
        process = await MeteringProcess.start(self._folder, self._url)
        self._left = self._chance.randint(20, 400)
        self._enough.clear()
        workers = [asyncio.create_task(self._work(process)) for _ in range(WORKERS)]
        await self._enough.wait()
        await process.kill()
        await asyncio.gather(*workers)
        await process.hang_up()
        self.figures.kills += 1

    async def _work(self, process: MeteringProcess) -> None:
        while True:
            deed = self._again() or self._new()
            try:
                answer = await deed.ask(process)
            except Refusal as refusal:
                assert refusal.kind is Kind.UNAVAILABLE, refusal
                self.figures.unanswered += 1
                return
            if deed.answer is None:
                self.figures.acknowledged[deed.method] += 1
            self._heard(deed, answer)
            self._left -= 1
            if self._left <= 0:
                self._enough.set()

    def _heard(self, deed: Deed, answer: Any) -> None:
        if deed.answer is not None:
            self.figures.compared += 1
            if answer != deed.answer:
                self.wrong.append(f"{deed.method} {deed.request}: first {deed.answer}, now {answer}")
            return
        deed.answer = answer
        if deed.method == "Reserve" and answer.HasField("counted_at"):
            self._open.append(Hold(deed.request.reservation_id, deed.request.claim.counts[0].posts))
        if deed.method == "ReduceHold":
            self._open.append(Hold(deed.request.reservation_id, deed.request.keep[0].posts, is_reduced=True))

    def _again(self) -> Deed | None:
        if self._chance.random() > 0.1 or not self._deeds:
            return None
        deed = self._chance.choice(self._deeds)
        return deed if deed.answer is not None else None

    def _new(self) -> Deed:
        kind = self._chance.choices(["hold", "record", "end", "report"], [30, 15, 40, 15])[0]
        if kind == "end" and self._open:
            deed = self._freeing(self._open.pop(self._chance.randrange(len(self._open))))
        elif kind == "report":
            deed = Deed("ReportAccesses", self._page())
        else:
            deed = self._claim("Record" if kind == "record" else "Reserve")
        self._deeds.append(deed)
        return deed

    def _claim(self, method: str) -> Deed:
        # Now and then for more than there can ever be room for.
        limit = self._chance.choice([LIMIT] * 9 + [0])
        request = a_reserve(len(self._deeds) + 1, self._chance.randint(1, MOST_POSTS), a_day(limit))
        request.claim.party_id = self._chance.choice(PARTIES)
        if method == "Reserve":
            return Deed(method, request)
        return Deed(method, pb.RecordRequest(reservation_id=request.reservation_id, claim=request.claim))

    def _freeing(self, hold: Hold) -> Deed:
        # Once only: to ask again for what an earlier reduction kept is to raise a hold, which is refused.
        if not hold.is_reduced and hold.posts > 1 and self._chance.random() < 0.4:
            keep = [posts(self._chance.randint(1, hold.posts - 1))]
            return Deed("ReduceHold", pb.ReduceHoldRequest(reservation_id=hold.id, keep=keep))
        if self._chance.random() < 0.3:
            return Deed("Cancel", pb.CancelRequest(reservation_id=hold.id))
        delivered = self._chance.randint(0, hold.posts)
        counts = [posts(delivered)] if delivered else []
        return Deed("Settle", pb.SettleRequest(reservation_id=hold.id, delivered=counts))

    def _page(self) -> usage_pb.ReportAccessesRequest:
        """Accesses out of order, some of them reported before, some that show a receipt of now or later."""
        rows = []
        for line in range(1, PAGE + 1):
            number = self._next_access
            if self._chance.random() < 0.2 and number:
                number = self._chance.randrange(number)
            else:
                self._next_access += 1
            # The same each time it is reported.
            of_it = random.Random(number)
            access = an_access(
                str(number),
                self._began_us - of_it.randrange(10**9),
                of_it.choice(PARTIES),
                posts=of_it.randint(1, 5),
                reservation_id=an_id(number // 3 + of_it.randint(1, 100)) if of_it.random() < 0.5 else "",
            )
            rows.append(usage_pb.ReportAccessesRequest.Row(line=line, access=access))
        return usage_pb.ReportAccessesRequest(request_id=uuid7(self._clock.now_us()), rows=rows)

    async def _check(self, process: MeteringProcess, before: int) -> None:
        """What had no answer is asked again first; then everything is as it was told."""
        untold = [deed for deed in self._deeds if deed.answer is None]
        old = self._chance.sample(self._deeds[:before], min(before, OLD_ONES))
        again = [*untold, *old, *(deed for deed in self._deeds[before:] if deed not in untold)]
        turns = asyncio.Semaphore(AT_ONCE)

        async def ask(deed: Deed) -> Any:
            async with turns:
                return await deed.ask(process)

        answers = await asyncio.gather(*map(ask, again))
        for deed, answer in zip(again, answers, strict=True):
            self._heard(deed, answer)
        counted, expected = await _sums(process), self._expected()
        if counted != expected:
            self.wrong.append(f"after kill {self.figures.kills}: {counted} counted, not {expected}")
        self._check_outcomes()
        await self._audit(process)

    def _expected(self) -> Sums:
        """The sums of all that was answered, each once."""
        used, held, seen = Counter[str](), Counter[str](), Counter[str]()
        ended = {
            deed.request.reservation_id: deed for deed in self._deeds if deed.method in {"Settle", "Cancel"}
        }
        kept = {
            deed.request.reservation_id: deed.request.keep[0].posts
            for deed in self._deeds
            if deed.method == "ReduceHold"
        }
        settled: dict[str, tuple[str, int]] = {}
        for deed in self._deeds:
            if deed.method not in {"Reserve", "Record"} or not deed.answer.HasField("counted_at"):
                continue
            id, party, wanted = _claimed(deed)
            end = ended.get(id)
            if deed.method == "Reserve" and end is None:
                held[party] += kept.get(id, wanted)
            elif end is None or end.method == "Settle":
                settled[id] = (
                    party,
                    wanted if end is None else sum(each.posts for each in end.request.delivered),
                )
                used[party] += settled[id][1]
        shown = Counter[tuple[str, str]]()
        for access in self._accesses().values():
            seen[access.party_id] += access.posts
            shown[access.reservation_id, access.party_id] += access.posts
        for id, (party, count) in settled.items():
            seen[party] -= min(count, shown[id, party])
        return {party: (used[party], held[party], seen[party]) for party in PARTIES}

    def _accesses(self) -> dict[str, Any]:
        pages = [deed.request for deed in self._deeds if deed.method == "ReportAccesses"]
        return {row.access.id: row.access for page in pages for row in page.rows}

    def _check_outcomes(self) -> None:
        """Of all lines with an access exactly one was told that it was taken."""
        taken = Counter[str]()
        for deed in self._deeds:
            if deed.method == "ReportAccesses":
                for row, outcome in zip(deed.request.rows, deed.answer.outcomes, strict=True):
                    assert outcome in {ACCEPTED, DUPLICATE}
                    taken[row.access.id] += outcome == ACCEPTED
        self.wrong += [f"access {id} was taken {times} times" for id, times in taken.items() if times != 1]

    async def _audit(self, process: MeteringProcess) -> None:
        usage = UsageServiceStub(process.auditor.channel)
        async with process.auditor.open(usage.AuditUsage, usage_pb.AuditUsageRequest()) as stream:
            async for check in stream:
                self.figures.audited += check.compared
                if check.difference_count:
                    self.wrong.append(f"{check.check}: {check.differences}")


def _claimed(deed: Deed) -> tuple[str, str, int]:
    claim = deed.request.claim
    return deed.request.reservation_id, claim.party_id, claim.counts[0].posts


async def _sums(process: MeteringProcess) -> Sums:
    usage = UsageServiceStub(process.peer.channel)
    sums: Sums = {}
    for party in PARTIES:
        request = usage_pb.QueryUsageRequest(of=UsageOf(party_id=party))
        rows = (await process.peer.call(usage.QueryUsage, request)).rows
        gate = [row for row in rows if row.origin == USAGE_ORIGIN_GATE]
        seen = sum(row.used for row in rows if row.origin != USAGE_ORIGIN_GATE)
        sums[party] = sum(row.used for row in gate), sum(row.held for row in gate), seen
    return sums
