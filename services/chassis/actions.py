"""What operators did, as a chain of entries: each holds the digest of the one before it.

An action has two entries, one from before it and one that says how it ended. Whoever has kept the head of a
log can tell later whether anything up to it was changed or taken out. What a request said is in the chain by
a salted digest alone, so that it can be forgotten (C11) and the chain still be checked.
"""

import enum
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

NO_DIGEST = bytes(32)
"""What the first entry holds, and the digest of a log without entries."""


class Outcome(enum.IntEnum):
    """How an action ended; the numbers are those of `ActionOutcome` in the contracts."""

    DONE = 1
    REFUSED = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts, and in which trace."""

    operator: str
    roles: tuple[str, ...]
    """Sorted."""
    method: str
    """Without the slash that it begins with in gRPC."""
    trace_id: str


@dataclass(frozen=True, slots=True)
class Begun:
    """What was asked for."""

    request_id: str = ""
    request: str = ""
    """Canonical JSON; "" for a stream, for what is too long or names several subjects, and once forgotten."""
    nonce: bytes = b""
    """The salt of the digest; gone with the request, or whoever guesses what it said could try it."""
    request_digest: bytes = b""
    """`salted` of the request, where that is kept; else of its binary form."""
    request_bytes: int = 0
    """Of the binary form."""
    reason: str = ""
    subject_id: int | None = None
    """Whom the request names; no part of the entry, but how it is found when they are erased."""

    @property
    def is_as_made(self) -> bool:
        """Whether the request is the one that the digest is of; true of one that is not there."""
        return not self.request or salted(self.nonce, self.request.encode()) == self.request_digest

    def forgotten(self) -> "Begun":
        """The same without what was said, in the same place of the chain."""
        return replace(self, request="", nonce=b"", subject_id=None)


def salted(nonce: bytes, content: bytes) -> bytes:
    """The digest by which a chain holds what a request said: SHA-256 of the nonce and it."""
    return hashlib.sha256(nonce + content).digest()


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of it."""

    outcome: Outcome
    refusal: str = ""
    requests: int = 0
    """Read of a stream of requests."""
    answers: int = 0
    """Given by a stream of answers."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log."""

    number: int
    at_us: int
    """Microseconds UTC."""
    action: int
    """Number of the entry that began the action."""
    caller: Caller
    previous: bytes
    """SHA-256 of the entry before."""
    what: Begun | Ended

    def digest(self) -> bytes:
        """SHA-256 of its fields as one compact JSON array in UTF-8; docs/actions.md has the order."""
        caller = [self.caller.operator, [*self.caller.roles], self.caller.method, self.caller.trace_id]
        fields = [self.number, self.at_us, self.action, *caller, self.previous.hex(), *_fields(self.what)]
        text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
        # Half a character of UTF-16 must not keep all later entries out.
        return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class ActionHead:
    """The last entry of a log; number 0 where there is none."""

    number: int = 0
    digest: bytes = NO_DIGEST


NO_ACTIONS = ActionHead()
"""The head of a log without entries."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first entry of a log that is not as it was added, and why."""

    number: int
    what: str


class ChainCheck:
    """Checks a whole log, given entry by entry in the order of their numbers."""

    def __init__(self, known: Iterable[ActionHead] = ()) -> None:
        """`known` are heads that were kept from earlier."""
        self.head = ActionHead()
        self.fault: Fault | None = None
        self._known = {head.number: head.digest for head in known}
        self._highest_known = max(self._known, default=0)
        self._begun: set[int] = set()

    @property
    def unfinished(self) -> tuple[int, ...]:
        """The actions of which the log does not say how they ended, by number."""
        return tuple(sorted(self._begun))

    def add(self, entry: Entry) -> None:
        """Checks the next one; what comes after a fault is not looked at."""
        if self.fault is None:
            self.fault = self._fault_of(entry)
            self.head = ActionHead(entry.number, entry.digest())
            known = self._known.get(entry.number, self.head.digest)
            if self.fault is None and known != self.head.digest:
                self.fault = Fault(entry.number, "it is not the entry that was known")

    def finish(self, told: ActionHead) -> Fault | None:
        """The first fault of a log that the service says ends with `told`; None where there is none."""
        if self.fault is None and (self.head.number < self._highest_known or self.head != told):
            self.fault = Fault(self.head.number + 1, "the log goes no further, and had")
        return self.fault

    def _fault_of(self, entry: Entry) -> Fault | None:
        number = self.head.number + 1
        if entry.number != number:
            return Fault(number, "it is missing")
        if entry.previous != self.head.digest:
            return Fault(number, "it does not hold the digest of the entry before")
        if isinstance(entry.what, Begun):
            self._begun.add(number)
            if not entry.what.is_as_made:
                return Fault(number, "its request is not the one that was made")
            return None if entry.action == number else Fault(number, "it begins another action than its own")
        if entry.action not in self._begun:
            return Fault(number, "it ends an action that is not under way")
        self._begun.remove(entry.action)
        return None


def _fields(what: Begun | Ended) -> list[object]:
    if isinstance(what, Begun):
        digest = what.request_digest.hex()
        return ["begun", what.request_id, digest, what.request_bytes, what.reason]
    return ["ended", int(what.outcome), what.refusal, what.requests, what.answers]
