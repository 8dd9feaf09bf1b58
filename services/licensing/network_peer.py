"""How metering hears of anonymous calls: as accesses that were seen at the gateway (M7)."""

import asyncio
from collections.abc import Callable, Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.dialing import Peer
from services.chassis.refusals import unavailable
from services.licensing.domain.doors.tallies import Row
from services.licensing.peers import answer_invalid, answered
from sluice.metering.v1 import access_pb2, usage_service_pb2_grpc
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.type.v1 import content_pb2

PATIENCE_SECONDS = 5.0
"""For the answer to a page."""
_COUNTED = frozenset({pb.REPORT_OUTCOME_ACCEPTED, pb.REPORT_OUTCOME_DUPLICATE})


class NetworkPeer:
    """Metering, told how often networks have called."""

    def __init__(self, peer: Peer, source: str, new_id: Callable[[], str]) -> None:
        """`source` is this process and this start of it alone: the ids of rows are told apart by it."""
        self._peer = peer
        self._stub = usage_service_pb2_grpc.UsageServiceStub(peer.channel)
        self._source = source
        self._new_id = new_id

    async def report(self, rows: Sequence[Row]) -> Sequence[str]:
        """Tells a page of rows; why each was not counted, "" where it was, now or before.

        Raises what `answered` raises, and Refusal UNAVAILABLE: PEER_UNAVAILABLE, PEER_ANSWER_INVALID.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await answered("metering", self._send(rows))
        except TimeoutError as error:
            raise unavailable("PEER_UNAVAILABLE", "metering did not answer") from error
        if len(answer.outcomes) != len(rows):
            raise answer_invalid("metering", f"{len(answer.outcomes)} outcomes for {len(rows)} accesses")
        said = {remark.line: remark.reason for remark in answer.remarks}
        return [
            "" if outcome in _COUNTED else said.get(row.id) or "NOT_SAID"
            for row, outcome in zip(rows, answer.outcomes, strict=True)
        ]

    async def _send(self, rows: Sequence[Row]) -> pb.ReportAccessesResponse:
        page = pb.ReportAccessesRequest(request_id=self._new_id(), rows=[self._row(row) for row in rows])
        async with self._peer.open(self._stub.ReportAccesses) as stream:
            await stream.send(page)
            answer = await stream.receive()
            await stream.finish()
            return answer

    def _row(self, row: Row) -> pb.ReportAccessesRequest.Row:
        accessed_at = Timestamp()
        accessed_at.FromMicroseconds(row.tallied.since_us)
        access = access_pb2.SeenAccess(
            source=self._source,
            id=str(row.id),
            party_id=row.tallied.network,
            accessed_at=accessed_at,
            access=access_pb2.ACCESS_KIND_VIEW,
            kind=content_pb2.CONTENT_KIND_POST,
            posts=row.tallied.calls,
        )
        return pb.ReportAccessesRequest.Row(line=row.id, access=access)
