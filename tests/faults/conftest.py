"""One fleet for all tests of faults, a platform, and what a job over it looks like if nothing happens."""

import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from os import environ
from pathlib import Path

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from services.console.app import app
from tests.support.fleet import Fleet, a_fleet
from tests.support.platforms import Platform, a_platform
from tests.support.running_jobs import RunningJob, books_at_rest, check_bill

POSTS = 3_000
ACCOUNTS = 400

MakeJob = Callable[[str], Awaitable[RunningJob]]


@dataclass(frozen=True)
class Undisturbed:
    """A job to which nothing happened."""

    job: RunningJob
    output: bytes
    size: int
    """Bytes in all its files."""


async def check_as_if_nothing_had_happened(job: RunningJob, undisturbed: Undisturbed) -> None:
    """Output, receipts and bill of a job that has ended, and every sum in the books."""
    arguments = ["receipt", "verify", str(job.out), "--posts", str(job.posts)]
    # In this process, only because one of its own takes a second to start.
    verified = CliRunner().invoke(app, [*arguments, "--state", str(job.fleet.state.root), "--json"])
    assert verified.exit_code == 0, verified.exception
    assert json.loads(verified.stdout)["finished"]
    assert job.out.read_bytes() == undisturbed.output
    await check_bill(job)


async def check_nothing_was_delivered_on(job: RunningJob, orphans: set[str]) -> None:
    """On permits that ended while the job stood still: licensing knows, and metering keeps what was held."""
    bills = (await books_at_rest(job.fleet)).bills(job.license_id)
    late = [bill for bill in bills if bill.decision_id in orphans]
    assert len(late) == len(orphans)
    for bill in late:
        assert bill.billed == []
        assert bill.not_after_us is not None
        assert bill.confirmed_at_us is not None
        assert bill.confirmed_at_us >= bill.not_after_us
    assert orphans.isdisjoint(job.delivered)


@pytest.fixture(scope="session")
def seed() -> int:
    """Where chance begins: FAULT_SEED, to repeat a failure, or another number each time."""
    return int(environ.get("FAULT_SEED", random.SystemRandom().randrange(10**6)))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    async with a_fleet(tmp_path_factory.mktemp("fleet") / "state") as fleet:
        yield fleet


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def platform(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    folder = tmp_path_factory.mktemp("platform") / "posts"
    return await a_platform(fleet, folder, posts=POSTS, accounts=ACCOUNTS, seed=1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def undisturbed(
    fleet: Fleet, platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Undisturbed:
    await fleet.license("undisturbed")
    out = tmp_path_factory.mktemp("undisturbed") / "out.jsonl"
    job = RunningJob(fleet, platform.posts, out, "undisturbed")
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
