"""Countersignatures over gRPC."""

from typing import Any

from services.chassis.identity import current_principal
from services.chassis.refusals import invalid
from services.chassis.serving import Bolt
from services.licensing.countersigning import Countersigning
from services.licensing.domain.countersignatures import Countersignature, Difference
from services.licensing.rpc.contracts import own_licensee, page_token, read_page_token
from sluice.licensing.v1 import delivery_service_pb2 as pb
from sluice.licensing.v1 import delivery_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.licensing.v1.DeliveryService"
DEFAULT_PAGE_SIZE = 100
LARGEST_NUMBER = 2**63 - 1
"""Receipts are numbered with 64 bits in the database."""


class DeliveryServicer(pb_grpc.DeliveryServiceServicer):
    """`sluice.licensing.v1.DeliveryService`."""

    def __init__(self, countersigning: Countersigning) -> None:
        self._countersigning = countersigning

    async def CountersignDelivery(  # noqa: N802
        self, request: pb.CountersignDeliveryRequest, context: Any
    ) -> pb.CountersignDeliveryResponse:
        """What a licensee received, as they say."""
        licensee_id = current_principal().party
        stands = await self._countersigning.countersign(
            request.decision_id, licensee_id, request.posts_received
        )
        return pb.CountersignDeliveryResponse(countersignature=countersignature_message(stands))

    async def ListDeliveryDifferences(  # noqa: N802
        self, request: pb.ListDeliveryDifferencesRequest, context: Any
    ) -> pb.ListDeliveryDifferencesResponse:
        """A page of differences."""
        size, own = request.page_size or DEFAULT_PAGE_SIZE, own_licensee()
        if own and request.licensee_id not in {"", own}:
            # What is not theirs looks like what is not there.
            return pb.ListDeliveryDifferencesResponse()
        # One more than asked for tells whether there is a next page.
        found = await self._countersigning.differences(
            own or request.licensee_id or None, number_of(request.page_token), size + 1
        )
        page = [difference_message(difference) for difference in found[:size]]
        last = page[-1].countersignature.receipt_number if len(found) > size else 0
        return pb.ListDeliveryDifferencesResponse(
            differences=page, next_page_token=page_token(str(last)) if last else ""
        )


def bolt(countersigning: Countersigning) -> Bolt:
    """The service, ready to be served."""
    servicer = DeliveryServicer(countersigning)
    return Bolt(pb_grpc.add_DeliveryServiceServicer_to_server, servicer, FULL_NAME)


def number_of(token: str) -> int:
    """The receipt number after which the page begins, 0 for the first; raises Refusal PAGE_TOKEN_INVALID."""
    text = read_page_token(token) or "0"
    # A number can be written in many ways, of which answers use one.
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and int(text) <= LARGEST_NUMBER):
        raise invalid("PAGE_TOKEN_INVALID", "this is no token of an earlier page", field="page_token")
    return int(text)


def countersignature_message(countersignature: Countersignature) -> pb.Countersignature:
    """What a licensee said."""
    message = pb.Countersignature(
        decision_id=countersignature.decision_id,
        receipt_number=countersignature.number,
        licensee_id=countersignature.licensee_id,
        posts_received=countersignature.posts,
    )
    message.countersigned_at.FromMicroseconds(countersignature.countersigned_at_us)
    return message


def difference_message(difference: Difference) -> pb.DeliveryDifference:
    """Two accounts of one delivery."""
    message = pb.DeliveryDifference(
        countersignature=countersignature_message(difference.countersignature),
        license_id=difference.license_id,
        posts_released=difference.posts_released,
        posts_billed=difference.posts_billed,
    )
    if difference.confirmed_at_us is not None:
        message.confirmed_at.FromMicroseconds(difference.confirmed_at_us)
    return message
