"""The limit that a window is compared with: as given, else as the license says."""

from dataclasses import dataclass

from services.chassis.refusals import Refusal
from services.console.connections import Connections
from services.console.license_calls import get_license
from sluice.licensing.v1.license_pb2 import AllowanceSubject, License
from sluice.metering.v1.usage_pb2 import UsageOf
from sluice.type.v1 import window_pb2

LOOK_UP_US = 2_000_000
"""In microseconds: nobody waits long for a line in a plot."""
LARGEST = 2**53

_WINDOWS = {
    1_000_000: window_pb2.WINDOW_SECOND,
    60_000_000: window_pb2.WINDOW_MINUTE,
    86_400_000_000: window_pb2.WINDOW_ROLLING_DAY,
}


@dataclass(frozen=True)
class Limit:
    """What is known of a limit."""

    posts: int | None = None
    """None where there is none, and where it could not be looked up."""
    fault: Refusal | None = None
    """Why licensing could not say."""

    def notes(self) -> list[str]:
        """What whoever asked should know, in sentences."""
        if self.fault is None:
            return []
        return [
            "The limit of the license could not be looked up"
            f" ({self.fault.reason}: {self.fault.message}); --limit gives one."
        ]


async def find_limit(
    connections: Connections, of: UsageOf, window: window_pb2.Window | None, given: int | None
) -> Limit:
    """The limit `given`, else that of the license for this window. Licensing's refusals are in the answer."""
    if given is not None or window is None or not of.license_id:
        return Limit(given)
    try:
        license = await get_license(connections, of.license_id, at_most_us=LOOK_UP_US)
    except Refusal as refusal:
        # What was counted is known without licensing.
        return Limit(fault=refusal)
    return Limit(allowed(license, window))


def allowed(license: License, window: window_pb2.Window) -> int | None:
    """Posts that the license allows in such a window for itself; None where it names no limit.

    A limit for the licensee under all its licenses is none of this one's usage.
    """
    for allowance in license.terms.allowances:
        is_own = allowance.per == AllowanceSubject.ALLOWANCE_SUBJECT_LICENSE
        if is_own and allowance.window == window:
            return allowance.limit
    return None


def window_of(us: int) -> window_pb2.Window | None:
    """The window of allowances that is so long; None where there is none."""
    return _WINDOWS.get(us)
