"""What becomes of attempts, and the holds that metering has for them."""

import enum
from dataclasses import dataclass

from services.licensing.domain.counts import ContentCounts


class Ending(enum.Enum):
    """How an attempt ended, once and for good."""

    CONCLUDED = "concluded"
    TOMBSTONED = "tombstoned"  # it never led to a decision, and never can
    LOST = "lost"  # it may have led to one that a restore of the database has lost (R5)


@dataclass(frozen=True)
class OpenHold:
    """Room that metering still holds."""

    reservation_id: str
    """The attempt's."""
    counted_at_us: int
    """By metering's clock."""
    held: ContentCounts
    """All that is still held."""

    @property
    def posts(self) -> int:
        """How many."""
        return sum(posts for _, _, posts in self.held)
