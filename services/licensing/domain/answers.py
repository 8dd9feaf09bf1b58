"""What the peers answered, in licensing's own words."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, order=True)
class Revision:
    """How far a peer had read its own history; compared as a pair, the epoch first (R5)."""

    epoch: int
    number: int


BEGINNING = Revision(0, 0)
"""Before all that a peer can show: epochs count from 1."""


@dataclass(frozen=True)
class ConsentAnswer:
    """Consent's answer for the posts that were still possible."""

    reasons: npt.NDArray[np.uint8]
    """One licensing Reason a post asked about, RELEASED where consent allows."""
    revision: Revision
    policy_version: int
    good_until_us: int
    """Until when a permit may rest on this answer."""


@dataclass(frozen=True)
class Hold:
    """Room that metering holds for one attempt."""

    reservation_id: str
    counted_at_us: int
    """Metering's stamp, the time that counts (M5)."""


@dataclass(frozen=True)
class NoRoom:
    """Why metering held nothing, and when to ask again (M8)."""

    allowance: str
    """In words: scope, id and window."""
    limit: int
    retry_at_us: int | None
    retry_at_is_exact: bool
    never_fits: bool


@dataclass(frozen=True)
class Standing:
    """How an allowance stands."""

    allowance: str
    """In words: scope, id and window."""
    limit: int
    used: int
    """Posts settled or held in the window."""


@dataclass(frozen=True)
class RoomAnswer:
    """Whether there is room now, with nothing held."""

    no_room: NoRoom | None
    """None where there is room for all."""
    standings: tuple[Standing, ...]


@dataclass(frozen=True)
class Rivalry:
    """No room, and other holds of the same request stand in the way, perhaps of attempts that died (M2)."""

    no_room: NoRoom
    reservation_ids: tuple[str, ...]
    """Never empty."""


@dataclass(frozen=True)
class HoldAnswer:
    """Metering's answer to an attempt that asks for room."""

    outcome: Hold | NoRoom | Rivalry | None
    """None: metering knows this attempt as cancelled; it can hold nothing any more."""
    revision: Revision
