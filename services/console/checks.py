"""Checks of the books for people and programs, whichever service makes them."""

from collections.abc import Sequence
from typing import Any, Protocol

from services.console.names import plain
from services.console.output import note, note_json, say, show, table


class Check(Protocol):
    """One check with what it found: `AuditUsageResponse` and `AuditLedgerResponse` alike."""

    @property
    def check(self) -> str:
        """As a sentence."""
        ...

    @property
    def compared(self) -> int:
        """How many things."""
        ...

    @property
    def differences(self) -> Sequence[Any]:
        """The first hundred."""
        ...

    @property
    def difference_count(self) -> int:
        """Of all."""
        ...


class Teller(Protocol):
    """Says how far an audit is, beside the answer."""

    def started(self, check: str) -> None:
        """A check is at work."""
        ...

    def goes_on(self, check: Check) -> None:
        """So much of it has been compared."""
        ...

    def done(self, check: Check) -> None:
        """A check is done."""
        ...


class PlainTeller:
    """For people: each check with what it found is a part of the answer."""

    def started(self, check: str) -> None:
        """Which one takes so long."""
        note(f"Checking: {check} ...")

    def goes_on(self, check: Check) -> None:
        """Every ten thousand or so."""
        if check.compared // EVERY > (check.compared - AT_ONCE) // EVERY:
            note(f"  {check.compared:,} compared ...")

    def done(self, check: Check) -> None:
        """A line, and its differences."""
        tell_check(check)


class JsonTeller:
    """For programs: the answer is one document, so each step is a line on stderr."""

    def started(self, check: str) -> None:
        """The name alone."""
        note_json({"check": check, "step": "started"})

    def goes_on(self, check: Check) -> None:
        """How far it is."""
        note_json({"check": check.check, "step": "going on", "compared": check.compared})

    def done(self, check: Check) -> None:
        """How much there was to compare."""
        figures = {"compared": check.compared, "difference_count": check.difference_count}
        note_json({"check": check.check, "step": "done", **figures})


EVERY = 10_000
AT_ONCE = 1_000
"""At most so many are compared between two steps."""


def tell_check(check: Check) -> None:
    """A line for a check, and its differences."""
    verdict = f"{check.difference_count:,} differ" if check.difference_count else "all agree"
    say(f"{check.check}: {check.compared:,} compared, {verdict}.")
    if check.differences:
        rows = [(each.subject, each.expected, each.found) for each in check.differences]
        show(table(("  what", "should be", "is"), [(f"  {what}", *rest) for what, *rest in rows]))
    more = check.difference_count - len(check.differences)
    if more:
        say(f"  and {more:,} more.")


def check_json(check: Check) -> dict[str, Any]:
    """One check for programs; numbers are there also where they are 0."""
    return {
        "check": check.check,
        "compared": check.compared,
        "difference_count": check.difference_count,
        "differences": [plain(difference) for difference in check.differences],
    }
