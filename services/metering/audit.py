"""Whether all sums are those of what they are made from."""

from typing import Protocol

from services.metering.domain.audits import Finding
from services.metering.domain.reservations import Revision


class Auditor(Protocol):
    """Reads everything, at one moment, and compares."""

    async def findings(self) -> tuple[list[Finding], Revision]:
        """One for each check, also where nothing differs."""
        ...
