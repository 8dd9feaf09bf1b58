"""Who comes in as a subject or an agent: by tokens of this installation, and of providers elsewhere."""

import time
from typing import Any

import pytest

from services.chassis.identity import PrincipalKind
from sluice.consent.v1.consent_service_pb2 import ListChoiceHistoryRequest
from sluice.licensing.v1.disclosure_service_pb2 import ListSubjectReleasesRequest
from tests.support.forging import Workshop
from tests.support.gateway_callers import Outcome, over_grpc
from tests.support.oidc import ELSEWHERE, claims_elsewhere
from tests.support.through import Through, bearer
from tests.support.through_world import post_of

HISTORY = "/sluice.consent.v1.ConsentService/ListChoiceHistory"
RELEASES = "/sluice.licensing.v1.DisclosureService/ListSubjectReleases"
READS = [(HISTORY, ListChoiceHistoryRequest), (RELEASES, ListSubjectReleasesRequest)]
"""One of a service that the gateway asks licensing about, and one of which it knows by itself."""
LISTED, OTHER = 12, 13
PROVIDERS = {"by a URL": ELSEWHERE, "in a file": f"{ELSEWHERE}/phones"}


def token_elsewhere(shop: Workshop, kid: str = "ec", key: Any = None, **claims: Any) -> str:
    said = claims_elsewhere(shop, sub=str(LISTED), exp=int(time.time()) + 300, **claims)
    return shop.token(shop.header(kid), said, kid=kid, key=key)


def assert_tells_nothing(rpc: str, answers: list[Outcome]) -> None:
    """Of who has posts with licensees, somebody else looks like a person without any."""
    if rpc == HISTORY:
        assert answers == [Outcome(5, "SUBJECT_UNKNOWN")] * 3
    else:
        bodies = [answer.body for answer in answers]
        assert (answers, bodies) == ([Outcome(0)] * 3, [b'{"releases":[],"nextPageToken":""}', b"", b""])


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("rpc", "request_of"), READS)
async def test_a_subject_whose_provider_publishes_its_keys_comes_in_and_sees_only_their_own(
    gateway: Through, shop: Workshop, rpc: str, request_of: Any, provider: str
) -> None:
    shown = bearer(token_elsewhere(shop, iss=PROVIDERS[provider]))

    await gateway.decided(post_of(LISTED), post_of(OTHER))
    own = await gateway.three_ways(rpc, request_of(subject_id=LISTED), shown)
    foreign = await gateway.three_ways(rpc, request_of(subject_id=OTHER), shown)

    assert own == [Outcome(0)] * 3
    assert_tells_nothing(rpc, foreign)


@pytest.mark.parametrize(("rpc", "request_of"), READS)
async def test_an_agent_acts_for_those_that_its_token_lists_and_for_nobody_else(
    gateway: Through, shop: Workshop, rpc: str, request_of: Any
) -> None:
    ours = gateway.shown(PrincipalKind.AGENT, "helper", subjects=[LISTED, 14])
    elsewhere = bearer(token_elsewhere(shop, subjects=[str(LISTED), "14"]))

    for shown in (ours, elsewhere):
        listed = await gateway.three_ways(rpc, request_of(subject_id=LISTED), shown)
        unlisted = await gateway.three_ways(rpc, request_of(subject_id=OTHER), shown)

        assert listed == [Outcome(0)] * 3
        assert_tells_nothing(rpc, unlisted)


@pytest.mark.parametrize(("rpc", "request_of"), READS)
async def test_what_a_provider_did_not_sign_or_for_somebody_else_opens_nothing(
    gateway: Through, shop: Workshop, rpc: str, request_of: Any
) -> None:
    forged = token_elsewhere(shop, kid="ed", key=shop.own)
    for_others = token_elsewhere(shop, aud="somebody-else")
    of_nobody = token_elsewhere(shop, iss="https://elsewhere.example")

    for token in (forged, for_others, of_nobody):
        answers = await gateway.three_ways(rpc, request_of(subject_id=LISTED), bearer(token))
        assert answers == [Outcome(16, "TOKEN_INVALID")] * 3


@pytest.mark.parametrize(
    "rpc",
    [
        "/sluice.licensing.v1.ContractService/ListLicenses",
        "/sluice.licensing.v1.WallService/GetWall",
        "/sluice.metering.v1.UsageService/ListRestores",
        "/sluice.consent.v1.StateService/ListHalts",
    ],
)
async def test_a_provider_elsewhere_makes_nobody_an_operator_or_a_licensee(
    gateway: Through, shop: Workshop, rpc: str
) -> None:
    for kind in ("operator", "licensee", "pipeline", "service"):
        shown = bearer(token_elsewhere(shop, kind=kind, roles=["admin"]))

        answer = await over_grpc(gateway.address, rpc, metadata=shown)

        # metering was told of no provider: it is licensing that knows them, and refuses.
        assert answer == Outcome(7, "NOT_ADMITTED"), kind
