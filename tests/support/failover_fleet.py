"""All three services as processes over a primary with a standby, a side of a network that may be parted."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from services.chassis.identity import PrincipalKind
from sluice.consent.v1 import consent_service_pb2 as pb
from tests.support.consent_fleet import CONSENT
from tests.support.licensing_fleet import CALL_SECONDS, make_all_willing
from tests.support.receipts_made import ReceiptMaker
from tests.support.replicas import Lines, Replica, running
from tests.support.standby import Pair

STANDBY_PATIENCE = "2"
SERVICES = ("consent", "metering", "licensing")
_COMMON = {"STANDBY_PATIENCE": STANDBY_PATIENCE}
# Longer than a run: what becomes of permits and holds is shown elsewhere.
_PERMITS = {"PERMIT_SECONDS": "3600"}
_NO_SWEEPS = {"SWEEP_AGE_SECONDS": "7200"}

Url = Callable[[str], str]
"""Of the database of a service."""


@dataclass
class Side:
    """One process of each service, and whoever calls them."""

    name: str
    consent: Replica
    metering: Replica
    licensing: Replica
    folder: Path
    is_past: bool = False
    """Whether all that it reaches is a primary that has been cut off: it is to confirm nothing."""
    acknowledged: int = 0
    unanswered: int = 0
    by_the_past: list[str] = field(default_factory=list)
    """Calls that began on a side of the past, and were answered there."""

    @property
    def replicas(self) -> list[Replica]:
        """In the order in which they can start."""
        return [self.consent, self.metering, self.licensing]

    def lines(self) -> Lines:
        """To consent."""
        return Lines([self.consent.address], CONSENT, self.folder, seconds=CALL_SECONDS)

    def maker(self) -> ReceiptMaker:
        """Whoever has decisions made."""
        return ReceiptMaker(self.licensing.address, self.folder)

    async def restart(self) -> None:
        """Ends all of them as an operator would, and starts them again (R5)."""
        for replica in reversed(self.replicas):
            await replica.stop()
        for replica in self.replicas:
            await replica.start()


def a_side(name: str, url: Url, folder: Path) -> Side:
    """Not started yet; heads and the log are in folders that all sides share."""

    def replica(service: str, **settings: str) -> Replica:
        common = {"DATABASE_URL": url(service), "STATE_DIR": str(folder), "HEAD_DIR": str(folder / "heads")}
        return Replica(f"services.{service}", service, folder, {**common, **_COMMON, **settings})

    consent, metering = replica("consent", **_PERMITS), replica("metering")
    targets = {"CONSENT_TARGET": consent.address, "METERING_TARGET": metering.address}
    log = {"LOG_DIR": str(folder / "log")}
    licensing = replica("licensing", **log, **targets, **_PERMITS, **_NO_SWEEPS)
    return Side(name, consent, metering, licensing, folder)


@contextlib.asynccontextmanager
async def serving(pair: Pair, folder: Path, urls: dict[str, Url]) -> AsyncIterator[list[Side]]:
    """Sides that serve, each with its way to the databases; all authors are willing, a license is active."""
    for service in SERVICES:
        await pair.new_database(service)
    sides = [a_side(name, url, folder) for name, url in urls.items()]
    async with running([replica for side in sides for replica in side.replicas]):
        lines, maker = sides[0].lines(), sides[0].maker()
        await make_all_willing(lines)
        await maker.prepare()
        await asyncio.gather(lines.close(), maker.close())
        yield sides


async def newest_choice(lines: Lines, subject: int) -> int | None:
    """The revision of the choice of a subject that is shown as the newest; None where there was no answer."""
    request = pb.ListChoiceHistoryRequest(subject_id=subject, page_size=1)
    operator = PrincipalKind.OPERATOR
    answer = await lines.call(0, "ListChoiceHistory", operator, request, pb.ListChoiceHistoryResponse)
    return None if answer is None else int(answer.choices[0].revision)
