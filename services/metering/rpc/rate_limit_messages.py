"""What the gateway asks and is told, as its contract has it."""

import base64
from collections.abc import Sequence

from google.protobuf import json_format

from gateway import rate_limit_pb2 as pb
from services.chassis.refusals import Kind, Refusal
from services.chassis.statuses import DETAILS_KEY, to_status
from services.metering.domain.rates.callers import by_prefix
from services.metering.domain.rates.limits import Descriptor
from services.metering.domain.rates.rulings import Standing, retry_at_us
from services.metering.domain.windows import SECOND_US
from services.metering.limiter import Answer


def descriptors_of(request: pb.RateLimitRequest) -> list[Descriptor]:
    """What a call is counted by; callers without a name by the network that they come from."""
    return [
        by_prefix(tuple((entry.key, entry.value) for entry in descriptor.entries))
        for descriptor in request.descriptors
    ]


def answer_message(answer: Answer) -> pb.RateLimitResponse:
    """Whether there is room, how each limit stands, and what a caller is told who is kept out."""
    over = pb.RateLimitResponse.OVER_LIMIT
    told = pb.RateLimitResponse(
        overall_code=over if answer.denying else pb.RateLimitResponse.OK,
        statuses=[_status(each, answer.now_us) for each in answer.standings],
    )
    if answer.denying:
        refusal = rate_limited(answer.denying, answer.now_us)
        status = to_status(refusal)
        told.raw_body = json_format.MessageToJson(status, indent=None).encode()
        # Callers of gRPC get no body; binary headers have no padding (gRPC over HTTP/2).
        details = base64.b64encode(status.SerializeToString()).decode().rstrip("=")
        told.response_headers_to_add.add(key=DETAILS_KEY, value=details)
        if refusal.retry_after_us is not None:
            # Whole seconds (RFC 9110, 10.2.3), rounded up: whoever comes back then finds room.
            seconds = -(-refusal.retry_after_us // SECOND_US)
            told.response_headers_to_add.add(key="retry-after", value=str(seconds))
    return told


def rate_limited(denying: Sequence[Standing], now_us: int) -> Refusal:
    """What the caller is told of limits that have no room; with no time to retry where one never has."""
    names = ", ".join(dict.fromkeys(each.limited.limit.name for each in denying))
    at_us = retry_at_us(denying)
    when = "try again later" if at_us is not None else "this call is more than it ever allows"
    return Refusal(
        Kind.EXHAUSTED,
        "RATE_LIMITED",
        f"too many calls; {when}",
        retry_after_us=None if at_us is None else max(0, at_us - now_us),
        metadata={"limits": names},
    )


def _status(standing: Standing | None, now_us: int) -> pb.RateLimitResponse.DescriptorStatus:
    if standing is None:
        return pb.RateLimitResponse.DescriptorStatus(code=pb.RateLimitResponse.OK)
    limit = standing.limited.limit
    told = pb.RateLimitResponse.DescriptorStatus(
        code=pb.RateLimitResponse.OVER_LIMIT if standing.denies else pb.RateLimitResponse.OK,
        current_limit=pb.RateLimitResponse.RateLimit(
            name=limit.name, requests_per_unit=limit.calls, unit=limit.unit.name
        ),
        limit_remaining=standing.left,
    )
    if standing.until_us is not None:
        told.duration_until_reset.FromMicroseconds(max(0, standing.until_us - now_us))
    return told
