"""What metering has of licensing's attempts, for the audit."""

from collections.abc import Mapping, Sequence

from services.chassis.dialing import Peer
from services.licensing.domain.audits.holds import Reservation, ReservationState
from services.licensing.peers import answer_invalid, answered
from sluice.metering.v1 import metering_service_pb2 as pb
from sluice.metering.v1 import metering_service_pb2_grpc as pb_grpc

AT_ONCE = 1_000


class ReservationPeer:
    """Satisfies `auditing.Meter`. All raise what `answered` raises."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub = pb_grpc.MeteringServiceStub(peer.channel)

    async def reservations(self, ids: Sequence[str]) -> Mapping[str, Reservation]:
        """Those of at most a thousand reservations that metering knows."""
        if not ids:
            return {}
        request = pb.GetReservationsRequest(reservation_ids=ids)
        response = await answered("metering", self._peer.call(self._stub.GetReservations, request))
        found = {each.reservation_id: reservation_of(each) for each in response.reservations}
        if not found.keys() <= set(ids):
            raise answer_invalid("metering", "a reservation that it was not asked about")
        return found

    async def page(self, token: str) -> tuple[Sequence[Reservation], str]:
        """The next reservations of all, and the next page's token ("" on the last)."""
        request = pb.ListReservationsRequest(page_size=AT_ONCE, page_token=token)
        response = await answered("metering", self._peer.call(self._stub.ListReservations, request))
        return [reservation_of(each) for each in response.reservations], response.next_page_token


def reservation_of(message: pb.Reservation) -> Reservation:
    """A reservation out of metering's answer. Raises Refusal UNAVAILABLE (PEER_ANSWER_INVALID)."""
    try:
        state = ReservationState(message.state)
    except ValueError as error:
        raise answer_invalid("metering", f"a reservation in state {message.state}") from error
    return Reservation(
        reservation_id=message.reservation_id,
        request_key=message.request_key,
        party_id=message.party_id,
        state=state,
        counted_at_us=message.counted_at.ToMicroseconds() if message.HasField("counted_at") else None,
        reserved=message.posts_reserved,
        settled=message.posts_settled,
        freed=message.posts_freed,
        held=tuple((int(each.kind), each.media_flags, each.posts) for each in message.held),
    )
