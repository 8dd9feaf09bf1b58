"""Requests to metering as messages."""

from sluice.metering.v1 import metering_service_pb2 as pb
from sluice.metering.v1.access_pb2 import ACCESS_KIND_ACCESS, ContentCount
from sluice.metering.v1.allowance_pb2 import ALLOWANCE_SCOPE_LICENSE, Allowance
from sluice.type.v1.content_pb2 import CONTENT_KIND_POST
from sluice.type.v1.window_pb2 import WINDOW_ROLLING_DAY
from tests.support.metering import an_id


def a_day(limit: int = 1_000_000, id: str = "license-1") -> Allowance:
    """An allowance over a rolling day."""
    return Allowance(scope=ALLOWANCE_SCOPE_LICENSE, id=id, window=WINDOW_ROLLING_DAY, limit=limit)


def posts(n: int) -> ContentCount:
    """Plain posts."""
    return ContentCount(kind=CONTENT_KIND_POST, posts=n)


def a_reserve(n: int = 1, count: int = 1, *allowances: Allowance) -> pb.ReserveRequest:
    """Asks for room for plain posts, in a wide day unless said."""
    return pb.ReserveRequest(
        reservation_id=an_id(n),
        claim=pb.Claim(
            request_key=f"request-{n}",
            party_id="licensee-1",
            license_id="license-1",
            access=ACCESS_KIND_ACCESS,
            counts=[posts(count)],
            allowances=allowances or [a_day()],
        ),
    )
