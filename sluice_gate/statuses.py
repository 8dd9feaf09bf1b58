"""What a gRPC status says, by its ErrorInfo and RetryInfo where there are any (google.rpc)."""

from typing import Any, Protocol

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from sluice_gate.errors import CallRefused

# What may be answered otherwise a moment later. UNKNOWN and INTERNAL are also what a torn connection looks
# like.
_PASSING = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.INTERNAL,
    }
)


class Failed(Protocol):
    """The error of a call, of either of gRPC's two kinds of channels."""

    def code(self) -> grpc.StatusCode:
        """Its status."""
        ...

    def details(self) -> str | None:
        """Its words."""
        ...

    def trailing_metadata(self) -> Any:
        """Pairs of key and value; None where there are none."""
        ...


def refused(error: Failed) -> CallRefused:
    """The error as the gate raises it."""
    reason, retry_after_us = error.code().name, None
    for detail in _details(error):
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            detail.Unpack(info)
            reason = info.reason or reason
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            detail.Unpack(retry)
            retry_after_us = retry.retry_delay.ToMicroseconds()
    return CallRefused(
        reason,
        error.details() or "no answer",
        passing=error.code() in _PASSING,
        retry_after_us=retry_after_us,
    )


def _details(error: Failed) -> list[Any]:
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            try:
                return list(status_pb2.Status.FromString(value).details)
            except DecodeError:
                # Details are for people; a status without readable ones is still a status.
                return []
    return []
