"""The affiliates desk over gRPC: translates, calls, translates."""

from collections.abc import Iterable
from typing import Any, cast

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.identity import PrincipalKind, current_principal
from services.chassis.replays import replay_key
from services.chassis.serving import Bolt
from services.chassis.timestamps import time_us
from services.licensing.affiliates import AffiliateDesk, unknown_licensee
from services.licensing.domain.affiliates import FOREVER_US, Asked, Stretch
from services.licensing.domain.standings import Affiliate, Standing
from services.licensing.rpc.contracts import page_token, read_page_token
from sluice.licensing.v1 import affiliate_service_pb2 as pb
from sluice.licensing.v1 import affiliate_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.licensing.v1.AffiliateService"
DEFAULT_PAGE_SIZE = 50


class AffiliateServicer(pb_grpc.AffiliateServiceServicer):
    """`sluice.licensing.v1.AffiliateService`."""

    def __init__(self, desk: AffiliateDesk) -> None:
        self._desk = desk

    async def AddAffiliate(self, request: pb.AddAffiliateRequest, context: Any) -> pb.AddAffiliateResponse:  # noqa: N802
        asked = Asked(
            licensee_id=request.licensee_id,
            affiliate_id=request.affiliate_id,
            adds=True,
            since_us=_effective_us(request),
            display_name=request.display_name,
        )
        change = await self._desk.change(asked, replay_key("AddAffiliate", request))
        return pb.AddAffiliateResponse(effective_at=_time(change.since_us), back_dated=change.back_dated)

    async def RemoveAffiliate(  # noqa: N802
        self, request: pb.RemoveAffiliateRequest, context: Any
    ) -> pb.RemoveAffiliateResponse:
        asked = Asked(
            licensee_id=request.licensee_id,
            affiliate_id=request.affiliate_id,
            adds=False,
            since_us=_effective_us(request),
            reason=request.reason,
        )
        change = await self._desk.change(asked, replay_key("RemoveAffiliate", request))
        return pb.RemoveAffiliateResponse(effective_at=_time(change.since_us), back_dated=change.back_dated)

    async def ListAffiliates(  # noqa: N802
        self, request: pb.ListAffiliatesRequest, context: Any
    ) -> pb.ListAffiliatesResponse:
        after, size = read_page_token(request.page_token), request.page_size or DEFAULT_PAGE_SIZE
        _check_own(request.licensee_id)
        found = await self._desk.of_licensee(request.licensee_id)
        shown = [each for each in found.affiliates if _is_shown(each, after, request.include_ended)]
        return pb.ListAffiliatesResponse(
            affiliates=[_message(each) for each in shown[:size]],
            next_page_token=page_token(shown[size - 1].affiliate_id) if len(shown) > size else "",
            licensee_in_group=found.licensee_in_group,
            as_of=_time(found.as_of_us),
        )


def bolt(desk: AffiliateDesk) -> Bolt:
    """The service, ready to be served."""
    return Bolt(pb_grpc.add_AffiliateServiceServicer_to_server, AffiliateServicer(desk), FULL_NAME)


def _check_own(licensee_id: str) -> None:
    caller = current_principal()
    if caller.kind is PrincipalKind.LICENSEE and caller.party != licensee_id:
        raise unknown_licensee()


def _is_shown(affiliate: Affiliate, after: str, include_ended: bool) -> bool:
    has_ended = affiliate.standing is Standing.ENDED
    return affiliate.affiliate_id > after and (include_ended or not has_ended)


def _message(affiliate: Affiliate) -> pb.Affiliate:
    return pb.Affiliate(
        affiliate_id=affiliate.affiliate_id,
        display_name=affiliate.display_name,
        standing=cast(pb.AffiliateStanding, int(affiliate.standing)),
        recorded=_stretches(affiliate.recorded),
        counted=_stretches(affiliate.counted),
        removal_reason=affiliate.removal_reason,
    )


def _stretches(stretches: Iterable[Stretch]) -> list[pb.AffiliateStretch]:
    return [
        pb.AffiliateStretch(
            since=_time(each.since_us), until=None if each.until_us == FOREVER_US else _time(each.until_us)
        )
        for each in stretches
    ]


def _effective_us(request: pb.AddAffiliateRequest | pb.RemoveAffiliateRequest) -> int | None:
    """Rounded down to a microsecond; None where it is unset. Raises Refusal INVALID_REQUEST."""
    return time_us(request.effective_at, "effective_at") if request.HasField("effective_at") else None


def _time(us: int) -> Timestamp:
    time = Timestamp()
    time.FromMicroseconds(us)
    return time
