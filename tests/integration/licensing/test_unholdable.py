"""Input that a database cannot hold is a fault of the request, on either engine, and never of ours."""

from collections.abc import Callable
from typing import Any

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.statistics import Place
from services.licensing.rpc.contracts import page_token
from services.licensing.rpc.statistics import place_token
from sluice.licensing.v1 import contract_service_pb2, delivery_service_pb2, statistics_service_pb2
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.delivery_service_pb2_grpc import DeliveryServiceStub
from sluice.licensing.v1.statistics_service_pb2_grpc import StatisticsServiceStub
from tests.support.cluster import Cluster, a_post
from tests.support.explaining import explain

NUL = "a\0b"
POSTS = [a_post(101, 1)]
CALLS: dict[str, tuple[Callable[[Any], Any], str, Any]] = {
    "counts of a licensee": (
        StatisticsServiceStub,
        "GetDecisionStats",
        statistics_service_pb2.GetDecisionStatsRequest(licensee_id=NUL),
    ),
    "a later page of counts": (
        StatisticsServiceStub,
        "GetDecisionStats",
        statistics_service_pb2.GetDecisionStatsRequest(page_token=place_token(Place(0, NUL, 1))),
    ),
    "differences of a licensee": (
        DeliveryServiceStub,
        "ListDeliveryDifferences",
        delivery_service_pb2.ListDeliveryDifferencesRequest(licensee_id=NUL),
    ),
    "a license": (
        ContractServiceStub,
        "GetLicense",
        contract_service_pb2.GetLicenseRequest(license_id=NUL),
    ),
    "a later page of licenses": (
        ContractServiceStub,
        "ListLicenses",
        contract_service_pb2.ListLicensesRequest(page_token=page_token(NUL)),
    ),
}


@pytest.mark.parametrize(("stub", "method", "request_"), CALLS.values(), ids=CALLS)
async def test_a_read_of_what_no_id_holds_is_refused(
    cluster: Cluster, stub: Callable[[Any], Any], method: str, request_: Any
) -> None:
    peer = cluster.licensing.peer(PrincipalKind.OPERATOR, "ada", ["admin"])

    with pytest.raises(Refusal) as refused:
        await peer.call(getattr(stub(peer.channel), method), request_)

    assert refused.value.kind is Kind.INVALID


async def test_a_decision_and_an_explanation_under_what_no_id_holds_are_refused(cluster: Cluster) -> None:
    for ask in (cluster.decide(POSTS, license_id=NUL), explain(cluster, POSTS, license_id=NUL)):
        with pytest.raises(Refusal, match="INVALID_REQUEST"):
            await ask


@pytest.mark.parametrize(
    ("version", "reason"),
    [(2**31 - 2, "VERSION_UNKNOWN"), (2**31 - 1, "INVALID_REQUEST"), (2**32 - 1, "INVALID_REQUEST")],
)
async def test_a_version_that_no_license_reaches_is_refused(
    cluster: Cluster, version: int, reason: str
) -> None:
    with pytest.raises(Refusal, match=reason):
        await explain(cluster, POSTS, license_version=version)
