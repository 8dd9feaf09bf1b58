"""Rechecks: consent is asked again about what went to one licensee, for a policy or a halt (W1)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from services.licensing.domain.posts import Ids, Mask
from services.licensing.domain.recalls.entries import Found
from services.licensing.domain.recalls.releases import Cargo, Release, found_of, is_reached
from services.licensing.domain.recalls.withdrawals import Withdrawal


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


def still_with(cargo: Cargo, deleted: Ids) -> Mask:
    """P booleans: posts that were delivered as far as is known, and not attested to be deleted since."""
    mask: Mask = ~cargo.undelivered & ~np.isin(cargo.contents.ids, deleted)
    return mask


def asked_about(
    recheck: Recheck,
    releases: Mapping[int, Release],
    cargoes: Mapping[int, Cargo],
    deleted: Mapping[int, Ids],
) -> dict[int, Mask]:
    """The releases that consent has to be asked about, by number, with the posts that count."""
    none = np.empty(0, np.uint64)
    masks = {
        number: still_with(cargoes[number], deleted.get(number, none))
        for number, release in releases.items()
        if is_reached(recheck.withdrawal, release)
    }
    return {number: mask for number, mask in masks.items() if mask.any()}


def denied_of(recheck: Recheck, release: Release, cargo: Cargo, counts: Mask, allowed: Mask) -> Found | None:
    """The posts that count (P booleans) and that consent does not allow any more (P booleans)."""
    return found_of(recheck.withdrawal, release, cargo, counts & ~allowed)
