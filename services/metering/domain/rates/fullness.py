"""Which limits are known to have no room, and until when: what it remembers may only deny.

A full window has no room for one call more before its first one leaves, whoever else asks: that moment is
known when the call is denied, and until then nobody has to look again.
"""

from services.metering.domain.rates.limits import Limited
from services.metering.domain.rates.rulings import Asked, Ruling, Standing


class Fullness:
    """Remembers so many limits at most; beyond that it forgets what it has known longest."""

    def __init__(self, most: int) -> None:
        self._most = most
        # By the number of calls too: a limit that was raised has room.
        self._until_us: dict[tuple[str, int], int] = {}

    def __len__(self) -> int:
        return len(self._until_us)

    def learn(self, asked: Asked, ruling: Ruling) -> None:
        """Remembers what has kept out a call."""
        if asked.calls != 1:
            # Room for one may be there long before there is room for several.
            return
        for each in ruling.denying:
            if each.until_us is not None:
                self._remember(each.limited, each.until_us)

    def rule(self, asked: Asked, now_us: int) -> Ruling | None:
        """The denial of a call of which a limit is known to be full at `now_us`; None where none is."""
        standings = {
            limited.key: standing
            for limited in asked.limits
            if (standing := self._full(limited, asked.calls, now_us)) is not None
        }
        return Ruling(standings, now_us) if standings else None

    def _full(self, limited: Limited, calls: int, now_us: int) -> Standing | None:
        limit = limited.limit
        if limit.is_shadow:
            # What was learnt while it was kept denies nothing once it is only tried out.
            return None
        if not limit.calls:
            # Nobody has to remember that, and whoever is shut out like this may call very often.
            return Standing(limited, True, 0, None)
        until_us = self._until_us.get(_place(limited), 0) if calls == 1 else 0
        return Standing(limited, True, 0, until_us) if until_us > now_us else None

    def _remember(self, limited: Limited, until_us: int) -> None:
        # Anew, so that it is the last to be forgotten.
        self._until_us.pop(_place(limited), None)
        self._until_us[_place(limited)] = until_us
        if len(self._until_us) > self._most:
            del self._until_us[next(iter(self._until_us))]


def _place(limited: Limited) -> tuple[str, int]:
    return limited.key, limited.limit.calls
