"""An author opts out between two runs, or while a job lies dead: nothing of theirs goes out after that."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.chassis.clock import SystemClock
from services.console.moments import read
from tests.support.fleet import Fleet
from tests.support.job_checks import books_at_rest, check_bill, check_nothing_was_delivered_on
from tests.support.platforms import a_platform
from tests.support.running_jobs import RunningJob
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


def contributors(post: dict[str, Any]) -> Iterator[str]:
    """Authors of a post and of all that is embedded in it."""
    yield post["user"]["id_str"]
    for field in ("retweeted_status", "quoted_status"):
        if field in post:
            yield from contributors(post[field])


def lines_without(author: str, lines: list[bytes]) -> list[bytes]:
    return [line for line in lines if author not in contributors(json.loads(line))]


def most_prolific(lines: list[bytes]) -> str:
    """The author of most of the posts."""
    [(author, _)] = Counter(json.loads(line)["user"]["id_str"] for line in lines).most_common(1)
    return str(author)


def lines_of(job: RunningJob) -> list[bytes]:
    return job.out.read_bytes().splitlines(keepends=True)


async def opt_out(fleet: Fleet, author: str) -> int:
    """As an operator types it; when no earlier permit is valid any more, microseconds UTC."""
    ending = await fleet.sluice("choices", "record", author, "deny", "--json")
    assert ending.status == 0, ending.err
    return read(ending.answer["in_force_after"]).ToMicroseconds()


async def a_job(fleet: Fleet, folder: Path, license_id: str, seed: int) -> RunningJob:
    """A job over a platform of its own, so that nobody else's authors opt out."""
    platform = await a_platform(fleet, folder / "platform", posts=1_500, accounts=60, seed=seed)
    await fleet.license(license_id)
    return RunningJob(fleet, platform.posts, folder / "out.jsonl", license_id)


async def test_a_new_run_after_an_opt_out_releases_none_of_that_authors_posts(
    fleet: Fleet, tmp_path: Path
) -> None:
    before = await a_job(fleet, tmp_path, "opted-out", seed=2)
    assert (await before.finish()).status == 0
    author = most_prolific(lines_of(before))
    await opt_out(fleet, author)

    after = replace(before, out=tmp_path / "after.jsonl")
    ending = await after.finish()

    assert ending.status == 0, ending.err
    assert lines_of(after) == lines_without(author, lines_of(before))
    assert len(lines_of(after)) < len(lines_of(before))
    await books_at_rest(fleet)


async def test_a_job_killed_before_an_opt_out_and_resumed_after_it_releases_no_more_of_that_authors_posts(
    fleet: Fleet, tmp_path: Path
) -> None:
    job = await a_job(fleet, tmp_path, "opted-out-meanwhile", seed=3)
    command = await job.begin()
    orphans = await job.until_orphaned(command)
    await command.killed()
    out_before = lines_of(job)
    author = most_prolific(out_before)
    unread = job.posts.read_bytes()[job.done[-1]["input"][1] :]
    in_force_after_us = await opt_out(fleet, author)
    await until(lambda: SystemClock().now_us() > in_force_after_us, "the opt-out was in force")

    ending = await job.finish()

    assert ending.status == 0, ending.err
    assert lines_of(job)[: len(out_before)] == out_before
    out_after = lines_of(job)[len(out_before) :]
    assert out_after == lines_without(author, out_after) != []
    assert author.encode() in unread
    await check_nothing_was_delivered_on(job, orphans)
    await check_bill(job)
