"""What follows for a subject from all that is on record: by licensee and purpose, and what decides it.

C2, C3, C4, C7 and C12, read once: each answer is the last step of the explanation of that question.
Whoever no choice and no halt names is answered as anyone: what it costs follows from the names on record, and
not from how many licensees are asked for.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from services.consent.domain.choices import EVERYONE
from services.consent.domain.dossiers import OTHERS, ChoiceRecord, choosable
from services.consent.domain.explanations import Known, explain
from services.consent.domain.halts import HaltKind
from services.consent.domain.policies import Regime
from services.consent.domain.verdicts import EVERYWHERE, Question, Reason, regime_of


@dataclass(frozen=True)
class PurposeStanding:
    """What follows for one licensee and purpose."""

    purpose: int
    reason: Reason
    """Of a check, under a license that covers everything everywhere."""
    by_choice: bool
    """Whether a choice decided."""
    revision: int
    """Of the record that decided; 0 where it was the absence of one."""
    regime: Regime
    """NONE where no policy for the purpose is in force, or nobody knows where the subject lives."""
    denied_by: int
    """The purpose that this one needs, where that denies it (C7); 0 else."""


@dataclass(frozen=True)
class SubjectStanding:
    """What follows for a subject; each time all purposes to which choices apply, ascending."""

    anyone: tuple[PurposeStanding, ...]
    """For a licensee that is not among those below."""
    licensees: Mapping[str, tuple[PurposeStanding, ...]]
    """By id, ascending."""


def standing_of_subject(known: Known, asked: Collection[str] = ()) -> SubjectStanding:
    """What follows for the licensees that are asked for, those on record, and anyone else.

    `known`: as of now, without a post. Of choices those are enough that still matter
    (`choices.still_standing`).
    """
    own: dict[str, list[ChoiceRecord]] = {}
    for record in known.choices:
        own.setdefault(record.licensee, []).append(record)
    shared = own.pop(EVERYONE, [])
    halted = {halt.order.scope.value for halt in known.halts if halt.order.scope.kind is HaltKind.LICENSEE}
    named = own.keys() | halted
    anyone = _by_purpose(replace(known, choices=tuple(shared)), OTHERS)
    return SubjectStanding(
        anyone,
        {
            # A choice for another licensee covers no question about this one: it is left out beforehand, for
            # a subject can name many.
            licensee: _by_purpose(replace(known, choices=(*shared, *own.get(licensee, ()))), licensee)
            if licensee in named
            else anyone
            for licensee in sorted(named | set(asked))
        },
    )


def _by_purpose(known: Known, licensee: str) -> tuple[PurposeStanding, ...]:
    return tuple(_purpose_standing(known, licensee, purpose) for purpose in choosable())


def _purpose_standing(known: Known, licensee: str, purpose: int) -> PurposeStanding:
    decisive = explain(known, Question(licensee, purpose, EVERYWHERE))[-1]
    jurisdiction = "" if known.facts is None else known.facts.jurisdiction
    is_denied = decisive.reason is not Reason.ALLOWED
    return PurposeStanding(
        purpose=purpose,
        reason=decisive.reason,
        by_choice=decisive.rule == "C2",
        revision=decisive.revision,
        regime=regime_of(known.policy, jurisdiction, purpose) if jurisdiction else Regime.NONE,
        denied_by=decisive.purpose if is_denied and decisive.purpose != purpose else 0,
    )
