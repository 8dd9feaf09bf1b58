"""What an agent has recorded for many subjects at once, and what became of each.

The ids of the requests follow from the form and the subject: whoever sends it again repeats them, and nothing
is recorded twice. Where nobody answers no more is sent, so that a service that is down is not asked hundreds
of times.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.ids import derived_uuid7
from services.chassis.refusals import Kind, Refusal
from services.console.settings_page.wishes import Sight, Wish
from sluice.consent.v1.choice_pb2 import Choice, ChoiceMethod, Stance
from sluice.consent.v1.consent_service_pb2 import RecordChoiceRequest
from sluice.consent.v1.standing_pb2 import GetStandingResponse

SIDE_BY_SIDE = 8
"""For so many people are requests under way at a time."""

_AGAIN = frozenset({Kind.UNAVAILABLE, Kind.EXHAUSTED, Kind.ABORTED, Kind.INTERNAL, Kind.UNAUTHENTICATED})
"""Refusals after which the same request may be sent again, and may have been carried out already."""
_OF_ALL = frozenset({Kind.UNAVAILABLE, Kind.EXHAUSTED, Kind.UNAUTHENTICATED})
"""Refusals that have nothing to do with the one subject."""

Record = Callable[[Sequence[RecordChoiceRequest]], Awaitable[Timestamp]]
"""Has all choices of one subject recorded, and says when the last of them is in force."""


@dataclass(frozen=True)
class Bulk:
    """A choice for many."""

    subjects: tuple[int, ...]
    stance: int
    purposes: tuple[int, ...]
    """A choice for each; none is one for all purposes."""
    licensee_id: str
    """Empty for everyone."""
    notice_digest: str = ""
    """Of a yes: SHA-256 in hex of the notice that was shown (C1)."""
    policy: int = 0
    """Of a yes: the version of the policy that was in force."""
    asking: tuple[int, ...] = ()
    """Of a yes: those who have said no, for whom it is recorded only if the agent says so of each."""
    saw: tuple[tuple[int, tuple[Sight, ...]], ...] = ()
    """Of a yes: how these purposes stood, by subject."""

    @property
    def allows(self) -> bool:
        """Whether it is a yes."""
        return self.stance == Stance.STANCE_ALLOW

    @classmethod
    def of(cls, seen: Mapping[str, Any]) -> Self:
        """As it came back with a form."""
        lists = {name: tuple(seen[name]) for name in ("subjects", "purposes", "asking")}
        saw = tuple((each[0], tuple((a, b, c, d) for a, b, c, d in each[1])) for each in seen["saw"])
        return cls(**{**seen, **lists, "saw": saw})

    @property
    def seen(self) -> dict[str, Any]:
        """As JSON values, to go with a form."""
        return asdict(self)

    def and_also(self, ticked: Collection[int]) -> Self:
        """With those who have said no and were ticked; whoever else is ticked is not asked for."""
        chosen = tuple(each for each in self.asking if each in ticked)
        return replace(self, subjects=(*self.subjects, *chosen), asking=())

    def still_stands(self, subject_id: int, now: GetStandingResponse) -> bool:
        """Whether a yes for somebody is one to what is so now: they may have said no since (C2)."""
        saw = dict(self.saw)[subject_id]
        wish = Wish(True, self.licensee_id, self.purposes, False, "", self.policy, self.notice_digest, saw)
        return wish.still_stands(now)

    def choices(self, subject_id: int) -> list[Choice]:
        """Those of one subject."""
        scopes: list[dict[str, Any]] = [{"purpose": purpose} for purpose in self.purposes]
        licensee = {"licensee_id": self.licensee_id} if self.licensee_id else {"everyone": True}
        return [
            Choice(
                subject_id=subject_id,
                stance=self.stance,  # type: ignore[arg-type]
                method=ChoiceMethod.CHOICE_METHOD_SETTINGS,
                notice_digest=bytes.fromhex(self.notice_digest),
                **licensee,
                **scope,
            )
            for scope in scopes or [{"all_purposes": True}]
        ]

    def requests(self, form_id: str, subject_id: int) -> Iterator[RecordChoiceRequest]:
        """The requests for one subject, the same ones each time; `form_id` is a UUIDv7."""
        for choice in self.choices(subject_id):
            id = derived_uuid7(form_id, str(subject_id), str(choice.purpose))
            yield RecordChoiceRequest(request_id=id, choice=choice)


@dataclass(frozen=True)
class Outcome:
    """What became of one subject's choices."""

    subject_id: int
    in_force_after: Timestamp | None = None
    """When the last of them is in force; None unless all of them are recorded."""
    reason: str = ""
    """Why not, else."""
    is_open: bool = False
    """Whether it was not reached, or nobody knows: it can be sent again."""


@dataclass(frozen=True)
class Outcomes:
    """What became of all."""

    all: Sequence[Outcome]

    @property
    def recorded(self) -> list[Outcome]:
        """Those that are on record."""
        return [each for each in self.all if each.in_force_after is not None]

    @property
    def refused(self) -> list[Outcome]:
        """Those that cannot be recorded."""
        return [each for each in self.all if each.reason and not each.is_open]

    @property
    def open(self) -> list[Outcome]:
        """Those to be sent again."""
        return [each for each in self.all if each.is_open]

    @property
    def in_force_after(self) -> Timestamp | None:
        """When all that is recorded is in force; None where nothing is."""
        times = [each.in_force_after for each in self.all if each.in_force_after is not None]
        return max(times, key=Timestamp.ToMicroseconds, default=None)


async def record_all(bulk: Bulk, form_id: str, record: Record) -> Outcomes:
    """Has every choice recorded; what is refused is an outcome. `form_id` is a UUIDv7."""
    sending = _Sending(bulk, form_id, record)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(sending.one(subject_id)) for subject_id in bulk.subjects]
    return Outcomes([task.result() for task in tasks])


class _Sending:
    def __init__(self, bulk: Bulk, form_id: str, record: Record) -> None:
        self._bulk = bulk
        self._form_id = form_id
        self._record = record
        self._room = asyncio.Semaphore(SIDE_BY_SIDE)
        self._stopped_by = ""

    async def one(self, subject_id: int) -> Outcome:
        async with self._room:
            if self._stopped_by:
                return Outcome(subject_id, reason=self._stopped_by, is_open=True)
            try:
                requests = list(self._bulk.requests(self._form_id, subject_id))
                return Outcome(subject_id, await self._record(requests))
            except Refusal as refusal:
                return self._refused(subject_id, refusal)

    def _refused(self, subject_id: int, refusal: Refusal) -> Outcome:
        if refusal.kind in _OF_ALL:
            self._stopped_by = refusal.reason
        return Outcome(subject_id, reason=refusal.reason, is_open=refusal.kind in _AGAIN)
