"""Whether a call has room in all of its limits: then it counts in each of them, else in none.

What is denied eats no other limit's room. A limit that is only tried out never denies; it counts what it has
room for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.metering.domain.rates.limits import Limited
from services.metering.domain.rates.windows import CallWindow


@dataclass(frozen=True, slots=True)
class Asked:
    """A call to be counted."""

    limits: tuple[Limited, ...]
    """At least one, each once: a call counts once in a limit, however often it is named."""
    calls: int
    """As how many it counts; at least 1."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one limit stands once a call was decided."""

    limited: Limited
    is_over: bool
    """Whether it has no room for this call."""
    left: int
    """Calls that there is still room for."""
    until_us: int | None
    """When there is room for this call where it is over, else for more than `left`; None for never (M8)."""

    @property
    def denies(self) -> bool:
        """Whether it keeps the call out."""
        return self.is_over and not self.limited.limit.is_shadow


@dataclass(frozen=True, slots=True)
class Ruling:
    """What became of a call."""

    standings: Mapping[str, Standing]
    """By the keys of limits; of a call that is denied some may be missing, for nobody looked."""
    at_us: int
    """The moment it was decided at, and counted at if it was let through; microseconds UTC."""

    @property
    def denying(self) -> Sequence[Standing]:
        """The limits that keep the call out; none where it was counted."""
        return [each for each in self.standings.values() if each.denies]


def retry_at_us(denying: Sequence[Standing]) -> int | None:
    """When all of these have room, if no other call comes before; None where one never has."""
    moments = [each.until_us for each in denying]
    return None if None in moments else max(moment for moment in moments if moment is not None)


def rule(windows: Mapping[str, CallWindow], asked: Asked, now_us: int) -> Ruling:
    """Decides on a call, and counts it in its windows if it is let through.

    `windows` has one for each key. Where one of them knows a later moment than `now_us`, for clocks of
    several processes differ, the call counts at that: none gets more room by a clock that is behind.
    """
    own = [(limited, windows[limited.key]) for limited in asked.limits]
    at_us = max(now_us, *(window.as_of_us for _, window in own))
    for _, window in own:
        window.move_to(at_us)
    over = [window.used + asked.calls > limited.limit.calls for limited, window in own]
    is_denied = any(
        is_over and not limited.limit.is_shadow for is_over, (limited, _) in zip(over, own, strict=True)
    )
    for is_over, (_, window) in zip(over, own, strict=True):
        if not is_denied and not is_over:
            window.add(asked.calls)
    standings = {
        limited.key: _standing(limited, window, asked.calls if is_over else 0, at_us)
        for is_over, (limited, window) in zip(over, own, strict=True)
    }
    return Ruling(standings, at_us)


def _standing(limited: Limited, window: CallWindow, kept_out: int, at_us: int) -> Standing:
    """`kept_out`: as how many the call counts if it has no room, else 0."""
    most = limited.limit.calls
    frees_us = window.frees_at_us() or at_us
    until_us = window.fits_at_us(most, kept_out, at_us) if kept_out else frees_us
    # Fewer than what was counted are allowed where the file was changed.
    return Standing(limited, bool(kept_out), max(0, most - window.used), until_us)
