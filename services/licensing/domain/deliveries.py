"""What becomes of a release: confirmed in time, late or never, and what is metered and billed for it.

The first confirmation stands, and so does the settlement; what was not confirmed in time is metered in full,
and billed in full until a late confirmation says less.
"""

import enum
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from services.chassis.refusals import already_exists, invalid
from services.licensing.domain.counts import ContentCounts
from services.licensing.domain.posts import Mask


class DeliveryState(enum.IntEnum):
    """How far a delivery is known; the numbers of `sluice.licensing.v1.DeliveryState`."""

    NONE = 1
    OPEN = 2
    CONFIRMED = 3
    EXPIRED = 4
    CONFIRMED_LATE = 5


@dataclass(frozen=True)
class Settlement:
    """What metering is told of a release, once and for good."""

    posts: int
    by_expiry: bool
    """The permit ended before a confirmation came, so all that was released counts."""
    settled_at_us: int


@dataclass(frozen=True)
class Confirmation:
    """The first confirmation of a delivery."""

    bitmap: bytes
    """As it was sent: bit i % 8, from the lowest, of byte i / 8 stands for post i."""
    posts: int
    confirmed_at_us: int
    confirmed_by: str | None = None
    """Who confirmed, "kind:party"; None where that was not kept yet, or is not read."""


class Confirmed(NamedTuple):
    """What stands after a confirmation has been taken."""

    confirmation: Confirmation
    settlement: Settlement | None
    """None where nothing was released, so that there is nothing to settle."""


@dataclass(frozen=True)
class Delivery:
    """What is known of the delivery of one decision."""

    state: DeliveryState
    posts_released: int
    posts_metered: int
    posts_billed: int
    confirmed_at_us: int | None
    """When the first confirmation arrived; None before."""
    confirmed_by: str | None = None
    """As in the confirmation; None before."""


class Said(enum.Enum):
    """What metering must hear about a reservation."""

    SETTLE = enum.auto()
    """What was delivered."""
    REDUCE = enum.auto()
    """What of the hold is to be kept."""
    CANCEL = enum.auto()


@dataclass(frozen=True)
class Message:
    """One thing that metering must hear."""

    seq: int
    """Later messages about a reservation have higher numbers."""
    reservation_id: str
    said: Said
    counts: ContentCounts = ()
    """What was delivered, or is to be kept; nothing for a cancel."""


def read_bitmap(bitmap: bytes, released: Mask) -> Mask:
    """N booleans, which posts were delivered, from the bitmap of a confirmation.

    Raises Refusal (invalid): BITMAP_LENGTH, DELIVERED_WITHOUT_RELEASE (also for bits beyond the last post).
    """
    due = (len(released) + 7) // 8
    if len(bitmap) != due:
        raise invalid("BITMAP_LENGTH", f"{len(bitmap)} bytes where {due} are due", field="delivered")
    bits = np.unpackbits(np.frombuffer(bitmap, np.uint8), bitorder="little").astype(np.bool_)
    delivered = bits[: len(released)]
    if bits[len(released) :].any() or (delivered & ~released).any():
        raise invalid(
            "DELIVERED_WITHOUT_RELEASE",
            "the bitmap names posts that this decision did not release",
            field="delivered",
        )
    return delivered


def confirm(
    earlier: Confirmation | None,
    settlement: Settlement | None,
    bitmap: bytes,
    *,
    by: str,
    released: Mask,
    not_after_us: int | None,
    now_us: int,
) -> Confirmed:
    """What stands once `bitmap` arrives at `now_us`, after `earlier` and `settlement` stood before.

    `by` is whose it is, "kind:party".
    `released` are N booleans; `not_after_us` is the first instant at which the permit is no longer valid,
    None where nothing was released. Raises Refusal: what `read_bitmap` raises, and (already exists)
    CONFIRMED_OTHERWISE when another confirmation stands.
    """
    delivered = read_bitmap(bitmap, released)
    if earlier is not None:
        if earlier.bitmap != bitmap:
            raise already_exists("CONFIRMED_OTHERWISE", "another confirmation of this delivery stands")
        return Confirmed(earlier, settlement)
    confirmation = Confirmation(bitmap, int(np.count_nonzero(delivered)), now_us, by)
    if settlement is None and not_after_us is not None:
        late = now_us >= not_after_us
        posts = int(np.count_nonzero(released)) if late else confirmation.posts
        settlement = Settlement(posts, late, now_us)
    return Confirmed(confirmation, settlement)


def delivery_of(
    posts_released: int, settlement: Settlement | None, confirmation: Confirmation | None
) -> Delivery:
    """How far the delivery of a decision is known, and how many posts count, by what stands."""
    confirmed_at_us = confirmation.confirmed_at_us if confirmation else None
    confirmed_by = confirmation.confirmed_by if confirmation else None
    if posts_released == 0:
        return Delivery(DeliveryState.NONE, 0, 0, 0, confirmed_at_us, confirmed_by)
    if settlement is None:
        # Held counts like settled (M2), and what is not confirmed is billed in full (B2).
        return Delivery(DeliveryState.OPEN, posts_released, posts_released, posts_released, confirmed_at_us)
    billed = confirmation.posts if confirmation else posts_released
    if not settlement.by_expiry:
        state = DeliveryState.CONFIRMED
    else:
        state = DeliveryState.CONFIRMED_LATE if confirmation else DeliveryState.EXPIRED
    return Delivery(state, posts_released, settlement.posts, billed, confirmed_at_us, confirmed_by)
