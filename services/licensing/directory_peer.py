"""The platform's post directory, and what licensing does not believe of it.

It is believed about posts that were asked for, each once; an answer about anything else is as good as none.
"""

import numpy as np

from services.chassis.clock import Clock
from services.chassis.dialing import Peer
from services.chassis.refusals import Kind, Refusal, invalid, unavailable
from services.chassis.timestamps import microseconds
from services.licensing.domain.asking import PostIds
from services.licensing.domain.posts import Batch, Ids
from services.licensing.peers import answer_invalid
from sluice.directory.v1 import directory_service_pb2 as pb
from sluice.directory.v1 import directory_service_pb2_grpc as pb_grpc
from sluice.licensing.v1.post_pb2 import PostColumns

DIRECTORY = "the post directory"
TOO_MUCH_AT_ONCE = frozenset({"TOO_MANY_EMBEDS", "TOO_MANY_LANGUAGES"})
"""What the directory can refuse that whoever asks for fewer posts can mend."""


OFFSET_BYTES = 4
LONGEST_RETRY_US = 60_000_000
"""The longest time to retry after that is passed on."""


class DirectoryPeer:
    """Satisfies `requesting.Directory`."""

    def __init__(self, peer: Peer, clock: Clock, *, margin_us: int, oldest_us: int) -> None:
        """`margin_us` is how far its clock may be ahead of ours; `oldest_us` how old its facts may be."""
        self._peer = peer
        self._clock = clock
        self._margin_us = margin_us
        self._oldest_us = oldest_us
        self._stub = pb_grpc.PostDirectoryServiceStub(peer.channel)

    async def posts(self, asked: PostIds) -> Batch | None:
        """Those of the posts asked for that the directory knows, in their order; None where it knows none.

        Raises Refusal: UNAVAILABLE (PEER_UNAVAILABLE, PEER_REFUSED, PEER_ANSWER_INVALID,
        DEADLINE_TOO_SHORT); INVALID (TOO_MANY_EMBEDS, TOO_MANY_LANGUAGES) where the posts together have more
        than one batch may. None of them has a word of the directory's.
        """
        if not len(asked.distinct):
            return None
        request = pb.GetPostsRequest(ids=asked.distinct.tolist())
        sent_us = self._clock.now_us()
        response = await self._ask(request)
        self._check_time(microseconds(response.as_of) if response.HasField("as_of") else None, sent_us)
        found = _batch_of(asked, response.posts)
        if found is not None:
            _check_fits(asked.distinct, found.ids)
        return found

    def _check_time(self, as_of_us: int | None, sent_us: int) -> None:
        if as_of_us is None:
            raise answer_invalid(DIRECTORY, "it does not say as of when")
        if as_of_us > self._clock.now_us() + self._margin_us:
            raise answer_invalid(DIRECTORY, "it is as of a time that is still to come")
        if as_of_us < sent_us - self._oldest_us - self._margin_us:
            raise answer_invalid(DIRECTORY, "it is as of too long ago")

    async def _ask(self, request: pb.GetPostsRequest) -> pb.GetPostsResponse:
        try:
            return await self._peer.call(self._stub.GetPosts, request)
        except Refusal as refusal:
            raise in_our_words(refusal) from refusal


def in_our_words(refusal: Refusal) -> Refusal:
    """What a licensee hears of what the directory refused.

    Neither reason nor message is passed on, for they may tell anything; of a time to retry what is bearable.
    """
    if refusal.kind is Kind.INVALID and refusal.reason in TOO_MUCH_AT_ONCE:
        message = "these posts together have more embeds or languages than one request may; ask for fewer"
        return invalid(refusal.reason, message, field="post_ids")
    if refusal.reason == "DEADLINE_TOO_SHORT":
        return unavailable("DEADLINE_TOO_SHORT", "the deadline leaves no time to ask another service")
    if refusal.kind not in {Kind.UNAVAILABLE, Kind.EXHAUSTED}:
        return unavailable("PEER_REFUSED", f"{DIRECTORY} refused the question")
    retry_after_us = refusal.retry_after_us
    if retry_after_us is not None:
        retry_after_us = min(max(0, retry_after_us), LONGEST_RETRY_US)
    return unavailable("PEER_UNAVAILABLE", f"{DIRECTORY} cannot answer now", retry_after_us=retry_after_us)


def _batch_of(asked: PostIds, columns: PostColumns) -> Batch | None:
    if _are_empty(columns):
        return None
    try:
        return Batch.of_bytes(
            license_id=asked.license_id,
            purpose=asked.purpose,
            ids=columns.ids,
            author_ids=columns.author_ids,
            kinds=columns.kinds,
            media_flags=columns.media_flags,
            posted_at_us=columns.posted_at_us,
            languages=columns.languages,
            language_indexes=columns.language_indexes,
            embed_offsets=columns.embed_offsets,
            embed_ids=columns.embed_ids,
            embed_author_ids=columns.embed_author_ids,
        )
    except Refusal as refusal:
        if refusal.kind is Kind.INVALID:
            raise answer_invalid(DIRECTORY, "its columns do not fit one another") from refusal
        raise


def _are_empty(columns: PostColumns) -> bool:
    """Whether nothing is known: every column is empty, of offsets the one that is always there."""
    filled = {field.name for field, _ in columns.ListFields()}
    return not filled or (filled == {"embed_offsets"} and columns.embed_offsets == bytes(OFFSET_BYTES))


def _check_fits(asked: Ids, found: Ids) -> None:
    """Raises Refusal (unavailable, PEER_ANSWER_INVALID) unless `found` is a part of `asked`, in its order."""
    order = np.argsort(asked)
    at = np.minimum(np.searchsorted(asked[order], found), len(asked) - 1)
    places = order[at]
    if (asked[places] != found).any():
        raise answer_invalid(DIRECTORY, "a post that it was not asked about")
    if (places[1:] <= places[:-1]).any():
        raise answer_invalid(DIRECTORY, "posts in another order than asked for, or one twice")
