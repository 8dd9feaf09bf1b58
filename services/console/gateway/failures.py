"""The errors that the gateway itself answers with, each as the google.rpc.Status that services answer with.

One table for all three ways to call. gRPC and gRPC-Web read the code, and the details as bytes, from
headers; so does the transcoder for those who call in JSON, once a call has become one of gRPC. What ends
before that is answered in JSON as it is.
"""

import base64
from dataclasses import dataclass

from google.rpc import code_pb2, error_details_pb2, status_pb2

DOMAIN = "sluice"


@dataclass(frozen=True)
class Failure:
    """One status of HTTP that Envoy ends a call with, and what callers are told."""

    http: int
    code: int
    """Of google.rpc.Code."""
    reason: str
    message: str

    @property
    def details(self) -> str:
        """grpc-status-details-bin: the google.rpc.Status in base64 without padding."""
        status = status_pb2.Status(code=self.code, message=self.message)
        status.details.add().Pack(error_details_pb2.ErrorInfo(reason=self.reason, domain=DOMAIN))
        return base64.b64encode(status.SerializeToString(deterministic=True)).rstrip(b"=").decode()

    @property
    def body(self) -> dict[str, object]:
        """The google.rpc.Status in JSON."""
        info = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": self.reason,
            "domain": DOMAIN,
        }
        return {"code": self.code, "message": self.message, "details": [info]}


TOKEN_INVALID = Failure(401, code_pb2.UNAUTHENTICATED, "TOKEN_INVALID", "the token is not valid here")
BY_TOKEN = {
    "Jwt_is_missing": Failure(
        401, code_pb2.UNAUTHENTICATED, "TOKEN_MISSING", "the call carries no bearer token"
    ),
    "Jwt_is_expired": Failure(401, code_pb2.UNAUTHENTICATED, "TOKEN_EXPIRED", "the token has expired"),
    # Envoy takes it for a caller that is known and may not, which is 403.
    "Audiences_in_Jwt_are_not_allowed": TOKEN_INVALID,
    "Jwks_remote_fetch_is_failed": Failure(
        503, code_pb2.UNAVAILABLE, "KEYS_UNAVAILABLE", "the keys of the token's issuer are not at hand"
    ),
}
"""By what Envoy notes of a token (jwt_authn); of any other it is TOKEN_INVALID.

In the words of the services: a caller hears the same, whoever has looked at the token.
"""
FORBIDDEN = Failure(
    403, code_pb2.PERMISSION_DENIED, "GATEWAY_FORBIDDEN", "this call is not open to this caller"
)
NOT_CHECKED = Failure(
    503, code_pb2.UNAVAILABLE, "GATEWAY_NOT_CHECKED", "who may call this cannot be looked up now"
)
NOT_COUNTED = Failure(503, code_pb2.UNAVAILABLE, "GATEWAY_NOT_COUNTED", "calls cannot be counted now")
TOO_MANY = Failure(
    429, code_pb2.RESOURCE_EXHAUSTED, "GATEWAY_RATE_LIMITED", "too many calls; try again later"
)
NOT_SPOKEN = Failure(
    501, code_pb2.UNIMPLEMENTED, "GATEWAY_NOT_IMPLEMENTED", "this part of HTTP is not spoken here"
)

BY_STATUS = (
    Failure(400, code_pb2.INVALID_ARGUMENT, "GATEWAY_REQUEST_MALFORMED", "the request cannot be understood"),
    TOKEN_INVALID,
    FORBIDDEN,
    Failure(404, code_pb2.UNIMPLEMENTED, "GATEWAY_NOT_ROUTED", "there is nothing at this path"),
    Failure(408, code_pb2.DEADLINE_EXCEEDED, "GATEWAY_REQUEST_TIMEOUT", "the request took too long to come"),
    Failure(413, code_pb2.RESOURCE_EXHAUSTED, "GATEWAY_BODY_TOO_LARGE", "the body is too large"),
    Failure(415, code_pb2.INVALID_ARGUMENT, "GATEWAY_MEDIA_TYPE", "this path takes gRPC and gRPC-Web alone"),
    Failure(426, code_pb2.INVALID_ARGUMENT, "GATEWAY_PROTOCOL_WRONG", "this version of HTTP is not spoken"),
    TOO_MANY,
    Failure(431, code_pb2.RESOURCE_EXHAUSTED, "GATEWAY_HEADERS_TOO_LARGE", "the headers are too large"),
    NOT_SPOKEN,
    Failure(502, code_pb2.UNAVAILABLE, "GATEWAY_ANSWER_BROKEN", "the service's answer cannot be passed on"),
    Failure(503, code_pb2.UNAVAILABLE, "GATEWAY_UNAVAILABLE", "the service cannot be reached now"),
    Failure(504, code_pb2.DEADLINE_EXCEEDED, "GATEWAY_TIMEOUT", "the service has not answered in time"),
)
OTHER = Failure(500, code_pb2.INTERNAL, "GATEWAY_INTERNAL", "something went wrong at the gateway")
"""For any status that is not in the table: nothing that Envoy says of itself reaches a caller."""
_ALL = (*BY_STATUS, OTHER, NOT_CHECKED, NOT_COUNTED)
FAILURES = tuple(sorted((each for each in _ALL if each is not TOKEN_INVALID), key=lambda each: each.http))
"""Those that no service has, by status; of a token the gateway speaks in the words of the services."""
