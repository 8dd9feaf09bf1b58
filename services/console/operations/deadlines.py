"""How a recall stands to its deadline, as of a moment (W2, W3)."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from babel.dates import format_timedelta

from services.console.operations.standing import SOON_US
from services.console.web.reading import Reader, msgid
from sluice.licensing.v1.recall_pb2 import Recall


class Urgency(enum.StrEnum):
    """How much it presses; the values are classes of the style sheet, too."""

    RESOLVED = "resolved"
    RESOLVED_LATE = "resolved-late"
    LATER = "later"
    SOON = "soon"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Deadline:
    """One recall's."""

    urgency: Urgency
    left_us: int
    """Microseconds until it is due; less than nothing where that has passed."""

    def words(self, reader: Reader) -> str:
        """In one unit: "Due in 3 days", "Was due 2 days ago"."""
        # From two of a unit on, as all ages of the console.
        left = timedelta(microseconds=self.left_us)
        when = format_timedelta(left, add_direction=True, threshold=2, locale=reader.locale)
        return reader.say(_WORDS[self.urgency], when=when)


_WORDS: Mapping[Urgency, str] = {
    Urgency.RESOLVED: msgid("Resolved in time"),
    Urgency.RESOLVED_LATE: msgid("Resolved after its time"),
    Urgency.LATER: msgid("Due %(when)s"),
    Urgency.SOON: msgid("Due %(when)s"),
    Urgency.OVERDUE: msgid("Was due %(when)s"),
}


def deadline(recall: Recall, now_us: int) -> Deadline:
    """How it stands: the first instant at which it is overdue is the one that it is due at."""
    left_us = recall.due_at.ToMicroseconds() - now_us
    if recall.HasField("resolution"):
        is_late = recall.resolution.resolved_at.ToMicroseconds() >= recall.due_at.ToMicroseconds()
        return Deadline(Urgency.RESOLVED_LATE if is_late else Urgency.RESOLVED, left_us)
    if left_us <= 0:
        return Deadline(Urgency.OVERDUE, left_us)
    return Deadline(Urgency.SOON if left_us <= SOON_US else Urgency.LATER, left_us)
