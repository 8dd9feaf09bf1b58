"""What takes posts back shares: the fence, and how what was found gets into recalls (W2, W5).

Each process reads consent's stream (`following`), scans what it has read (`scanning`) and asks consent again
where it must (`rechecking`); what was found collects in one recall a licensee until it is issued (`issuing`).
Any number of processes do so side by side: everything is written while the head is locked, and only where it
stands as it was when it was looked at.
"""

from collections.abc import Callable
from typing import Protocol

import structlog

from services.chassis.refusals import Refusal
from services.licensing.domain.answers import Revision
from services.licensing.domain.recalls.entries import Counted

PAUSE_SECONDS = 0.2
"""Between looks when what is in hand cannot be dealt with yet."""
AFTER_FAULT_SECONDS = 2.0
"""Nothing mends itself sooner, and each fault is a line in the log."""


class Positions(Protocol):
    """How far the withdrawals have been read (W5)."""

    @property
    def fence(self) -> Revision: ...
    @property
    def scanned(self) -> Revision: ...


class Collecting(Protocol):
    """Recalls that collect, inside one transaction."""

    def collecting(self, licensee_id: str) -> str | None: ...
    def begin(self, recall_id: str, licensee_id: str, now_us: int) -> None: ...
    def extend(self, recall_id: str, counted: Counted) -> None: ...


def recall_for(rows: Collecting, licensee_id: str, new_id: Callable[[], str], now_us: int) -> str:
    """The recall that collects for a licensee, begun where there is none; the head is locked."""
    recall_id = rows.collecting(licensee_id)
    if recall_id is None:
        recall_id = new_id()
        rows.begin(recall_id, licensee_id, now_us)
    return recall_id


def log_fault(log: structlog.typing.FilteringBoundLogger, what: str, error: Exception) -> None:
    """Reports what will be tried again: nothing is given up, and nothing of it is lost."""
    if isinstance(error, Refusal):
        log.warning(what, reason=error.reason, message=error.message)
    else:
        log.error(what, exc_info=error)
