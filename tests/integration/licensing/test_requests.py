"""A licensee asks by post id: decided like any batch, and told without a word about people."""

import contextlib
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.refusals import Kind, Refusal
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.reason_pb2 import Reason, Verdict
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice_gate import LicensingClient, PostServing, VerificationError, load_keys, verify_requested
from tests.support.clock import ManualClock
from tests.support.cluster import TRAINING, Cluster, a_cluster, a_post
from tests.support.directory import Directory, a_directory
from tests.support.engines import urls_on
from tests.support.keys import some_keys
from tests.support.release_jobs import flips

RELEASED, NOT_COVERED = Verdict.VERDICT_RELEASED, Verdict.VERDICT_NOT_COVERED
NOT_AVAILABLE, DUPLICATE = Verdict.VERDICT_NOT_AVAILABLE, Verdict.VERDICT_DUPLICATE


def probes_counted(rows: Connection) -> int:
    return int(rows.exec_driver_sql("SELECT sum(posts) FROM probes").scalar_one())


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    clock = ManualClock()
    async with a_directory(tmp_path, clock, lambda: uuid7(clock.now_us())) as directory:
        await directory.put(*(a_post(100 + author, author) for author in range(1, 11)))
        yield directory


@pytest.fixture
async def cluster(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, directory: Directory
) -> AsyncIterator[Cluster]:
    urls = urls_on(engine, request, tmp_path)
    async with a_cluster(
        tmp_path, urls=urls, directory_target=directory.address, probes_per_day=20
    ) as cluster:
        await cluster.publish_policy()
        await cluster.know(*range(1, 11))
        await cluster.license(limit=10, kinds=[1, 2])
        yield cluster


async def deliver(cluster: Cluster) -> None:
    while await cluster.outbox.deliver():
        continue


def claims_of(decision: pb.Decision) -> dict[str, Any]:
    payload = decision.receipt.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


async def refusal_of(call: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await call
    return refused.value


async def test_each_post_gets_its_verdict_in_the_order_asked(cluster: Cluster, directory: Directory) -> None:
    await cluster.opt_out(3)
    await directory.put(a_post(104, 4, kind=4))

    decision = await cluster.request([101, 103, 999, 104, 102, 101, 0])

    assert list(decision.verdicts) == [
        *(RELEASED, NOT_AVAILABLE, NOT_AVAILABLE, NOT_COVERED, RELEASED, DUPLICATE, NOT_COVERED)
    ]
    assert decision.outcome == pb.OUTCOME_PARTIAL
    assert decision.valid_for.seconds > 0


async def test_operators_see_the_exact_reasons_and_which_post_nobody_knows(cluster: Cluster) -> None:
    await cluster.opt_out(3)
    told = await cluster.request([101, 103, 999])

    seen = await cluster.decision(told.decision_id)

    assert list(seen.reasons) == [
        *(Reason.REASON_RELEASED, Reason.REASON_CHOICE_DENIES, Reason.REASON_POST_UNKNOWN)
    ]
    assert seen.HasField("consent_revision")


async def test_a_licensee_is_told_neither_reasons_nor_the_salt_nor_anything_of_consent(
    cluster: Cluster,
) -> None:
    told = await cluster.request([101, 999])

    again = (
        await cluster.as_licensee("GetDecision", pb.GetDecisionRequest(decision_id=told.decision_id))
    ).decision

    for decision in (told, again):
        assert (decision.reasons, decision.salt, decision.policy_version) == (b"", b"", 0)
        assert not decision.HasField("consent_revision")
    claims = claims_of(told)
    assert [claims[name] for name in ("policy_version", "consent_epoch", "consent_revision")] == [None] * 3
    assert claims["counts"] == {"RELEASED": 1, "NOT_AVAILABLE": 1}


async def test_a_licensee_verifies_the_receipt_with_the_key_they_are_given_and_nobody_else_gets_it(
    cluster: Cluster, tmp_path: Path
) -> None:
    """R3."""
    await cluster.opt_out(3)
    ids, request_id = [101, 103, 999, 101], cluster.new_id()
    asked = pb.RequestReleaseRequest(
        request_id=request_id, license_id="acme-training", purpose=TRAINING, post_ids=ids
    )
    keys = load_keys(some_keys(tmp_path).receipt_jwks)

    told = await cluster.request(ids, request_id)
    again = await cluster.request(ids, request_id)
    read = (
        await cluster.as_licensee("GetDecision", pb.GetDecisionRequest(decision_id=told.decision_id))
    ).decision

    for decision in (told, again, read):
        verified = verify_requested(asked, decision, keys)
        assert verified.released == (True, False, False, False)
        assert verified.each_verdict_is_signed
    assert (await cluster.decision(told.decision_id)).request_key == b""
    own = await cluster.decide([a_post(101, 1)])
    assert (own.request_key, len(own.salt)) == (b"", 32)
    assert "verdicts_digest" not in claims_of(own)


async def test_what_a_licensee_was_told_does_not_verify_with_any_byte_changed(
    cluster: Cluster, tmp_path: Path
) -> None:
    """R3."""
    await cluster.opt_out(3)
    ids, request_id = [101, 103, 999, 102], cluster.new_id()
    told = await cluster.request(ids, request_id)
    keys = load_keys(some_keys(tmp_path).receipt_jwks)
    asked = pb.RequestReleaseRequest(
        request_id=request_id, license_id="acme-training", purpose=TRAINING, post_ids=ids
    )
    moved = told.verdicts[1:] + told.verdicts[:1]
    receipts = [flip.decode() for flip in flips(told.receipt.encode()) if flip.isascii()]
    changes: list[tuple[str, str | bytes]] = [("receipt", each) for each in receipts]
    changes += [("request_key", each) for each in flips(told.request_key)]
    changes += [("verdicts", each) for each in flips(told.verdicts)]
    changes += [("verdicts", moved)]

    believed = []
    for field, value in changes:
        other = pb.Decision()
        other.CopyFrom(told)
        setattr(other, field, value)
        with contextlib.suppress(VerificationError):
            believed.append((field, verify_requested(asked, other, keys)))

    assert moved != told.verdicts
    assert believed == []


async def test_the_stored_answer_comes_again_after_the_directory_has_changed(
    cluster: Cluster, directory: Directory
) -> None:
    request_id = cluster.new_id()
    first = await cluster.request([101, 999], request_id)
    await directory.put(a_post(999, 5), a_post(101, 6))

    again = await cluster.request([101, 999], request_id)

    assert again.replayed
    assert (again.decision_id, again.verdicts, again.receipt) == (
        first.decision_id,
        first.verdicts,
        first.receipt,
    )


async def test_other_ids_under_the_same_request_id_are_refused(cluster: Cluster) -> None:
    request_id = cluster.new_id()
    await cluster.request([101], request_id)

    refused = await refusal_of(cluster.request([102], request_id))

    assert refused.reason == "REQUEST_ID_REUSED"


async def test_another_licensees_license_looks_like_one_that_is_not_there(cluster: Cluster) -> None:
    rival = cluster.licensing.peer(PrincipalKind.LICENSEE, "rival")
    request = pb.RequestReleaseRequest(
        request_id=cluster.new_id(), license_id="acme-training", purpose=TRAINING, post_ids=[101]
    )

    refused = await refusal_of(rival.call(ReleaseServiceStub(rival.channel).RequestRelease, request))

    assert (refused.kind, refused.reason) == (Kind.NOT_FOUND, "LICENSE_UNKNOWN")


async def test_another_licensee_cannot_read_the_decision(cluster: Cluster) -> None:
    told = await cluster.request([101])
    rival = cluster.licensing.peer(PrincipalKind.LICENSEE, "rival")

    request = pb.GetDecisionRequest(decision_id=told.decision_id)
    refused = await refusal_of(rival.call(ReleaseServiceStub(rival.channel).GetDecision, request))

    assert refused.reason == "DECISION_UNKNOWN"


async def test_without_an_active_license_nothing_is_told_of_any_post(cluster: Cluster) -> None:
    await cluster.suspend()

    decision = await cluster.request([101, 999])

    assert list(decision.verdicts) == [NOT_COVERED, NOT_COVERED]


async def test_without_room_nothing_tells_who_has_opted_out_and_nothing_is_counted(
    cluster: Cluster, directory: Directory
) -> None:
    await directory.put(a_post(111, 1))
    await cluster.request(range(101, 106))
    posts = [*range(101, 112), 999]

    await deliver(cluster)
    before = await cluster.request(posts)
    await deliver(cluster)
    await cluster.opt_out(3, 4)
    after = await cluster.request(posts)

    # With 11 posts it could never fit, with 9 it could; and no more than 12 are asked for.
    assert list(before.verdicts) == [Verdict.VERDICT_NO_ROOM] * 12
    assert (after.verdicts, after.room_denial) == (before.verdicts, before.room_denial)
    assert after.room_denial.never_fits
    assert cluster.database.read_now(probes_counted) == 0


async def test_the_pipeline_that_serves_sees_what_was_released_and_confirms_it(cluster: Cluster) -> None:
    told = await cluster.request([999, 101, 102])

    served = await cluster.as_pipeline(
        "GetReleasedPosts", pb.GetReleasedPostsRequest(decision_id=told.decision_id)
    )
    delivery = await cluster.confirm(told.decision_id, bytes([0b110]))

    assert (served.license_id, served.licensee_id, served.posts_asked) == ("acme-training", "acme", 3)
    assert (list(served.positions), list(served.post_ids)) == ([1, 2], [101, 102])
    assert served.valid_for.seconds == 30
    assert not served.is_void
    assert delivery.state == pb.DELIVERY_STATE_CONFIRMED


async def test_operators_and_auditors_see_which_pipeline_confirmed_and_nobody_else_does(
    cluster: Cluster,
) -> None:
    told = await cluster.request([101, 102])
    stranger = cluster.licensing.peer(PrincipalKind.PIPELINE, "stranger")
    confirming = pb.ConfirmDeliveryRequest(decision_id=told.decision_id, delivered=bytes([0]))
    answer = await stranger.call(ReleaseServiceStub(stranger.channel).ConfirmDelivery, confirming)

    # The same from another pipeline is not refused, and the first one stands.
    await cluster.confirm(told.decision_id, bytes([0]))

    reading = pb.GetDecisionRequest(decision_id=told.decision_id)
    auditor = cluster.licensing.peer(PrincipalKind.AUDITOR, "vera")
    audited = (await auditor.call(ReleaseServiceStub(auditor.channel).GetDecision, reading)).decision
    own = (await cluster.as_licensee("GetDecision", reading)).decision
    seen = await cluster.decision(told.decision_id)
    assert [each.delivery.confirmed_by for each in (seen, audited)] == ["pipeline:stranger"] * 2
    assert (answer.delivery.confirmed_by, own.delivery.confirmed_by) == ("", "")


async def test_a_serving_gate_hands_out_what_was_released_and_confirms_what_has_gone(
    cluster: Cluster,
) -> None:
    told = await cluster.request([999, 101, 102])
    token = cluster.licensing.token(PrincipalKind.PIPELINE, "content")
    client = LicensingClient(cluster.licensing.address, lambda: token)
    serving = PostServing(client)

    posts = await serving.open(told.decision_id, "acme")
    may_serve = posts.may_serve()
    delivery = await serving.confirm(posts, [102])
    closed = await serving.open(told.decision_id, "acme")
    await client.close()

    assert (posts.ids, may_serve) == ((101, 102), True)
    assert (delivery.state, delivery.posts_billed) == (pb.DELIVERY_STATE_CONFIRMED, 1)
    assert (closed.ids, closed.may_serve()) == ((), False)


async def test_posts_whose_places_in_the_request_were_never_kept_are_served_to_nobody(
    cluster: Cluster,
) -> None:
    told = await cluster.request([102, 101])
    # As an earlier release left its decisions: with the manifest alone.
    cluster.database.write_now(lambda rows: rows.exec_driver_sql("DELETE FROM released_columns"))

    request = pb.GetReleasedPostsRequest(decision_id=told.decision_id)
    refused = await refusal_of(cluster.as_pipeline("GetReleasedPosts", request))

    assert (refused.kind, refused.reason) == (Kind.PRECONDITION, "RELEASED_ORDER_UNKNOWN")


async def test_what_was_denied_is_served_as_nothing(cluster: Cluster) -> None:
    told = await cluster.request([999])

    request = pb.GetReleasedPostsRequest(decision_id=told.decision_id)

    assert list((await cluster.as_pipeline("GetReleasedPosts", request)).post_ids) == []


async def test_a_permit_that_is_over_is_void_to_the_pipeline_that_would_serve_it(cluster: Cluster) -> None:
    told = await cluster.request([101])
    cluster.clock.advance(31_000_000)

    served = await cluster.as_pipeline(
        "GetReleasedPosts", pb.GetReleasedPostsRequest(decision_id=told.decision_id)
    )

    assert served.is_void
    assert served.valid_for.ToMicroseconds() == 0


async def test_a_pipelines_own_decision_is_served_by_no_other_pipeline(cluster: Cluster) -> None:
    decision = await cluster.decide([a_post(101, 1)])
    another = cluster.licensing.peer(PrincipalKind.PIPELINE, "another")

    request = pb.GetReleasedPostsRequest(decision_id=decision.decision_id)
    refused = await refusal_of(another.call(ReleaseServiceStub(another.channel).GetReleasedPosts, request))

    assert refused.reason == "DECISION_UNKNOWN"


async def test_a_ledger_with_requests_in_it_passes_its_audit(cluster: Cluster) -> None:
    await cluster.opt_out(3)
    await cluster.request([101, 103, 999])
    await deliver(cluster)

    steps = await cluster.audit()

    assert [step.check for step in steps if step.difference_count] == []
