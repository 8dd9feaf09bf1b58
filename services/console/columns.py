"""The columns of a file: which it must have, and which it may leave out."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis.refusals import invalid


@dataclass(frozen=True)
class Columns:
    """Names of columns, in any order in the file."""

    all: tuple[str, ...]
    optional: tuple[str, ...] = ()
    """Those of them that a file may leave out."""

    def check(self, given: Sequence[str], source: str, reason: str) -> None:
        """Raises Refusal (invalid, `reason`): one is missing, not known, or there twice."""
        faults = [
            *(f"{name} is missing" for name in self.all if name not in (*given, *self.optional)),
            *(f"{name!r} is not known" for name in given if name not in self.all),
            *(f"{name} is there twice" for name in self.all if given.count(name) > 1),
        ]
        if faults:
            known = ", ".join(f"{name} (optional)" if name in self.optional else name for name in self.all)
            raise invalid(reason, f"{source} does not have the columns {known}: {'; '.join(faults)}")
