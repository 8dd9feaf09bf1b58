"""What licensing asks metering about parties, and what it does not believe."""

from collections.abc import AsyncIterator, Awaitable, Iterator

import pytest
import pytest_asyncio

from services.chassis.dialing import Peer
from services.chassis.refusals import Kind, Refusal, not_found, precondition
from services.licensing.domain.affiliates import FOREVER_US, Membership, Stretch
from services.licensing.peers import RosterPeer
from sluice.metering.v1 import party_pb2
from sluice.metering.v1 import party_service_pb2 as pb
from tests.support.clock import NOON_US
from tests.support.scripted import Script, scripted

ID = "019a0000-0000-7000-8000-000000000001"


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as script:
        yield script


@pytest_asyncio.fixture
async def roster(script: Script) -> AsyncIterator[RosterPeer]:
    peer = Peer(script.address, lambda: "token", name="metering", default_deadline_us=5_000_000)
    yield RosterPeer(peer)
    await peer.close()


def a_membership(party_id: str, group_id: str = "acme", until_us: int | None = None) -> party_pb2.Membership:
    membership = party_pb2.Membership(party_id=party_id, group_id=group_id)
    membership.since.FromMicroseconds(NOON_US)
    if until_us is not None:
        membership.until.FromMicroseconds(until_us)
    return membership


async def refusal(call: Awaitable[object]) -> tuple[Kind, str]:
    with pytest.raises(Refusal) as refused:
        await call
    return refused.value.kind, refused.value.reason


async def test_a_party_that_metering_does_not_know_has_no_memberships(
    script: Script, roster: RosterPeer
) -> None:
    script.answer("GetParty", not_found("PARTY_UNKNOWN", "there is no party with this id"))

    assert await roster.memberships("lab") == ()


async def test_what_else_metering_refuses_is_unavailable(script: Script, roster: RosterPeer) -> None:
    script.answer("GetParty", precondition("RESTORED", "behind"))

    assert await refusal(roster.memberships("lab")) == (Kind.UNAVAILABLE, "PEER_REFUSED")


async def test_memberships_end_or_are_for_good(script: Script, roster: RosterPeer) -> None:
    memberships = [a_membership("lab", "red", NOON_US + 1), a_membership("lab")]
    script.answer("GetParty", pb.GetPartyResponse(memberships=memberships))

    assert await roster.memberships("lab") == [
        Membership("red", Stretch(NOON_US, NOON_US + 1)),
        Membership("acme", Stretch(NOON_US, FOREVER_US)),
    ]


async def test_members_are_read_to_the_last_page(script: Script, roster: RosterPeer) -> None:
    first = pb.ListMembershipsResponse(memberships=[a_membership("acme")], next_page_token="next")
    second = pb.ListMembershipsResponse(memberships=[a_membership("lab")])
    script.answer("ListMemberships", first, second)

    assert list(await roster.members("acme")) == ["acme", "lab"]
    assert [each.page_token for each in script.asked["ListMemberships"]] == ["", "next"]


async def test_members_of_another_group_are_not_believed(script: Script, roster: RosterPeer) -> None:
    script.answer("ListMemberships", pb.ListMembershipsResponse(memberships=[a_membership("lab", "red")]))

    assert await refusal(roster.members("acme")) == (Kind.UNAVAILABLE, "PEER_ANSWER_INVALID")


async def test_m6_a_move_from_another_time_on_is_not_believed(script: Script, roster: RosterPeer) -> None:
    answer = pb.MovePartyResponse()
    answer.effective_at.FromMicroseconds(NOON_US + 1)
    script.answer("MoveParty", answer)

    moving = roster.move(ID, "lab", "acme", NOON_US)

    assert await refusal(moving) == (Kind.UNAVAILABLE, "PEER_ANSWER_INVALID")


async def test_a_name_is_introduced_in_the_form_that_metering_takes(
    script: Script, roster: RosterPeer
) -> None:
    script.answer("PutParty", pb.PutPartyResponse())

    await roster.introduce(ID, "lab", "Acme\nLabs")

    (asked,) = script.asked["PutParty"]
    assert asked.party.display_name == "Acme Labs"
    assert asked.HasField("effective_at")
    assert asked.effective_at.seconds == 0
