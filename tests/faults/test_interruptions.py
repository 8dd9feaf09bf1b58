"""Jobs that stop for other reasons than a crash, or for longer than a permit lasts."""

import signal

import pytest

from tests.support.job_checks import (
    MakeJob,
    Undisturbed,
    books_at_rest,
    check_as_if_nothing_had_happened,
    check_nothing_was_delivered_on,
)
from tests.support.running_jobs import EXIT_RESUMABLE
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_job_interrupted_by_ctrl_c_gives_back_what_it_did_not_write_and_can_be_resumed(
    make_job: MakeJob, undisturbed: Undisturbed
) -> None:
    job = await make_job("interrupted")
    command = await job.begin()
    await until(lambda: job.size > undisturbed.size / 4, "a quarter was done")

    command.send(signal.SIGINT)
    interrupted = await command.ending()
    bills = (await books_at_rest(job.fleet)).bills(job.license_id)
    finished = await job.finish()

    assert (interrupted.status, interrupted.answer["ended"]) == (EXIT_RESUMABLE, "interrupted")
    assert interrupted.answer["unconfirmed"] == 0
    assert all(bill.delivered is not None for bill in bills if bill.released)
    assert {bill.decision_id for bill in bills if bill.billed} < job.delivered
    assert finished.status == 0, finished.err
    await check_as_if_nothing_had_happened(job, undisturbed)


async def test_a_job_killed_and_resumed_later_delivers_nothing_on_permits_that_have_ended(
    make_job: MakeJob, undisturbed: Undisturbed
) -> None:
    job = await make_job("resumed-late")
    command = await job.begin()
    orphans = await job.until_orphaned(command)
    await command.killed()
    # At rest no permit is open: all have ended, and count in full.
    bills = (await books_at_rest(job.fleet)).bills(job.license_id)

    finished = await job.finish()

    assert finished.status == 0, finished.err
    assert all(bill.billed == bill.released for bill in bills if bill.decision_id in orphans)
    await check_nothing_was_delivered_on(job, orphans)
    await check_as_if_nothing_had_happened(job, undisturbed)


async def test_a_job_that_stood_still_delivers_nothing_on_permits_that_have_ended(
    make_job: MakeJob, undisturbed: Undisturbed
) -> None:
    job = await make_job("stood-still")
    command = await job.begin()
    orphans = await job.until_orphaned(command)
    await books_at_rest(job.fleet)

    command.send(signal.SIGCONT)
    finished = await command.ending()

    assert finished.status == 0, finished.err
    await check_nothing_was_delivered_on(job, orphans)
    await check_as_if_nothing_had_happened(job, undisturbed)


async def test_a_job_whose_server_is_gone_for_too_long_ends_with_3_and_can_be_resumed(
    make_job: MakeJob, undisturbed: Undisturbed
) -> None:
    job = await make_job("server-gone")
    # Less than licensing takes to start again.
    command = await job.begin("--give-up-after", "0.2")
    await until(lambda: job.size > undisturbed.size / 4, "a quarter was done")

    job.fleet.kill("licensing")
    given_up = await command.ending()
    finished = await job.finish()

    assert (given_up.status, given_up.answer["ended"]) == (EXIT_RESUMABLE, "unavailable")
    assert given_up.answer["run"] == finished.answer["run"]
    assert finished.status == 0, finished.err
    await check_as_if_nothing_had_happened(job, undisturbed)
