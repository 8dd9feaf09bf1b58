"""Checkpoints and proofs as callers get them, verified by the gate, which shares no code with the log."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from sluice.licensing.v1 import log_service_pb2 as pb
from sluice.licensing.v1.log_service_pb2_grpc import LogServiceStub
from sluice_gate.verifying.checkpoints import Log, verify_checkpoint, verify_growth
from sluice_gate.verifying.keys import load_keys
from sluice_gate.verifying.logged import InclusionProof, verify_logged
from tests.support.cluster import Cluster, a_cluster, a_post
from tests.support.engines import urls_on
from tests.support.keys import some_keys

ORIGIN = "localhost/receipts"
OPERATOR = (PrincipalKind.OPERATOR, "ada")
FIREHOSE = (PrincipalKind.PIPELINE, "firehose")
POSTS = [a_post(101, 1)]


@pytest.fixture
async def cluster(request: pytest.FixtureRequest, tmp_path: Path, engine: str) -> AsyncIterator[Cluster]:
    async with a_cluster(tmp_path, urls=urls_on(engine, request, tmp_path)) as cluster:
        await cluster.publish_policy()
        await cluster.know(1)
        await cluster.license()
        yield cluster


async def call(cluster: Cluster, who: tuple[PrincipalKind, str], method: str, request: Any) -> Any:
    peer = cluster.licensing.peer(*who, ["trust"])
    return await peer.call(getattr(LogServiceStub(peer.channel), method), request)


async def inclusion(cluster: Cluster, who: tuple[PrincipalKind, str] = OPERATOR, **fields: Any) -> Any:
    return await call(cluster, who, "GetInclusionProof", pb.GetInclusionProofRequest(**fields))


async def consistency(cluster: Cluster, first: int, second: int = 0) -> Any:
    request = pb.GetConsistencyProofRequest(first=first, second=second)
    return await call(cluster, OPERATOR, "GetConsistencyProof", request)


def the_log(folder: Path) -> Log:
    return Log(ORIGIN, load_keys(some_keys(folder).checkpoint_jwks))


async def test_every_receipt_is_shown_to_be_in_the_log_by_its_decision_and_by_its_number(
    cluster: Cluster, tmp_path: Path
) -> None:
    decisions = [await cluster.decide(POSTS) for _ in range(7)]
    await cluster.publisher.publish()
    receipt_keys = load_keys(some_keys(tmp_path).receipt_jwks)

    for number, decision in enumerate(decisions, 1):
        by_id = await inclusion(cluster, FIREHOSE, decision_id=decision.decision_id)
        by_number = await inclusion(cluster, receipt_number=number)

        proof = InclusionProof(by_id.receipt_number - 1, by_id.tree_size, by_id.hashes)
        logged = verify_logged(
            decision.receipt, proof, by_id.checkpoint.note, the_log(tmp_path), receipt_keys
        )
        assert (logged.decision_id, logged.number) == (decision.decision_id, number)
        assert logged.checkpoint.size == 7
        assert by_number == by_id


async def test_the_log_is_shown_to_have_only_grown(cluster: Cluster, tmp_path: Path) -> None:
    notes = {}
    for size in (1, 2, 3):
        await cluster.decide(POSTS)
        await cluster.publisher.publish()
        subject = (PrincipalKind.SUBJECT, "7")
        newest = (await call(cluster, subject, "GetCheckpoint", pb.GetCheckpointRequest())).checkpoint
        notes[size] = newest.note
        assert newest.size == size
        assert newest.root == verify_checkpoint(newest.note, the_log(tmp_path)).root

    for first in (1, 2, 3):
        proof = await consistency(cluster, first)
        verify_growth(notes[first], notes[3], proof.hashes, the_log(tmp_path))
        assert proof.checkpoint.note == notes[3]


async def test_a_proof_for_an_earlier_tree_comes_with_the_checkpoint_of_that_size(
    cluster: Cluster, tmp_path: Path
) -> None:
    first = await cluster.decide(POSTS)
    await cluster.publisher.publish()
    for _ in range(2):
        await cluster.decide(POSTS)
    await cluster.publisher.publish()

    signed = await inclusion(cluster, decision_id=first.decision_id, tree_size=1)
    unsigned = await inclusion(cluster, decision_id=first.decision_id, tree_size=2)

    assert verify_checkpoint(signed.checkpoint.note, the_log(tmp_path)).size == 1
    assert (unsigned.tree_size, len(unsigned.hashes)) == (2, 1)
    assert not unsigned.HasField("checkpoint")


@pytest.mark.parametrize(
    "who",
    [
        (PrincipalKind.PIPELINE, "another"),
        (PrincipalKind.LICENSEE, "beta"),
        # The name is that of the pipeline that asked; a licensee of that name is someone else.
        (PrincipalKind.LICENSEE, "firehose"),
    ],
)
async def test_what_is_not_yours_looks_like_what_is_not_there(
    cluster: Cluster, who: tuple[PrincipalKind, str]
) -> None:
    decision = await cluster.decide(POSTS)
    await cluster.publisher.publish()
    theirs = await inclusion(cluster, (PrincipalKind.LICENSEE, "acme"), receipt_number=1)

    refusals = []
    for fields in ({"decision_id": decision.decision_id}, {"receipt_number": 1}, {"receipt_number": 2}):
        with pytest.raises(Refusal) as refused:
            await inclusion(cluster, who, **fields)
        refusals.append((refused.value.kind, refused.value.reason, refused.value.message))

    assert theirs.decision_id == decision.decision_id
    assert set(refusals) == {(Kind.NOT_FOUND, "DECISION_UNKNOWN", "there is no such decision")}


async def test_what_is_not_published_yet_is_refused_with_the_time_to_come_back(cluster: Cluster) -> None:
    first = await cluster.decide(POSTS)
    with pytest.raises(Refusal) as before_any:
        await inclusion(cluster, decision_id=first.decision_id)
    with pytest.raises(Refusal, match="CHECKPOINT_UNKNOWN"):
        await inclusion(cluster, decision_id=first.decision_id, tree_size=1)
    await cluster.publisher.publish()
    await cluster.decide(POSTS)

    with pytest.raises(Refusal) as before_its_own:
        await inclusion(cluster, receipt_number=2)

    for refused in (before_any.value, before_its_own.value):
        assert (refused.kind, refused.reason) == (Kind.UNAVAILABLE, "RECEIPT_NOT_LOGGED")
        assert refused.retry_after_us == 1_000_000


async def test_no_proof_is_made_of_what_was_never_published(cluster: Cluster) -> None:
    for _ in range(2):
        await cluster.decide(POSTS)
    await cluster.publisher.publish()
    await cluster.decide(POSTS)

    for size in (1, 3, 2**63 - 1):
        with pytest.raises(Refusal, match="INCLUSION_OUT_OF_RANGE"):
            await inclusion(cluster, receipt_number=2, tree_size=size)
    for first, second in ((0, 0), (3, 0), (2, 1), (1, 3)):
        with pytest.raises(Refusal, match="CONSISTENCY_OUT_OF_RANGE"):
            await consistency(cluster, first, second)


async def test_r5_who_may_know_is_told_which_restores_were_accepted(cluster: Cluster) -> None:
    request = pb.ListRestoresRequest()

    assert not (await call(cluster, OPERATOR, "ListRestores", request)).restores
    for token in ("x", "MDA=", "MA=="):
        with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
            await call(cluster, OPERATOR, "ListRestores", pb.ListRestoresRequest(page_token=token))
    with pytest.raises(Refusal) as refused:
        await call(cluster, FIREHOSE, "ListRestores", request)
    assert refused.value.kind is Kind.FORBIDDEN
