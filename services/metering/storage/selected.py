"""What was counted of the members of a claim, as far as it is selected, from an open read transaction."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection

from services.metering.domain.allowances import Account, Scope
from services.metering.domain.damages.cells import Columns, Range
from services.metering.domain.damages.members import PartyStretch
from services.metering.domain.damages.policies import Selection
from services.metering.domain.usage import Stretch
from services.metering.storage.sums import SqlCounted


class SelectedCounts:
    """Satisfies `cells.Counted`; the members' stretches lie within what is assessed."""

    def __init__(self, connection: Connection, members: Sequence[PartyStretch], selection: Selection) -> None:
        scopes = (Scope.LICENSEE, Scope.SEEN) if selection.licensed else (Scope.SEEN,)
        # An account counts after a time and up to another, a member from a time until before another.
        stretches = [
            Stretch(Account(scope, each.party_id), each.since_us - 1, each.until_us - 1)
            for each in members
            for scope in scopes
        ]
        self._counted = SqlCounted(connection, stretches, selection.accesses)

    def sums(self, span_us: int, ranges: Sequence[Range]) -> Columns:
        """By hour or second. A range begins or ends amid a span only where what is assessed does."""
        columns = np.array(ranges, np.int64).reshape(-1, 2)
        # And beyond that no member has anything: the whole span holds what the part of it does.
        begins, ends = columns[:, 0] // span_us * span_us, -(-columns[:, 1] // span_us) * span_us
        return self._counted.sums(span_us, begins, ends)

    def moments(self, ranges: Sequence[Range]) -> Columns:
        """Each time for itself."""
        columns = np.array(ranges, np.int64).reshape(-1, 2)
        return self._counted.moments(columns[:, 0], columns[:, 1])
