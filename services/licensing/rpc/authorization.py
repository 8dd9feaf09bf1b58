"""The door over Envoy's contract of external authorization: translates, asks, translates.

A refusal becomes the answer that Envoy gives its caller, who is to hear what the service itself would say.
To a caller of gRPC or gRPC-Web Envoy passes on the headers that gRPC reads a status from. Any other is sent
the body as it is, which then is a google.rpc.Status in JSON.
"""

import base64
import json
import math
import string
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import grpc
from google.protobuf import json_format
from google.rpc import status_pb2

from gateway import authorization_pb2 as pb
from gateway import authorization_pb2_grpc as pb_grpc
from services.chassis.refusals import Kind, Refusal
from services.chassis.serving import Bolt
from services.chassis.statuses import DETAILS_KEY, to_status
from services.licensing.admitting import API, Admitted, Call, Door

FULL_NAME = "envoy.service.auth.v3.Authorization"
SURFACE = "surface"
"""What a route says of itself by `context_extensions`; one that says nothing is of the API."""
SECOND_US = 1_000_000
GRPC_CONTENT = "application/grpc"
ADDRESS = "x-sluice-address"
"""The caller's, set by the gateway, which removes what callers send under this name."""
TRANSCODED = "x-envoy-original-path"
"""On a call that came in JSON; all else on it is that of a call of gRPC by now."""

_PRINTABLE = " " + string.punctuation.replace("%", "")
_HTTP: Mapping[Kind, int] = {
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.UNAVAILABLE: 503,
}


class AuthorizationServicer(pb_grpc.AuthorizationServicer):
    """`envoy.service.auth.v3.Authorization`."""

    def __init__(self, door: Door, count: Callable[[str], None]) -> None:
        """`count` is told how each check came out: "admitted", or the reason."""
        self._door = door
        self._count = count

    async def Check(self, request: pb.CheckRequest, context: Any) -> pb.CheckResponse:  # noqa: N802
        try:
            admitted = await self._door.admit(call_of(request.attributes))
        except Refusal as refusal:
            self._count(refusal.reason)
            return denied(refusal, is_grpc=_is_grpc(request.attributes))
        self._count("admitted")
        return ok(admitted)


def bolt(door: Door, count: Callable[[str], None]) -> Bolt:
    """The service, ready to be served."""
    servicer = AuthorizationServicer(door, count)
    return Bolt(pb_grpc.add_AuthorizationServicer_to_server, servicer, FULL_NAME)


def call_of(attributes: pb.AttributeContext) -> Call:
    """The call that is asked about; a gateway that sets no `ADDRESS` holds the caller's connection itself."""
    http = attributes.request.http
    of_connection = attributes.source.address.socket_address.address
    return Call(
        path=http.path,
        authorization=http.headers.get("authorization", ""),
        address=http.headers.get(ADDRESS) or of_connection,
        surface=attributes.context_extensions.get(SURFACE, API),
    )


def ok(admitted: Admitted) -> pb.CheckResponse:
    """The call goes on, and filters, logs and limits know whose it is; a stranger has no party."""
    response = pb.CheckResponse(ok_response=pb.OkHttpResponse())
    found = {"kind": admitted.kind, "method": admitted.method, "tier": admitted.tier}
    if admitted.party:
        found |= {"party": admitted.party, "principal": f"{admitted.kind}:{admitted.party}"}
    if admitted.network:
        found["remote_prefix"] = admitted.network
    for name, value in found.items():
        response.dynamic_metadata.fields[name].string_value = value
    return response


def denied(refusal: Refusal, *, is_grpc: bool) -> pb.CheckResponse:
    """The answer that the caller gets; raises a refusal itself that is of no kind given here."""
    if refusal.kind not in _HTTP:
        raise refusal
    status = to_status(refusal)
    if refusal.kind is Kind.NOT_FOUND:
        # As gRPC answers a call that it does not know, and what Envoy makes of 404.
        status.code = grpc.StatusCode.UNIMPLEMENTED.value[0]
    response = pb.CheckResponse(status=status_pb2.Status(code=status.code))
    answer = response.denied_response
    answer.status.code = _HTTP[refusal.kind]
    answer.body = "" if is_grpc else _json(status)
    headers = _grpc_headers(status) if is_grpc else {"content-type": "application/json"}
    if refusal.retry_after_us is not None:
        headers["retry-after"] = str(math.ceil(refusal.retry_after_us / SECOND_US))
    for name, value in headers.items():
        action = pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
        answer.headers.add(header=pb.HeaderValue(key=name, value=value), append_action=action)
    return response


def _is_grpc(attributes: pb.AttributeContext) -> bool:
    headers = attributes.request.http.headers
    return headers.get("content-type", "").startswith(GRPC_CONTENT) and TRANSCODED not in headers


def _json(status: status_pb2.Status) -> str:
    return json.dumps(json_format.MessageToDict(status), separators=(",", ":"), ensure_ascii=False)


def _grpc_headers(status: status_pb2.Status) -> dict[str, str]:
    """The status as gRPC has it on the wire: text percent-encoded, details in base64 without padding."""
    details = base64.b64encode(status.SerializeToString()).decode().rstrip("=")
    message = quote(status.message, safe=_PRINTABLE)
    return {"grpc-status": str(status.code), "grpc-message": message, DETAILS_KEY: details}
