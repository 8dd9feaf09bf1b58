"""A metering that keeps what accesses it is sent, served on a free port."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc

from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.access_pb2 import SeenAccess
from sluice.type.v1.revision_pb2 import Revision

SERVICE = pb.DESCRIPTOR.services_by_name["UsageService"].full_name
ACCEPTED = pb.ReportOutcome.REPORT_OUTCOME_ACCEPTED
DUPLICATE = pb.ReportOutcome.REPORT_OUTCOME_DUPLICATE
CONFLICT = pb.ReportOutcome.REPORT_OUTCOME_CONFLICT
REJECTED = pb.ReportOutcome.REPORT_OUTCOME_REJECTED


@dataclass
class FakeMetering:
    """Counts each access once by its source and id or line; answers a request that it knows as before."""

    kept: dict[tuple[str, str | bytes], SeenAccess] = field(default_factory=dict)
    displaced: list[pb.DisplacedAccess] = field(default_factory=list)
    """By the first line of each request."""
    answers: dict[str, pb.ReportAccessesResponse] = field(default_factory=dict)
    """By request id."""
    requests: list[pb.ReportAccessesRequest] = field(default_factory=list)
    """As they came, repeated ones included."""
    breaks: set[int] = field(default_factory=set)
    """Of which requests, by their number from 0, the connection breaks before the answer; they are kept."""
    short_by: int = 0
    """Outcomes that an answer lacks."""
    authorization: str = ""

    def handlers(self) -> grpc.GenericRpcHandler:
        """Its one RPC."""
        report = grpc.stream_stream_rpc_method_handler(
            self._report,
            request_deserializer=pb.ReportAccessesRequest.FromString,
            response_serializer=pb.ReportAccessesResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(SERVICE, {"ReportAccesses": report})

    def _report(
        self, requests: Iterator[pb.ReportAccessesRequest], context: Any
    ) -> Iterator[pb.ReportAccessesResponse]:
        self.authorization = dict(context.invocation_metadata())["authorization"]
        for request in requests:
            number = len(self.requests)
            self.requests.append(request)
            if request.request_id not in self.answers:
                self.answers[request.request_id] = self._answer(request)
            if number in self.breaks:
                context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")
            yield self.answers[request.request_id]

    def _answer(self, request: pb.ReportAccessesRequest) -> pb.ReportAccessesResponse:
        answer = pb.ReportAccessesResponse()
        for row in request.rows:
            outcome, reason = self._outcome(row.access)
            answer.outcomes.append(outcome)
            answer.absorbed += row.access.posts if row.access.reservation_id == "known" else 0
            if reason:
                answer.remarks.add(
                    line=row.line, outcome=outcome, reason=reason, message=f"said of {row.line}"
                )
        for displaced in self.displaced:
            reason = "ACCESS_DISPLACED"
            answer.remarks.add(
                line=request.rows[0].line,
                outcome=ACCEPTED,
                reason=reason,
                message="said",
                displaced=displaced,
            )
        answer.displaced_count = len(self.displaced)
        del answer.outcomes[len(answer.outcomes) - self.short_by :]
        answer.revision.CopyFrom(Revision(epoch=1, number=len(self.kept)))
        return answer

    def _outcome(self, access: SeenAccess) -> tuple[pb.ReportOutcome, str]:
        key = (access.source, access.id or access.line_digest)
        if access.party_id.startswith("-"):
            return REJECTED, "PARTY_ID_INVALID"
        if key in self.kept:
            same = self.kept[key] == access
            return (DUPLICATE, "") if same else (CONFLICT, "ACCESS_DIFFERS")
        self.kept[key] = access
        return ACCEPTED, "RESERVATION_UNKNOWN" if access.reservation_id == "unknown" else ""


@contextlib.contextmanager
def served(metering: FakeMetering) -> Iterator[str]:
    """Its address."""
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((metering.handlers(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(grace=None).wait()
