"""What contributors are shown of a release, over the wire (R4), and keys that change under way (R6)."""

from pathlib import Path

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from services.chassis.rotation import listed, revoke, rotate
from sluice.licensing.v1 import manifest_service_pb2 as pb
from sluice.licensing.v1 import post_pb2, release_service_pb2
from sluice.licensing.v1.manifest_service_pb2_grpc import ManifestServiceStub
from sluice_gate import VerificationError, load_keys, verify_checkpoint, verify_decision
from sluice_gate.verifying.checkpoints import Log
from sluice_gate.verifying.keys import Keys
from sluice_gate.verifying.manifest_proofs import VerifiedLeaf, manifest_proof_of, verify_manifest_proof
from tests.support.cluster import TRAINING, Cluster, a_post
from tests.support.keys import some_keys

ORIGIN = "localhost/receipts"
FIREHOSE = (PrincipalKind.PIPELINE, "firehose")
HOUR_US = 3_600_000_000
POSTS = [a_post(2**63 + 1, 1, (700, 3), (701, 4)), a_post(102, 2), a_post(103, 1), a_post(104, 5)]


def receipt_keys(folder: Path) -> Keys:
    return load_keys(some_keys(folder).receipt_jwks)


async def shown(
    cluster: Cluster, decision_id: str, subject: int, who: tuple[PrincipalKind, str]
) -> pb.GetManifestProofResponse:
    peer = cluster.licensing.peer(*who, ["trust"])
    request = pb.GetManifestProofRequest(decision_id=decision_id, subject_id=subject)
    return await peer.call(ManifestServiceStub(peer.channel).GetManifestProof, request)


async def verified(
    cluster: Cluster, decision_id: str, subject: int, who: tuple[PrincipalKind, str], keys: Keys
) -> VerifiedLeaf:
    proof = (await shown(cluster, decision_id, subject, who)).proof
    return verify_manifest_proof(manifest_proof_of(proof), subject, keys)


async def test_r4_each_contributor_is_shown_their_own_part_and_can_verify_it(
    cluster: Cluster, tmp_path: Path
) -> None:
    await cluster.opt_out(2)
    decision = await cluster.decide(POSTS)
    keys = receipt_keys(tmp_path)

    posts = {}
    for subject in (1, 3, 4, 5):
        who = (PrincipalKind.SUBJECT, str(subject))
        leaf = await verified(cluster, decision.decision_id, subject, who, keys)
        posts[subject] = leaf.posts
        assert leaf.claims.licensee_id == "acme"

    assert posts == {1: (103, 2**63 + 1), 3: (2**63 + 1,), 4: (2**63 + 1,), 5: (104,)}


@pytest.mark.parametrize("who", [FIREHOSE, (PrincipalKind.OPERATOR, "ada")])
async def test_r4_who_may_know_the_contributors_is_shown_any_of_them(
    cluster: Cluster, who: tuple[PrincipalKind, str], tmp_path: Path
) -> None:
    decision = await cluster.decide(POSTS)

    leaf = await verified(cluster, decision.decision_id, 4, who, receipt_keys(tmp_path))
    with pytest.raises(Refusal) as refused:
        await shown(cluster, decision.decision_id, 19, who)

    assert leaf.posts == (2**63 + 1,)
    assert refused.value.reason == "CONTRIBUTOR_UNKNOWN"


async def test_r4_what_is_not_the_callers_looks_like_what_is_not_there(cluster: Cluster) -> None:
    await cluster.opt_out(2)
    decision = await cluster.decide(POSTS)
    refusals = []
    for decision_id, subject, who in (
        (cluster.new_id(), 1, (PrincipalKind.SUBJECT, "1")),
        (decision.decision_id, 1, (PrincipalKind.SUBJECT, "3")),
        # They were asked for, and not released.
        (decision.decision_id, 2, (PrincipalKind.SUBJECT, "2")),
        (decision.decision_id, 19, (PrincipalKind.SUBJECT, "19")),
        (decision.decision_id, 1, (PrincipalKind.PIPELINE, "another")),
    ):
        with pytest.raises(Refusal) as refused:
            await shown(cluster, decision_id, subject, who)
        refusals.append((refused.value.kind, refused.value.reason, refused.value.message))

    assert set(refusals) == {(Kind.NOT_FOUND, "DECISION_UNKNOWN", "there is no such decision")}


@pytest.mark.parametrize("who", [(PrincipalKind.LICENSEE, "acme"), (PrincipalKind.AUDITOR, "anna")])
async def test_r4_licensees_and_auditors_learn_nothing_about_who_is_in_what_was_received(
    cluster: Cluster, who: tuple[PrincipalKind, str]
) -> None:
    decision = await cluster.decide(POSTS)

    for subject in (1, 19):
        with pytest.raises(Refusal, match="NOT_ADMITTED"):
            await shown(cluster, decision.decision_id, subject, who)


async def test_r4_an_agent_is_shown_the_part_of_those_it_acts_for_alone(
    cluster: Cluster,
) -> None:
    decision = await cluster.decide(POSTS)
    peer = cluster.licensing.peer(PrincipalKind.AGENT, "3", subjects=[1, 19])
    ask = ManifestServiceStub(peer.channel).GetManifestProof

    own = pb.GetManifestProofRequest(decision_id=decision.decision_id, subject_id=1)
    assert (await peer.call(ask, own)).proof.leaf.subject_id == 1
    for other in (3, 19):
        with pytest.raises(Refusal, match="DECISION_UNKNOWN"):
            await peer.call(
                ask, pb.GetManifestProofRequest(decision_id=decision.decision_id, subject_id=other)
            )


async def test_r3_a_decision_as_it_is_answered_is_verified_with_its_request(
    cluster: Cluster, tmp_path: Path
) -> None:
    await cluster.opt_out(2)
    released, denied = await cluster.decide(POSTS), await cluster.decide([a_post(106, 2)])
    await cluster.suspend()
    without_consent = await cluster.decide([a_post(107, 1)])

    for decision, posts in (
        (released, POSTS),
        (denied, [a_post(106, 2)]),
        (without_consent, [a_post(107, 1)]),
    ):
        request = release_service_pb2.DecideRequest(
            request_id=decision.request_id,
            license_id="acme-training",
            purpose=TRAINING,
            posts=post_pb2.PostList(posts=posts),
        )
        assert verify_decision(request, decision, receipt_keys(tmp_path)).claims.number


async def test_r6_keys_are_replaced_while_licensing_runs_and_everything_stays_verifiable(
    cluster: Cluster, tmp_path: Path
) -> None:
    keys, decisions, notes = some_keys(tmp_path), [], []
    for _ in range(3):
        decisions.append(await cluster.decide([POSTS[2]]))
        await cluster.publisher.publish()
        notes.append((tmp_path / "log" / "checkpoint").read_bytes())
        for pair in (keys.receipts, keys.checkpoints):
            rotate(pair, cluster.clock, HOUR_US)
        cluster.clock.advance(60_000_000)

    log = Log(ORIGIN, load_keys(keys.checkpoint_jwks))
    signed_by = [verify_checkpoint(note, log).signed_by for note in notes]
    for decision in decisions:
        await verified(cluster, decision.decision_id, 1, FIREHOSE, receipt_keys(tmp_path))
    assert len({kid for (kid,) in signed_by}) == 3
    assert [verify_checkpoint(note, log).size for note in notes] == [1, 2, 3]


async def test_r6_what_a_stolen_key_signed_since_is_refused_by_who_has_the_keys_of_today(
    cluster: Cluster, tmp_path: Path
) -> None:
    pair = some_keys(tmp_path).receipts
    before = await cluster.decide([POSTS[2]])
    cluster.clock.advance(HOUR_US)
    since_us = cluster.clock.now_us()
    during = await cluster.decide([POSTS[2]])
    (stolen,) = [key.kid for key in listed(pair, since_us)]
    rotate(pair, cluster.clock, HOUR_US)
    revoke(pair, stolen, since_us, cluster.clock.now_us())
    after = await cluster.decide([POSTS[2]])

    keys = receipt_keys(tmp_path)
    leaves = [await verified(cluster, each.decision_id, 1, FIREHOSE, keys) for each in (before, after)]
    with pytest.raises(VerificationError, match="KEY_REVOKED"):
        await verified(cluster, during.decision_id, 1, FIREHOSE, keys)

    assert [leaf.key_is_revoked for leaf in leaves] == [True, False]


async def test_r6_with_a_key_that_has_been_replaced_nothing_is_decided(
    cluster: Cluster, tmp_path: Path
) -> None:
    pair = some_keys(tmp_path).receipts
    old = pair.private.read_bytes()
    rotate(pair, cluster.clock, HOUR_US)
    new = pair.private.read_bytes()

    pair.private.write_bytes(old)
    request_id = cluster.new_id()
    with pytest.raises(Refusal) as refused:
        await cluster.decide(POSTS, request_id)
    pair.private.write_bytes(new)

    assert (refused.value.kind, refused.value.reason) == (Kind.UNAVAILABLE, "KEYS_UNAVAILABLE")
    assert (await cluster.decide(POSTS, request_id)).receipt_number == 1
