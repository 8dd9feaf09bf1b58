"""What a reader wants when they press a switch, and the choices that it comes to.

It lies sealed in the form. A no is recorded whatever has happened since; a yes only where everything that
its reader decided upon is still so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self, cast

from services.chassis.ids import derived_uuid7
from services.console.settings_page.switches import EVERYONE, Switch
from sluice.consent.v1 import choice_pb2, reason_pb2, standing_pb2
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.type.v1 import purpose_pb2

Sight = tuple[int, int, int, int]
"""How one purpose stood: its number, reason, the revision that decided, and the purpose that denied it."""


@dataclass(frozen=True)
class Wish:
    """A yes or a no, as the form was made with it."""

    allows: bool
    licensee: str
    """An id, or EVERYONE."""
    purposes: tuple[int, ...]
    all_purposes: bool
    """Of a no: to everything, as one choice."""
    where: str
    """The path of ours to go on to."""
    policy: int = 0
    """Of a yes: the version of the policy that was in force."""
    notice: str = ""
    """Of a yes: the digest of the notice that was shown, in hex (C1)."""
    saw: tuple[Sight, ...] = ()
    """Of a yes: how these purposes stood."""

    @classmethod
    def no(cls, switch: Switch, where: str) -> Self:
        """No to everything that a switch is about, whatever else denies it."""
        return cls(False, switch.licensee, switch.purposes, switch.all_purposes, where)

    @classmethod
    def yes(cls, switch: Switch, where: str, policy: int, notice: bytes) -> Self:
        """Yes to what a yes can change now: what is forbidden today was not asked for (C3)."""
        waiting = switch.waiting
        purposes = tuple(each.purpose for each in waiting)
        sights = tuple(map(sight_of, waiting))
        return cls(True, switch.licensee, purposes, False, where, policy, notice.hex(), sights)

    @classmethod
    def opened(cls, seen: Mapping[str, Any]) -> Self:
        """As it came back in a form."""
        saw = tuple((each[0], each[1], each[2], each[3]) for each in seen["saw"])
        return cls(**{**seen, "purposes": tuple(seen["purposes"]), "saw": saw})

    def sealed(self) -> dict[str, Any]:
        """As JSON values, for a form."""
        return asdict(self)

    @property
    def licensees(self) -> tuple[str, ...]:
        """Whom to ask for in particular, to know how it stands."""
        return () if self.licensee == EVERYONE else (self.licensee,)

    def still_stands(self, now: standing_pb2.GetStandingResponse) -> bool:
        """Whether a yes is one to what is so now.

        What it wanted may have come about meanwhile, by this very form: then it is said again, under the
        same ids, and changes nothing.
        """
        standings = {int(each.purpose): each for each in standings_for(now, self.licensee)}
        return now.policy_version == self.policy and all(
            sight[0] in standings
            and (sight_of(standings[sight[0]]) == sight or _is_allowed(standings[sight[0]]))
            for sight in self.saw
        )

    def requests(self, subject_id: int, request_id: str) -> Iterator[pb.RecordChoiceRequest]:
        """The calls, each under an id that follows from that of the form: sent twice, they are the same."""
        if self.all_purposes:
            yield self._request(subject_id, derived_uuid7(request_id, "all"), None)
            return
        for purpose in self.purposes:
            yield self._request(subject_id, derived_uuid7(request_id, str(purpose)), purpose)

    def _request(self, subject_id: int, request_id: str, purpose: int | None) -> pb.RecordChoiceRequest:
        choice = choice_pb2.Choice(
            subject_id=subject_id,
            stance=choice_pb2.STANCE_ALLOW if self.allows else choice_pb2.STANCE_DENY,
            method=choice_pb2.CHOICE_METHOD_SETTINGS,
            notice_digest=bytes.fromhex(self.notice),
        )
        if self.licensee == EVERYONE:
            choice.everyone = True
        else:
            choice.licensee_id = self.licensee
        if purpose is None:
            choice.all_purposes = True
        else:
            choice.purpose = cast("purpose_pb2.Purpose", purpose)
        return pb.RecordChoiceRequest(request_id=request_id, choice=choice)


def standings_for(
    now: standing_pb2.GetStandingResponse, licensee: str
) -> Sequence[standing_pb2.PurposeStanding]:
    """Those of a licensee or EVERYONE; nobody whom consent does not answer for is taken for anyone."""
    if licensee == EVERYONE:
        return now.anyone
    found = (each.purposes for each in now.licensees if each.licensee_id == licensee)
    return next(found, [])


def sight_of(standing: standing_pb2.PurposeStanding) -> Sight:
    """What is sealed of how a purpose stands."""
    return standing.purpose, standing.reason, standing.record_revision, standing.denied_by_purpose


def _is_allowed(standing: standing_pb2.PurposeStanding) -> bool:
    return standing.reason == reason_pb2.CONSENT_REASON_ALLOWED
