"""The directory over gRPC: each call translated to the shelf and back."""

from typing import Any

from services.chassis.clock import Clock
from services.chassis.replays import checked_replay_key
from services.chassis.serving import Bolt
from services.chassis.telemetry import set_attributes
from services.directory.rpc.columns import columns_of, posts_of
from services.directory.shelf import Shelf
from sluice.directory.v1 import directory_service_pb2 as pb
from sluice.directory.v1 import directory_service_pb2_grpc as pb_grpc

DIRECTORY = "sluice.directory.v1.PostDirectoryService"
STORE = "sluice.directory.v1.PostStoreService"
POSTS_ASKED = "sluice.posts_asked"
POSTS_KNOWN = "sluice.posts_known"
"""Attributes of a look-up's span."""


class DirectoryServicer(pb_grpc.PostDirectoryServiceServicer):
    """`sluice.directory.v1.PostDirectoryService`."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def GetPosts(self, request: pb.GetPostsRequest, context: Any) -> pb.GetPostsResponse:  # noqa: N802
        """What is known of posts."""
        found = await self._shelf.look_up(request.ids)
        set_attributes({POSTS_ASKED: len(request.ids), POSTS_KNOWN: len(found.posts)})
        response = pb.GetPostsResponse(posts=columns_of(found.posts))
        response.as_of.FromMicroseconds(found.as_of_us)
        return response


class StoreServicer(pb_grpc.PostStoreServiceServicer):
    """`sluice.directory.v1.PostStoreService`."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self._shelf = shelf
        self._clock = clock

    async def PutPosts(self, request: pb.PutPostsRequest, context: Any) -> pb.PutPostsResponse:  # noqa: N802
        """Keeps posts."""
        key = checked_replay_key("PutPosts", request, self._clock.now_us())
        kept = await self._shelf.put(posts_of(request), key)
        faults = [pb.PostFault(position=place, fault=fault) for place, fault in kept.faults.items()]
        return pb.PutPostsResponse(posts_kept=kept.posts, faults=faults)


def bolts(shelf: Shelf, clock: Clock) -> tuple[Bolt, Bolt]:
    """Both services, ready to be served."""
    directory, store = DirectoryServicer(shelf), StoreServicer(shelf, clock)
    return (
        Bolt(pb_grpc.add_PostDirectoryServiceServicer_to_server, directory, DIRECTORY),
        Bolt(pb_grpc.add_PostStoreServiceServicer_to_server, store, STORE),
    )
