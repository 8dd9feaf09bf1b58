"""Two real days of posts go through the gate, and an oracle of a few lines says which may leave."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from sluice_gate import Ended, Format, LicensingClient, Plan, PostForm, ReleaseJob, load_keys, verify_job
from tests.support.clock import ManualClock
from tests.support.cluster import TRAINING, Cluster, a_cluster
from tests.support.keys import some_keys

DAYS = Path(__file__).resolve().parents[3] / "shared" / "data" / "posts"
EMBEDS = (("retweeted_status", None), ("quoted_status", "quoted_status_id_str"))


def contributors(post: dict[str, Any]) -> Iterator[int]:
    """Authors of a post and of all that is embedded in it; 0 for an embed that is named and not there."""
    yield int(post["user"]["id_str"])
    for field, name in EMBEDS:
        if post.get(field):
            yield from contributors(post[field])
        elif name and post.get(name):
            yield 0


def may_leave(line: bytes) -> bool:
    """Everybody's account id is odd."""
    return all(author % 2 for author in contributors(json.loads(line)))


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with a_cluster(tmp_path, ManualClock(SystemClock().now_us())) as cluster:
        await cluster.publish_policy()
        await cluster.license()
        yield cluster


@pytest.mark.parametrize("day", ["2016-04-19", "2016-04-20"])
async def test_what_leaves_is_exactly_what_has_no_contributor_who_opted_out(
    cluster: Cluster, day: str, tmp_path: Path
) -> None:
    posts = DAYS / f"congress-{day}.jsonl"
    if not posts.exists():
        pytest.skip("the real posts are not here")
    lines = posts.read_bytes().splitlines(keepends=True)
    authors = {author for line in lines for author in contributors(json.loads(line))} - {0}
    await cluster.know(*sorted(authors))
    await cluster.opt_out(*(author for author in authors if author % 2 == 0))
    out = tmp_path / "out.jsonl"
    plan = Plan(posts, out, "acme-training", TRAINING, PostForm(Format.X_API), batch_size=500)

    client = LicensingClient(
        cluster.licensing.address, lambda: cluster.licensing.token(PrincipalKind.PIPELINE, "firehose")
    )
    report = await ReleaseJob(plan, client).start()
    await client.close()

    assert report.ended is Ended.FINISHED
    assert out.read_bytes().splitlines(keepends=True) == [line for line in lines if may_leave(line)]
    assert 0 < report.released < report.asked == len(lines)
    verified = verify_job(out, load_keys(some_keys(tmp_path).receipt_jwks), posts=posts)
    assert verified.delivered == report.released
