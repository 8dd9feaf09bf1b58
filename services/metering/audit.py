"""Whether all sums are those of what they are made from."""

from collections.abc import AsyncGenerator
from typing import Protocol

from services.metering.domain.audits import Finding, Started
from services.metering.domain.reservations import Revision

Step = Started | Finding


class Auditor(Protocol):
    """Reads everything, at one moment, and compares."""

    def steps(self) -> AsyncGenerator[tuple[Step, Revision]]:
        """Each check as it starts, and what it finds as soon as it is done, also where nothing differs.

        Whoever leaves before the end closes it: then nothing is read any more.
        """
        ...
