"""The post directory, real and scripted, with posts on it."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import services.directory
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.identity import PrincipalKind
from services.chassis.serving import Bolt
from services.directory.rpc.admissions import ADMISSIONS
from services.directory.rpc.servicer import bolts
from services.directory.shelf import Shelf
from services.directory.storage.posts import PostStore
from sluice.directory.v1 import directory_service_pb2 as pb
from sluice.directory.v1 import directory_service_pb2_grpc as pb_grpc
from sluice.licensing.v1 import post_pb2
from tests.support.grpc import LocalServer, serving

SCHEMA = Path(services.directory.__file__).with_name("schema")


def directory_database_at(url: str) -> Database:
    """The directory's database at a URL, opened as the service does."""
    return Database.open(url, schema_dir=SCHEMA, name="directory")


class Directory:
    """What a test does with the real directory."""

    def __init__(self, server: LocalServer, new_id: Callable[[], str]) -> None:
        self.server = server
        self.address = server.address
        self._pipeline = server.peer(PrincipalKind.PIPELINE, "firehose")
        self._new_id = new_id

    async def put(self, *posts: post_pb2.Post, request_id: str | None = None) -> int:
        """Puts posts, as a pipeline; how many are kept."""
        request = pb.PutPostsRequest(
            request_id=request_id or self._new_id(), posts=post_pb2.PostList(posts=posts)
        )
        stub = pb_grpc.PostStoreServiceStub(self._pipeline.channel)
        return (await self._pipeline.call(stub.PutPosts, request)).posts_kept

    async def send(self, request: pb.PutPostsRequest) -> pb.PutPostsResponse:
        """Sends a request as it is."""
        stub = pb_grpc.PostStoreServiceStub(self._pipeline.channel)
        return await self._pipeline.call(stub.PutPosts, request)

    async def get(self, *ids: int) -> pb.GetPostsResponse:
        """Looks posts up, as a pipeline."""
        stub = pb_grpc.PostDirectoryServiceStub(self._pipeline.channel)
        return await self._pipeline.call(stub.GetPosts, pb.GetPostsRequest(ids=ids))


@contextlib.asynccontextmanager
async def a_directory(
    folder: Path, clock: Clock, new_id: Callable[[], str], url: str | None = None
) -> AsyncIterator[Directory]:
    """The directory over a database of its own; `new_id` makes request ids."""
    database = directory_database_at(url or f"sqlite:///{folder}/directory.db")
    try:
        async with serving(
            folder, *bolts(Shelf(PostStore(database), clock), clock), admissions=ADMISSIONS, clock=clock
        ) as server:
            yield Directory(server, new_id)
    finally:
        await database.close()


@dataclass
class ScriptedDirectory(pb_grpc.PostDirectoryServiceServicer):
    """A directory that says what it is told to, and remembers what it was asked."""

    answer: Callable[[Sequence[int]], pb.GetPostsResponse]
    asked: list[list[int]] = field(default_factory=list)

    async def GetPosts(self, request: pb.GetPostsRequest, context: Any) -> pb.GetPostsResponse:  # noqa: N802
        """The answer."""
        self.asked.append(list(request.ids))
        return self.answer(request.ids)


@contextlib.asynccontextmanager
async def a_scripted_directory(
    folder: Path, clock: Clock, answer: Callable[[Sequence[int]], pb.GetPostsResponse]
) -> AsyncIterator[tuple[ScriptedDirectory, str]]:
    """A directory that answers so, and its address."""
    scripted = ScriptedDirectory(answer)
    name = "sluice.directory.v1.PostDirectoryService"
    bolt = Bolt(pb_grpc.add_PostDirectoryServiceServicer_to_server, scripted, name)
    async with serving(folder, bolt, admissions=ADMISSIONS, clock=clock) as server:
        yield scripted, server.address
