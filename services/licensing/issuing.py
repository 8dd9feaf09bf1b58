"""The issuer: sends out what has collected long enough, and says what is overdue (W2, W3)."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog

from services.chassis.clock import Clock
from services.licensing.domain.history import Change, StepTaken
from services.licensing.domain.licenses import License, LicenseState, Step
from services.licensing.domain.recalls.deadlines import (
    UNREADABLE,
    DeadlineRule,
    IsBusinessDay,
    due_at_us,
    rule_of,
)
from services.licensing.domain.recalls.recalls import Recall
from services.licensing.domain.terms import Terms
from services.licensing.recalls import AFTER_FAULT_SECONDS, log_fault

RECALLS_AT_ONCE = 20
"""In one transaction, so that decisions do not wait long behind it."""
PAUSE_SECONDS = 1.0
"""Between looks: of an interval of a minute nobody misses it."""
LOOKS_A_FIGURE = 5
"""The figures are counted at every fifth: whoever collects them comes more seldom."""
SYSTEM = "system"
"""Who changes a license that nobody changes."""

T = TypeVar("T")

_log = structlog.get_logger("issuer")


class Rows(Protocol):
    """Recalls and licenses inside one transaction."""

    def lock_head(self) -> int: ...
    def collected(self, since_us: int, limit: int) -> Sequence[Recall]: ...
    def licenses(self, recall_id: str) -> Sequence[tuple[str, int]]: ...
    def terms(self, versions: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], Terms]: ...
    def issue(self, recall_id: str, issued_at_us: int, due_at_us: int) -> int: ...
    def overdue(self, now_us: int, limit: int) -> Sequence[Recall]: ...
    def mark_overdue(self, recall_id: str, now_us: int) -> None: ...
    def license(self, license_id: str) -> License | None: ...
    def put_license(self, license: License, change: Change) -> None: ...
    def recalls_collecting(self) -> int: ...
    def recalls_overdue(self) -> int: ...
    def rechecks_open(self) -> int: ...


class Store(Protocol):
    """Where the rows are."""

    async def write(self, unit: Callable[[Rows], T]) -> T: ...
    async def read(self, query: Callable[[Rows], T]) -> T: ...


@dataclass(frozen=True)
class Pace:
    """How recalls go out."""

    interval_us: int
    """For which a recall collects (W2)."""
    default_days: int
    """Calendar days to answer where a license says none."""


@dataclass(frozen=True)
class Standing:
    """How many of what there are."""

    collecting: int
    overdue: int
    rechecks_open: int


class Issuer:
    """Issues until it is cancelled."""

    name = "issuer"

    def __init__(
        self,
        store: Store,
        clock: Clock,
        is_business_day: IsBusinessDay,
        pace: Pace,
        *,
        show: Callable[[Standing], None],
    ) -> None:
        """`show` is told every few seconds how recalls stand, for the figures of the service."""
        self._store = store
        self._clock = clock
        self._is_business_day = is_business_day
        self._pace = pace
        self._show = show

    async def run(self) -> None:
        """Looks at regular intervals."""
        for look in itertools.count():
            try:
                more = await self.look()
                if look % LOOKS_A_FIGURE == 0:
                    self._show(await self._store.read(_standing))
                rest_seconds = 0 if more else PAUSE_SECONDS
            except Exception as error:
                log_fault(_log, "recalls cannot be issued", error)
                rest_seconds = AFTER_FAULT_SECONDS
            await asyncio.sleep(rest_seconds)

    async def look(self) -> bool:
        """Issues some and marks some overdue; whether there may be more. Raises what the database raises."""
        now_us = self._clock.now_us()
        waiting = await self._store.read(
            lambda rows: (
                len(rows.collected(now_us - self._pace.interval_us, 1)),
                len(rows.overdue(now_us, 1)),
            )
        )
        if not any(waiting):
            return False
        issued = await self._store.write(self._issue) if waiting[0] else 0
        overdue = await self._store.write(self._mark_overdue) if waiting[1] else 0
        return RECALLS_AT_ONCE in {issued, overdue}

    def _issue(self, rows: Rows) -> int:
        rows.lock_head()
        # Read after the lock, so that times of issue are in the order of numbers, as far as clocks go.
        now_us = self._clock.now_us()
        recalls = rows.collected(now_us - self._pace.interval_us, RECALLS_AT_ONCE)
        for recall in recalls:
            rows.issue(recall.recall_id, now_us, self._due_at_us(rows, recall, now_us))
        return len(recalls)

    def _due_at_us(self, rows: Rows, recall: Recall, now_us: int) -> int:
        """By the versions that the releases were made under, whatever was agreed since."""
        versions = rows.licenses(recall.recall_id)
        terms = rows.terms(versions)
        rules = [_rule(recall, version, terms.get(version)) for version in versions]
        return due_at_us(now_us, rules, self._pace.default_days, self._is_business_day)

    def _mark_overdue(self, rows: Rows) -> int:
        cut_off_us = rows.lock_head()
        now_us = self._clock.now_us()
        recalls = rows.overdue(now_us, RECALLS_AT_ONCE)
        for recall in recalls:
            rows.mark_overdue(recall.recall_id, now_us)
            for license_id in sorted({license_id for license_id, _ in rows.licenses(recall.recall_id)}):
                # Not before what was billed as of already, as with every change of a license (B3).
                _suspend(rows, license_id, recall, max(now_us, cut_off_us))
        return len(recalls)


def _rule(recall: Recall, version: tuple[str, int], terms: Terms | None) -> DeadlineRule:
    nothing = Terms.nothing(recall.licensee_id)
    # Nothing was released under terms that permit nothing: those that stand here cannot be read (L2).
    if terms is None or terms == nothing:
        _log.error("terms are not understood: the recall is due in a day", version=version)
        return UNREADABLE
    return rule_of(terms.obligations)


def _suspend(rows: Rows, license_id: str, recall: Recall, now_us: int) -> None:
    """Suspends a license that is active, where its terms in force say so (W3).

    Terms that are not understood say nothing, and suspend nothing: nobody knows that it was agreed.
    """
    license = rows.license(license_id)
    assert license is not None, "it was released under, and no license is ever removed"
    current = license.as_of(now_us)
    is_active = current.effective_state(now_us) is LicenseState.ACTIVE
    if not (is_active and current.terms.obligations.suspend_when_overdue):
        return
    reason = f"recall {recall.recall_id} is overdue"
    suspended = current.after(Step.SUSPEND, now_us, reason)
    at_us = suspended.state_changed_at_us
    rows.put_license(suspended, Change(SYSTEM, at_us, reason, StepTaken.SUSPENDED, suspended.version))


def _standing(rows: Rows) -> Standing:
    return Standing(
        collecting=rows.recalls_collecting(),
        overdue=rows.recalls_overdue(),
        rechecks_open=rows.rechecks_open(),
    )
