"""Two days of real posts: what leaves is exactly what a few lines of oracle say (C6)."""

import json
from pathlib import Path
from typing import Any

import pytest

from sluice_gate.reading.forms import Format, PostForm, detect
from sluice_gate.report import Ended
from sluice_gate.verifying.jobs import verify_job
from sluice_gate.verifying.keys import parse_keys
from tests.support.gate import FakeReleases, jwks, licensing
from tests.support.release_jobs import a_job, a_plan

POSTS = Path(__file__).parents[3].parent / "shared" / "data" / "posts"
DAYS = ["congress-2016-04-19.jsonl", "congress-2016-04-20.jsonl"]

pytestmark = pytest.mark.skipif(not POSTS.is_dir(), reason="the real posts are not at hand")


def contributors(status: dict[str, Any]) -> list[int]:
    """Everybody in a status, 0 for a quoted post that is only named."""
    found = [int(status["user"]["id_str"])]
    for name in ("retweeted_status", "quoted_status"):
        found += contributors(status[name]) if name in status else []
    return found + ([0] if "quoted_status_id" in status and "quoted_status" not in status else [])


@pytest.mark.parametrize("day", DAYS)
async def test_exactly_the_posts_without_an_opted_out_or_unnamed_contributor_leave(
    tmp_path: Path, day: str
) -> None:
    lines = (POSTS / day).read_bytes().splitlines(keepends=True)
    fake = FakeReleases()
    plan = a_plan(
        POSTS / day, out=tmp_path / "out", form=PostForm(detect(POSTS / day)), batch_size=500, in_flight=2
    )

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    expected = [line for line in lines if all(author % 2 for author in contributors(json.loads(line)))]
    assert plan.form.format is Format.X_API
    assert (report.ended, report.asked, report.broken) == (Ended.FINISHED, len(lines), 0)
    assert plan.out.read_bytes() == b"".join(expected)
    assert 0 < len(expected) < len(lines) // 2
    assert verify_job(plan.out, parse_keys(jwks()), posts=POSTS / day).delivered == len(expected)
