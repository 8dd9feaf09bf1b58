"""Restores of a database from a backup: noticed by comparing heads, accepted by an operator, on record (R5).

The epoch is raised by an acceptance alone, above every epoch that is known to have been in use: the pair of
epoch and number never stands for two changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.chassis.actions import NO_ACTIONS, ActionHead
from services.chassis.heads import Head
from services.chassis.kept_heads import KeptHead, check_same
from services.chassis.refusals import Refusal, precondition

LONGEST_REASON = 500
LONGEST_NAME = 160


class Standing(NamedTuple):
    """What a database says of itself."""

    head: Head
    mark: str
    """Random, made with its tables; a copy has the same."""
    is_kept: bool
    """Whether its head was ever kept outside of it."""
    actions: ActionHead = NO_ACTIONS
    """The last entry of its log of operators' actions."""
    then: ActionHead = NO_ACTIONS
    """The entry with which the log ended as it was kept, as it is now; number 0 where it is not there."""


@dataclass(frozen=True)
class Acceptance:
    """What an operator says who accepts a restore."""

    reason: str
    by: str
    switches: frozenset[str] = frozenset()
    """What else the service's program was told, by the names of its options."""


@dataclass(frozen=True)
class Restore:
    """A restore that was accepted."""

    epoch: int
    """The one that it began."""
    shared: int
    """Number up to which the history is one that every earlier epoch has had, too: what was read of an
    earlier epoch beyond it is to be read again from there."""
    found: Head
    """The head of the database as it was restored: numbers go on after it."""
    lost: Head | None
    """The head that was kept outside; None where there was none that it is behind, or that of another
    database."""
    accepted_us: int
    """Microseconds UTC."""
    accepted_by: str
    reason: str


def check(service: str, standing: Standing, kept: KeptHead | None) -> None:
    """Returns where the database is no older than what is kept of it.

    Where its head was never kept there may be nothing to compare with.

    Raises Refusal (precondition): DATABASE_RESTORED, HEAD_MISSING, HEAD_OF_ANOTHER_SERVICE,
    HEAD_OF_ANOTHER_DATABASE.
    """
    if kept is None:
        if standing.is_kept:
            message = (
                "the head that was kept outside of the database is missing, so nothing shows whether this is"
                " an older one: bring the file back, or accept the database with `sluice restore accept`"
            )
            raise precondition("HEAD_MISSING", message)
        return
    check_same(service, standing.mark, kept)
    if standing.head < kept.head:
        message = (
            f"the database stands at {_words(standing.head)} and had been at {_words(kept.head)}: it is an"
            " older one, and what came after is lost; restore a newer one, or accept the loss with"
            " `sluice restore accept`"
        )
        raise precondition("DATABASE_RESTORED", message)
    if _has_lost_actions(standing, kept):
        message = (
            f"the log of operators' actions ends with entry {standing.actions.number} and had had another"
            f" entry {kept.actions.number}: the database is an older one, or the log was changed; restore a"
            " newer one, or accept the loss with `sluice restore accept`"
        )
        raise precondition("DATABASE_RESTORED", message)


def is_behind(standing: Standing, kept: KeptHead | None) -> bool:
    """Whether the head was kept of this database when it had come further."""
    if kept is None or kept.database != standing.mark:
        return False
    return standing.head < kept.head or _has_lost_actions(standing, kept)


def _has_lost_actions(standing: Standing, kept: KeptHead) -> bool:
    # Of an earlier epoch, the acceptance that began the present one has accepted what the log had lost.
    return standing.head.epoch == kept.head.epoch and standing.then != kept.actions


def accepted(
    service: str,
    standing: Standing,
    kept: KeptHead | None,
    acceptance: Acceptance,
    now_us: int,
    *,
    refused_anyway: bool = False,
) -> Restore:
    """The restore that brings a database into use that `check` refuses, or something else does.

    `refused_anyway`: the service does not start with it, whatever is kept.

    Raises Refusal (precondition): NOT_RESTORED where nothing refuses it, HEAD_OF_ANOTHER_SERVICE.
    """
    try:
        check(service, standing, kept)
    except Refusal as refusal:
        if refusal.reason == "HEAD_OF_ANOTHER_SERVICE":
            raise
    else:
        if not refused_anyway:
            words = _words(standing.head)
            message = f"the database stands at {words}, not behind what is kept of it: start {service}"
            raise precondition("NOT_RESTORED", message)
    return Restore(
        epoch=1 + max(standing.head.epoch, kept.head.epoch if kept is not None else 0),
        shared=_shared(standing, kept),
        found=standing.head,
        lost=kept.head if kept is not None and is_behind(standing, kept) else None,
        accepted_us=now_us,
        accepted_by=acceptance.by,
        reason=acceptance.reason,
    )


def _shared(standing: Standing, kept: KeptHead | None) -> int:
    """How far the history is that of all the epochs before.

    A backup from before an earlier restore has what that restore had lost, and lacks what came after it: no
    more is common to all than what that one shared, too. Of another history, or of one that nothing is kept
    of, nothing is known to be common.
    """
    if kept is None or kept.database != standing.mark:
        return 0
    later = [point.number for point in kept.restores if point.epoch > standing.head.epoch]
    return min([standing.head.number, *later])


def resumed(position: Head, head: Head, restores: Sequence[Head]) -> int | None:
    """From which number of the head's epoch somebody goes on who has read up to a position of an earlier one.

    `restores` are (epoch, shared) of the database. None where they do not lead up to the head's epoch.
    """
    later = [point for point in restores if position.epoch < point.epoch <= head.epoch]
    if not any(point.epoch == head.epoch for point in later):
        return None
    return min(position.number, *(point.number for point in later))


def _words(head: Head) -> str:
    return f"number {head.number} of epoch {head.epoch}"
