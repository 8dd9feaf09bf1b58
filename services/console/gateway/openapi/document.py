"""The document: every RPC that somebody outside may call over HTTP, and its messages as they are in JSON."""

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from services.console.gateway.failures import FAILURES
from services.console.gateway.openapi.callers import OUTSIDE, callers_of
from services.console.gateway.openapi.image import Contracts
from services.console.gateway.openapi.operations import (
    OF_THE_GATEWAY,
    REFUSALS,
    Operations,
    service_name,
    view,
)
from services.console.gateway.openapi.paths import bindings_of
from services.console.gateway.openapi.rules import Json
from services.console.gateway.openapi.schemas import Schemas

PREFIX = "sluice."
PARAGRAPHS = (
    "The gate in front of a platform's posts. Each RPC of the contracts that callers from outside may "
    "use is here, with its path over HTTP; the same RPCs are served over gRPC and gRPC-Web at the "
    "same address.",
    "**Signing in.** Licensees exchange their API key for a token of some minutes (`POST /v1/token`); "
    "users, agents, operators and auditors have a token of the platform's. Send it as `authorization: "
    "Bearer TOKEN`.",
    "**JSON.** Names are in lower camel case. 64-bit integers are strings, bytes are base64, enums "
    "are names, times are RFC 3339 in UTC, durations are seconds with an `s`. A name in a body that "
    "its message does not have is dropped without an error, so look twice at names that are not "
    "required; in a query it is an error. Where a field is in the path and in the body, the path "
    "counts.",
    "**Errors** have the shape of google.rpc.Status. `details` has a google.rpc.ErrorInfo whose "
    "`domain` is `sluice` and whose `reason` is one of those that the operation lists; act on the "
    "reason and never on the message. Reasons that begin with GATEWAY_ are the gateway's own, and any call "
    "can meet them. Where a reason says when to try again, a google.rpc.RetryInfo "
    "has the time. A denial is no error but an answer.",
    "**Writes** carry a `requestId`, a UUIDv7 of the caller's, or the id of what they are about: the "
    "same again is answered as the first time, so whoever got no answer repeats the call as it was.",
)
VIEWS = {
    "licensee": "What those may call who receive posts. What is not theirs looks like what is not there.",
    "subject": "What users of the platform may call, about themselves alone.",
    "agent": "What those may call who act for the subjects that their token lists.",
    "operator": "What those who run the platform may call; more is open to them over gRPC inside of it.",
    "auditor": "What those may read who check the platform from outside.",
}
_ERROR_SCHEMA = "sluice.Error"


def openapi(image: FileDescriptorSet) -> Json:
    """The document as OpenAPI 3.1.

    `image` has comments (`protoc --include_source_info`). Raises ValueError for what has no words here.
    """
    contracts = Contracts(image)
    schemas = Schemas(contracts)
    operations = Operations(contracts, schemas)
    paths: dict[str, Json] = {}
    services: dict[str, str] = {}
    for method in contracts.methods(PREFIX):
        if not callers_of(method) or method.client_streaming:
            continue
        for number, binding in enumerate(bindings_of(method), start=1):
            paths.setdefault(binding.path, {})[binding.verb] = operations.operation(binding, number)
            services[service_name(method)] = contracts.comment(method.containing_service)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sluice", "version": "v1", "description": "\n\n".join(PARAGRAPHS)},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": _tags(services),
        "paths": paths,
        "x-sluice-gateway-reasons": [
            {"reason": each.reason, "status": each.http, "meaning": each.message} for each in FAILURES
        ],
        "components": _components(schemas),
    }


def _tags(services: dict[str, str]) -> list[Json]:
    views = [{"name": view(kind), "description": VIEWS[kind]} for kind in OUTSIDE.values()]
    return [{"name": name, "description": comment} for name, comment in services.items()] + views


def _components(schemas: Schemas) -> Json:
    refusals = {name: _refusal(meaning) for name, meaning in REFUSALS.values()}
    own = ", ".join(f"{each.reason} ({each.http})" for each in FAILURES)
    refusals[OF_THE_GATEWAY] = _refusal(f"The gateway has ended the call itself, for one of {own}.")
    return {
        "securitySchemes": {
            "token": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "Of some minutes.",
            }
        },
        "responses": refusals,
        "schemas": {**schemas.components(), _ERROR_SCHEMA: ERROR},
    }


def _refusal(meaning: str) -> Json:
    schema = {"$ref": f"#/components/schemas/{_ERROR_SCHEMA}"}
    return {"description": meaning, "content": {"application/json": {"schema": schema}}}


ERROR: Json = {
    "type": "object",
    "description": "google.rpc.Status, as every error has it.",
    "required": ["code", "message"],
    "properties": {
        "code": {
            "type": "integer",
            "format": "int32",
            "description": "The code of gRPC, such as 5 for NOT_FOUND.",
        },
        "message": {"type": "string", "description": "A sentence for people. It may change."},
        "details": {
            "type": "array",
            "description": "google.rpc.ErrorInfo, and BadRequest, QuotaFailure or RetryInfo where they fit.",
            "items": {
                "type": "object",
                "required": ["@type"],
                "properties": {
                    "@type": {
                        "type": "string",
                        "description": "type.googleapis.com/ and the name of the message.",
                    },
                    "reason": {"type": "string", "description": "Of ErrorInfo: why, in UPPER_SNAKE."},
                    "domain": {"type": "string", "description": "Of ErrorInfo: sluice."},
                    "retryDelay": {
                        "type": "string",
                        "description": "Of RetryInfo: how long to wait, such as 1.5s.",
                    },
                },
                "additionalProperties": True,
            },
        },
    },
    "example": {
        "code": 5,
        "message": "there is no such license",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "LICENSE_UNKNOWN",
                "domain": "sluice",
                "metadata": {},
            }
        ],
    },
}
