"""What is known of a license from outside: from when its changes were sent and acknowledged.

A change that was sent and is not acknowledged may hold or not, at any moment; what is asked about such a
moment is not known. So the book never says what is only likely, and allows the program no microsecond.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sluice.licensing.v1 import reason_pb2, release_service_pb2

T = TypeVar("T")


@dataclass
class Turn(Generic[T]):
    """A change to `value`: it does not hold before `from_us`, and it holds from `by_us` on."""

    value: T
    from_us: int
    by_us: float = math.inf
    """Infinite while it is not acknowledged."""

    def acknowledged(self, at_us: int) -> None:
        """It holds from now on, or from its own time if that is later."""
        self.by_us = max(at_us, self.from_us)


class Course(Generic[T]):
    """How something that is changed by one hand went, turn after turn."""

    def __init__(self) -> None:
        self._turns: list[Turn[T]] = []

    @property
    def last(self) -> Turn[T]:
        """The turn that was begun last."""
        return self._turns[-1]

    def begin(self, value: T, from_us: int) -> Turn[T]:
        """A change is sent, which cannot hold before `from_us`; no earlier one is on its way."""
        self._turns.append(Turn(value, from_us))
        return self.last

    def take_back(self, turn: Turn[T]) -> None:
        """The change was refused."""
        self._turns.remove(turn)

    def known(self, begin_us: int, end_us: int) -> T | None:
        """What held at every moment from `begin_us` to `end_us`, both included; None if that is not known.

        `end_us` lies in the past: what is sent later is not in the book.
        """
        for turn in reversed(self._turns):
            if turn.by_us <= begin_us:
                return turn.value
            if turn.from_us <= end_us:
                return None
        return None


@dataclass(frozen=True)
class Version:
    """One version of the terms."""

    number: int
    digest: bytes
    languages: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a decision says that follows from where the license stands."""

    version: int
    digest: str
    """Of the terms, as the receipt names it."""
    receipt_version: int
    outcome: str
    receipt_outcome: str
    verdicts: bytes
    reasons: bytes


class LicenseBook:
    """A license that is suspended, resumed and amended by one operator."""

    def __init__(self, license_id: str) -> None:
        self.license_id = license_id
        self.active: Course[bool] = Course()
        self.version: Course[Version] = Course()

    def known(self, languages: Sequence[str], begin_us: int, end_us: int) -> Answer | None:
        """How posts in these languages come out throughout a span of time; None if that is not known."""
        active = self.active.known(begin_us, end_us)
        version = self.version.known(begin_us, end_us)
        return None if active is None or version is None else expected(languages, version, active=active)


def expected(languages: Sequence[str], version: Version, *, active: bool) -> Answer:
    """How posts come out that nothing but the license can deny."""
    released = [active and language in version.languages for language in languages]
    not_covered = reason_pb2.REASON_LANGUAGE_NOT_LICENSED if active else reason_pb2.REASON_LICENSE_NOT_ACTIVE
    outcome = "RELEASED" if all(released) else "PARTIAL" if any(released) else "DENIED"
    return Answer(
        version=version.number,
        digest=version.digest.hex(),
        receipt_version=version.number,
        outcome=f"OUTCOME_{outcome}",
        receipt_outcome=outcome,
        verdicts=bytes(
            reason_pb2.VERDICT_RELEASED if goes else reason_pb2.VERDICT_NOT_COVERED for goes in released
        ),
        reasons=bytes(reason_pb2.REASON_RELEASED if goes else not_covered for goes in released),
    )


def given(decision: release_service_pb2.Decision, claims: dict[str, object]) -> Answer:
    """What a decision says, with the claims of its receipt."""
    version, digest, outcome = claims["license_version"], claims["terms_digest"], claims["outcome"]
    assert isinstance(version, int)
    return Answer(
        version=decision.license_version,
        digest=str(digest),
        receipt_version=version,
        outcome=release_service_pb2.Outcome.Name(decision.outcome),
        receipt_outcome=str(outcome),
        verdicts=decision.verdicts,
        reasons=decision.reasons,
    )
