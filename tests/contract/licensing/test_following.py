"""Reading the stream, moving the fence, and asking again, while peers fail (W5)."""

import contextlib
from collections.abc import AsyncGenerator, Sequence

import pytest

from services.chassis.database import Database
from services.chassis.refusals import Refusal, unavailable
from services.licensing.domain.answers import Revision
from services.licensing.domain.reasons import Reasons
from services.licensing.domain.recalls.backlog import Backlog
from services.licensing.domain.recalls.releases import Release
from services.licensing.domain.recalls.withdrawals import Cause, Withdrawal
from services.licensing.domain.released import Contents
from services.licensing.domain.terms import Purpose
from services.licensing.following import Follower
from services.licensing.storage.head import Positions, positions
from services.licensing.storage.recalls import RecallStore
from tests.support import recall_worlds as world
from tests.support.clock import NOON_US, ManualClock
from tests.support.indexed import Post

ALL = frozenset(int(purpose) for purpose in Purpose)
START = Revision(0, 0)


def at(number: int) -> Revision:
    return Revision(1, number)


def a_choice(number: int) -> Withdrawal:
    return Withdrawal(at(number), Cause.CHOICE, NOON_US, 100, purposes=ALL)


class Broken(world.Stream):
    """Consent, whose streams are cut off after some steps, or say what they should not."""

    def __init__(self, *streams: Sequence[Withdrawal | Revision]) -> None:
        super().__init__()
        self.streams = list(streams)
        self.after: list[Revision] = []

    async def follow(self, after: Revision) -> AsyncGenerator[Withdrawal | Revision]:
        self.after.append(after)
        for step in self.streams.pop(0):
            yield step
        raise unavailable("PEER_UNAVAILABLE", "consent did not answer")


def a_process(database: Database, stream: world.Stream, most_in_hand: int = 10) -> world.Process:
    return world.Process(RecallStore(database), stream, ManualClock(NOON_US + 3_000_000), most_in_hand)


async def read(process: world.Process, reason: str = "PEER_UNAVAILABLE") -> None:
    with pytest.raises(Refusal, match=reason):
        await process.follower.follow()


async def test_a_stream_that_was_cut_off_is_read_on_from_the_last_step(database: Database) -> None:
    stream = Broken([a_choice(2), at(5)], [a_choice(7)], [])
    process = a_process(database, stream)

    for _ in range(3):
        await read(process)

    assert stream.after == [START, at(5), at(7)]
    assert len(process.backlog) == 2


async def test_what_was_scanned_is_not_read_again_by_the_next_process(database: Database) -> None:
    stream = Broken([a_choice(2), a_choice(4)], [])
    first = a_process(database, stream)
    await read(first)
    await first.fence.advance()
    while await first.scanner.scan():
        continue

    await read(a_process(database, stream))

    assert stream.after == [START, at(4)]
    assert first.follower.unscanned_seconds() == 0


async def test_a_process_that_dies_before_it_has_scanned_loses_nothing(database: Database) -> None:
    stream = Broken([a_choice(2)], [a_choice(2)])
    first = a_process(database, stream)
    await read(first)
    await first.fence.advance()

    await read(a_process(database, stream))

    assert stream.after == [START, START]
    assert first.follower.unscanned_seconds() == 3


async def test_a_stream_that_goes_back_is_not_believed(database: Database) -> None:
    process = a_process(database, Broken([a_choice(4), a_choice(3)]))

    await read(process, "PEER_ANSWER_INVALID")

    assert process.backlog.newest == at(4)


async def test_no_more_is_read_than_may_be_in_hand(database: Database) -> None:
    process = a_process(database, Broken([a_choice(2), a_choice(3), a_choice(4)]), most_in_hand=2)

    await process.follower.follow()

    assert (len(process.backlog), process.backlog.newest) == (2, at(3))


async def test_the_fence_moves_to_withdrawals_and_not_to_what_takes_nothing_back(database: Database) -> None:
    process = a_process(database, Broken([a_choice(2), at(9)]))
    await read(process)

    await process.fence.advance()

    assert database.read_now(positions) == Positions(at(2), START)


async def test_nothing_is_scanned_that_the_fence_has_not_passed(database: Database) -> None:
    process = a_process(database, Broken([a_choice(2)]))
    await read(process)

    assert not await process.scanner.scan()
    await process.fence.advance()
    assert await process.scanner.scan()


class Unhelpful(world.Stream):
    """Consent, that does not answer about one licensee."""

    async def reasons(self, release: Release, contents: Contents, withdrawal: Withdrawal) -> Reasons:
        if release.licensee_id == "acme":
            raise unavailable("PEER_BEHIND", "consent answered as of before the withdrawal")
        return await super().reasons(release, contents, withdrawal)


async def test_a_recheck_that_consent_does_not_answer_stays_and_holds_up_no_other(
    database: Database,
) -> None:
    world.add_contracts(database)
    for contract in world.CONTRACTS:
        world.record(database, world.Sent((Post(1, 100),), contract, 1, NOON_US))
    stream = Unhelpful([Withdrawal(at(3), Cause.POLICY, NOON_US, purposes=ALL)], {3: frozenset({100})})
    process = a_process(database, stream)
    for step in ("follow", "fence", "scan"):
        await process.take(step)

    for _ in range(3):
        await process.rechecker.recheck()

    assert {licensee_id for _, licensee_id, _, _ in world.taken(database)} == {"beta"}
    assert [each.licensee_id for each in database.read_now(world.open_rechecks)] == ["acme"]


async def test_rechecks_behind_others_that_keep_failing_have_their_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.licensing.rechecking.RECHECKS_AT_ONCE", 2)
    world.add_contracts(database)
    for contract in world.CONTRACTS:
        world.record(database, world.Sent((Post(1, 100),), contract, 1, NOON_US))
    policies = [Withdrawal(at(number), Cause.POLICY, NOON_US, purposes=ALL) for number in range(3, 7)]
    stream = Unhelpful(policies, {number: frozenset({100}) for number in range(3, 7)})
    process = a_process(database, stream)
    for step in ("follow", "fence", "scan"):
        await process.take(step)

    for _ in range(20):
        await process.rechecker.recheck()

    assert {revision for revision, licensee_id, _, _ in world.taken(database) if licensee_id == "beta"} == {
        3,
        4,
        5,
        6,
    }


async def test_a_stream_that_says_nothing_shows_whatever_keeps_it_from_being_read(
    database: Database,
) -> None:
    clock = ManualClock()
    stream = Broken([a_choice(2)])
    follower = Follower(stream, RecallStore(database), Backlog(10), clock)
    clock.advance(5_000_000)
    before = follower.silent_seconds()

    with contextlib.suppress(Refusal):
        await follower.follow()

    assert (before, follower.silent_seconds()) == (5.0, 0.0)
