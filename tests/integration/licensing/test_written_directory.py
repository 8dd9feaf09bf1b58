"""The directory that docs/directory.md prints is one that licensing can ask."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest

from services.chassis.clock import SystemClock
from sluice.directory.v1 import directory_service_pb2 as pb
from sluice.directory.v1 import directory_service_pb2_grpc as pb_grpc
from sluice.licensing.v1.reason_pb2 import Verdict
from sluice_gate import Post
from tests.support.clock import NOON_US, ManualClock
from tests.support.cluster import Cluster, a_cluster
from tests.support.keys import some_keys

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "directory.md"
POSTS = {
    id: Post(id, author, 1, 0, "en", NOON_US - 1_000_000, embeds)
    for id, author, embeds in ((101, 1, ()), (102, 2, ((700, 0),)), (103, 3, ((701, 1),)))
}


def printed() -> dict[str, Any]:
    """What the code in the document defines."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, str(DOCUMENT), "exec"), names)
    return names


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    keys = jwt.PyJWKSet.from_json(some_keys(tmp_path).token_jwks.read_text(encoding="utf-8"))
    server, port = printed()["serving"](POSTS, keys, "127.0.0.1:0")
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.fixture
async def cluster(tmp_path: Path, address: str) -> AsyncIterator[Cluster]:
    # It checks tokens by the clock of the machine, so theirs begins with that.
    clock = ManualClock(SystemClock().now_us())
    async with a_cluster(tmp_path, clock, directory_target=address) as cluster:
        await cluster.publish_policy()
        await cluster.know(*range(1, 11))
        await cluster.license(limit=10)
        yield cluster


async def test_licensing_asks_the_printed_directory_and_believes_it(cluster: Cluster) -> None:
    # It answers as of the machine's time, which is not to be ahead of theirs, however long that took.
    cluster.clock.advance(SystemClock().now_us() - cluster.clock.now_us())
    decision = await cluster.request([103, 999, 102, 101])

    assert list(decision.verdicts) == [
        Verdict.VERDICT_RELEASED,
        Verdict.VERDICT_NOT_AVAILABLE,
        Verdict.VERDICT_NOT_AVAILABLE,
        Verdict.VERDICT_RELEASED,
    ]


@pytest.mark.parametrize("token", ["", "Bearer nonsense"])
def test_whoever_shows_no_token_of_licensing_learns_nothing(address: str, token: str) -> None:
    with grpc.insecure_channel(address) as channel:
        stub = pb_grpc.PostDirectoryServiceStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            stub.GetPosts(pb.GetPostsRequest(ids=[101]), metadata=(("authorization", token),), timeout=5)

    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
