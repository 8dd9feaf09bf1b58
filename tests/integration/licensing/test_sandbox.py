"""The sandbox: the same license and consent, and nothing of it happens anywhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jwt
import pytest
from sqlalchemy import inspect, text

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal
from sluice.licensing.v1 import post_pb2
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.contract_service_pb2 import (
    CreateLicenseeRequest,
    GetLicenseRequest,
    ListLicensesRequest,
    ListLicenseVersionsRequest,
)
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.key_service_pb2 import ListApiKeysRequest
from sluice.licensing.v1.key_service_pb2_grpc import ApiKeyServiceStub
from sluice.licensing.v1.license_pb2 import Licensee
from sluice.licensing.v1.reason_pb2 import Verdict
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice_gate import Evidence, VerificationError, load_keys, verify_receipt
from sluice_gate.answers import Answer
from sluice_gate.errors import AnswerInvalid
from tests.support.api_keys import LICENSEE, KeyCaller
from tests.support.cluster import TRAINING, Cluster, a_post, licensing_of
from tests.support.keys import some_keys

POSTS = [
    a_post(101, 1),
    a_post(102, 2),
    a_post(103, 3, (700, 2)),
    a_post(0, 1),
    a_post(101, 1),
    a_post(104, 99),
]
LEDGER = {
    "attempts",
    "decisions",
    "manifests",
    "released_columns",
    "open_permits",
    "settlements",
    "confirmations",
    "outbox",
    "head",
}


@pytest.fixture
async def trial(cluster: Cluster) -> Peer:
    return await KeyCaller(cluster).peer(sandbox=True)


def asking(cluster: Cluster, request_id: str | None = None, **fields: Any) -> pb.DecideRequest:
    said: dict[str, Any] = {
        "license_id": "acme-training",
        "purpose": TRAINING,
        "posts": post_pb2.PostList(posts=POSTS),
    }
    return pb.DecideRequest(**({"request_id": request_id or cluster.new_id()} | said | fields))


async def decide(peer: Peer, request: pb.DecideRequest) -> pb.Decision:
    return (await peer.call(ReleaseServiceStub(peer.channel).Decide, request)).decision


async def everything(cluster: Cluster) -> dict[str, Sequence[Any]]:
    """Every row of the ledger, its outbox and its numbers, but for the number of the last change of all."""
    return await cluster.database.read(
        lambda connection: {
            table: [
                [row[name] for name in row if (table, name) != ("head", "number")]
                for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings()
            ]
            for table in inspect(connection).get_table_names()
            if table in LEDGER
        }
    )


async def test_license_and_consent_say_in_the_sandbox_what_they_say_outside(
    cluster: Cluster, trial: Peer
) -> None:
    await cluster.opt_out(2)

    tried, real = await decide(trial, asking(cluster)), await cluster.decide(POSTS)

    assert list(tried.verdicts) == [
        Verdict.VERDICT_RELEASED,
        Verdict.VERDICT_NOT_AVAILABLE,
        Verdict.VERDICT_NOT_AVAILABLE,
        Verdict.VERDICT_NOT_COVERED,
        Verdict.VERDICT_DUPLICATE,
        Verdict.VERDICT_NOT_AVAILABLE,
    ]
    for name in ("verdicts", "outcome", "license_version", "consent_revision", "policy_version"):
        assert getattr(tried, name) == getattr(real, name), name
    assert (tried.sandbox, real.sandbox) == (True, False)


async def test_who_opted_out_and_who_is_unknown_is_not_told_in_the_sandbox(
    cluster: Cluster, trial: Peer
) -> None:
    await cluster.opt_out(2)
    opted_out = asking(cluster, posts=post_pb2.PostList(posts=[a_post(102, 2)]))
    unknown = asking(cluster, posts=post_pb2.PostList(posts=[a_post(102, 99)]))

    told = [await decide(trial, request) for request in (opted_out, unknown, opted_out)]

    assert [each.reasons for each in told] == [b"", b"", b""]
    assert {bytes(each.verdicts) for each in told} == {bytes([Verdict.VERDICT_NOT_AVAILABLE])}


async def test_nothing_of_it_is_in_the_ledger_and_nothing_is_held(cluster: Cluster, trial: Peer) -> None:
    await cluster.decide(POSTS[:1])
    before, held = await everything(cluster), await cluster.holds()
    assert set(before) == LEDGER

    await decide(trial, asking(cluster))
    await cluster.outbox.deliver()

    assert await everything(cluster) == before
    assert await cluster.holds() == held
    assert (await cluster.decide(POSTS[1:2])).receipt_number == 2


async def test_a_license_without_room_has_room_in_the_sandbox(cluster: Cluster, trial: Peer) -> None:
    many = post_pb2.PostList(posts=[a_post(1000 + number, 1) for number in range(20)])

    tried = await decide(trial, asking(cluster, posts=many))

    assert set(tried.verdicts) == {Verdict.VERDICT_RELEASED}


async def test_nothing_can_be_delivered_on_it(cluster: Cluster, trial: Peer) -> None:
    request = asking(cluster)
    tried = await decide(trial, request)

    assert not tried.HasField("not_after")
    assert tried.valid_for.ToMicroseconds() == 0
    assert (tried.receipt_number, tried.reservation_id, tried.delivery.posts_released) == (0, "", 0)
    assert tried.delivery.state == pb.DELIVERY_STATE_NONE
    with pytest.raises(AnswerInvalid) as refused:
        Answer.read(request, tried, sent_us=0)
    assert refused.value.reason == "SANDBOX_KEY"
    assert "sandbox key" in refused.value.message


async def test_its_receipt_is_signed_and_proves_no_release(
    cluster: Cluster, trial: Peer, tmp_path: Path
) -> None:
    request = asking(cluster)
    tried = await decide(trial, request)

    jwks = some_keys(tmp_path).receipt_jwks
    published = jwt.PyJWKSet.from_json(jwks.read_text()).keys[0]
    claims = jwt.decode(tried.receipt, published.key, ["EdDSA"])
    with pytest.raises(VerificationError) as refused:
        verify_receipt(Evidence(tried.receipt, request, tried.verdicts, tried.salt), load_keys(jwks))

    assert jwt.get_unverified_header(tried.receipt)["typ"] == "sluice-sandbox-receipt+json"
    assert [claims[name] for name in ("sandbox", "number", "not_after", "reservation_id")] == [
        True,
        None,
        None,
        None,
    ]
    assert claims["decision_id"] == tried.decision_id

    assert refused.value.reason == "SANDBOX_RECEIPT"
    assert "proves no release" in refused.value.message


async def test_a_repeated_request_gets_the_stored_answer(cluster: Cluster, trial: Peer) -> None:
    request = asking(cluster)
    first = await decide(trial, request)
    await cluster.opt_out(1)
    cluster.clock.advance(60_000_000)

    again = await decide(trial, request)

    assert (first.replayed, again.replayed) == (False, True)
    again.replayed = False
    assert again == first


async def test_a_request_id_with_other_content_is_refused(cluster: Cluster, trial: Peer) -> None:
    request_id = cluster.new_id()
    await decide(trial, asking(cluster, request_id))

    with pytest.raises(Refusal, match="REQUEST_ID_REUSED"):
        await decide(trial, asking(cluster, request_id, posts=post_pb2.PostList(posts=POSTS[:1])))


async def test_a_request_id_of_the_sandbox_is_another_than_the_same_outside(
    cluster: Cluster, trial: Peer
) -> None:
    request_id = cluster.new_id()
    tried = await decide(trial, asking(cluster, request_id))

    real = await cluster.decide(POSTS[:1], request_id)

    assert not real.replayed
    assert real.decision_id != tried.decision_id


async def test_a_suspended_license_is_suspended_in_the_sandbox_too(cluster: Cluster, trial: Peer) -> None:
    await cluster.suspend()

    tried = await decide(trial, asking(cluster, posts=post_pb2.PostList(posts=POSTS[:1])))

    assert list(tried.verdicts) == [Verdict.VERDICT_NOT_COVERED]
    assert tried.outcome == pb.OUTCOME_DENIED


async def test_an_unknown_license_is_unknown_in_the_sandbox_too(cluster: Cluster, trial: Peer) -> None:
    with pytest.raises(Refusal, match="LICENSE_UNKNOWN"):
        await decide(trial, asking(cluster, license_id="another"))


async def test_a_licensee_tries_a_token_out_on_reads_of_their_own_licenses(cluster: Cluster) -> None:
    other = Licensee(licensee_id="other", display_name="Other")
    await cluster.contracts(
        "CreateLicensee", CreateLicenseeRequest(request_id=cluster.new_id(), licensee=other)
    )
    caller = KeyCaller(cluster)
    acme = await caller.peer(kind=LICENSEE, party="acme", sandbox=True)
    stranger = await caller.peer(kind=LICENSEE, party="other", sandbox=True)
    one = GetLicenseRequest(license_id="acme-training")

    read = (await licenses_of(acme, "GetLicense", one)).license
    listed = (await licenses_of(acme, "ListLicenses", ListLicensesRequest())).licenses
    versions = ListLicenseVersionsRequest(license_id="acme-training")
    known = (await licenses_of(acme, "ListLicenseVersions", versions)).versions

    assert [each.license_id for each in (read, *listed)] == ["acme-training"] * 2
    assert [each.version for each in known] == [1]
    assert not (await licenses_of(stranger, "ListLicenses", ListLicensesRequest())).licenses
    for rpc, request in (("GetLicense", one), ("ListLicenseVersions", versions)):
        with pytest.raises(Refusal, match="LICENSE_UNKNOWN"):
            await licenses_of(stranger, rpc, request)


async def licenses_of(peer: Peer, rpc: str, request: Any) -> Any:
    return await peer.call(getattr(ContractServiceStub(peer.channel), rpc), request)


async def test_everything_else_is_closed_to_a_licensee_in_the_sandbox(cluster: Cluster) -> None:
    acme = await KeyCaller(cluster).peer(kind=LICENSEE, party="acme", sandbox=True)
    calls: list[tuple[Any, Any]] = [
        (ApiKeyServiceStub(acme.channel).ListApiKeys, ListApiKeysRequest()),
        (ReleaseServiceStub(acme.channel).Decide, asking(cluster)),
    ]

    for method, request in calls:
        with pytest.raises(Refusal, match="NOT_ADMITTED"):
            await acme.call(method, request)


async def test_everything_else_is_closed_to_the_sandbox(cluster: Cluster, trial: Peer) -> None:
    real = await cluster.decide(POSTS[:1])
    releases, licenses = ReleaseServiceStub(trial.channel), ContractServiceStub(trial.channel)
    calls: list[tuple[Any, Any]] = [
        (releases.ConfirmDelivery, pb.ConfirmDeliveryRequest(decision_id=real.decision_id, delivered=b"\1")),
        (releases.GetDecision, pb.GetDecisionRequest(decision_id=real.decision_id)),
        (licenses.GetLicense, GetLicenseRequest(license_id="acme-training")),
    ]

    refused = []
    for method, request in calls:
        with pytest.raises(Refusal) as refusal:
            await trial.call(method, request)
        refused.append(refusal.value.reason)

    assert refused == ["NOT_ADMITTED"] * 3


async def test_when_consent_is_out_of_reach_nothing_is_answered_or_kept(
    cluster: Cluster, trial: Peer, tmp_path: Path
) -> None:
    """C10."""
    request = asking(cluster)
    url = f"sqlite:///{tmp_path}/alone.db"
    async with licensing_of(cluster, tmp_path, url, consent_target="127.0.0.1:1", peer_deadline_seconds=0.3):
        await cluster.license()
        alone = await KeyCaller(cluster).peer(sandbox=True)
        with pytest.raises(Refusal, match="PEER_UNAVAILABLE"):
            await decide(alone, request)
        kept = await cluster.database.read(
            lambda connection: connection.execute(
                text("SELECT count(*) FROM replays WHERE operation = 'DecideInSandbox'")
            ).scalar_one()
        )

    assert kept == 0
