"""What is explained is what would be decided, and asking changes nothing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from services.licensing.domain.reasons import Reason
from sluice.licensing.v1 import contract_service_pb2 as contracts
from sluice.licensing.v1 import license_pb2, post_pb2
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.metering.v1.metering_service_pb2 import CheckRoomRequest, CheckRoomResponse, NoRoom
from tests.support.cluster import SECOND_US, Cluster, a_cluster, a_post, some_terms
from tests.support.explaining import explain

HOUR_US = 3_600 * SECOND_US
LICENSES = ("acme-training", "acme-suspended")


@pytest.fixture
def engine() -> str:
    return "sqlite"


class World:
    """A cluster that lives as long as the module: an allowance of ten posts, of which some are often gone."""

    def __init__(self, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self._context = a_cluster(folder)
        self.cluster: Cluster = self.run(self._context.__aenter__())
        self.run(self._furnish())

    async def _furnish(self) -> None:
        await self.cluster.publish_policy()
        await self.cluster.know(*range(1, 7))
        await self.cluster.know(6, jurisdiction="FR")
        await self.cluster.license(limit=10, languages=["en"], kinds=[1, 2])
        await self.cluster.license("acme-suspended", limit=10)
        await self.cluster.suspend("acme-suspended")
        await self.cluster.opt_out(2)

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    def close(self) -> None:
        self.run(self._context.__aexit__(None, None, None))
        self.runner.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"))
    yield world
    world.close()


@st.composite
def posts(draw: st.DrawFn) -> post_pb2.Post:
    embeds = draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 7)), max_size=2))
    return a_post(
        draw(st.integers(0, 9)),
        draw(st.integers(0, 7)),
        *embeds,
        kind=draw(st.integers(0, 4)),
        language=draw(st.sampled_from(["en", "de"])),
        posted_at=Timestamp(seconds=draw(st.sampled_from([0, 1_600_000_000]))),
    )


@settings(max_examples=60, deadline=None)
@given(
    batch=st.lists(posts(), min_size=1, max_size=6),
    license_id=st.sampled_from(LICENSES),
    purpose=st.sampled_from([2, 2, 5, 99]),
    later_us=st.sampled_from([0, 0, 0, HOUR_US, 30 * HOUR_US]),
)
def test_the_reasons_that_count_are_those_of_the_decision_that_follows_want_of_room_included(
    world: World, batch: list[post_pb2.Post], license_id: str, purpose: int, later_us: int
) -> None:
    world.cluster.clock.advance(later_us)
    fields: dict[str, Any] = {"license_id": license_id, "purpose": purpose}

    told = world.run(explain(world.cluster, batch, **fields))
    decision = world.run(world.cluster.decide(batch, **fields))

    assert told.reasons == decision.reasons
    assert told.room_denial == decision.room_denial
    assert told.license_version == decision.license_version
    if decision.HasField("consent_revision"):
        assert told.consent_revision == decision.consent_revision
        assert told.policy_version == decision.policy_version
    sets = np.frombuffer(told.all_reasons, "<u8")
    assert len(sets) == len(batch)
    assert all(int(each) >> reason & 1 for each, reason in zip(sets, told.reasons, strict=True))


def reasons(told: Any, place: int = 0) -> set[Reason]:
    """All reasons of a post."""
    bits = int(np.frombuffer(told.all_reasons, "<u8")[place])
    return {Reason(number) for number in range(64) if bits >> number & 1}


async def test_a_post_has_all_its_reasons_those_of_consent_too_where_the_license_denies_it_already(
    cluster: Cluster,
) -> None:
    await cluster.license("english-posts", languages=["en"], kinds=[1])
    await cluster.opt_out(2)
    german_reply = a_post(101, 2, language="de", kind=2)

    told = await explain(cluster, [german_reply, a_post(102, 1)], license_id="english-posts")

    assert reasons(told) == {
        Reason.KIND_NOT_LICENSED,
        Reason.LANGUAGE_NOT_LICENSED,
        Reason.CHOICE_DENIES,
    }
    assert told.reasons[0] == Reason.KIND_NOT_LICENSED
    assert reasons(told, 1) == {Reason.RELEASED}


async def test_an_explanation_holds_counts_and_stores_nothing(cluster: Cluster) -> None:
    for _ in range(3):
        told = await explain(cluster, [a_post(n, n) for n in range(1, 11)])

    assert set(told.reasons) == {Reason.RELEASED}
    assert [(each.limit, each.used) for each in told.allowances] == [(10, 0)]
    assert told.allowances[0].allowance == "license acme-training, rolling_day"
    assert await cluster.holds() == []
    assert (await cluster.decide([a_post(1, 1)])).receipt_number == 1


async def test_what_is_held_or_delivered_is_told_as_used(cluster: Cluster) -> None:
    decision = await cluster.decide([a_post(n, n) for n in range(1, 5)])
    await cluster.confirm(decision.decision_id, b"\x03")
    await cluster.decide([a_post(9, 9)])
    await cluster.outbox.deliver()

    told = await explain(cluster, [a_post(n, n) for n in range(1, 11)])

    assert [each.used for each in told.allowances] == [3]
    assert reasons(told) == {Reason.NO_ROOM}


async def test_a_license_is_judged_as_if_it_were_active_where_its_version_is_named(cluster: Cluster) -> None:
    await cluster.suspend()

    as_it_stands = await explain(cluster, [a_post(1, 1)])
    as_if = await explain(cluster, [a_post(1, 1)], license_version=1)

    assert as_it_stands.reasons[0] == Reason.LICENSE_NOT_ACTIVE
    assert as_if.reasons[0] == Reason.RELEASED
    assert as_if.license_state == license_pb2.LICENSE_STATE_SUSPENDED


async def test_an_amendment_is_tried_out_before_it_is_activated_and_counts_from_its_hour(
    cluster: Cluster,
) -> None:
    german = [a_post(1, 1, language="de")]
    license = (
        await cluster.contracts("GetLicense", contracts.GetLicenseRequest(license_id="acme-training"))
    ).license
    amending = contracts.AmendLicenseRequest(
        request_id=cluster.new_id(),
        license_id="acme-training",
        terms=some_terms(languages=["en"]),
        base_digest=license.terms_digest,
    )
    amended = (await cluster.contracts("AmendLicense", amending)).license

    as_it_stands = await explain(cluster, german)
    as_amended = await explain(cluster, german, license_version=2)
    activating = contracts.ActivateLicenseRequest(
        request_id=cluster.new_id(),
        license_id="acme-training",
        version=2,
        terms_digest=amended.next.terms_digest,
    )
    activating.effective_at.FromMicroseconds(cluster.clock.now_us() + HOUR_US)
    await cluster.contracts("ActivateLicense", activating)
    cluster.clock.advance(HOUR_US)
    from_its_hour = await explain(cluster, german)
    decision = await cluster.decide(german)
    as_before = await explain(cluster, german, license_version=1)

    assert (as_it_stands.reasons[0], as_it_stands.license_version) == (Reason.RELEASED, 1)
    assert (as_amended.reasons[0], as_amended.license_version) == (Reason.LANGUAGE_NOT_LICENSED, 2)
    assert (from_its_hour.reasons, from_its_hour.license_version) == (decision.reasons, 2)
    assert (as_before.reasons[0], as_before.license_version) == (Reason.RELEASED, 1)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"license_version": 2}, "VERSION_UNKNOWN"),
        ({"license_version": 2**32 - 1}, "INVALID_REQUEST"),
        ({"license_id": "not-there"}, "LICENSE_UNKNOWN"),
        ({"purpose": 0}, "PURPOSE_UNSPECIFIED"),
        ({"columns": post_pb2.PostColumns(embed_offsets=bytes(4))}, "EMPTY_BATCH"),
        ({"license_id": ""}, "INVALID_REQUEST"),
    ],
)
async def test_a_fault_of_the_envelope_is_refused(
    cluster: Cluster, fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refusal, match=reason):
        await explain(cluster, [a_post(1, 1)], **fields)


@pytest.mark.parametrize("kind", [PrincipalKind.LICENSEE, PrincipalKind.AUDITOR, PrincipalKind.SUBJECT])
async def test_who_may_not_know_exact_reasons_is_not_told_them(cluster: Cluster, kind: PrincipalKind) -> None:
    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await explain(cluster, [a_post(1, 1)], kind)


@pytest.mark.parametrize(
    "lie",
    [
        CheckRoomResponse(posts_that_fit=1),
        CheckRoomResponse(posts_that_fit=0),
        CheckRoomResponse(posts_that_fit=2, no_room=NoRoom(used=1)),
    ],
    ids=["some", "none for no reason", "all and yet none"],
)
async def test_a_metering_that_says_neither_yes_nor_no_explains_nothing(
    cluster: Cluster, lie: CheckRoomResponse, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Peer.call

    async def answer(peer: Any, method: Any, request: Any, **keywords: Any) -> Any:
        return lie if isinstance(request, CheckRoomRequest) else await call(peer, method, request, **keywords)

    monkeypatch.setattr(Peer, "call", answer)

    with pytest.raises(Refusal, match="PEER_ANSWER_INVALID"):
        await explain(cluster, [a_post(1, 1), a_post(2, 2)])


async def test_a_decision_made_meanwhile_is_not_disturbed(cluster: Cluster) -> None:
    request_id = cluster.new_id()
    first = await cluster.decide([a_post(1, 1)], request_id)

    await explain(cluster, [a_post(1, 1)])
    again = await cluster.decide([a_post(1, 1)], request_id)

    assert (again.receipt, again.outcome) == (first.receipt, pb.OUTCOME_RELEASED)
