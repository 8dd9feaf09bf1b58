"""Builders for logs of operators' actions."""

from collections.abc import Sequence

from services.chassis.actions import NO_DIGEST, Begun, Caller, Ended, Entry, Outcome, salted
from tests.support.clock import NOON_US

NONCE = bytes(range(16))
ORDER_HALT = "sluice.consent.v1.StateService/OrderHalt"


def a_caller(operator: str = "ada", method: str = ORDER_HALT) -> Caller:
    """An operator of trust and legal."""
    return Caller(operator, ("legal", "trust"), method, "0af7651916cd43dd8448eb211c80319c")


def a_begun(text: str = "") -> Begun:
    """A request that says why."""
    digest = salted(NONCE, b'{"cause":"war"}')
    return Begun("0190b8a0-0000-7000-8000-000000000001", '{"cause":"war"}', NONCE, digest, 7, text or "war")


def a_begun_of(subject_id: int) -> Begun:
    """A request that names a subject."""
    said = f'{{"subjectId":"{subject_id}"}}'
    digest = salted(NONCE, said.encode())
    return Begun("0190b8a0-0000-7000-8000-000000000001", said, NONCE, digest, 7, subject_id=subject_id)


def a_chain(*ends: int | None) -> list[Entry]:
    """Entries in order: None begins an action, a number ends the action that this entry began."""
    entries: list[Entry] = []
    for index, end in enumerate(ends):
        previous = entries[-1].digest() if entries else NO_DIGEST
        what = a_begun(f"reason {index}") if end is None else Ended(Outcome.DONE)
        entries.append(Entry(index + 1, NOON_US + index, end or index + 1, a_caller(), previous, what))
    return entries


def rechained(entries: Sequence[Entry]) -> list[Entry]:
    """The same, numbered anew, each with the digest of the one before: what a forger would write."""
    forged: list[Entry] = []
    for number, entry in enumerate(entries, start=1):
        previous = forged[-1].digest() if forged else NO_DIGEST
        action = number if isinstance(entry.what, Begun) else entry.action
        forged.append(Entry(number, entry.at_us, action, entry.caller, previous, entry.what))
    return forged
