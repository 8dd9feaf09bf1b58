"""Restores of licensing's database that an operator has accepted: what was lost, and what follows (R5)."""

from dataclasses import dataclass
from typing import NamedTuple


class Lost(NamedTuple):
    """Receipts that others may hold, and that the database does not: from the first to the last."""

    first: int
    last: int


@dataclass(frozen=True)
class AcceptedRestore:
    """One of them, on record for good."""

    epoch: int
    """The one that began with it."""
    accepted_at_us: int
    accepted_by: str
    reason: str
    lost: Lost | None
    """None where the database had every receipt that was published."""
    published: int
    """Leaves of the log as the folder showed it."""


def accepted(
    epoch: int, next_number: int, published: int, *, accepted_at_us: int, by: str, reason: str
) -> AcceptedRestore:
    """The restore that begins `epoch`, of a database that would have given out `next_number` next."""
    lost = Lost(next_number, published) if next_number <= published else None
    return AcceptedRestore(epoch, accepted_at_us, by, reason, lost, published)


def may_have_concluded(begun_us: int, restored_us: int | None, margin_us: int) -> bool:
    """Whether an attempt that the ledger does not know may have led to a decision that a restore has lost.

    `begun_us` is when its hold was counted, or the attempt made; `restored_us` when the latest restore was
    accepted, None where there was none. The two clocks may differ by `margin_us`: where it is not known the
    hold counts, for what went out must never be taken for what did not.
    """
    return restored_us is not None and begun_us <= restored_us + margin_us
