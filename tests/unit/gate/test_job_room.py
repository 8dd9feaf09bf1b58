"""Allowances without room: a job waits, or ends and says when to resume; the output stays in order."""

from collections import Counter
from pathlib import Path

import grpc

from sluice_gate.report import Ended
from sluice_gate.verifying.jobs import verify_job
from sluice_gate.verifying.keys import parse_keys
from tests.support.clock import NOON_US
from tests.support.gate import SECOND_US, Failure, FakeReleases, Stored, jwks, licensing
from tests.support.release_jobs import FIRST_ID, a_file, a_job, a_plan, ids_in, until_done

HOUR_US = 3_600 * SECOND_US


def allow_all(author: int) -> bool:
    """Nobody has opted out."""
    return author < 0


async def test_without_room_the_job_ends_with_the_time_to_resume_M8(tmp_path: Path) -> None:  # noqa: N802
    fake, plan = FakeReleases(denies=allow_all, room=4), a_plan(a_file(tmp_path), in_flight=2)

    async with licensing(fake) as client:
        stopped = await a_job(plan, client, fake.clock).start()

    assert (stopped.ended, stopped.asked, stopped.released) == (Ended.NO_ROOM, 4, 4)
    assert stopped.retry_at_us == NOON_US + HOUR_US
    assert fake.billed() == Counter(ids_in(plan.out))


async def test_a_job_that_had_no_room_goes_on_where_it_stopped(tmp_path: Path) -> None:
    fake, plan = FakeReleases(denies=allow_all, room=4), a_plan(a_file(tmp_path))

    async with licensing(fake) as client:
        stopped = await a_job(plan, client, fake.clock).start()
        fake.room = None
        report = await until_done(plan, client, fake.clock, stopped.run)

    assert (report.ended, report.released) == (Ended.FINISHED, 10)
    assert fake.billed() == Counter(ids_in(plan.out)) == Counter(range(FIRST_ID, FIRST_ID + 10))
    assert verify_job(plan.out, parse_keys(jwks()), posts=plan.posts).delivered == 10


async def test_a_later_batch_never_takes_the_room_of_an_earlier_one(tmp_path: Path) -> None:
    """Batch 2 of three posts does not fit, batch 3 of two would: its hold is given back, and order kept."""
    fake, plan = FakeReleases(denies=lambda author: author == 6, room=4), a_plan(a_file(tmp_path, 8))
    plan = a_plan(plan.posts, batch_size=3, in_flight=3)

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    assert report.ended is Ended.NO_ROOM
    assert ids_in(plan.out) == [FIRST_ID, FIRST_ID + 1, FIRST_ID + 2]
    assert fake.billed() == Counter(ids_in(plan.out))
    assert not fake.unconfirmed()


async def test_room_that_later_batches_had_taken_is_used_before_the_job_ends(tmp_path: Path) -> None:
    """The second batch was refused room only because the third was faster."""
    fake, plan = FakeReleases(denies=allow_all), a_plan(a_file(tmp_path, 6))
    faster: list[int] = []

    def overtake(stored: Stored) -> None:
        faster.append(1)
        fake.room = {1: 0, 2: 2}.get(len(faster), fake.room)

    fake.on_decided = overtake

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    assert ids_in(plan.out) == list(range(FIRST_ID, FIRST_ID + report.released))
    assert report.released >= 4
    assert fake.billed() == Counter(ids_in(plan.out))


async def test_with_wait_the_batch_is_asked_again_when_the_time_has_come_M8(tmp_path: Path) -> None:  # noqa: N802
    fake, plan = FakeReleases(denies=allow_all, room=4), a_plan(a_file(tmp_path), wait=True)

    def more_room_after_an_hour(stored: Stored) -> None:
        if fake.clock.now_us() >= NOON_US + HOUR_US:
            fake.room = 100

    fake.on_decided = more_room_after_an_hour

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    assert (report.ended, report.released) == (Ended.FINISHED, 10)
    assert report.waits >= 1
    assert fake.billed() == Counter(ids_in(plan.out)) == Counter(range(FIRST_ID, FIRST_ID + 10))
    assert verify_job(plan.out, parse_keys(jwks()), posts=plan.posts).delivered == 10


async def test_a_job_without_a_time_to_retry_ends_without_one_M8(tmp_path: Path) -> None:  # noqa: N802
    fake = FakeReleases(denies=allow_all, room=0, retry_after_us=None)

    async with licensing(fake) as client:
        report = await a_job(a_plan(a_file(tmp_path, 2)), client, fake.clock).start()

    assert (report.ended, report.retry_at_us) == (Ended.NO_ROOM, None)


async def test_without_a_time_to_retry_the_job_tries_each_minute(tmp_path: Path) -> None:
    fake = FakeReleases(denies=allow_all, room=0, retry_after_us=None)
    plan = a_plan(a_file(tmp_path, 2), wait=True)

    def room_at_last(stored: Stored) -> None:
        if len(fake.stored) == 2:
            fake.room = 2

    fake.on_decided = room_at_last

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    assert (report.ended, report.waits) == (Ended.FINISHED, 2)
    assert fake.clock.now_us() == NOON_US + 120 * SECOND_US


async def test_a_batch_that_never_fits_is_denied_for_good(tmp_path: Path) -> None:
    fake = FakeReleases(denies=lambda author: author % 2 == 0, room=0, never_fits=True)
    plan = a_plan(a_file(tmp_path))

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    assert (report.ended, report.released) == (Ended.FINISHED, 0)
    assert report.denied == Counter({"NO_ROOM": 5, "CHOICE_DENIES": 5})


async def test_an_order_to_stop_ends_the_wait(tmp_path: Path) -> None:
    fake, plan = FakeReleases(denies=allow_all, room=0), a_plan(a_file(tmp_path), wait=True)

    async with licensing(fake) as client:
        job = a_job(plan, client, fake.clock)
        fake.on_decided = lambda stored: job.stop() if len(fake.stored) > 3 else None
        report = await job.start()

    assert (report.ended, report.released, fake.billed()) == (Ended.INTERRUPTED, 0, Counter())


async def test_a_lost_denial_for_want_of_room_is_not_mistaken_for_an_old_one(tmp_path: Path) -> None:
    lost = Failure(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE", after_deciding=True)
    fake = FakeReleases(denies=allow_all, room=0, failures=[lost])
    plan = a_plan(a_file(tmp_path), in_flight=1)

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    assert (report.ended, report.retry_at_us is not None) == (Ended.NO_ROOM, True)
