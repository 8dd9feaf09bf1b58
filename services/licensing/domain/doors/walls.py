"""The login wall: changes that are only ever added, and what the last of them says at a time."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from services.chassis.refusals import invalid, precondition
from services.licensing.domain.licenses import License
from services.licensing.domain.terms import Template


class Tier(enum.IntEnum):
    """Who passes a wall that is up; the numbers of `sluice.licensing.v1.WallTier`."""

    API = 1
    RESEARCH = 2
    KNOWN = 3


_TIERS = {Template.API_TIER: Tier.API, Template.RESEARCH: Tier.RESEARCH}


@dataclass(frozen=True)
class WallChange:
    """One change of the wall. Times are microseconds since the epoch, UTC."""

    number: int
    """Counts the changes, from 1."""
    raised: bool
    """Whether the wall is up from then on; else it is lowered."""
    tiers: frozenset[Tier]
    reason: str
    until_us: int | None
    """When it comes down by itself; None where it stays until it is lowered."""
    changed_by: str
    """Kind and name of the principal."""
    changed_at_us: int

    def is_up(self, now_us: int) -> bool:
        """Whether the wall is up at `now_us`, if this is the last change."""
        return self.raised and (self.until_us is None or now_us < self.until_us)


@dataclass(frozen=True)
class Raising:
    """How an operator wants the wall to stand."""

    reason: str
    tiers: frozenset[Tier] = frozenset()
    lasts_us: int | None = None
    """From the change on; at most one of this and the next."""
    until_us: int | None = None


def is_up(last: WallChange | None, now_us: int) -> bool:
    """Whether the wall is up at `now_us`; `last` is None where it was never raised."""
    return last is not None and last.is_up(now_us)


def raised(last: WallChange | None, wish: Raising, number: int, changed_by: str, now_us: int) -> WallChange:
    """The change that raises the wall. Raises Refusal WALL_END_PAST."""
    at_us = _not_before(last, now_us)
    until_us = wish.until_us if wish.lasts_us is None else at_us + wish.lasts_us
    if until_us is not None and until_us <= at_us:
        raise invalid("WALL_END_PAST", "the wall would be down before it is up", field="until")
    return WallChange(number, True, wish.tiers, wish.reason, until_us, changed_by, at_us)


def lowered(last: WallChange | None, reason: str, number: int, changed_by: str, now_us: int) -> WallChange:
    """The change that lowers the wall. Raises Refusal WALL_NOT_UP."""
    if not is_up(last, now_us):
        raise precondition("WALL_NOT_UP", "there is no wall to lower: it is down")
    at_us = _not_before(last, now_us)
    return WallChange(number, False, frozenset(), reason, None, changed_by, at_us)


def tier_of(licenses: Iterable[License], opened: frozenset[Tier], now_us: int) -> Tier | None:
    """The first opened tier that one of the licenses belongs to that are in force (L1); None without one."""
    for license in licenses:
        tier = _TIERS.get(license.as_of(now_us).terms.template)
        if tier in opened and license.in_force(now_us):
            return tier
    return None


def _not_before(last: WallChange | None, now_us: int) -> int:
    """What happened never lies before what happened earlier, whatever the clock does."""
    return now_us if last is None else max(now_us, last.changed_at_us)
