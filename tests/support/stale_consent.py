"""Consent with its guard taken away: a check is answered from the index as it is, however old that may be.

What finds nothing wrong with this program proves nothing about the real one.
"""

import time
from unittest.mock import patch

from services.chassis.serving import run
from services.consent.__main__ import main
from services.consent.domain.changes import Follower
from services.consent.storage.register import SqlRegister

EVERY_SECONDS = 0.3
"""How often the database is read all the same: a cache that others would call fresh."""


class StaleRegister(SqlRegister):
    """Reads the database now and then, whoever asks."""

    _read_at = float("-inf")

    async def follow(self, follower: Follower) -> None:
        """Looks only at the clock."""
        if time.monotonic() - self._read_at >= EVERY_SECONDS:
            self._read_at = time.monotonic()
            await super().follow(follower)


if __name__ == "__main__":
    with patch("services.consent.__main__.SqlRegister", StaleRegister):
        run(main())
