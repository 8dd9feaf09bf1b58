"""One fleet for all tests of faults, a platform, and what a job over it looks like if nothing happens."""

import random
from collections.abc import AsyncIterator
from os import environ
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.fleet import Fleet, a_fleet
from tests.support.job_checks import MakeJob, Undisturbed
from tests.support.platforms import Platform, a_platform
from tests.support.running_jobs import RunningJob

POSTS = 3_000
ACCOUNTS = 400


@pytest.fixture(scope="session")
def seed() -> int:
    """Where chance begins: FAULT_SEED, to repeat a failure, or another number each time."""
    return int(environ.get("FAULT_SEED", random.SystemRandom().randrange(10**6)))


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def running_fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    async with a_fleet(tmp_path_factory.mktemp("fleet") / "state") as fleet:
        yield fleet


@pytest_asyncio.fixture(loop_scope="session")
async def fleet(running_fleet: Fleet) -> AsyncIterator[Fleet]:
    """The fleet; no command outlives its test."""
    yield running_fleet
    await running_fleet.end_commands()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def platform(running_fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    folder = tmp_path_factory.mktemp("platform") / "posts"
    return await a_platform(running_fleet, folder, posts=POSTS, accounts=ACCOUNTS, seed=1)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def undisturbed(
    running_fleet: Fleet, platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Undisturbed:
    await running_fleet.license("undisturbed")
    out = tmp_path_factory.mktemp("undisturbed") / "out.jsonl"
    job = RunningJob(running_fleet, platform.posts, out, "undisturbed")
    ending = await job.finish()
    assert ending.status == 0, ending.err
    return Undisturbed(job, out.read_bytes(), job.size)


@pytest.fixture
def make_job(fleet: Fleet, platform: Platform, tmp_path: Path) -> MakeJob:
    """Makes a job over the posts of the platform, under a license of its own."""

    async def make(license_id: str) -> RunningJob:
        await fleet.license(license_id)
        return RunningJob(fleet, platform.posts, tmp_path / "out.jsonl", license_id)

    return make
