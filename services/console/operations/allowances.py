"""How much of their allowances licenses have used, asked of metering for a whole page at once (L3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.chassis.dialing import Peer
from services.chassis.refusals import unavailable
from sluice.licensing.v1.license_pb2 import AllowanceSubject, License, LicenseAllowance, LicenseTerms
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.allowance_pb2 import Allowance, AllowanceRoom, AllowanceScope
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub

HIGH_PERCENT = 80
"""From here on `sluice.metering.v1.UsageLevel` calls a window high."""


@dataclass(frozen=True)
class Gauge:
    """One allowance, and what counts in its window now."""

    per: int
    """Of AllowanceSubject."""
    window: int
    """Of Window."""
    limit: int
    used: int
    """Posts that count for good."""
    held: int
    """Posts that may yet be freed."""
    group_id: str = ""
    """The group that is counted as one; "" where it is of none."""

    @property
    def counted(self) -> int:
        """Posts that count now."""
        return self.used + self.held

    @property
    def percent(self) -> int:
        """Of the limit, rounded down; of a limit of nothing it is all."""
        return 100 * self.counted // self.limit if self.limit else 100

    @property
    def level(self) -> str:
        """ "below", "high" or "full"."""
        if self.counted >= self.limit:
            return "full"
        return "high" if self.percent >= HIGH_PERCENT else "below"


async def gauges(metering: Peer, licenses: Sequence[License]) -> Mapping[str, Sequence[Gauge]]:
    """Of each license with allowances, by its id, in the order of its terms; all as of one moment.

    At most 100 licenses. Raises Refusal.
    """
    limited = [license for license in licenses if license.terms.allowances]
    if not limited:
        return {}
    request = pb.GetRoomsRequest(of=[allowed(each.license_id, each.terms) for each in limited])
    answer = await metering.call(UsageServiceStub(metering.channel).GetRooms, request)
    if [len(each.rooms) for each in answer.rooms] != [len(each.terms.allowances) for each in limited]:
        raise unavailable("PEER_ANSWER_INVALID", "metering told of other allowances than it was asked about")
    return {
        license.license_id: list(map(gauge, license.terms.allowances, rooms.rooms))
        for license, rooms in zip(limited, answer.rooms, strict=True)
    }


def allowed(license_id: str, terms: LicenseTerms) -> pb.Allowed:
    """The allowances as metering knows them."""
    ids = {
        AllowanceSubject.ALLOWANCE_SUBJECT_LICENSE: license_id,
        AllowanceSubject.ALLOWANCE_SUBJECT_LICENSEE: terms.licensee_id,
        AllowanceSubject.ALLOWANCE_SUBJECT_GROUP: "",
    }
    limits = [
        # Both enums give the same numbers to the same things.
        Allowance(scope=each.per, id=ids[each.per], window=each.window, limit=each.limit)  # type: ignore[arg-type]
        for each in terms.allowances
    ]
    return pb.Allowed(party_id=terms.licensee_id, license_id=license_id, allowances=limits)


def gauge(limit: LicenseAllowance, room: AllowanceRoom) -> Gauge:
    """One of them."""
    is_of_group = room.allowance.scope == AllowanceScope.ALLOWANCE_SCOPE_GROUP
    return Gauge(
        per=limit.per,
        window=limit.window,
        limit=limit.limit,
        used=room.used,
        held=room.held,
        group_id=room.allowance.id if is_of_group else "",
    )
