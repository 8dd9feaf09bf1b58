"""How licensing asks consent and metering, and what it does not believe.

An answer that does not fit its question is as good as none: it is refused as UNAVAILABLE, and nothing is
released on it.
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar, cast

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.clock import Clock
from services.chassis.dialing import Peer
from services.chassis.refusals import Kind, Refusal, unavailable
from services.licensing.domain.affiliates import FOREVER_US, Membership, Stretch
from services.licensing.domain.answers import (
    BEGINNING,
    ConsentAnswer,
    Hold,
    HoldAnswer,
    NoRoom,
    Revision,
    Rivalry,
    RoomAnswer,
    Standing,
)
from services.licensing.domain.attempts import OpenHold
from services.licensing.domain.counts import ContentCounts
from services.licensing.domain.licenses import License
from services.licensing.domain.posts import Batch
from services.licensing.domain.reasons import REASON_OF_CONSENT
from services.licensing.domain.terms import Allowance, AllowanceSubject
from services.licensing.highest import Highest
from sluice.consent.v1 import consent_service_pb2 as consent_pb
from sluice.consent.v1 import consent_service_pb2_grpc as consent_grpc
from sluice.metering.v1 import (
    access_pb2,
    allowance_pb2,
    metering_service_pb2_grpc,
    party_pb2,
    party_service_pb2_grpc,
)
from sluice.metering.v1 import metering_service_pb2 as metering_pb
from sluice.metering.v1 import party_service_pb2 as party_pb
from sluice.type.v1 import content_pb2, purpose_pb2, revision_pb2, window_pb2

T = TypeVar("T")

UNKEPT_REQUEST = "explain"
"""The request key of what is only asked about: no request of anybody has it, so nothing rivals it."""


def answer_invalid(peer: str, what: str) -> Refusal:
    """The refusal of an answer that cannot be right."""
    return unavailable("PEER_ANSWER_INVALID", f"{peer} gave an answer that cannot be used: {what}")


async def answered(peer: str, call: Awaitable[T]) -> T:
    """The answer of a peer; what it refuses is no fault of our own caller, who hears UNAVAILABLE.

    Raises Refusal UNAVAILABLE: PEER_UNAVAILABLE, PEER_REFUSED; and EXHAUSTED, with the time to retry.
    """
    try:
        return await call
    except Refusal as refusal:
        raise not_answered(peer, refusal) from refusal


def not_answered(peer: str, refusal: Refusal) -> Refusal:
    """What our own caller hears of what a peer refused, as `answered` says."""
    if refusal.kind is Kind.EXHAUSTED:
        return refusal
    if refusal.kind is Kind.UNAVAILABLE:
        silent = refusal.reason == "PEER_UNAVAILABLE"
        message = refusal.message if silent else f"{peer} cannot answer now: {refusal.reason}"
        return unavailable("PEER_UNAVAILABLE", message, retry_after_us=refusal.retry_after_us)
    return unavailable("PEER_REFUSED", f"{peer} refused the question: {refusal.reason}")


class ConsentPeer:
    """Consent, as licensing needs it."""

    def __init__(self, peer: Peer, highest: Highest, clock: Clock, margin_us: int) -> None:
        """`margin_us` is how far the two clocks may differ (C9)."""
        self._peer = peer
        self._highest = highest
        self._stub = consent_grpc.ConsentServiceStub(peer.channel)
        self._clock = clock
        self._margin_us = margin_us

    async def check(self, batch: Batch, license: License, at_least: Revision = BEGINNING) -> ConsentAnswer:
        """Asks once for all posts of `batch`; consent is known to have shown `at_least` already.

        Raises what `answered` raises, and Refusal UNAVAILABLE: PEER_ANSWER_INVALID, CLOCKS_DIFFER,
        PEER_BEHIND.
        """
        request = consent_pb.CheckConsentRequest(
            licensee_id=license.terms.licensee_id,
            # An open enum: any number may be asked.
            purpose=cast(purpose_pb2.Purpose, batch.purpose),
            post_ids=batch.ids.tobytes(),
            author_ids=batch.author_ids.tobytes(),
            embed_offsets=batch.embed_offsets.tobytes(),
            embed_ids=batch.embed_ids.tobytes(),
            embed_author_ids=batch.embed_author_ids.tobytes(),
            author_jurisdictions=sorted(license.terms.author_jurisdictions),
            territory=sorted(license.terms.territory),
        )
        mark, sent_us = max(self._highest.mark(), at_least), self._clock.now_us()
        response = await answered("consent", self._peer.call(self._stub.CheckConsent, request))
        self._check_clocks(sent_us, response.checked_at.ToMicroseconds(), self._clock.now_us())
        if len(response.reasons) != len(batch):
            raise answer_invalid("consent", f"{len(response.reasons)} reasons for {len(batch)} posts")
        return ConsentAnswer(
            reasons=REASON_OF_CONSENT[np.frombuffer(response.reasons, np.uint8)],
            revision=self._highest.take(revision_of("consent", response.revision), mark),
            policy_version=response.policy_version,
            good_until_us=response.good_until.ToMicroseconds(),
        )

    def _check_clocks(self, sent_us: int, checked_us: int, received_us: int) -> None:
        if not sent_us - self._margin_us <= checked_us <= received_us + self._margin_us:
            raise unavailable(
                "CLOCKS_DIFFER", "the clocks of licensing and consent differ by more than the margin"
            )


class MeteringPeer:
    """Metering, as licensing needs it."""

    def __init__(self, peer: Peer, highest: Highest) -> None:
        self._peer = peer
        self._highest = highest
        self._stub = metering_service_pb2_grpc.MeteringServiceStub(peer.channel)

    async def reserve(
        self, reservation_id: str, request_key: str, license: License, counts: ContentCounts
    ) -> HoldAnswer:
        """Asks for room in all allowances of the license at once (M3).

        Raises what `answered` raises, and Refusal UNAVAILABLE: PEER_ANSWER_INVALID, PEER_BEHIND.
        """
        if self._highest.is_behind:
            # By a question that writes nothing, for what it wrote would bring its number up again (R5).
            await self.room(license, counts)
        claim, mark = _claim(request_key, license, counts), self._highest.mark()
        request = metering_pb.ReserveRequest(reservation_id=reservation_id, claim=claim)
        response = await answered("metering", self._peer.call(self._stub.Reserve, request))
        outcome = outcome_of(reservation_id, response)
        return HoldAnswer(outcome, self._highest.take(revision_of("metering", response.revision), mark))

    async def room(self, license: License, counts: ContentCounts) -> RoomAnswer:
        """Whether `reserve` would find room now; nothing is held. Raises as `reserve`."""
        mark = self._highest.mark()
        request = metering_pb.CheckRoomRequest(claim=_claim(UNKEPT_REQUEST, license, counts))
        response = await answered("metering", self._peer.call(self._stub.CheckRoom, request))
        posts = sum(count for _, _, count in counts)
        fits = response.posts_that_fit == posts
        if (not fits and response.posts_that_fit) or fits == response.HasField("no_room"):
            raise answer_invalid("metering", f"room for {response.posts_that_fit} of {posts} posts")
        self._highest.take(revision_of("metering", response.revision), mark)
        return RoomAnswer(
            no_room=_no_room(response.no_room) if response.HasField("no_room") else None,
            standings=tuple(
                Standing(_in_words(room.allowance), room.allowance.limit, room.used + room.held)
                for room in response.rooms
            ),
        )

    async def settle(self, reservation_id: str, delivered: ContentCounts) -> None:
        """Says what was delivered. Raises the Refusal that metering gave, or UNAVAILABLE."""
        request = metering_pb.SettleRequest(
            reservation_id=reservation_id, delivered=counts_message(delivered)
        )
        await self._peer.call(self._stub.Settle, request)

    async def reduce(self, reservation_id: str, keep: ContentCounts) -> None:
        """Frees of a hold all but `keep`. Raises the Refusal that metering gave, or UNAVAILABLE."""
        request = metering_pb.ReduceHoldRequest(reservation_id=reservation_id, keep=counts_message(keep))
        await self._peer.call(self._stub.ReduceHold, request)

    async def cancel(self, reservation_id: str) -> None:
        """Frees the hold of an attempt that is tombstoned. Raises metering's own Refusal, or UNAVAILABLE."""
        await self._peer.call(self._stub.Cancel, metering_pb.CancelRequest(reservation_id=reservation_id))

    async def holds(self, before_us: int, page_token: str) -> tuple[Sequence[OpenHold], str]:
        """A page of holds counted before `before_us`, and the next page's token ("" on the last).

        Raises metering's own Refusal, or UNAVAILABLE (also PEER_ANSWER_INVALID).
        """
        request = metering_pb.ListHoldsRequest(page_size=1000, page_token=page_token)
        request.counted_before.FromMicroseconds(before_us)
        response = await self._peer.call(self._stub.ListHolds, request)
        return [_open_hold(hold) for hold in response.holds], response.next_page_token


class RosterPeer:
    """Metering's parties and groups, as licensing needs them. All raise what `answered` raises."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub = party_service_pb2_grpc.PartyServiceStub(peer.channel)

    async def memberships(self, party_id: str) -> Sequence[Membership]:
        """In which groups a party was, is and will be; none where metering does not know it."""
        return await answered("metering", self._memberships(party_id))

    async def members(self, group_id: str) -> Mapping[str, Sequence[Stretch]]:
        """When parties belong to a group, by party. Raises Refusal UNAVAILABLE (PEER_ANSWER_INVALID)."""
        found: dict[str, list[Stretch]] = {}
        token = ""
        while True:
            request = party_pb.ListMembershipsRequest(group_id=group_id, page_size=1000, page_token=token)
            page = await answered("metering", self._peer.call(self._stub.ListMemberships, request))
            for each in page.memberships:
                if each.group_id != group_id:
                    raise answer_invalid("metering", "a membership of another group")
                found.setdefault(each.party_id, []).append(_stretch(each))
            token = page.next_page_token
            if not token:
                return found

    async def introduce(self, request_id: str, party_id: str, display_name: str) -> None:
        """Makes sure that metering knows a party."""
        request = party_pb.PutPartyRequest(
            request_id=request_id,
            party=party_pb2.Party(party_id=party_id, display_name=_on_one_line(display_name)),
            # From the beginning of time: what was said of it for any later time, such as that it is a
            # vetted researcher (D4), still holds from there.
            effective_at=Timestamp(),
        )
        await answered("metering", self._peer.call(self._stub.PutParty, request))

    async def move(self, request_id: str, party_id: str, group_id: str, since_us: int) -> None:
        """Puts a party into a group, or into none (""), from a time on.

        Raises Refusal UNAVAILABLE (PEER_ANSWER_INVALID) where metering put it there from another time on.
        """
        request = party_pb.MovePartyRequest(request_id=request_id, party_id=party_id, group_id=group_id)
        request.effective_at.FromMicroseconds(since_us)
        response = await answered("metering", self._peer.call(self._stub.MoveParty, request))
        if response.effective_at.ToMicroseconds() != since_us:
            raise answer_invalid("metering", "a membership from another time on than was asked for")

    async def _memberships(self, party_id: str) -> Sequence[Membership]:
        request = party_pb.GetPartyRequest(party_id=party_id)
        try:
            response = await self._peer.call(self._stub.GetParty, request)
        except Refusal as refusal:
            if refusal.reason == "PARTY_UNKNOWN":
                return ()
            raise
        return [Membership(each.group_id, _stretch(each)) for each in response.memberships]


def _stretch(membership: party_pb2.Membership) -> Stretch:
    until_us = membership.until.ToMicroseconds() if membership.HasField("until") else FOREVER_US
    return Stretch(membership.since.ToMicroseconds(), until_us)


def _on_one_line(name: str) -> str:
    """A name without control characters, which metering takes in none; licensees may have them."""
    return "".join(" " if ord(each) < 0x20 or ord(each) == 0x7F else each for each in name)


def _open_hold(hold: metering_pb.Reservation) -> OpenHold:
    held = tuple(sorted((count.kind, count.media_flags, count.posts) for count in hold.held))
    found = OpenHold(hold.reservation_id, hold.counted_at.ToMicroseconds(), held)
    if found.posts != hold.posts_reserved - hold.posts_settled - hold.posts_freed:
        raise answer_invalid("metering", f"a hold of {found.posts} posts by kind and of others by number")
    return found


def revision_of(peer: str, revision: revision_pb2.Revision) -> Revision:
    """As of when an answer is. Raises Refusal (unavailable, PEER_ANSWER_INVALID) where it does not say."""
    if revision.epoch == 0:
        raise answer_invalid(peer, "it does not say as of when")
    return Revision(revision.epoch, revision.number)


def outcome_of(reservation_id: str, response: metering_pb.ReserveResponse) -> Hold | NoRoom | Rivalry | None:
    """What came of asking for room; None where metering knows the attempt as cancelled.

    Raises Refusal (unavailable, PEER_ANSWER_INVALID).
    """
    match response.state:
        case metering_pb.RESERVATION_STATE_HELD if response.HasField("counted_at"):
            return Hold(reservation_id, response.counted_at.ToMicroseconds())
        case metering_pb.RESERVATION_STATE_CANCELLED:
            return None
        case metering_pb.RESERVATION_STATE_NO_ROOM if response.HasField("no_room"):
            no_room, rivals = _no_room(response.no_room), tuple(response.rival_reservation_ids)
            return Rivalry(no_room, rivals) if rivals else no_room
    raise answer_invalid("metering", f"reservation state {response.state}")


def _claim(request_key: str, license: License, counts: ContentCounts) -> metering_pb.Claim:
    return metering_pb.Claim(
        request_key=request_key,
        party_id=license.terms.licensee_id,
        license_id=license.license_id,
        access=access_pb2.ACCESS_KIND_ACCESS,
        counts=counts_message(counts),
        allowances=[_allowance(allowance, license) for allowance in license.terms.allowances],
    )


def counts_message(counts: ContentCounts) -> list[access_pb2.ContentCount]:
    """Posts by kind as metering wants them."""
    return [
        access_pb2.ContentCount(
            kind=cast(content_pb2.ContentKind, kind), media_flags=media_flags, posts=posts
        )
        for kind, media_flags, posts in counts
    ]


_SCOPES = {
    AllowanceSubject.LICENSE: allowance_pb2.ALLOWANCE_SCOPE_LICENSE,
    AllowanceSubject.LICENSEE: allowance_pb2.ALLOWANCE_SCOPE_LICENSEE,
    AllowanceSubject.GROUP: allowance_pb2.ALLOWANCE_SCOPE_GROUP,
}


def _allowance(allowance: Allowance, license: License) -> allowance_pb2.Allowance:
    ids = {
        AllowanceSubject.LICENSE: license.license_id,
        AllowanceSubject.LICENSEE: license.terms.licensee_id,
        # Which group it is metering alone knows (M6).
        AllowanceSubject.GROUP: "",
    }
    return allowance_pb2.Allowance(
        scope=_SCOPES[allowance.per],
        id=ids[allowance.per],
        window=f"WINDOW_{allowance.window.name}",
        limit=allowance.limit,
    )


def _no_room(no_room: metering_pb.NoRoom) -> NoRoom:
    return NoRoom(
        allowance=_in_words(no_room.allowance),
        limit=no_room.allowance.limit,
        retry_at_us=no_room.retry_at.ToMicroseconds() if no_room.HasField("retry_at") else None,
        retry_at_is_exact=no_room.retry_at_is_exact,
        never_fits=no_room.never_fits,
    )


def _in_words(allowance: allowance_pb2.Allowance) -> str:
    scope = allowance_pb2.AllowanceScope.Name(allowance.scope).removeprefix("ALLOWANCE_SCOPE_").lower()
    window = window_pb2.Window.Name(allowance.window).removeprefix("WINDOW_").lower()
    return f"{scope} {allowance.id}, {window}"
