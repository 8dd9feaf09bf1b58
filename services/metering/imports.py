"""Takes over accesses that were seen elsewhere (M7)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from services.chassis.replays import ReplayKey
from services.metering.domain.seen import Outcome, Remark, Report, Reporter, Row


class Sightings(Protocol):
    """The durable store: a page is counted whole or not at all, once for each key."""

    async def report(self, rows: Sequence[Row], reporter: Reporter, key: ReplayKey) -> Report:
        """Counts what is new of the rows; sources that are nobody's become the reporter's."""
        ...


class Importer:
    """Answers for every line of a page, those that were turned away at the edge included."""

    def __init__(self, sightings: Sightings) -> None:
        self._sightings = sightings

    async def take(self, lines: Sequence[Row | Remark], reporter: Reporter, key: ReplayKey) -> Report:
        """Counts the rows; the remarks are of lines that are none. Raises Refusal REQUEST_ID_REUSED."""
        rows = [line for line in lines if isinstance(line, Row)]
        report = await self._sightings.report(rows, reporter, key)
        outcomes = iter(report.outcomes)
        bad = [line for line in lines if isinstance(line, Remark)]
        return replace(
            report,
            outcomes=tuple(
                Outcome.REJECTED if isinstance(line, Remark) else next(outcomes) for line in lines
            ),
            remarks=tuple(sorted((*report.remarks, *bad), key=lambda remark: remark.line)),
        )
