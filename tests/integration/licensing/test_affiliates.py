"""Affiliates with a real metering: who is added is counted together, wherever the way there breaks off."""

from collections.abc import Callable
from typing import Any

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal, unavailable
from services.licensing.peers import RosterPeer
from services.licensing.storage.affiliates import AffiliateStore
from sluice.licensing.v1 import affiliate_service_pb2 as pb
from sluice.licensing.v1.affiliate_service_pb2_grpc import AffiliateServiceStub
from sluice.metering.v1 import metering_service_pb2 as metering_pb
from sluice.metering.v1 import party_service_pb2 as party_pb
from sluice.metering.v1.access_pb2 import ACCESS_KIND_ACCESS, ContentCount
from sluice.metering.v1.allowance_pb2 import ALLOWANCE_SCOPE_GROUP, Allowance
from sluice.metering.v1.metering_service_pb2_grpc import MeteringServiceStub
from sluice.metering.v1.party_pb2 import Party
from sluice.metering.v1.party_service_pb2_grpc import PartyServiceStub
from sluice.type.v1.content_pb2 import CONTENT_KIND_POST
from sluice.type.v1.window_pb2 import WINDOW_ROLLING_DAY
from tests.support.cluster import SECOND_US, Cluster

LEGAL = (PrincipalKind.OPERATOR, "ann", ("legal",))
Standing = pb.AffiliateStanding


async def call(cluster: Cluster, method: str, request: Any, who: tuple[Any, ...] = LEGAL) -> Any:
    peer = cluster.licensing.peer(*who)
    return await peer.call(getattr(AffiliateServiceStub(peer.channel), method), request)


def adding(cluster: Cluster, affiliate_id: str = "lab", at_us: int | None = None) -> pb.AddAffiliateRequest:
    request = pb.AddAffiliateRequest(
        request_id=cluster.new_id(), licensee_id="acme", affiliate_id=affiliate_id, display_name="Acme Labs"
    )
    if at_us is not None:
        request.effective_at.FromMicroseconds(at_us)
    return request


def removing(cluster: Cluster, affiliate_id: str = "lab") -> pb.RemoveAffiliateRequest:
    return pb.RemoveAffiliateRequest(
        request_id=cluster.new_id(), licensee_id="acme", affiliate_id=affiliate_id, reason="sold"
    )


async def listed(cluster: Cluster, **fields: Any) -> dict[str, str]:
    request = pb.ListAffiliatesRequest(licensee_id="acme", **fields)
    page = await call(cluster, "ListAffiliates", request)
    return {each.affiliate_id: pb.AffiliateStanding.Name(each.standing)[19:] for each in page.affiliates}


@pytest.mark.parametrize("nanos", [-5, 2_000_000_000])
async def test_a_change_at_what_is_no_time_is_refused(cluster: Cluster, nanos: int) -> None:
    request = adding(cluster, at_us=cluster.clock.now_us())
    request.effective_at.nanos = nanos

    with pytest.raises(Refusal, match="INVALID_REQUEST"):
        await call(cluster, "AddAffiliate", request)
    assert await listed(cluster) == {}


async def reserved(cluster: Cluster, party_id: str, posts: int) -> metering_pb.ReserveResponse:
    """What metering says to so many posts for a party whose group may have ten a day."""
    request = metering_pb.ReserveRequest(
        reservation_id=cluster.new_id(),
        claim=metering_pb.Claim(
            request_key=cluster.new_id(),
            party_id=party_id,
            license_id=f"{party_id}-training",
            access=ACCESS_KIND_ACCESS,
            counts=[ContentCount(kind=CONTENT_KIND_POST, posts=posts)],
            allowances=[Allowance(scope=ALLOWANCE_SCOPE_GROUP, window=WINDOW_ROLLING_DAY, limit=10)],
        ),
    )
    response: metering_pb.ReserveResponse = await cluster.in_metering(MeteringServiceStub, "Reserve", request)
    return response


async def party(cluster: Cluster, party_id: str = "lab") -> party_pb.GetPartyResponse:
    request = party_pb.GetPartyRequest(party_id=party_id)
    response: party_pb.GetPartyResponse = await cluster.in_metering(PartyServiceStub, "GetParty", request)
    return response


async def move(cluster: Cluster, party_id: str, group_id: str) -> None:
    """As somebody moves it who asks metering itself."""
    request = party_pb.MovePartyRequest(request_id=cluster.new_id(), party_id=party_id, group_id=group_id)
    await cluster.in_metering(PartyServiceStub, "MoveParty", request)


async def test_m6_an_allowance_of_the_group_counts_licensee_and_affiliate_together(cluster: Cluster) -> None:
    alone = await reserved(cluster, "lab", 10)
    await call(cluster, "AddAffiliate", adding(cluster))

    first, second = await reserved(cluster, "acme", 6), await reserved(cluster, "lab", 5)
    cluster.clock.advance(SECOND_US)
    await call(cluster, "RemoveAffiliate", removing(cluster))
    by_itself = await reserved(cluster, "acme", 4)

    held, no_room = metering_pb.RESERVATION_STATE_HELD, metering_pb.RESERVATION_STATE_NO_ROOM
    assert [each.state for each in (alone, first, second, by_itself)] == [held, held, no_room, held]
    assert second.no_room.allowance.id == "acme"


async def test_m6_a_back_dated_affiliate_is_in_the_group_since_then_and_the_answer_says_so(
    cluster: Cluster,
) -> None:
    since_us = cluster.clock.now_us() - 3_600 * SECOND_US

    answer = await call(cluster, "AddAffiliate", adding(cluster, at_us=since_us))

    assert (answer.effective_at.ToMicroseconds(), answer.back_dated) == (since_us, True)
    for id in ("acme", "lab"):
        (membership,) = (await party(cluster, id)).memberships
        assert (membership.group_id, membership.since.ToMicroseconds()) == ("acme", since_us)
    assert await listed(cluster) == {"lab": "COUNTED"}


async def test_d4_what_metering_was_told_of_a_party_is_not_overwritten(cluster: Cluster) -> None:
    vetted = Party(party_id="lab", display_name="The Lab", vetted_research=True)
    request = party_pb.PutPartyRequest(request_id=cluster.new_id(), party=vetted)
    await cluster.in_metering(PartyServiceStub, "PutParty", request)

    await call(cluster, "AddAffiliate", adding(cluster))

    assert (await party(cluster)).party == vetted
    assert (await party(cluster, "acme")).party == Party(party_id="acme", display_name="Acme")


async def test_a_time_over_a_year_ahead_is_refused_before_anything_begins(cluster: Cluster) -> None:
    far_us = cluster.clock.now_us() + 367 * 86_400 * SECOND_US

    with pytest.raises(Refusal, match="EFFECTIVE_TIME_INVALID"):
        await call(cluster, "AddAffiliate", adding(cluster, at_us=far_us))
    assert await listed(cluster) == {}


STEPS = [
    *((AffiliateStore, "read"), (RosterPeer, "memberships"), (AffiliateStore, "write")),
    *((RosterPeer, "introduce"), (RosterPeer, "move")),
]


class ProcessDiedError(Exception):
    """Stands for a process that is gone."""


def die_at(patch: pytest.MonkeyPatch, at: int, *, after: bool) -> list[str]:
    """Dies at one of the steps, before or after it was done; which steps were taken goes into the list."""
    taken: list[str] = []

    def dying(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        async def die_or_do(*args: Any) -> Any:
            taken.append(name)
            dies = len(taken) == at
            if dies and not after:
                raise ProcessDiedError
            answer = await step(*args)
            if dies:
                raise ProcessDiedError
            return answer

        return die_or_do

    for owner, name in STEPS:
        patch.setattr(owner, name, dying(name, getattr(owner, name)))
    return taken


@pytest.mark.parametrize("after", [False, True])
async def test_m6_wherever_licensing_dies_the_repeated_request_adds_once(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    all_taken = ["read", "memberships", "memberships", "write", "read"]
    all_taken += ["introduce", "introduce", "move", "move", "write"]
    for step in range(1, len(all_taken) + 1):
        request = adding(cluster, f"lab-{step}")
        with monkeypatch.context() as patch:
            taken = die_at(patch, step, after=after)
            with pytest.raises(Refusal) as refused:
                await call(cluster, "AddAffiliate", request)
        assert (refused.value.kind, taken) == (Kind.INTERNAL, all_taken[:step])

        cluster.clock.advance(SECOND_US)
        answer = await call(cluster, "AddAffiliate", request)

        (membership,) = (await party(cluster, f"lab-{step}")).memberships
        assert (membership.group_id, membership.since) == ("acme", answer.effective_at)
        assert (await listed(cluster))[f"lab-{step}"] == "COUNTED"


async def test_m6_what_was_begun_is_shown_as_changing_and_finished_when_metering_is_back(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        async def no_answer(*_: Any) -> None:
            raise unavailable("PEER_UNAVAILABLE", "metering did not answer")

        patch.setattr(RosterPeer, "move", no_answer)
        with pytest.raises(Refusal, match="PEER_UNAVAILABLE"):
            await call(cluster, "AddAffiliate", adding(cluster))
    meanwhile = await listed(cluster)
    cluster.clock.advance(60 * SECOND_US)

    await cluster.finisher.finish_all()

    assert meanwhile == {"lab": "CHANGING"}
    assert await listed(cluster) == {"lab": "COUNTED"}
    assert (await party(cluster)).group_id == "acme"


async def test_m6_a_move_whose_answer_is_lost_is_made_once(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_in_metering, lost = RosterPeer.move, ["first"]

    async def lose_the_answer(*args: Any) -> None:
        await move_in_metering(*args)
        if lost:
            lost.clear()
            raise unavailable("PEER_UNAVAILABLE", "metering did not answer")

    monkeypatch.setattr(RosterPeer, "move", lose_the_answer)
    request = adding(cluster)

    with pytest.raises(Refusal, match="PEER_UNAVAILABLE"):
        await call(cluster, "AddAffiliate", request)
    await call(cluster, "AddAffiliate", request)

    assert not lost
    assert len((await party(cluster)).memberships) == 1
    assert await listed(cluster) == {"lab": "COUNTED"}


async def test_m6_who_was_moved_in_metering_itself_is_shown_as_differing(cluster: Cluster) -> None:
    await call(cluster, "AddAffiliate", adding(cluster))
    cluster.clock.advance(SECOND_US)
    await move(cluster, "lab", "other")
    await move(cluster, "acme", "other")

    page = await call(cluster, "ListAffiliates", pb.ListAffiliatesRequest(licensee_id="acme"))

    (lab,) = page.affiliates
    assert (lab.standing, page.licensee_in_group) == (Standing.AFFILIATE_STANDING_DIFFERS, False)
    assert not lab.recorded[0].HasField("until")
    assert lab.counted[0].until.ToMicroseconds() == cluster.clock.now_us()


async def test_affiliates_are_listed_page_by_page_and_those_of_the_past_when_asked_for(
    cluster: Cluster,
) -> None:
    for id in ("lab", "eu", "shop", "bot"):
        await call(cluster, "AddAffiliate", adding(cluster, id))
    await call(cluster, "RemoveAffiliate", removing(cluster, "eu"))

    request = pb.ListAffiliatesRequest(licensee_id="acme", page_size=2)
    first = await call(cluster, "ListAffiliates", request)
    request.page_token = first.next_page_token
    second = await call(cluster, "ListAffiliates", request)

    pages = [[each.affiliate_id for each in page.affiliates] for page in (first, second)]
    assert (pages, second.next_page_token) == ([["bot", "lab"], ["shop"]], "")
    assert (await listed(cluster, include_ended=True))["eu"] == "ENDED"


async def test_licensees_read_their_own_affiliates_and_nobody_elses(cluster: Cluster) -> None:
    await call(cluster, "AddAffiliate", adding(cluster))
    request = pb.ListAffiliatesRequest(licensee_id="acme")

    for who in ((PrincipalKind.LICENSEE, "acme"), (PrincipalKind.AUDITOR, "eve")):
        assert len((await call(cluster, "ListAffiliates", request, who)).affiliates) == 1
    for licensee_id in ("acme", "nobody"):
        other = pb.ListAffiliatesRequest(licensee_id=licensee_id)
        with pytest.raises(Refusal, match="LICENSEE_UNKNOWN"):
            await call(cluster, "ListAffiliates", other, (PrincipalKind.LICENSEE, "globex"))


@pytest.mark.parametrize(
    "who",
    [
        (PrincipalKind.OPERATOR, "ann", ("trust", "finance")),
        (PrincipalKind.LICENSEE, "acme"),
        (PrincipalKind.AUDITOR, "eve"),
    ],
)
async def test_only_legal_and_admin_operators_change_affiliates(
    cluster: Cluster, who: tuple[Any, ...]
) -> None:
    for method, request in (("AddAffiliate", adding(cluster)), ("RemoveAffiliate", removing(cluster))):
        with pytest.raises(Refusal, match="NOT_ADMITTED"):
            await call(cluster, method, request, who)
