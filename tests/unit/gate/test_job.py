"""A job from start to end, and everything that makes it stop, while the process lives."""

import asyncio
import os
from collections import Counter
from pathlib import Path

import grpc
import pytest

from sluice_gate.answers import Answer
from sluice_gate.errors import JobRefused
from sluice_gate.job import ReleaseJob
from sluice_gate.reading.forms import Format, PostForm
from sluice_gate.report import Ended, Report
from sluice_gate.verifying.jobs import verify_job
from sluice_gate.verifying.keys import parse_keys
from tests.support.gate import SECOND_US, Failure, FakeReleases, Stored, jwks, licensing
from tests.support.release_jobs import (
    FIRST_ID,
    a_file,
    a_job,
    a_line,
    a_plan,
    a_request,
    ids_in,
    the_run,
    until_done,
)

UNAVAILABLE = Failure(grpc.StatusCode.UNAVAILABLE, "PEER_UNAVAILABLE")


async def test_what_may_leave_is_written_byte_for_byte_and_in_order(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path, 9))

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    assert plan.out.read_bytes() == b"".join(a_line(number) for number in range(0, 9, 2))
    assert (report.ended, report.asked, report.released) == (Ended.FINISHED, 9, 5)
    assert report.denied == Counter({"CHOICE_DENIES": 4})
    assert (report.receipts, report.rounds, report.unconfirmed, report.problems) == (5, 0, 0, [])


async def test_every_delivery_is_confirmed_and_billed_once(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))

    async with licensing(fake) as client:
        await a_job(plan, client, fake.clock).start()

    assert not fake.unconfirmed()
    assert fake.billed() == Counter(ids_in(plan.out))


async def test_the_files_of_a_job_are_private_and_hold_together(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))

    async with licensing(fake) as client:
        await a_job(plan, client, fake.clock).start()
    verified = verify_job(plan.out, parse_keys(jwks()), posts=plan.posts)

    files = plan.files
    assert {path.stat().st_mode & 0o777 for path in (files.journal, files.receipts, files.manifest)} == {
        0o600
    }
    assert (verified.finished, verified.receipts, verified.asked, verified.delivered) == (True, 5, 10, 5)
    assert verified.contributors == 5


async def test_broken_lines_are_counted_and_named_and_never_leave(tmp_path: Path) -> None:
    posts = tmp_path / "posts"
    posts.write_bytes(a_line(0) + b"{oops\n\n" + a_line(2) + b'{"id": 1.5}\n' * 5)
    fake, plan = FakeReleases(), a_plan(posts)

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    assert plan.out.read_bytes() == a_line(0) + a_line(2)
    assert (report.asked, report.broken) == (2, 6)
    assert [broken.line for broken in report.broken_named] == [2, 5, 6, 7, 8, 9]
    assert verify_job(plan.out, parse_keys(jwks()), posts=posts).delivered == 2


async def test_csv_leaves_with_its_header_and_its_line_breaks(tmp_path: Path) -> None:
    header = b"\xef\xbb\xbfid,author_id,created_at,kind,text\r\n"
    first = f'{FIRST_ID},1,1461024126,post,"two\r\nlines"\r\n'.encode()
    denied = f"{FIRST_ID + 1},2,1461024126,post,x\r\n".encode()
    last = f"{FIRST_ID + 2},3,1461024126,post,no line break".encode()
    posts = tmp_path / "posts.csv"
    posts.write_bytes(header + first + denied + last)
    fake, plan = FakeReleases(), a_plan(posts, form=PostForm(Format.CSV))

    async with licensing(fake) as client:
        await a_job(plan, client, fake.clock).start()

    assert plan.out.read_bytes() == header + first + last
    assert verify_job(plan.out, parse_keys(jwks()), posts=posts).delivered == 2


async def test_a_quote_that_is_never_closed_is_no_clean_end(tmp_path: Path) -> None:
    header = b"id,author_id,created_at,kind,text\n"
    first = f"{FIRST_ID},1,1461024126,post,x\n".encode()
    torn = f'{FIRST_ID + 2},1,1461024126,post,"never closed\n'.encode()
    posts = tmp_path / "posts.csv"
    posts.write_bytes(header + first + torn + first * 2_000)
    fake, plan = FakeReleases(), a_plan(posts, form=PostForm(Format.CSV))

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()
        again = await until_done(plan, client, fake.clock, report.run)

    assert (report.ended, report.reason, report.resumable) == (Ended.OPEN_QUOTE, "OPEN_QUOTE", False)
    assert "lines 3\u20132003 could not be read" in report.message
    assert (report.broken, [broken.lines for broken in report.broken_named]) == (2_001, [2_001])
    assert (plan.out.read_bytes(), fake.billed()) == (header + first, Counter([FIRST_ID]))
    assert (again.ended, again.broken) == (Ended.OPEN_QUOTE, 2_001)
    assert verify_job(plan.out, parse_keys(jwks()), posts=posts).finished


async def test_a_file_of_nothing_is_finished_at_once(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path, 0))

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    assert (report.ended, report.asked, plan.out.read_bytes()) == (Ended.FINISHED, 0, b"")


async def test_no_more_batches_are_in_flight_or_in_memory_than_allowed(tmp_path: Path) -> None:
    fake, plan = FakeReleases(waits_for=3), a_plan(a_file(tmp_path, 40), in_flight=3)
    held: list[int] = []

    def count(done: int, size: int, report: Report) -> None:
        held.append(len(fake.stored) * 2 - report.asked)

    async with licensing(fake) as client:
        job = a_job(plan, client, fake.clock, on_progress=count)
        await job.start()

    assert fake.most_at_once == 3
    assert max(held) <= 3 * 2


async def test_progress_tells_bytes_and_posts(tmp_path: Path) -> None:
    fake, plan, told = FakeReleases(), a_plan(a_file(tmp_path, 4)), list[tuple[int, int, int]]()

    def tell(done: int, size: int, report: Report) -> None:
        told.append((done, size, report.released))

    async with licensing(fake) as client:
        await a_job(plan, client, fake.clock, on_progress=tell).start()

    size = plan.posts.stat().st_size
    assert told == [(size // 2, size, 1), (size, size, 2)]


async def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))
    plan.out.write_bytes(b"precious")

    async with licensing(fake) as client:
        with pytest.raises(JobRefused, match="OUT_EXISTS"):
            await a_job(plan, client, fake.clock).start()

    assert (plan.out.read_bytes(), fake.stored, plan.files.journal.exists()) == (b"precious", {}, False)


async def test_a_run_is_told_before_anything_is_asked_and_by_what_is_in_its_way(tmp_path: Path) -> None:
    fake, plan, told = FakeReleases(), a_plan(a_file(tmp_path)), list[tuple[str, int]]()

    async with licensing(fake) as client:
        job = ReleaseJob(
            plan, client, clock=fake.clock, on_run=lambda run: told.append((run, len(fake.stored)))
        )
        report = await job.start()
        with pytest.raises(JobRefused, match=f"resume its run, {report.run}"):
            await a_job(plan, client, fake.clock).start()

    assert told == [(report.run, 0)]


async def test_a_service_that_comes_back_is_asked_again_under_the_same_id(tmp_path: Path) -> None:
    lost = Failure(grpc.StatusCode.UNAVAILABLE, "COMMIT_UNKNOWN", after_deciding=True)
    busy = Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
    fake, plan = FakeReleases(failures=[UNAVAILABLE, lost, busy]), a_plan(a_file(tmp_path), in_flight=1)

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    assert (report.ended, report.released, len(fake.stored)) == (Ended.FINISHED, 5, 5)
    assert fake.billed() == Counter(ids_in(plan.out))


async def test_a_service_that_stays_away_ends_the_job_until_it_is_resumed(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path), give_up_after_us=20 * SECOND_US)

    async with licensing(fake) as client:
        fake.on_decided = lambda stored: fake.failures.extend([UNAVAILABLE] * 500)
        stopped = await a_job(plan, client, fake.clock).start()
        fake.on_decided, fake.failures = (lambda stored: None), []
        report = await until_done(plan, client, fake.clock, stopped.run)

    assert (stopped.ended, stopped.reason) == (Ended.UNAVAILABLE, "PEER_UNAVAILABLE")
    assert report.ended is Ended.FINISHED
    assert fake.billed() == Counter(ids_in(plan.out)) == Counter(range(FIRST_ID, FIRST_ID + 10, 2))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.NOT_FOUND, "LICENSE_UNKNOWN"),
        (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED"),
        (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
    ],
)
async def test_a_refusal_that_will_not_change_ends_the_job(
    tmp_path: Path, code: grpc.StatusCode, reason: str
) -> None:
    fake, plan = FakeReleases(failures=[Failure(code, reason)] * 3), a_plan(a_file(tmp_path))

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    assert (report.ended, report.reason, report.message) == (Ended.REFUSED, reason, "refused by the test")
    assert (plan.out.read_bytes(), fake.stored) == (b"", {})


async def test_each_call_asks_for_a_token(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path, 4), in_flight=1)
    tokens = iter(f"token-{number}" for number in range(100))

    async with licensing(fake, lambda: next(tokens)) as client:
        await a_job(plan, client, fake.clock).start()

    assert sorted(fake.tokens) == [f"Bearer token-{number}" for number in range(4)]


async def test_an_answer_that_does_not_fit_delivers_nothing(tmp_path: Path) -> None:
    def shorten(stored: Stored) -> None:
        stored.decision.reasons = stored.decision.reasons[:1]

    fake, plan = FakeReleases(on_decided=shorten), a_plan(a_file(tmp_path))

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    assert (report.ended, report.reason, plan.out.read_bytes()) == (Ended.REFUSED, "ANSWER_LENGTH", b"")


async def test_a_permit_counts_from_the_sending_of_the_request(tmp_path: Path) -> None:
    """The answer takes longer than the permit lasts: by the caller's own clock it is over on arrival."""
    slow = [True]

    def dawdle(stored: Stored) -> None:
        if slow:
            slow.pop()
            fake.clock.advance(31 * SECOND_US)
            stored.not_after_us += 31 * SECOND_US

    fake, plan = FakeReleases(on_decided=dawdle), a_plan(a_file(tmp_path, 2))

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    first, second = fake.stored.values()
    assert (first.delivered, second.delivered) == (b"\x00", b"\x01")
    assert (report.ended, report.rounds, report.receipts) == (Ended.FINISHED, 1, 2)
    assert verify_job(plan.out, parse_keys(jwks()), posts=plan.posts).receipts == 2


async def test_permits_that_never_last_end_the_job_before_they_cost_much(tmp_path: Path) -> None:
    fake, plan = FakeReleases(permit_us=0), a_plan(a_file(tmp_path, 2))

    async with licensing(fake) as client:
        report = await a_job(plan, client, fake.clock).start()

    assert (report.ended, report.reason, len(fake.stored)) == (Ended.REFUSED, "PERMITS_TOO_SHORT", 5)
    assert fake.billed() == Counter()


async def test_an_order_to_stop_gives_back_what_is_not_written(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path, 12))

    def stop_after_the_first(done: int, size: int, report: Report) -> None:
        job.stop()

    async with licensing(fake) as client:
        job = a_job(plan, client, fake.clock, on_progress=stop_after_the_first)
        stopped = await job.start()
        written = ids_in(plan.out)
        billed = fake.billed()
        report = await until_done(plan, client, fake.clock, stopped.run)

    assert (stopped.ended, stopped.unconfirmed, stopped.resumable) == (Ended.INTERRUPTED, 0, True)
    assert billed == Counter(written)
    assert (report.ended, report.asked, report.released) == (Ended.FINISHED, 12, 6)
    assert fake.billed() == Counter(ids_in(plan.out)) == Counter(range(FIRST_ID, FIRST_ID + 12, 2))


async def test_a_cancelled_job_finishes_the_write_in_hand(tmp_path: Path) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path, 12))

    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        loop.call_soon_threadsafe(running.cancel)

    async with licensing(fake) as client:
        job = a_job(plan, client, fake.clock, lambda step: interrupt())
        running = asyncio.create_task(job.start())
        with pytest.raises(asyncio.CancelledError):
            await running
        report = await until_done(plan, client, fake.clock, the_run(plan))

    assert report.ended is Ended.FINISHED
    assert fake.billed() == Counter(ids_in(plan.out)) == Counter(range(FIRST_ID, FIRST_ID + 12, 2))


async def test_a_full_disk_ends_the_job_until_there_is_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path))

    def no_space(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    async with licensing(fake) as client:
        with monkeypatch.context() as full:
            job = a_job(plan, client, fake.clock, lambda step: full.setattr(os, "write", no_space))
            stopped = await job.start()
        report = await until_done(plan, client, fake.clock, stopped.run)

    assert (stopped.ended, stopped.message) == (Ended.NOT_WRITTEN, "No space left on device")
    assert (report.ended, ids_in(plan.out)) == (Ended.FINISHED, list(range(FIRST_ID, FIRST_ID + 10, 2)))
    assert fake.billed() == Counter(ids_in(plan.out))


def test_the_delivered_bitmap_is_lowest_bit_first() -> None:
    fake = FakeReleases(denies=lambda author: author < 9)
    request = a_request(10)

    answer = Answer.read(request, fake.conclude(request).decision, 0)

    assert (answer.bitmap(), answer.nothing()) == (bytes([0b0000_0000, 0b0000_0011]), bytes(2))
