"""How licensing hears of withdrawals, and asks consent again about what it has released (W1, W5).

What cannot be right is refused as UNAVAILABLE: it is read, or asked, again, and nothing rests on it.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import cast

import numpy as np

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal, unavailable
from services.chassis.terms import has_run_out
from services.licensing.domain.answers import Revision
from services.licensing.domain.posts import Ids, Offsets
from services.licensing.domain.reasons import REASON_OF_CONSENT, REASONS_OF_CONSENT, Reasons
from services.licensing.domain.recalls.releases import Release
from services.licensing.domain.recalls.withdrawals import Cause, HaltScope, Withdrawal, halted_purposes
from services.licensing.domain.released import Contents, Released, Unresolved
from services.licensing.domain.terms import WILDCARD
from services.licensing.peers import answer_invalid, answered
from sluice.consent.v1 import consent_service_pb2 as consent_pb
from sluice.consent.v1 import (
    consent_service_pb2_grpc,
    halt_pb2,
    state_service_pb2_grpc,
    withdrawal_pb2,
)
from sluice.consent.v1 import state_service_pb2 as state_pb
from sluice.type.v1 import purpose_pb2, revision_pb2

SILENT_SECONDS = 60.0
"""Consent says every few seconds how far all was sent; a stream that says nothing for so long is dead."""


class WithdrawalPeer:
    """Consent's stream of withdrawals."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub = state_service_pb2_grpc.StateServiceStub(peer.channel)

    async def follow(self, after: Revision) -> AsyncGenerator[Withdrawal | Revision]:
        """Withdrawals after a position, in order, and positions up to which nothing was left out.

        It ends where the token has that it was opened with, and with the process that tells it, when that
        drains: who asks again shows a new one, and finds another. Raises consent's own Refusal, and
        UNAVAILABLE: PEER_UNAVAILABLE, PEER_ANSWER_INVALID.
        """
        request = state_pb.WatchWithdrawalsRequest(
            after=revision_pb2.Revision(epoch=after.epoch, number=after.number)
        )
        has_said_something = False
        async with self._peer.open(self._stub.WatchWithdrawals, request) as stream:
            while True:
                try:
                    async with asyncio.timeout(SILENT_SECONDS):
                        answer = await stream.receive()
                except TimeoutError as error:
                    raise unavailable("PEER_UNAVAILABLE", "consent has gone silent") from error
                except Refusal as refusal:
                    # One that ends before it has said anything would be opened again and again.
                    if has_run_out(refusal) or (has_said_something and stream.ended_well):
                        return
                    raise
                has_said_something = True
                yield _step(answer)


class RecheckPeer:
    """Consent, asked again about what was released."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub = consent_service_pb2_grpc.ConsentServiceStub(peer.channel)

    async def reasons(self, release: Release, contents: Contents, withdrawal: Withdrawal) -> Reasons:
        """Why each of the P released posts may go still or not, as of a revision not below the withdrawal's.

        Raises what `answered` raises, and Refusal UNAVAILABLE: PEER_ANSWER_INVALID, PEER_BEHIND.
        """
        authors, offsets, embeds, embed_authors = _columns(contents)
        request = consent_pb.CheckConsentRequest(
            licensee_id=release.licensee_id,
            purpose=cast(purpose_pb2.Purpose, release.purpose),
            post_ids=contents.ids.tobytes(),
            author_ids=authors.tobytes(),
            embed_offsets=offsets.tobytes(),
            embed_ids=embeds.tobytes(),
            embed_author_ids=embed_authors.tobytes(),
            # The license covered them then; that an author has moved since withdraws nothing.
            author_jurisdictions=[WILDCARD],
            territory=sorted(release.territory),
            recheck=_recheck(withdrawal),
        )
        response = await answered("consent", self._peer.call(self._stub.CheckConsent, request))
        if len(response.reasons) != len(contents):
            raise answer_invalid("consent", f"{len(response.reasons)} reasons for {len(contents)} posts")
        if Revision(response.revision.epoch, response.revision.number) < withdrawal.revision:
            raise unavailable("PEER_BEHIND", "consent answered as of before the withdrawal that it had sent")
        given = np.frombuffer(response.reasons, np.uint8)
        # Denied it is, but not known what for: it would be passed over as the business of others.
        if unknown := set(given.tolist()) - REASONS_OF_CONSENT:
            raise answer_invalid("consent", f"reasons that are not known here: {sorted(unknown)}")
        return REASON_OF_CONSENT[given]


def _step(answer: state_pb.WatchWithdrawalsResponse) -> Withdrawal | Revision:
    match answer.WhichOneof("step"):
        case "withdrawal":
            return _withdrawal(answer.withdrawal)
        case "checkpoint":
            return Revision(answer.checkpoint.epoch, answer.checkpoint.number)
    raise answer_invalid("consent", "a step of the stream that is none")


def _withdrawal(given: withdrawal_pb2.Withdrawal) -> Withdrawal:
    licensee_id, purposes = given.licensee_id, frozenset(int(purpose) for purpose in given.purposes)
    if given.HasField("halt"):
        licensee_id, purposes = _halted(given.halt, licensee_id, purposes)
    return Withdrawal(
        revision=Revision(given.revision.epoch, given.revision.number),
        cause=int(given.cause),
        recorded_at_us=given.recorded_at.ToMicroseconds(),
        subject_id=given.subject_id,
        post_id=given.post_id,
        licensee_id=licensee_id,
        purposes=purposes,
        countries=frozenset(given.countries),
        halt=_scope(given.halt),
    )


def _recheck(withdrawal: Withdrawal) -> consent_pb.Recheck | None:
    """What it is about; None where that is not known here, and all that is denied counts."""
    if withdrawal.cause == Cause.POLICY:
        return consent_pb.Recheck(policy=True)
    if (scope := withdrawal.halt) is None:
        return None
    match scope.field:
        case "jurisdiction":
            return consent_pb.Recheck(halt=halt_pb2.HaltScope(jurisdiction=scope.value))
        case "licensee_id":
            return consent_pb.Recheck(halt=halt_pb2.HaltScope(licensee_id=scope.value))
        case "purpose":
            purpose = cast(purpose_pb2.Purpose, int(scope.value))
            return consent_pb.Recheck(halt=halt_pb2.HaltScope(purpose=purpose))
    return consent_pb.Recheck(halt=halt_pb2.HaltScope(everything=True))


def _scope(halt: halt_pb2.HaltScope) -> HaltScope | None:
    """What a halt covers; None where it is of a sort that is not known here."""
    match halt.WhichOneof("scope"):
        case "everything":
            return HaltScope("everything", "")
        case "purpose":
            return HaltScope("purpose", str(int(halt.purpose)))
        case "jurisdiction":
            return HaltScope("jurisdiction", halt.jurisdiction)
        case "licensee_id":
            return HaltScope("licensee_id", halt.licensee_id)
    return None


def _halted(
    scope: halt_pb2.HaltScope, licensee_id: str, purposes: frozenset[int]
) -> tuple[str, frozenset[int]]:
    """Whom it stops, and what for; of a jurisdiction, and of what is not known here, all is asked."""
    match scope.WhichOneof("scope"):
        case "licensee_id":
            return scope.licensee_id, purposes
        case "purpose":
            return licensee_id, halted_purposes(scope.purpose)
    return licensee_id, purposes


def _columns(contents: Contents) -> tuple[Ids, Offsets, Ids, Ids]:
    match contents:
        case Released():
            return (
                contents.author_ids,
                contents.embed_offsets,
                contents.embed_ids,
                contents.embed_author_ids,
            )
        case Unresolved():
            return _columns_of_manifest(contents)


def _columns_of_manifest(contents: Unresolved) -> tuple[Ids, Offsets, Ids, Ids]:
    """As if of each post the first contributor were the author, and the others had embedded posts in it.

    Which is which is not known; every one of them counts alike (C6). Their embedded posts are not known
    either: the post itself stands for them, which is asked about anyway.
    """
    contributors = np.repeat(contents.contributors, np.diff(contents.post_offsets))
    order = np.argsort(contents.post_ids, kind="stable")
    posts, contributors = contents.post_ids[order], contributors[order]
    first = np.searchsorted(posts, contents.ids)
    embedded = np.ones(len(posts), np.bool_)
    embedded[first] = False
    counts = np.diff(np.append(first, len(posts))) - 1
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.uint32)
    return contributors[first], offsets, posts[embedded], contributors[embedded]
