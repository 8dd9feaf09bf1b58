"""The switches of a subject's page: what each is about, what it shows, and what pressing it can do.

Whether posts may go is said by consent alone. A switch that is on means that they may go to somebody, so that
pressing it always ends that; one that no choice can turn (C3, C4, C12) is not there at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sluice.consent.v1 import choice_pb2, policy_pb2, reason_pb2, standing_pb2
from sluice.type.v1 import purpose_pb2

TRAINING = (purpose_pb2.PURPOSE_AI_TRAINING_GENERATIVE, purpose_pb2.PURPOSE_AI_TRAINING_OTHER)
"""What the page calls AI training."""
NEEDED = purpose_pb2.PURPOSE_THIRD_PARTY_SHARING
"""What each of the other purposes that are shown here needs allowed as well (C7)."""
EVERYONE = ""
"""In the place of a licensee's id: all of them, today's and tomorrow's."""

_ALLOWED = reason_pb2.CONSENT_REASON_ALLOWED
_DENIED_BY_CHOICE = reason_pb2.CONSENT_REASON_CHOICE_DENIES
_LACKS_A_YES = frozenset(
    {
        _DENIED_BY_CHOICE,
        reason_pb2.CONSENT_REASON_NOT_OPTED_IN,
        reason_pb2.CONSENT_REASON_NOTICE_NOT_SERVED,
    }
)
"""The denials that an allow ends; whatever else denies, no choice helps against it."""


@dataclass(frozen=True)
class Switch:
    """One switch, for some purposes and one licensee or everyone."""

    licensee: str
    """Its id, or EVERYONE."""
    purposes: tuple[int, ...]
    """Those that it is about, ascending."""
    all_purposes: bool
    """Whether a no is one to everything, also to what there is no word for today."""
    own: tuple[standing_pb2.PurposeStanding, ...]
    """How these purposes stand."""
    exceptions: tuple[standing_pb2.PurposeStanding, ...]
    """Of one for everyone, how they stand for the licensees that a choice or a halt names."""
    no_on_record: bool
    """Whether the last word on each of these purposes was a no."""
    forbidden: frozenset[int] = frozenset()
    """Those of them that the policy forbids, or what they need, also where a no hides it (C3, C7)."""

    @property
    def is_on(self) -> bool:
        """Whether anything may go to anybody."""
        return any(each.reason == _ALLOWED for each in (*self.own, *self.exceptions))

    @property
    def is_whole(self) -> bool:
        """Whether everything may go to all of them."""
        return all(each.reason == _ALLOWED for each in (*self.own, *self.exceptions))

    @property
    def has_exceptions(self) -> bool:
        """Whether it stands otherwise for some licensee than for everyone."""
        own = {each.purpose: each.reason == _ALLOWED for each in self.own}
        return any(own[each.purpose] != (each.reason == _ALLOWED) for each in self.exceptions)

    @property
    def waiting(self) -> tuple[standing_pb2.PurposeStanding, ...]:
        """What a yes would allow that is denied now."""
        return tuple(
            each for each in self.own if each.reason in _LACKS_A_YES and each.purpose not in self.forbidden
        )

    @property
    def hides_a_ban(self) -> bool:
        """Whether a no is what denies something that the policy forbids besides."""
        return any(each.reason in _LACKS_A_YES and each.purpose in self.forbidden for each in self.own)

    @property
    def is_withheld(self) -> bool:
        """Whether it is denied where posts are withheld, and nothing says that it is anywhere else (C5)."""
        withheld = any(each.reason == reason_pb2.CONSENT_REASON_WITHHELD for each in self.own)
        return withheld and not self.is_on and not self.no_on_record

    @property
    def is_refused(self) -> bool:
        """Whether choices about these very purposes deny all of it, and not one about what they need (C7)."""
        return all(each.reason == _DENIED_BY_CHOICE and not each.denied_by_purpose for each in self.own)

    def offers(self, *, can_allow: bool) -> "Offers":
        """What the reader can do; `can_allow` is whether they are shown a notice to agree to (C1)."""
        can_allow = can_allow and bool(self.waiting)
        if self.is_on:
            return Offers(turns_off=True, allows=can_allow)
        return Offers(turns_on=can_allow, denies=not (self.no_on_record or self.is_refused))


@dataclass(frozen=True)
class Offers:
    """What a reader can do at a switch; with neither of the first two there is no switch, but words."""

    turns_off: bool = False
    turns_on: bool = False
    allows: bool = False
    """Beside a switch that is on in part: to allow the rest."""
    denies: bool = False
    """Beside one that is off, or in the place of one that cannot be turned: to say no to stay with it."""


@dataclass(frozen=True)
class Board:
    """All the switches for everyone, or all for one licensee."""

    licensee: str
    training: Switch
    everything: Switch
    by_purpose: tuple[Switch, ...]

    def switch_of(self, purposes: Sequence[int]) -> Switch | None:
        """The one that is about exactly these, ascending; None where there is none."""
        switches = (self.training, *self.by_purpose, self.everything)
        return next((each for each in switches if each.purposes == tuple(purposes)), None)


def forbidden(standings: Iterable[standing_pb2.PurposeStanding]) -> frozenset[int]:
    """The purposes that the policy forbids where the subject lives, whatever is chosen (C3).

    `standings` are all those of one licensee: what a purpose needs has to be among them (C7).
    """
    regimes = {int(each.purpose): each.regime for each in standings}
    banned = {purpose for purpose, regime in regimes.items() if regime == policy_pb2.REGIME_PROHIBITED}
    return frozenset(regimes if NEEDED in banned else banned)


def board_of_everyone(
    standing: standing_pb2.GetStandingResponse, choices: Sequence[choice_pb2.RecordedChoice]
) -> Board:
    """The switches for everyone; `choices` are those that still matter."""
    exceptions = [each for licensee in standing.licensees for each in licensee.purposes]
    return _board(EVERYONE, standing.anyone, exceptions, choices)


def board_of_licensee(
    standing: standing_pb2.LicenseeStanding, choices: Sequence[choice_pb2.RecordedChoice]
) -> Board:
    """The switches for one licensee; `choices` are those that still matter."""
    return _board(standing.licensee_id, standing.purposes, (), choices)


def _board(
    licensee: str,
    own: Sequence[standing_pb2.PurposeStanding],
    exceptions: Sequence[standing_pb2.PurposeStanding],
    choices: Sequence[choice_pb2.RecordedChoice],
) -> Board:
    banned = forbidden(own)

    def switch(purposes: Iterable[int], *, all_purposes: bool = False) -> Switch:
        about = tuple(sorted(purposes))
        return Switch(
            licensee,
            about,
            all_purposes,
            tuple(each for each in own if each.purpose in about),
            tuple(each for each in exceptions if each.purpose in about),
            all(_last_word_is_no(choices, licensee, purpose) for purpose in about),
            banned.intersection(about),
        )

    known = [each.purpose for each in own]
    return Board(
        licensee,
        switch(purpose for purpose in known if purpose in TRAINING),
        switch(known, all_purposes=True),
        tuple(switch([purpose]) for purpose in known),
    )


def _last_word_is_no(choices: Sequence[choice_pb2.RecordedChoice], licensee: str, purpose: int) -> bool:
    """Whether the last choice for this licensee or everyone that has this purpose in it is a deny."""
    own = [
        record
        for record in choices
        if record.choice.licensee_id in {licensee, EVERYONE}
        and (record.choice.all_purposes or record.choice.purpose == purpose)
    ]
    last = max(own, key=lambda record: record.revision, default=None)
    return last is not None and last.choice.stance == choice_pb2.STANCE_DENY
