"""Rechecks: consent is asked again about what went to one licensee, for a policy or a halt (W1)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np

from services.licensing.domain.posts import Ids, Mask
from services.licensing.domain.reasons import Reason, Reasons
from services.licensing.domain.recalls.deleted import Deleted
from services.licensing.domain.recalls.entries import Found
from services.licensing.domain.recalls.releases import Cargo, Release, found_of, is_reached
from services.licensing.domain.recalls.withdrawals import Cause, Withdrawal

_BY_REGIME = (Reason.NOT_OPTED_IN, Reason.NOTICE_NOT_SERVED, Reason.PROHIBITED, Reason.NO_POLICY)
"""What a policy forbids (C3)."""


class RecheckKey(NamedTuple):
    """Which one: the withdrawal's position, and whose releases. They are taken in turn in this order."""

    epoch: int
    revision: int
    licensee_id: str


FIRST_RECHECK = RecheckKey(-1, -1, "")
"""Before every one."""


@dataclass(frozen=True)
class Recheck:
    """How far it has come."""

    withdrawal: Withdrawal
    """With the licensee alone that this is about."""
    withdrawal_id: str
    position: int
    """The receipt number up to which all was asked."""
    until_number: int
    """The last one when the withdrawal was scanned: no later release rests on an answer from before it."""
    parts: int
    """Entries that it has led to."""

    @classmethod
    def begun(cls, withdrawal: Withdrawal, licensee_id: str, withdrawal_id: str, until_number: int) -> Self:
        """One that has asked nothing yet."""
        return cls(replace(withdrawal, licensee_id=licensee_id), withdrawal_id, 0, until_number, 0)

    @property
    def licensee_id(self) -> str:
        """Who got the releases."""
        return self.withdrawal.licensee_id

    @property
    def key(self) -> RecheckKey:
        """Where it stands among the others."""
        revision = self.withdrawal.revision
        return RecheckKey(revision.epoch, revision.number, self.licensee_id)


def still_with(cargo: Cargo, deleted: Ids) -> Mask:
    """P booleans: posts that were delivered as far as is known, and not attested to be deleted since."""
    mask: Mask = ~cargo.undelivered & ~np.isin(cargo.contents.ids, deleted)
    return mask


def denied_for(withdrawal: Withdrawal, reasons: Reasons) -> Mask:
    """P booleans: the posts that consent denies for what the withdrawal is about, by their P reasons.

    What is denied for another reason had a withdrawal of its own, which takes it back by itself (W1).
    """
    if withdrawal.cause == Cause.POLICY:
        return np.isin(reasons, _BY_REGIME)
    if withdrawal.halt is not None:
        return np.equal(reasons, Reason.HALTED)
    return np.not_equal(reasons, Reason.RELEASED)


def asked_about(
    recheck: Recheck,
    releases: Mapping[int, Release],
    cargoes: Mapping[int, Cargo],
    deleted: Deleted,
) -> dict[int, Mask]:
    """The releases that consent has to be asked about, by number, with the posts that count."""
    masks = {
        number: still_with(cargoes[number], deleted.of_release(number))
        for number, release in releases.items()
        if is_reached(recheck.withdrawal, release)
    }
    return {number: mask for number, mask in masks.items() if mask.any()}


def denied_of(
    recheck: Recheck, release: Release, cargo: Cargo, counts: Mask, reasons: Reasons
) -> Found | None:
    """The posts that count (P booleans) and that consent denies now for what this is about (P reasons)."""
    denied = np.flatnonzero(counts & denied_for(recheck.withdrawal, reasons))
    return found_of(recheck.withdrawal, release, cargo, denied)
