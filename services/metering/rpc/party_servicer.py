"""PartyService as gRPC sees it."""

from typing import Any, TypeAlias

from grpc.aio import ServicerContext

from services.chassis.clock import Clock
from services.chassis.replays import checked_replay_key
from services.metering.domain.parties import FOREVER_US, Party, Span
from services.metering.roster import Found, Noted, Roster
from services.metering.rpc.answers import revision_message, timestamp
from services.metering.rpc.requests import id_of, id_token, optional_us
from sluice.metering.v1 import party_pb2, party_service_pb2_grpc
from sluice.metering.v1 import party_service_pb2 as pb

SERVICE = "sluice.metering.v1.PartyService"
PARTIES_A_PAGE = 100
"""Parties on a page when the caller does not say."""

_Context: TypeAlias = ServicerContext[Any, Any]


class PartyServicer(party_service_pb2_grpc.PartyServiceServicer):
    """Translates between the contract and the roster."""

    def __init__(self, roster: Roster, clock: Clock) -> None:
        self._roster = roster
        self._clock = clock

    async def PutParty(self, request: pb.PutPartyRequest, context: _Context) -> pb.PutPartyResponse:  # noqa: N802
        """Says who a party is."""
        key = checked_replay_key("PutParty", request, self._clock.now_us())
        noted = await self._roster.describe(_party(request.party), _effective_us(request), key)
        return pb.PutPartyResponse(
            revision=revision_message(noted.revision), effective_at=timestamp(noted.since_us)
        )

    async def MoveParty(self, request: pb.MovePartyRequest, context: _Context) -> pb.MovePartyResponse:  # noqa: N802
        """Puts a party into a group, or into none."""
        key = checked_replay_key("MoveParty", request, self._clock.now_us())
        noted = await self._roster.move(request.party_id, request.group_id, _effective_us(request), key)
        return _moved(noted)

    async def GetParty(self, request: pb.GetPartyRequest, context: _Context) -> pb.GetPartyResponse:  # noqa: N802
        """One party as of a time."""
        found = await self._roster.party(request.party_id, optional_us(request, "as_of"))
        return pb.GetPartyResponse(
            party=_party_message(found.party),
            group_id=found.group_id,
            memberships=[_membership(found.party.party_id, span) for span in found.spans],
            revision=revision_message(found.revision),
        )

    async def ListParties(  # noqa: N802
        self, request: pb.ListPartiesRequest, context: _Context
    ) -> pb.ListPartiesResponse:
        """The parties, page by page."""
        size = request.page_size or PARTIES_A_PAGE
        found, following = await self._roster.parties(id_of(request.page_token), size)
        return pb.ListPartiesResponse(
            entries=[_entry(each) for each in found], next_page_token=id_token(following)
        )

    async def ListMemberships(  # noqa: N802
        self, request: pb.ListMembershipsRequest, context: _Context
    ) -> pb.ListMembershipsResponse:
        """Who is or was in a group, page by page."""
        after, size = id_of(request.page_token), request.page_size or PARTIES_A_PAGE
        memberships, following = await self._roster.members(request.group_id, after, size)
        return pb.ListMembershipsResponse(
            memberships=[_membership(party_id, span) for party_id, span in memberships],
            next_page_token=id_token(following),
        )


def _effective_us(request: pb.PutPartyRequest | pb.MovePartyRequest) -> int | None:
    return optional_us(request, "effective_at")


def _moved(noted: Noted) -> pb.MovePartyResponse:
    return pb.MovePartyResponse(
        revision=revision_message(noted.revision),
        effective_at=timestamp(noted.since_us),
        back_dated=noted.back_dated,
    )


def _party(given: party_pb2.Party) -> Party:
    return Party(given.party_id, given.display_name, given.vetted_research, tuple(sorted(given.affiliates)))


def _party_message(party: Party) -> party_pb2.Party:
    return party_pb2.Party(
        party_id=party.party_id,
        display_name=party.display_name,
        vetted_research=party.vetted_research,
        affiliates=party.affiliates,
    )


def _entry(found: Found) -> pb.ListPartiesResponse.Entry:
    return pb.ListPartiesResponse.Entry(party=_party_message(found.party), group_id=found.group_id)


def _membership(party_id: str, span: Span) -> party_pb2.Membership:
    return party_pb2.Membership(
        party_id=party_id,
        group_id=span.group_id,
        since=timestamp(span.since_us),
        until=None if span.until_us == FOREVER_US else timestamp(span.until_us),
    )
