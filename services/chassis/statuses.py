"""Refusals as gRPC statuses and back: the only place that knows both.

Details travel as google.rpc.Status in the trailing metadata (AIP-193); metadata is small (8 KiB), so the
list of field violations is cut there, and says so.
"""

from collections.abc import Iterable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from services.chassis.refusals import FieldViolation, Kind, Refusal

DOMAIN = "sluice"
DETAILS_KEY = "grpc-status-details-bin"
MOST_VIOLATIONS = 20
LONGEST_TEXT = 200

_CODES: dict[Kind, grpc.StatusCode] = {
    Kind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Kind.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    Kind.PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    Kind.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    Kind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Kind.EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Kind.ABORTED: grpc.StatusCode.ABORTED,
    Kind.INTERNAL: grpc.StatusCode.INTERNAL,
}
# Statuses that no refusal of ours becomes, but that gRPC itself or a proxy may answer with.
_KINDS: dict[grpc.StatusCode, Kind] = {code: kind for kind, code in _CODES.items()} | {
    grpc.StatusCode.CANCELLED: Kind.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: Kind.UNAVAILABLE,
    grpc.StatusCode.OUT_OF_RANGE: Kind.INVALID,
}


def code_of(kind: Kind) -> grpc.StatusCode:
    """The gRPC status code of a kind of refusal."""
    return _CODES[kind]


def to_status(refusal: Refusal) -> status_pb2.Status:
    """The refusal as google.rpc.Status: ErrorInfo always, BadRequest and RetryInfo where they fit."""
    status = status_pb2.Status(code=_CODES[refusal.kind].value[0], message=refusal.message[:LONGEST_TEXT])
    info = error_details_pb2.ErrorInfo(reason=refusal.reason, domain=DOMAIN, metadata=refusal.metadata)
    status.details.add().Pack(info)
    if refusal.violations:
        status.details.add().Pack(_bad_request(refusal.violations))
    if refusal.retry_after_us is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMicroseconds(refusal.retry_after_us)
        status.details.add().Pack(retry)
    return status


def from_rpc_error(error: grpc.aio.AioRpcError) -> Refusal:
    """The refusal that another server of ours sent, or the one nearest to a status that it did not send.

    A status without our ErrorInfo gets the reason RPC_<CODE> and none of its text, which may be anyone's.
    """
    kind = _KINDS.get(error.code(), Kind.INTERNAL)
    message = "the other side answered with an error of its own"
    return own_refusal(error) or Refusal(kind, f"RPC_{error.code().name}", message)


def own_refusal(error: grpc.aio.AioRpcError) -> Refusal | None:
    """The refusal that another server of ours sent; None where the status is not one of ours."""
    kind = _KINDS.get(error.code(), Kind.INTERNAL)
    status = _details_of(error)
    info = error_details_pb2.ErrorInfo()
    if not _unpack(status.details, info) or info.domain != DOMAIN:
        return None
    bad_request, retry = error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    _unpack(status.details, bad_request)
    return Refusal(
        kind,
        info.reason,
        status.message,
        violations=[FieldViolation(each.field, each.description) for each in bad_request.field_violations],
        retry_after_us=retry.retry_delay.ToMicroseconds() if _unpack(status.details, retry) else None,
        metadata=dict(info.metadata),
    )


def _bad_request(violations: tuple[FieldViolation, ...]) -> error_details_pb2.BadRequest:
    bad_request = error_details_pb2.BadRequest()
    for violation in violations[:MOST_VIOLATIONS]:
        bad_request.field_violations.add(
            field=violation.field[:LONGEST_TEXT], description=violation.description[:LONGEST_TEXT]
        )
    left_out = len(violations) - MOST_VIOLATIONS
    if left_out > 0:
        bad_request.field_violations.add(field="", description=f"and {left_out} more")
    return bad_request


def _details_of(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY:
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                break
    return status_pb2.Status()


def _unpack(details: Iterable[Any], message: Any) -> bool:
    return any(detail.Unpack(message) for detail in details)
