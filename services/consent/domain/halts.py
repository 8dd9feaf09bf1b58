"""Halts: what an operator has stopped, whatever anyone chose (C12)."""

import enum
from dataclasses import dataclass

from services.chassis.refusals import invalid, not_found, precondition
from services.consent.domain.purposes import PURPOSES


class HaltKind(enum.IntEnum):
    """What a halt is about; the field numbers of `sluice.consent.v1.HaltScope`."""

    EVERYTHING = 1
    PURPOSE = 2
    JURISDICTION = 3
    LICENSEE = 4


@dataclass(frozen=True, order=True, slots=True)
class HaltScope:
    """What is stopped."""

    kind: HaltKind
    value: str = ""
    """The purpose's number, the jurisdiction or the licensee; empty for everything."""

    def stops(self, licensee: str, purpose: int) -> bool:
        """Whether releases to this licensee for this purpose are stopped, whoever wrote the posts."""
        match self.kind:
            case HaltKind.EVERYTHING:
                return True
            case HaltKind.LICENSEE:
                return self.value == licensee
            case HaltKind.PURPOSE:
                traits = PURPOSES.get(purpose)
                # C7: halts of the needed purpose apply unchanged.
                needed = None if traits is None else traits.needs
                return self.value in {str(int(purpose)), "" if needed is None else str(int(needed))}
            case HaltKind.JURISDICTION:
                return False

    def covers(self, jurisdiction: str) -> bool:
        """Whether posts by contributors of a jurisdiction are stopped; a country covers its subdivisions."""
        return self.kind is HaltKind.JURISDICTION and self.value in (
            jurisdiction,
            jurisdiction.partition("-")[0],
        )


@dataclass(frozen=True)
class HaltOrder:
    """A halt as it was asked for."""

    scope: HaltScope
    cause: str
    """Why, for the record."""
    recall: bool
    """Whether what was released and falls under it is recalled (W1)."""


@dataclass(frozen=True)
class Halt:
    """A halt on record."""

    halt_id: int
    """The revision of its order."""
    order: HaltOrder
    ordered_us: int
    ordered_by: str
    lifted_us: int | None = None
    """None while it is in force."""
    lifted_by: str = ""


def check_order(order: HaltOrder) -> None:
    """Raises Refusal PURPOSE_UNKNOWN."""
    if order.scope.kind is HaltKind.PURPOSE and int(order.scope.value) not in PURPOSES:
        raise invalid("PURPOSE_UNKNOWN", "the purpose is not in the table of purposes", field="scope.purpose")


def check_lift(halt: Halt | None) -> None:
    """Raises Refusal HALT_UNKNOWN, HALT_ENDED."""
    if halt is None:
        raise not_found("HALT_UNKNOWN", "there is no such halt")
    if halt.lifted_us is not None:
        raise precondition("HALT_ENDED", "the halt has ended already")
