"""Confirmations of deliveries, sent while the next batches are on their way.

A delivery is in the journal before its confirmation is sent, so one that is lost is sent again by whoever
resumes.
"""

import asyncio

from sluice_gate.asking import Asking
from sluice_gate.delivering import AtStep, Step
from sluice_gate.errors import CallRefused
from sluice_gate.journal import Entry, Journal
from sluice_gate.turns import CONFIRMED_OTHERWISE


class Confirmations:
    """Confirms deliveries, a few at a time."""

    def __init__(self, asking: Asking, journal: Journal, at_most: int, at_step: AtStep) -> None:
        self._asking = asking
        self._journal = journal
        self._at_most = at_most
        self._at_step = at_step
        self._sending: set[asyncio.Task[None]] = set()
        self.problems: list[str] = []
        """Deliveries that licensing has been told otherwise about."""
        self.failed = 0
        """Confirmations that did not arrive."""

    async def add(self, entry: Entry) -> None:
        """Begins to confirm what was delivered. Raises CallRefused if an earlier confirmation failed."""
        while len(self._sending) >= self._at_most:
            await self._collect(asyncio.FIRST_COMPLETED)
        if entry.delivers:
            self._sending.add(asyncio.create_task(self._confirm(entry)))

    async def drain(self) -> None:
        """Waits until everything is confirmed. Raises CallRefused if a confirmation failed."""
        while self._sending:
            await self._collect(asyncio.FIRST_COMPLETED)

    async def settle(self) -> None:
        """Waits until every confirmation has arrived or failed."""
        while self._sending:
            try:
                await self._collect(asyncio.ALL_COMPLETED)
            except CallRefused:
                # Counted in `failed`; the journal still owes it.
                continue

    async def cancel(self) -> None:
        """Lets go of what is being sent."""
        for sending in self._sending:
            sending.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def _collect(self, when: str) -> None:
        done, self._sending = await asyncio.wait(self._sending, return_when=when)
        for failure in [sent.exception() for sent in done]:
            if failure is not None:
                raise failure

    async def _confirm(self, entry: Entry) -> None:
        try:
            await self._asking.confirm(entry.decision_id, bytes.fromhex(entry.delivered))
        except CallRefused as refusal:
            if refusal.reason != CONFIRMED_OTHERWISE:
                self.failed += 1
                raise
            self.problems.append(
                f"decision {entry.decision_id} was delivered, but licensing has been told otherwise"
            )
        else:
            self._at_step(Step.CONFIRMED)
            self._journal.note_confirmed(entry.batch)
