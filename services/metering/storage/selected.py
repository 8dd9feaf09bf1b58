"""What was counted of the members of a claim, as far as it is selected, from an open read transaction."""

from collections.abc import Iterator, Sequence

import numpy as np
from sqlalchemy import Connection

from services.metering.domain.allowances import Account, Scope
from services.metering.domain.damages.cells import Columns, Range
from services.metering.domain.damages.members import PartyStretch
from services.metering.domain.damages.policies import Selection
from services.metering.domain.usage import Stretch
from services.metering.storage.sums import SqlCounted


class SelectedCounts:
    """Satisfies `cells.Counted`."""

    def __init__(self, connection: Connection, members: Sequence[PartyStretch], selection: Selection) -> None:
        scopes = (Scope.LICENSEE, Scope.SEEN) if selection.licensed else (Scope.SEEN,)
        self._connection = connection
        self._accesses = selection.accesses
        # An account counts after a time and up to another, a member from a time until before another.
        self._stretches = [
            Stretch(Account(scope, each.party_id), each.since_us - 1, each.until_us - 1)
            for each in members
            for scope in scopes
        ]
        self._whole = SqlCounted(connection, self._stretches, self._accesses)

    def sums(self, span_us: int, ranges: Sequence[Range]) -> Columns:
        """By hour or second."""
        columns = np.array(ranges, np.int64).reshape(-1, 2)
        begins, ends = columns[:, 0] // span_us * span_us, -(-columns[:, 1] // span_us) * span_us
        if np.array_equal(begins, columns[:, 0]) and np.array_equal(ends, columns[:, 1]):
            return self._whole.sums(span_us, begins, ends)
        clipped = SqlCounted(self._connection, list(self._within(ranges)), self._accesses)
        return clipped.sums(span_us, begins, ends)

    def moments(self, ranges: Sequence[Range]) -> Columns:
        """Each time for itself."""
        columns = np.array(ranges, np.int64).reshape(-1, 2)
        return self._whole.moments(columns[:, 0], columns[:, 1])

    def _within(self, ranges: Sequence[Range]) -> Iterator[Stretch]:
        for each in self._stretches:
            for first_us, end_us in ranges:
                since_us, until_us = max(each.since_us, first_us - 1), min(each.until_us, end_us - 1)
                if since_us < until_us:
                    yield Stretch(each.account, since_us, until_us)
