"""How somebody wants the login wall to stand, as the address of a page says it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration

from services.console.operations.words_licenses import TIERS
from services.console.web.reading import msgid
from sluice.licensing.v1 import wall_service_pb2 as pb

HOUR_SECONDS = 3600
LENGTHS: Mapping[str, str] = {
    "1": msgid("1 hour"),
    "6": msgid("6 hours"),
    "24": msgid("24 hours"),
    "168": msgid("7 days"),
    "": msgid("Until it is lowered"),
}
"""How long it can be raised for: hours, and what they are called."""
NO_LENGTH = msgid("Say how long the wall is to stand.")
NO_TIER = msgid("There is no such tier.")


@dataclass(frozen=True)
class WallWish:
    """A wall that may be raised."""

    hours: str = "1"
    """One of LENGTHS."""
    tiers: tuple[int, ...] = ()
    """Who passes nevertheless, of WallTier, ascending."""
    faults: tuple[str, ...] = ()

    def request(self, request_id: str, reason: str) -> pb.RaiseWallRequest:
        """What licensing is asked for."""
        return pb.RaiseWallRequest(
            request_id=request_id,
            reason=reason,
            lasts=Duration(seconds=int(self.hours) * HOUR_SECONDS) if self.hours else None,
            tiers=self.tiers,  # type: ignore[arg-type]  # an open enum: any number can be sent
        )

    def seen(self, number: int) -> dict[str, object]:
        """What its reader decides upon, who saw the wall after its change of this number."""
        return {"hours": self.hours, "tiers": list(self.tiers), "number": number}


def read_wall(hours: str | None, tiers: Sequence[str]) -> WallWish:
    """What an address says, and a sentence for each thing in it that says nothing."""
    known = {str(number): number for number in TIERS}
    faults = [
        *([NO_LENGTH] if hours not in LENGTHS else []),
        *([NO_TIER] if not set(tiers) <= known.keys() else []),
    ]
    chosen = tuple(sorted({known[tier] for tier in tiers if tier in known}))
    return WallWish(hours if hours in LENGTHS else "1", chosen, tuple(faults))  # type: ignore[arg-type]


def overtakes(last: pb.WallChange, wish: Mapping[str, object], reason: str, by: str) -> bool:
    """Whether somebody has changed the wall since the reader of `wish` saw it.

    One change more, raised by the same operator with the same words, is this very form sent twice: licensing
    knows its request id.
    """
    seen = int(str(wish["number"]))
    is_own = last.raised and last.number == seen + 1 and (last.reason, last.changed_by) == (reason, by)
    return last.number != seen and not is_own
