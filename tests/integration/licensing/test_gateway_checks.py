"""The gateway asks licensing about calls: over gRPC, with tokens of the installation, on each engine."""

import base64
import json
from typing import Any
from urllib.parse import unquote

import pytest
from google.rpc import error_details_pb2, status_pb2

from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from services.licensing.domain.doors.tallies import Row, Tallied
from services.licensing.network_counting import NetworkCounter
from services.licensing.network_peer import NetworkPeer
from services.licensing.storage.head import lock_head
from services.licensing.wall_watching import WallWatch
from sluice.licensing.v1 import contract_service_pb2, license_pb2
from sluice.licensing.v1 import wall_service_pb2 as pb
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.metering.v1 import usage_pb2
from sluice.metering.v1 import usage_service_pb2 as usage_service
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub
from tests.support.cluster import Cluster
from tests.support.doors import GET_TOKEN, LIST_LICENSES
from tests.support.walls import a_check, a_lower, a_raise, ask, check, outcome, reads_content

SUSPEND = "/sluice.licensing.v1.ContractService/SuspendLicense"
GRPC = {"content-type": "application/grpc"}


def gateway(cluster: Cluster) -> Peer:
    return cluster.licensing.peer(PrincipalKind.SERVICE, "gateway")


def bearer(cluster: Cluster, kind: PrincipalKind, party: str, *roles: str) -> dict[str, str]:
    return {"authorization": f"Bearer {cluster.licensing.token(kind, party, roles)}"}


async def test_whoever_calls_is_named_to_the_gateway(cluster: Cluster) -> None:
    headers = bearer(cluster, PrincipalKind.LICENSEE, "acme")

    answer = await check(gateway(cluster), a_check(LIST_LICENSES, headers))
    stranger = await check(gateway(cluster), a_check(GET_TOKEN, {}))

    assert answer.status.code == 0
    assert dict(answer.dynamic_metadata.items()) == {
        "kind": "licensee",
        "party": "acme",
        "principal": "licensee:acme",
        "method": LIST_LICENSES,
        "tier": "known",
    }
    assert dict(stranger.dynamic_metadata.items()) == {
        "kind": "stranger",
        "method": GET_TOKEN,
        "tier": "stranger",
        "remote_prefix": "network-203.0.113.0-24",
    }


@pytest.mark.parametrize(
    ("caller", "path", "codes", "reason"),
    [
        ((), LIST_LICENSES, (401, 16), "TOKEN_MISSING"),
        ((PrincipalKind.LICENSEE, "acme"), SUSPEND, (403, 7), "NOT_ADMITTED"),
        ((PrincipalKind.PIPELINE, "firehose"), LIST_LICENSES, (403, 7), "NOT_ADMITTED"),
        # What Envoy makes of 404 for gRPC is UNIMPLEMENTED.
        ((PrincipalKind.OPERATOR, "ada", "admin"), "/nowhere", (404, 12), "ROUTE_UNKNOWN"),
    ],
)
async def test_a_caller_in_json_and_a_caller_of_grpc_hear_the_same(
    cluster: Cluster, caller: tuple[Any, ...], path: str, codes: tuple[int, int], reason: str
) -> None:
    http, code = codes
    headers = bearer(cluster, *caller) if caller else {}
    transcoded = {"x-envoy-original-path": "/v1/x", **GRPC}

    in_json = (await check(gateway(cluster), a_check(path, {**headers, **transcoded}))).denied_response
    in_grpc = (await check(gateway(cluster), a_check(path, {**headers, **GRPC}))).denied_response

    said = json.loads(in_json.body)
    assert (in_json.status.code, in_grpc.status.code, said["code"]) == (http, http, code)
    assert {header.header.key: header.header.value for header in in_json.headers} == {
        "content-type": "application/json"
    }
    told = {header.header.key: header.header.value for header in in_grpc.headers}
    packed = told["grpc-status-details-bin"]
    details = base64.b64decode(packed + "=" * (-len(packed) % 4))
    status, info = status_pb2.Status.FromString(details), error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert said["details"][0]["reason"] == info.reason == reason
    assert said["details"][0]["domain"] == info.domain == "sluice"
    assert said["message"] == status.message == unquote(told["grpc-message"])
    assert in_grpc.body == ""
    assert status.code == int(told["grpc-status"]) == code


async def test_the_door_says_what_the_service_says_itself(cluster: Cluster) -> None:
    peer = cluster.licensing.peer(PrincipalKind.LICENSEE, "acme")
    with pytest.raises(Refusal) as refused:
        await peer.call(
            ContractServiceStub(peer.channel).SuspendLicense,
            contract_service_pb2.SuspendLicenseRequest(license_id="license-1", reason="x"),
        )

    answer = await check(gateway(cluster), a_check(SUSPEND, bearer(cluster, PrincipalKind.LICENSEE, "acme")))

    assert outcome(answer) == refused.value.reason
    assert json.loads(answer.denied_response.body)["message"] == refused.value.message


@pytest.mark.parametrize(
    ("kind", "party"),
    [
        (PrincipalKind.SERVICE, "metering"),
        (PrincipalKind.SERVICE, "licensing"),
        (PrincipalKind.OPERATOR, "gateway"),
        (PrincipalKind.LICENSEE, "gateway"),
    ],
)
async def test_nobody_but_the_gateway_asks_the_door(
    cluster: Cluster, kind: PrincipalKind, party: str
) -> None:
    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await check(cluster.licensing.peer(kind, party, ("admin",)), a_check(LIST_LICENSES, {}))


async def test_a_token_with_control_characters_names_nobody(cluster: Cluster) -> None:
    headers = bearer(cluster, PrincipalKind.LICENSEE, "acme\nkind: operator")

    assert outcome(await check(gateway(cluster), a_check(LIST_LICENSES, headers))) == "TOKEN_INVALID"


async def test_a_token_is_refused_from_its_end_on(cluster: Cluster) -> None:
    headers = bearer(cluster, PrincipalKind.LICENSEE, "acme")
    peer = cluster.licensing.peer_showing(lambda: cluster.licensing.token(PrincipalKind.SERVICE, "gateway"))
    assert outcome(await check(peer, a_check(LIST_LICENSES, headers))) == "admitted"

    cluster.clock.advance(24 * 3_600_000_000)

    assert outcome(await check(peer, a_check(LIST_LICENSES, headers))) == "TOKEN_EXPIRED"


async def test_a_wall_holds_at_once_in_the_process_that_raised_it(cluster: Cluster) -> None:
    peer, now_us = gateway(cluster), cluster.clock.now_us()
    await cluster.task(WallWatch).refresh()
    before = await reads_content(peer)

    await ask(cluster.licensing, "RaiseWall", a_raise(now_us=now_us))
    during = await reads_content(peer)
    subject = await reads_content(peer, cluster.licensing.token(PrincipalKind.SUBJECT, "7"))
    await ask(cluster.licensing, "LowerWall", a_lower(now_us=now_us))

    assert (before, during, subject) == ("admitted", "LOGIN_REQUIRED", "admitted")
    assert await reads_content(peer) == "admitted"


async def test_the_database_gone_shuts_out_anonymous_callers_and_lets_the_api_go_on(
    cluster: Cluster,
) -> None:
    peer, watch = gateway(cluster), cluster.task(WallWatch)
    await watch.refresh()
    await cluster.database.close()

    await watch.hold()

    headers = bearer(cluster, PrincipalKind.LICENSEE, "acme")
    licensee = cluster.licensing.token(PrincipalKind.LICENSEE, "acme")
    subject = cluster.licensing.token(PrincipalKind.SUBJECT, "7")
    assert await reads_content(peer) == "WALL_UNKNOWN"
    assert await reads_content(peer, licensee) == "DATABASE_CLOSED"
    assert await reads_content(peer, subject) == "admitted"
    assert outcome(await check(peer, a_check(LIST_LICENSES, headers))) == "admitted"


async def usage_of(cluster: Cluster, party: str) -> int:
    request = usage_service.QueryUsageRequest(of=usage_pb2.UsageOf(party_id=party))
    answer = await cluster.in_metering(UsageServiceStub, "QueryUsage", request)
    return sum(row.used for row in answer.rows)


async def test_m7_anonymous_calls_are_counted_in_metering_by_network(cluster: Cluster) -> None:
    await cluster.task(WallWatch).refresh()
    for address in (
        "203.0.113.9",
        "::ffff:203.0.113.77",
        "2001:db8:7:1::1",
        "2001:db8:7:2::1",
        "203.0.114.1",
    ):
        assert await reads_content(gateway(cluster), address=address) == "admitted"

    await cluster.task(NetworkCounter).tell()
    await cluster.task(NetworkCounter).tell()

    assert await usage_of(cluster, "network-203.0.113.0-24") == 2
    assert await usage_of(cluster, "network-2001-db8-7-48") == 2
    assert await usage_of(cluster, "network-203.0.114.0-24") == 1


async def test_l4_a_wall_opens_a_tier_to_a_license_until_it_is_suspended(cluster: Cluster) -> None:
    tiers = [pb.WALL_TIER_API, pb.WALL_TIER_RESEARCH]
    await ask(cluster.licensing, "RaiseWall", a_raise(now_us=cluster.clock.now_us(), tiers=tiers))
    token = cluster.licensing.token(PrincipalKind.LICENSEE, "acme")

    # The first license is of the template commercial, which is no tier.
    before = await reads_content(gateway(cluster), token)
    await cluster.license("acme-study", limit=10, template=license_pb2.LICENSE_TEMPLATE_RESEARCH)
    during = await reads_content(gateway(cluster), token)
    await cluster.suspend("acme-study")

    assert (before, during) == ("TIER_CLOSED", "admitted")
    assert await reads_content(gateway(cluster), token) == "TIER_CLOSED"


async def test_changes_of_the_wall_are_numbered_by_the_head(cluster: Cluster) -> None:
    await ask(cluster.licensing, "RaiseWall", a_raise(now_us=cluster.clock.now_us()))

    epoch = (await cluster.database.write(lock_head)).epoch
    number = await cluster.database.read(
        lambda c: c.exec_driver_sql("SELECT next_wall_change FROM head").scalar_one()
    )

    assert (epoch, number) == (1, 2)


async def test_m7_what_is_told_twice_over_the_wire_is_counted_once(cluster: Cluster) -> None:
    licensing = cluster.licensing.token(PrincipalKind.SERVICE, "licensing")
    peer = Peer(cluster.metering_address, lambda: licensing, name="metering")
    tallied = Tallied("network-198.51.100.0-24", cluster.clock.now_us(), 5)
    ours = NetworkPeer(peer, "gateway here, first start", cluster.new_id)
    restarted = NetworkPeer(peer, "gateway here, second start", cluster.new_id)

    told = [await ours.report([Row(1, tallied)]) for _ in range(2)]
    told.append(await restarted.report([Row(1, tallied)]))
    bad = await ours.report([Row(2, tallied), Row(3, Tallied("Not a party", cluster.clock.now_us(), 1))])
    await peer.close()

    assert told == [[""]] * 3
    assert bad == ["", "PARTY_ID_INVALID"]
    assert await usage_of(cluster, "network-198.51.100.0-24") == 15


async def test_no_licensee_is_named_as_networks_are(cluster: Cluster) -> None:
    licensee = license_pb2.Licensee(licensee_id="network-other", display_name="Other")
    request = contract_service_pb2.CreateLicenseeRequest(request_id=cluster.new_id(), licensee=licensee)

    with pytest.raises(Refusal, match="LICENSEE_ID_RESERVED"):
        await cluster.contracts("CreateLicensee", request)
