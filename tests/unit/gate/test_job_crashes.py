"""A job that dies at any moment, and is resumed, also when every permit has run out."""

import errno
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from sluice_gate.delivering import Step
from sluice_gate.errors import JobRefused
from sluice_gate.journal import Journal
from sluice_gate.plan import Plan
from sluice_gate.report import Ended
from sluice_gate.verifying.jobs import verify_job
from sluice_gate.verifying.keys import parse_keys
from tests.support.gate import PERMIT_US, SECOND_US, FakeReleases, Stored, jwks, licensing
from tests.support.release_jobs import (
    FIRST_ID,
    Crash,
    a_file,
    a_job,
    a_line,
    a_plan,
    crash_at,
    the_run,
    until_done,
)

UNDISTURBED = b"".join(a_line(number) for number in range(0, 10, 2))


def assert_nothing_lost_or_doubled(fake: FakeReleases, plan: Plan) -> None:
    """The output is as undisturbed, every decision has its true confirmation, no post is billed twice."""
    assert plan.out.read_bytes() == UNDISTURBED
    assert not fake.unconfirmed()
    assert fake.billed() == Counter(range(FIRST_ID, FIRST_ID + 10, 2))
    verify_job(plan.out, parse_keys(jwks()), posts=plan.posts)


async def killed(fake: FakeReleases, plan: Plan, step: Step, time: int) -> None:
    """Runs a job that dies at a step."""
    async with licensing(fake) as client:
        with pytest.raises(Crash):
            await a_job(plan, client, fake.clock, crash_at(step, time)).start()


@pytest.mark.parametrize("later_us", [0, PERMIT_US + SECOND_US])
@pytest.mark.parametrize("time", [1, 2, 5])
@pytest.mark.parametrize("step", [step for step in Step if step is not Step.JOURNAL_MADE])
async def test_a_job_killed_at_any_step_is_resumed_as_if_nothing_had_happened(
    tmp_path: Path, step: Step, time: int, later_us: int
) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))
    await killed(fake, plan, step, time)
    fake.clock.advance(later_us)

    async with licensing(fake) as client:
        report = await until_done(plan, client, fake.clock, the_run(plan))

    assert (report.ended, report.asked, report.released) == (Ended.FINISHED, 10, 5)
    assert_nothing_lost_or_doubled(fake, plan)


async def test_a_job_killed_before_its_files_were_made_is_resumed(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))
    await killed(fake, plan, Step.JOURNAL_MADE, 1)

    async with licensing(fake) as client:
        await until_done(plan, client, fake.clock, the_run(plan))

    assert_nothing_lost_or_doubled(fake, plan)


@pytest.mark.parametrize(
    "steps", [[Step.ANSWERED, Step.OUTPUT_DURABLE, Step.JOURNAL_DURABLE, Step.CONFIRMED]]
)
async def test_a_job_killed_again_and_again_walks_its_rounds_and_bills_once(
    tmp_path: Path, steps: list[Step]
) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))
    await killed(fake, plan, Step.OUTPUT_WRITTEN, 2)

    async with licensing(fake) as client:
        for step in steps:
            fake.clock.advance(PERMIT_US)
            with pytest.raises(Crash):
                await a_job(plan, client, fake.clock, crash_at(step)).resume(the_run(plan))
        report = await until_done(plan, client, fake.clock, the_run(plan))

    assert report.rounds > 0
    assert_nothing_lost_or_doubled(fake, plan)


async def test_a_decision_given_up_is_not_delivered_on_while_its_permit_lasts(tmp_path: Path) -> None:
    """It was confirmed as delivered to nobody, then the process died: its count is closed."""
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))
    await killed(fake, plan, Step.ANSWERED, 1)
    for stored in fake.stored.values():
        stored.delivered = bytes(1)

    async with licensing(fake) as client:
        await until_done(plan, client, fake.clock, the_run(plan))

    assert_nothing_lost_or_doubled(fake, plan)


async def test_an_author_who_opts_out_while_the_job_is_down_is_in_no_new_delivery(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))
    await killed(fake, plan, Step.OUTPUT_WRITTEN, 2)
    fake.clock.advance(PERMIT_US)
    fake.denies = lambda author: True

    async with licensing(fake) as client:
        await until_done(plan, client, fake.clock, the_run(plan))

    assert plan.out.read_bytes() == a_line(0)
    assert fake.billed() == Counter([FIRST_ID])


async def test_a_torn_end_of_the_journal_is_cut_off(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))
    await killed(fake, plan, Step.RECEIPTS_DURABLE, 3)
    with plan.files.journal.open("ab") as journal:
        journal.write(b'{"done":{"batch":2,"rou')

    async with licensing(fake) as client:
        await until_done(plan, client, fake.clock, the_run(plan))

    assert_nothing_lost_or_doubled(fake, plan)


@pytest.mark.parametrize("cut", range(1, 260, 37))
async def test_a_journal_torn_anywhere_in_its_last_entry_loses_nothing(tmp_path: Path, cut: int) -> None:
    """The entry was not durable, so it was not confirmed; licensing may have been told nothing."""
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path), in_flight=1)
    await killed(fake, plan, Step.JOURNAL_DURABLE, 3)
    journal = plan.files.journal.read_bytes()
    plan.files.journal.write_bytes(journal[:-cut])

    async with licensing(fake) as client:
        await until_done(plan, client, fake.clock, the_run(plan))

    assert_nothing_lost_or_doubled(fake, plan)


async def test_a_journal_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))
    await killed(fake, plan, Step.JOURNAL_DURABLE, 3)
    run = the_run(plan)
    lines = plan.files.journal.read_bytes().split(b"\n")
    plan.files.journal.write_bytes(b"\n".join([lines[0], lines[1][:-5], *lines[2:]]))

    async with licensing(fake) as client:
        with pytest.raises(JobRefused, match="JOURNAL_DAMAGED"):
            await until_done(plan, client, fake.clock, run)


async def test_an_output_that_lost_bytes_is_refused(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))
    await killed(fake, plan, Step.JOURNAL_DURABLE, 2)
    plan.out.write_bytes(plan.out.read_bytes()[:-1])

    async with licensing(fake) as client:
        with pytest.raises(JobRefused, match="OUTPUT_SHORTER"):
            await until_done(plan, client, fake.clock, the_run(plan))


async def test_a_run_goes_on_only_as_it_began(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))
    await killed(fake, plan, Step.JOURNAL_DURABLE, 1)
    run = the_run(plan)

    async with licensing(fake) as client:
        for other in (a_plan(plan.posts, license_id="other"), a_plan(plan.posts, batch_size=3)):
            with pytest.raises(JobRefused, match="JOB_DIFFERS"):
                await until_done(other, client, fake.clock, run)
        plan.posts.write_bytes(plan.posts.read_bytes().replace(b"text of 9", b"text of X"))
        with pytest.raises(JobRefused, match="another modified_ns, fingerprint"):
            await until_done(plan, client, fake.clock, run)
        with pytest.raises(JobRefused, match="RUN_DIFFERS"):
            await until_done(plan, client, fake.clock, "01999999-0000-7000-8000-000000000001")
        with pytest.raises(JobRefused, match="RUN_MALFORMED"):
            await until_done(plan, client, fake.clock, "latest")


async def test_two_jobs_never_work_on_one_journal(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))
    await killed(fake, plan, Step.JOURNAL_DURABLE, 1)
    first = Journal.open(plan.files.journal)

    async with licensing(fake) as client:
        with pytest.raises(JobRefused, match="JOB_RUNNING"):
            await until_done(plan, client, fake.clock, the_run(plan))
        first.close()
        await until_done(plan, client, fake.clock, the_run(plan))

    assert_nothing_lost_or_doubled(fake, plan)


async def test_a_finished_run_can_be_resumed_and_does_nothing(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))

    async with licensing(fake) as client:
        first = await a_job(plan, client, fake.clock).start()
        decisions, journal = len(fake.stored), plan.files.journal.read_bytes()
        again = await until_done(plan, client, fake.clock, first.run)

    assert (again.ended, again.asked, again.denied) == (Ended.FINISHED, first.asked, first.denied)
    assert (len(fake.stored), plan.files.journal.read_bytes()) == (decisions, journal)


async def test_a_delivery_that_licensing_was_told_otherwise_about_is_a_problem(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path), in_flight=1)
    await killed(fake, plan, Step.JOURNAL_DURABLE, 1)
    first = next(iter(fake.stored.values()))
    first.delivered = bytes(1)

    async with licensing(fake) as client:
        report = await until_done(plan, client, fake.clock, the_run(plan))

    assert report.ended is Ended.FINISHED
    assert [first.decision.decision_id in problem for problem in report.problems] == [True]


async def test_a_decision_delivered_by_somebody_else_is_never_asked_again(tmp_path: Path) -> None:
    """An older copy of the journal: to ask in the next round would deliver and bill the posts twice."""
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path), in_flight=1)
    await killed(fake, plan, Step.JOURNAL_DURABLE, 1)
    older = plan.files.journal.read_bytes()

    async with licensing(fake) as client:
        await until_done(plan, client, fake.clock, the_run(plan))
        plan.files.journal.write_bytes(older)
        report = await until_done(plan, client, fake.clock, the_run(plan))

    assert (report.ended, report.reason) == (Ended.REFUSED, "DELIVERED_ELSEWHERE")
    assert fake.billed() == Counter(range(FIRST_ID, FIRST_ID + 10, 2))


async def test_the_ids_of_a_run_are_of_version_7_with_its_time(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    times = {int(id[:8] + id[9:13], 16) for id in [report.run, *fake.stored]}
    assert times == {fake.clock.now_us() // 1_000}
    assert len(fake.stored) == 5
    assert {(id[14], id[19] in "89ab") for id in fake.stored} == {("7", True)}


async def test_a_write_that_outlasts_its_permit_is_taken_back(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path), in_flight=1)
    slow = [Step.OUTPUT_DURABLE]

    def at_step(step: Step) -> None:
        if step in slow:
            slow.remove(step)
            fake.clock.advance(PERMIT_US)

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock, at_step).start()

    assert report.rounds == 1
    assert_nothing_lost_or_doubled(fake, plan)


@pytest.mark.parametrize("later_us", [0, PERMIT_US])
@pytest.mark.parametrize("failing", range(1, 10))
async def test_a_batch_whose_durability_is_unknown_is_never_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int, later_us: int
) -> None:
    """The disk reports an error though all that was written is there: who resumes may find it delivered."""
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))
    written: list[int] = []

    def fail_once(file: int, sync: Callable[[int], None] = os.fsync) -> None:
        sync(file)
        written.append(file)
        if len(written) == failing:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    async with licensing(fake) as client:
        with monkeypatch.context() as disk:

            def at_step(step: Step) -> None:
                if step is Step.ANSWERED:
                    disk.setattr(os, "fsync", fail_once)

            stopped = await a_job(plan, client, fake.clock, at_step).start()
        fake.clock.advance(later_us)
        report = await until_done(plan, client, fake.clock, stopped.run)

    assert (stopped.ended, stopped.message) == (Ended.NOT_WRITTEN, "Input/output error")
    assert (report.ended, report.problems) == (Ended.FINISHED, [])
    assert_nothing_lost_or_doubled(fake, plan)


async def test_receipts_of_every_round_are_kept(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path, 2))
    await killed(fake, plan, Step.OUTPUT_DURABLE, 1)
    fake.clock.advance(PERMIT_US)

    async with licensing(fake) as client:
        await until_done(plan, client, fake.clock, the_run(plan))

    lines = [json.loads(line) for line in plan.files.receipts.read_bytes().splitlines()]
    assert [(line["round"], line["delivered"]) for line in lines] == [(0, "00"), (1, "01")]
    assert [line["receipt"] for line in lines] == [stored.decision.receipt for stored in _all(fake)]


def _all(fake: FakeReleases) -> list[Stored]:
    return list(fake.stored.values())
