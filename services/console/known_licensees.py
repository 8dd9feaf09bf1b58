"""Whether licensing knows the licensees that choices and halts name.

Consent asks nobody (calls go one way), so a mistyped licensee is recorded like any other and binds nobody.
Only who talks to both services can say so. Not knowing never keeps a deny out.
"""

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from services.chassis.refusals import Refusal, precondition
from services.console.connections import Connections
from services.console.licensees import all_licensees

LOOK_UP_US = 2_000_000
"""For each page of licensees, in microseconds: a choice does not wait long for licensing."""
LISTED_NAMES = 20


@dataclass(frozen=True)
class Naming:
    """What licensing says of the licensees that were named."""

    unknown: tuple[str, ...] = ()
    """By name; none where it could not be asked."""
    nearest: dict[str, str] = field(default_factory=dict)
    """By an unknown name the known one that it is most like, where there is one."""
    fault: Refusal | None = None
    """Why licensing could not be asked."""

    @property
    def plain_unknown(self) -> list[str] | None:
        """The unknown names; None where they could not be looked for."""
        return None if self.fault else list(self.unknown)

    def is_known(self) -> bool | None:
        """Whether every licensee is known; None where it could not be looked for."""
        return None if self.fault else not self.unknown

    def check_allow(self) -> None:
        """Refuses an allow that nobody could use; raises Refusal (precondition, LICENSEE_UNKNOWN)."""
        if self.unknown:
            message = (
                f"licensing knows no licensee {self._names()}; --licensee-to-come records it all the same"
            )
            raise precondition("LICENSEE_UNKNOWN", message)

    def notes(self) -> Sequence[str]:
        """What whoever named them should know, in sentences."""
        if self.fault:
            why = f"{self.fault.reason}: {self.fault.message}"
            return (f"Whether licensing knows the licensees that are named could not be checked ({why}).",)
        if self.unknown:
            said = f"Licensing knows no licensee {self._names()}."
            return (f"{said} What is said of one binds nobody until there is such a licensee.",)
        return ()

    def _names(self) -> str:
        named = [self._name(name) for name in self.unknown[:LISTED_NAMES]]
        more = len(self.unknown) - len(named)
        return ", ".join(named) + (f", and {more:,} more (--json lists them all)" if more else "")

    def _name(self, name: str) -> str:
        near = self.nearest.get(name)
        return f"{name} (did you mean {near}?)" if near else name


async def look_up(connections: Connections, names: Collection[str]) -> Naming:
    """Asks licensing about these licensees; it is not asked about none. Raises nothing for its refusals."""
    if not names:
        return Naming()
    try:
        licensees = await all_licensees(connections, at_most_us=LOOK_UP_US)
    except Refusal as refusal:
        # People can choose while licensing is down.
        return Naming(fault=refusal)
    return compare(names, {licensee.licensee_id for licensee in licensees})


def compare(names: Collection[str], known: Collection[str]) -> Naming:
    """Which names are unknown, sorted, and what they may have been meant for."""
    unknown = tuple(sorted(set(names) - set(known)))
    near = {name: difflib.get_close_matches(name, known, n=1) for name in unknown[:LISTED_NAMES]}
    return Naming(unknown, {name: found[0] for name, found in near.items() if found})
