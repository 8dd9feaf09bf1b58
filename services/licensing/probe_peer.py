"""Metering as the counter of what was denied to licensees who ask by post id.

It is counted under a party of each licensee's own, as requests: never against what a license allows, and no
license can raise the limit.
"""

import hashlib

from services.chassis.dialing import Peer
from services.licensing.domain.answers import HoldAnswer
from services.licensing.domain.asking import PROBE_PARTIES
from services.licensing.domain.counts import of_one_kind
from services.licensing.domain.decisions import Asker
from services.licensing.highest import Highest
from services.licensing.peers import answered, counts_message, outcome_of, revision_of
from sluice.metering.v1 import access_pb2, allowance_pb2, metering_service_pb2_grpc
from sluice.metering.v1 import metering_service_pb2 as pb
from sluice.type.v1 import window_pb2

LONGEST_PARTY = 63


class ProbePeer:
    """Satisfies `requesting.Probes`."""

    def __init__(self, peer: Peer, highest: Highest, per_day: int) -> None:
        """`per_day` is how many posts may be denied to one licensee in any 24 hours."""
        self._peer = peer
        self._highest = highest
        self._per_day = per_day
        self._stub = metering_service_pb2_grpc.MeteringServiceStub(peer.channel)

    async def hold(self, probe_id: str, asker: Asker, posts: int) -> HoldAnswer:
        """Holds room for so many denials, all or none; other holds for the request are named as rivals.

        Raises what `answered` raises, and Refusal UNAVAILABLE: PEER_ANSWER_INVALID, PEER_BEHIND.
        """
        claim, mark = self._claim(asker, posts), self._highest.mark()
        if self._highest.is_behind:
            # By a question that writes nothing, as for a release (R5).
            checked = await answered(
                "metering", self._peer.call(self._stub.CheckRoom, pb.CheckRoomRequest(claim=claim))
            )
            self._highest.take(revision_of("metering", checked.revision), mark)
        request = pb.ReserveRequest(reservation_id=probe_id, claim=claim)
        response = await answered("metering", self._peer.call(self._stub.Reserve, request))
        outcome = outcome_of(probe_id, response)
        return HoldAnswer(outcome, self._highest.take(revision_of("metering", response.revision), mark))

    async def cancel(self, probe_id: str) -> None:
        """Frees a hold that was given up. Raises what `answered` raises."""
        await answered(
            "metering", self._peer.call(self._stub.Cancel, pb.CancelRequest(reservation_id=probe_id))
        )

    def _claim(self, asker: Asker, posts: int) -> pb.Claim:
        party = probe_party(asker.principal)
        daily = allowance_pb2.Allowance(
            scope=allowance_pb2.ALLOWANCE_SCOPE_LICENSEE,
            id=party,
            window=window_pb2.WINDOW_ROLLING_DAY,
            limit=self._per_day,
        )
        return pb.Claim(
            request_key=asker.probe_key,
            party_id=party,
            access=access_pb2.ACCESS_KIND_REQUEST,
            counts=counts_message(of_one_kind(posts)),
            allowances=[daily],
        )


def probe_party(licensee_id: str) -> str:
    """Under which party the denials to a licensee are counted; another one for each licensee.

    An id that leaves no room for the prefix is shortened to what its digest tells apart.
    """
    party = PROBE_PARTIES + licensee_id
    if len(party) <= LONGEST_PARTY:
        return party
    return f"{PROBE_PARTIES}{licensee_id[:15]}.{hashlib.sha256(licensee_id.encode()).hexdigest()[:40]}"
