"""Recalls over gRPC: translates, calls, translates."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from services.chassis.identity import current_principal
from services.chassis.interceptors import endless
from services.chassis.serving import Bolt
from services.licensing.domain.recalls.reading import FIRST_ENTRY
from services.licensing.domain.recalls.recalls import RecallState
from services.licensing.recall_watching import RecallWatch, place_of
from services.licensing.recalling import Page, RecallDesk
from services.licensing.rpc.contracts import own_licensee, page_token, page_token_invalid, read_page_token
from services.licensing.rpc.recall_messages import (
    LARGEST_NUMBER,
    ending_of,
    entry_key,
    entry_message,
    entry_token,
    gap_key,
    gap_message,
    gap_token,
    number_of,
    progress_message,
    recall_message,
)
from sluice.licensing.v1 import recall_service_pb2 as pb
from sluice.licensing.v1 import recall_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.licensing.v1.RecallService"
DEFAULT_PAGE_SIZE = 100
NOBODY = ""
"""No licensee's id."""

Place = TypeVar("Place")


class RecallServicer(pb_grpc.RecallServiceServicer):
    """`sluice.licensing.v1.RecallService`."""

    def __init__(self, desk: RecallDesk, watch: RecallWatch) -> None:
        self._desk = desk
        self._watch = watch

    async def ListRecalls(self, request: pb.ListRecallsRequest, context: Any) -> pb.ListRecallsResponse:  # noqa: N802
        size, states = request.page_size or DEFAULT_PAGE_SIZE, frozenset(map(RecallState, request.states))
        below, whose = _place(request.page_token, number_of, LARGEST_NUMBER), _whose(request.licensee_id)
        # One more than asked for tells whether there is a next page.
        found = await self._desk.page(Page(whose, states, below, size + 1))
        more = page_token(str(place_of(found[size - 1], whose))) if len(found) > size else ""
        return pb.ListRecallsResponse(
            recalls=[recall_message(each) for each in found[:size]], next_page_token=more
        )

    async def GetRecall(self, request: pb.GetRecallRequest, context: Any) -> pb.GetRecallResponse:  # noqa: N802
        recall = await self._desk.recall(request.recall_id, own_licensee())
        return pb.GetRecallResponse(recall=recall_message(recall))

    async def ListRecallEntries(  # noqa: N802
        self, request: pb.ListRecallEntriesRequest, context: Any
    ) -> pb.ListRecallEntriesResponse:
        size, after = (
            request.page_size or DEFAULT_PAGE_SIZE,
            _place(request.page_token, entry_key, FIRST_ENTRY),
        )
        entries, more = await self._desk.entries(request.recall_id, own_licensee(), after, size)
        # Apart from the loop of events: a page can name thousands of releases.
        messages = await asyncio.to_thread(lambda: [entry_message(entry) for entry in entries])
        token = page_token(entry_token(entries[-1].key)) if more else ""
        return pb.ListRecallEntriesResponse(entries=messages, next_page_token=token)

    @endless
    async def WatchRecalls(  # noqa: N802
        self, request: pb.WatchRecallsRequest, context: Any
    ) -> AsyncIterator[pb.WatchRecallsResponse]:
        """For as long as the caller reads."""
        async for number, recall in self._watch.follow(_whose(request.licensee_id), request.after):
            shown = None if recall is None else recall_message(recall)
            yield pb.WatchRecallsResponse(recall=shown, number=number)

    async def AcknowledgeRecall(  # noqa: N802
        self, request: pb.AcknowledgeRecallRequest, context: Any
    ) -> pb.AcknowledgeRecallResponse:
        recall = await self._desk.acknowledge(request.recall_id, current_principal().party)
        return pb.AcknowledgeRecallResponse(recall=recall_message(recall))

    async def ResolveRecall(self, request: pb.ResolveRecallRequest, context: Any) -> pb.ResolveRecallResponse:  # noqa: N802
        caller, ending = current_principal(), ending_of(request.resolution)
        by = f"{caller.kind}:{caller.party}"
        recall = await self._desk.resolve(request.recall_id, caller.party, ending, by)
        return pb.ResolveRecallResponse(recall=recall_message(recall))

    async def ListReleaseGaps(  # noqa: N802
        self, request: pb.ListReleaseGapsRequest, context: Any
    ) -> pb.ListReleaseGapsResponse:
        size, after = request.page_size or DEFAULT_PAGE_SIZE, _place(request.page_token, gap_key, None)
        # One more than asked for tells whether there is a next page.
        found = await self._desk.gaps(request.licensee_id or None, after, size + 1)
        return pb.ListReleaseGapsResponse(
            gaps=[gap_message(gap) for _, gap in found[:size]],
            next_page_token=page_token(gap_token(found[size - 1][0])) if len(found) > size else "",
        )

    async def GetRecallProgress(  # noqa: N802
        self, request: pb.GetRecallProgressRequest, context: Any
    ) -> pb.GetRecallProgressResponse:
        return progress_message(await self._desk.progress())


def bolt(desk: RecallDesk, watch: RecallWatch) -> Bolt:
    """The service, ready to be served."""
    servicer = RecallServicer(desk, watch)
    return Bolt(pb_grpc.add_RecallServiceServicer_to_server, servicer, FULL_NAME)


def _whose(asked: str) -> str | None:
    """The licensee whose recalls are shown; None for all.

    What is not the caller's looks like what is not there.
    """
    own = own_licensee()
    if own is None:
        return asked or None
    return own if asked in {"", own} else NOBODY


def _place(token: str, read: Callable[[str], Place], first: Place) -> Place:
    """Where a page begins; raises Refusal PAGE_TOKEN_INVALID."""
    text = read_page_token(token)
    try:
        return read(text) if text else first
    except ValueError as error:
        raise page_token_invalid() from error
