"""What was asked for by post id is found, withdrawn and recalled like everything else that went out."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.licensing.indexing import Indexing
from services.licensing.storage.release_index_writer import ReleaseIndexWriter
from sluice.consent.v1 import state_change_pb2 as changes
from sluice.licensing.v1 import disclosure_service_pb2
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.disclosure_service_pb2_grpc import DisclosureServiceStub
from sluice.licensing.v1.reason_pb2 import Verdict
from sluice_gate import load_keys
from tests.integration.licensing.test_manifest_proofs import verified
from tests.integration.licensing.test_recalls import catch_up, recalled
from tests.support.clock import ManualClock
from tests.support.cluster import Cluster, a_cluster, a_post
from tests.support.directory import Directory, a_directory
from tests.support.engines import urls_on
from tests.support.fences import before_each_conclusion, withdrawn
from tests.support.keys import some_keys

RELEASED, NOT_AVAILABLE = Verdict.VERDICT_RELEASED, Verdict.VERDICT_NOT_AVAILABLE


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    clock = ManualClock()
    async with a_directory(tmp_path, clock, lambda: uuid7(clock.now_us())) as directory:
        await directory.put(*(a_post(100 + author, author) for author in range(1, 11)))
        await directory.put(a_post(120, 2, (700, 1)))
        yield directory


@pytest.fixture
async def cluster(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, directory: Directory
) -> AsyncIterator[Cluster]:
    urls = urls_on(engine, request, tmp_path)
    async with a_cluster(tmp_path, urls=urls, directory_target=directory.address) as cluster:
        await cluster.publish_policy()
        await cluster.know(*range(1, 11))
        await cluster.license(limit=50)
        yield cluster


async def test_w5_who_withdrew_before_the_fence_is_dropped_from_a_request_under_way(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_each_conclusion(monkeypatch, withdrawn(cluster, 2))

    decision = await cluster.request([101, 102, 999])

    assert list(decision.verdicts) == [RELEASED, NOT_AVAILABLE, NOT_AVAILABLE]


async def test_w1_an_opt_out_recalls_what_was_asked_for_by_id_also_where_it_was_embedded(
    cluster: Cluster,
) -> None:
    decision = await cluster.request([101, 120, 103])
    assert decision.outcome == pb.OUTCOME_RELEASED
    await cluster.opt_out(1)

    await catch_up(cluster)

    assert recalled(cluster) == [(1, 101), (1, 120)]


async def test_w4_a_subject_sees_that_their_posts_went_to_whoever_asked_by_id(cluster: Cluster) -> None:
    decision = await cluster.request([101, 999, 120])
    while await Indexing(ReleaseIndexWriter(cluster.database)).advance():
        continue
    subject = cluster.licensing.peer(PrincipalKind.SUBJECT, "1")
    stub = DisclosureServiceStub(subject.channel)

    request = disclosure_service_pb2.ListSubjectReleasesRequest(subject_id=1)
    (release,) = (await subject.call(stub.ListSubjectReleases, request)).releases

    assert (release.decision_id, release.licensee_id) == (decision.decision_id, "acme")
    assert release.post_ids == (101).to_bytes(8, "little") + (120).to_bytes(8, "little")


async def test_r4_a_contributor_can_verify_what_went_to_whoever_asked_by_id(
    cluster: Cluster, tmp_path: Path
) -> None:
    decision = await cluster.request([101, 999, 120])

    keys = load_keys(some_keys(tmp_path).receipt_jwks)
    leaf = await verified(cluster, decision.decision_id, 1, (PrincipalKind.SUBJECT, "1"), keys)

    assert leaf.posts == (101, 120)
    assert (leaf.claims.principal_kind, leaf.claims.consent_revision) == ("licensee", None)


async def test_m3_the_allowances_of_the_license_count_what_was_released_and_nothing_that_was_denied(
    cluster: Cluster,
) -> None:
    await cluster.amend(limit=3)
    await cluster.request([999, 998, 997, 996])

    first = await cluster.request([101, 102, 103])
    second = await cluster.request([104])

    assert first.outcome == pb.OUTCOME_RELEASED
    assert list(second.verdicts) == [Verdict.VERDICT_NO_ROOM]
    assert second.room_denial.limit == 3


DENY = changes.STATE_CHANGE_KIND_DENY
STATES = {
    "a minor": changes.StateChange(subject_id=2, kind=changes.STATE_CHANGE_KIND_MINOR),
    "deactivated": changes.StateChange(subject_id=2, kind=changes.STATE_CHANGE_KIND_DEACTIVATE),
    "suspended": changes.StateChange(subject_id=2, kind=changes.STATE_CHANGE_KIND_SUSPEND),
    "deleted": changes.StateChange(subject_id=2, kind=changes.STATE_CHANGE_KIND_DELETE),
    "protected": changes.StateChange(subject_id=2, kind=changes.STATE_CHANGE_KIND_PROTECT),
    "withheld": changes.StateChange(subject_id=2, kind=changes.STATE_CHANGE_KIND_WITHHELD, countries=["XX"]),
    "the post denied": changes.StateChange(post_id=102, kind=DENY),
    "the post deleted": changes.StateChange(post_id=102, kind=changes.STATE_CHANGE_KIND_DELETE),
}


async def test_whatever_a_person_is_or_chose_a_licensee_is_told_the_same(cluster: Cluster) -> None:
    told = {}
    for state, change in STATES.items():
        await cluster.change_state(change)
        told[state] = without_what_differs(await cluster.request([101, 102]))
        cluster.clock.advance(1)
        await cluster.change_state(undone(change))
        cluster.clock.advance(1)
        assert (await cluster.request([102])).outcome == pb.OUTCOME_RELEASED, state
    told["unknown to the directory"] = without_what_differs(await cluster.request([101, 999]))
    await cluster.opt_out(2)
    told["opted out"] = without_what_differs(await cluster.request([101, 102]))

    assert len(set(told.values())) == 1, told


UNDONE = {
    changes.STATE_CHANGE_KIND_MINOR: changes.STATE_CHANGE_KIND_ADULT,
    changes.STATE_CHANGE_KIND_DEACTIVATE: changes.STATE_CHANGE_KIND_REACTIVATE,
    changes.STATE_CHANGE_KIND_SUSPEND: changes.STATE_CHANGE_KIND_UNSUSPEND,
    changes.STATE_CHANGE_KIND_DELETE: changes.STATE_CHANGE_KIND_UNDELETE,
    changes.STATE_CHANGE_KIND_PROTECT: changes.STATE_CHANGE_KIND_UNPROTECT,
    changes.STATE_CHANGE_KIND_WITHHELD: changes.STATE_CHANGE_KIND_WITHHELD,
    changes.STATE_CHANGE_KIND_DENY: changes.STATE_CHANGE_KIND_UNDENY,
}


def undone(change: changes.StateChange) -> changes.StateChange:
    """What takes it back."""
    back = changes.StateChange(kind=UNDONE[change.kind])
    if change.WhichOneof("target") == "subject_id":
        back.subject_id = change.subject_id
    else:
        back.post_id = change.post_id
    return back


VARYING = (
    "decision_id",
    "request_id",
    "receipt_number",
    "reservation_id",
    "trace_id",
    "receipt",
    "request_key",
)
TIMES = ("decided_at", "not_after", "counted_at")


def without_what_differs(decision: pb.Decision) -> bytes:
    """A decision without ids, times, key and signature, which no two decisions share."""
    for field in (*VARYING, *TIMES):
        decision.ClearField(field)
    return decision.SerializeToString(deterministic=True)
