"""The highest state that each peer has shown: an answer from before it is not believed (R5).

A peer whose database was restored from an older backup answers as of before. An answer may be older than one
that overtook it on the way, so each is compared with the mark that was taken before its own call was sent.

What a restored peer writes brings its number up again, to changes that are not those that were lost. So one
that was found behind is not believed any more, however high its numbers, until it begins a new epoch, which
only the command does that accepts a restore; or until this process starts again, which forgets that, but not
the mark: processes share it by the head row, with each decision that one of them concludes.
"""

from collections.abc import Awaitable, Callable

import structlog

from services.chassis.refusals import Refusal, unavailable
from services.licensing.domain.answers import BEGINNING, Revision

_log = structlog.get_logger("highest")


class Highest:
    """The highest revision that one peer has shown to this process, or to the ledger before it started."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._shown = BEGINNING
        self.is_behind = False
        """Whether it was found behind, and has begun no new epoch since."""

    def mark(self) -> Revision:
        """What the answer to a call may not be below; to be taken before the call is sent."""
        return self._shown

    def rise(self, to: Revision) -> None:
        """Says that the peer has shown `to`, to this process or to another."""
        # A new epoch is an accepted restore, whoever heard of it first.
        self.is_behind = self.is_behind and to.epoch <= self._shown.epoch
        self._shown = max(self._shown, to)

    def take(self, revision: Revision, mark: Revision) -> Revision:
        """The revision of an answer, which may be believed.

        Raises Refusal (unavailable, PEER_BEHIND) where it is below `mark`, and after such an answer.
        """
        if revision < mark or (self.is_behind and revision.epoch <= self._shown.epoch):
            raise self._behind(revision, mark)
        self.rise(revision)
        return revision

    def _behind(self, revision: Revision, mark: Revision) -> Refusal:
        if not self.is_behind:
            # Once, and not for each call that meets it.
            _log.error(
                "peer_behind",
                peer=self._peer,
                answered=f"{revision.epoch}.{revision.number}",
                shown=f"{mark.epoch}.{mark.number}",
            )
        self.is_behind = True
        return unavailable(
            "PEER_BEHIND",
            f"{self._peer} answered as of an older state than it had shown before:"
            " its database may have been restored",
        )


def rise_both(consent: Highest, metering: Highest) -> Callable[[Revision, Revision], None]:
    """Takes what the two peers have shown to whichever process."""

    def rise(of_consent: Revision, of_metering: Revision) -> None:
        consent.rise(of_consent)
        metering.rise(of_metering)

    return rise


async def begin_with(
    shown: Callable[[], Awaitable[tuple[Revision, Revision]]], consent: Highest, metering: Highest
) -> None:
    """Begins where the ledger left off; `shown` reads what consent and metering had shown to it.

    Raises Refusal (unavailable) where the database cannot be read.
    """
    rise_both(consent, metering)(*await shown())
