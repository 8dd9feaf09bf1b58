"""Whatever happens in between, each withdrawal takes back exactly what it reaches, once (W1, W2, W5)."""

import asyncio
import random
from collections import Counter, defaultdict

import numpy as np
import pytest

from services.chassis.database import Database
from services.licensing.domain.answers import Revision
from services.licensing.domain.recalls.withdrawals import Cause, Withdrawal
from services.licensing.domain.terms import Purpose
from services.licensing.storage.head import positions
from services.licensing.storage.recalls import RecallStore
from tests.support import recall_worlds as world
from tests.support.clock import NOON_US, ManualClock
from tests.support.indexed import Post

AUTHORS, POSTS = range(100, 108), range(1, 30)
PURPOSES = [int(Purpose.AI_TRAINING_GENERATIVE), int(Purpose.SEARCH_INDEX)]
ALL = frozenset(int(purpose) for purpose in Purpose)


class History:
    """Random releases and withdrawals, and processes that die."""

    def __init__(self, database: Database, chance: random.Random, deaths: float) -> None:
        self.database, self.chance, self.deaths = database, chance, deaths
        self.clock = ManualClock(NOON_US)
        self.stream = world.Stream()
        self.sent: dict[int, world.Sent] = {}
        self.revision = 1
        store = world.Mortal(database, self._dies)
        self.processes = [world.Process(store, self.stream, self.clock, 5) for _ in range(2)]

    def _dies(self) -> str:
        if self.chance.random() >= self.deaths:
            return ""
        return self.chance.choice(["before", "after"])

    def release(self) -> None:
        """On an answer that may be older than the newest withdrawal, but is not behind the fence."""
        chance = self.chance
        posts = tuple(self._post(id) for id in chance.sample(POSTS, chance.randint(1, 5)))
        released = [post.id for post in posts if post.released]
        if not released:
            return
        behind = chance.choice([0, 0, 1, 3])
        sent = world.Sent(
            posts,
            chance.choice(world.CONTRACTS),
            revision=max(self.revision - behind, world.fence_of(self.database)),
            decided_at_us=self.clock.now_us(),
            purpose=chance.choice(PURPOSES),
            undelivered=chance.choice([None, frozenset(), frozenset({chance.choice(released)})]),
        )
        self.sent[world.record(self.database, sent)] = sent

    def _post(self, id: int) -> Post:
        embeds = [(self.chance.choice(POSTS), self.chance.choice(AUTHORS)) for _ in range(2)]
        return Post(
            id,
            self.chance.choice(AUTHORS),
            tuple(embeds[: self.chance.choice([0, 0, 1, 2])]),
            released=self.chance.random() < 0.8,
        )

    def withdraw(self) -> None:
        """Of any cause."""
        self.revision += self.chance.choice([1, 1, 2])
        cause = self.chance.choice(list(Cause))
        of_post = cause in {Cause.POST_DENIED, Cause.POST_DELETED, Cause.POST_WITHHELD}
        asks = cause in {Cause.POLICY, Cause.HALT}
        withheld = cause in {Cause.SUBJECT_WITHHELD, Cause.POST_WITHHELD}
        revision = Revision(1, self.revision)
        if asks:
            self.stream.forbidden[self.revision] = frozenset(self.chance.sample(AUTHORS, 2))
        self.stream.withdrawals.append(
            Withdrawal(
                revision,
                cause,
                self.clock.now_us(),
                subject_id=0 if of_post or asks else self.chance.choice(AUTHORS),
                post_id=self.chance.choice(POSTS) if of_post else 0,
                licensee_id=self.chance.choice(["", "acme"]) if cause in {Cause.CHOICE, Cause.HALT} else "",
                purposes=self.chance.choice([ALL, frozenset(PURPOSES[:1])]),
                countries=frozenset({self.chance.choice(["DE", "US", "XX", "BR"])} if withheld else ()),
            )
        )

    async def go(self, steps: int) -> None:
        for _ in range(steps):
            self.clock.advance(self.chance.choice([1_000, 5 * world.SECOND_US]))
            match self.chance.choice(["release", "release", "withdraw", "work", "work", "work"]):
                case "release":
                    self.release()
                case "withdraw":
                    self.withdraw()
                case "work":
                    await self.chance.choice(self.processes).take(self.chance.choice(world.STEPS))
        self.deaths = 0
        await self.processes[0].finish()


@pytest.mark.parametrize("seed", range(4))
async def test_every_withdrawal_takes_back_what_it_reaches_once_whichever_process_dies(
    database: Database, seed: int
) -> None:
    world.add_contracts(database)
    history = History(database, random.Random(seed), deaths=0.2)

    await history.go(160)

    taken = world.taken(database)
    assert len(taken) == len(set(taken)), "nothing is taken back twice"
    assert set(taken) == world.expected(history.sent, history.stream)
    assert len(taken) > 20, "the history had something to find"
    last = history.stream.withdrawals[-1].revision
    assert database.read_now(positions) == (last, last)


@pytest.mark.parametrize("seed", range(2))
async def test_each_withdrawal_of_a_licensee_is_in_one_recall_that_counts_it(
    database: Database, seed: int
) -> None:
    world.add_contracts(database)
    history = History(database, random.Random(100 + seed), deaths=0.1)

    await history.go(120)

    whole = defaultdict(set)
    posts: Counter[str] = Counter()
    for row in world.entries(database):
        whole[row.revision, row.licensee_id].add((row.recall_id, row.withdrawal_id))
    for key, recall_and_id in whole.items():
        assert len(recall_and_id) == 1, f"{key} is in one recall, under one id"
        rows = [row for row in world.entries(database) if (row.revision, row.licensee_id) == key]
        recall_id = rows[0].recall_id
        posts[recall_id] += len({post for row in rows for _, post, _ in world.posts_by_number(row)})
    recalls = {row.recall_id: row for row in world.recalls(database)}
    assert {recall_id: row.posts for recall_id, row in recalls.items()} == posts
    assert sum(row.withdrawals for row in recalls.values()) == len(whole)
    ids = [withdrawal_id for both in whole.values() for _, withdrawal_id in both]
    assert len(ids) == len(set(ids)), "another licensee's id is another"


async def test_a_gap_is_marked_as_what_it_was(database: Database) -> None:
    world.add_contracts(database)
    received_us = NOON_US + 100 * world.SECOND_US
    sent = {
        "long before": world.Sent((Post(1, 100),), world.CONTRACTS[0], 1, NOON_US),
        "open": world.Sent((Post(2, 100),), world.CONTRACTS[0], 1, received_us - world.SECOND_US),
        "confirmed": world.Sent(
            (Post(3, 100),),
            world.CONTRACTS[0],
            1,
            received_us - 2 * world.SECOND_US,
            undelivered=frozenset(),
        ),
        "after": world.Sent((Post(4, 100),), world.CONTRACTS[0], 1, received_us),
    }
    for each in sent.values():
        world.record(database, each)
    stream = world.Stream([Withdrawal(Revision(1, 2), Cause.CHOICE, received_us, 100, purposes=ALL)])

    await world.Process(RecallStore(database), stream, ManualClock(received_us)).finish()

    (row,) = world.entries(database)
    assert dict(zip(sent, row.gaps, strict=True)) == {"long before": 0, "open": 1, "confirmed": 0, "after": 2}
    assert row.gaps_found == 2


async def test_posts_of_a_withdrawal_that_are_many_are_cut_into_parts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.licensing.domain.recalls.entries.POSTS_A_PART", 5)
    world.add_contracts(database)
    sent = {}
    for first in range(0, 40, 4):
        each = world.Sent(tuple(Post(first + at + 1, 100) for at in range(4)), world.CONTRACTS[0], 1, NOON_US)
        sent[world.record(database, each)] = each
    stream = world.Stream([Withdrawal(Revision(1, 2), Cause.CHOICE, NOON_US, 100, purposes=ALL)])

    await world.Process(RecallStore(database), stream, ManualClock(NOON_US)).finish()

    assert set(world.taken(database)) == world.expected(sent, stream)
    assert sorted(row.part for row in world.entries(database)) == list(range(10))
    assert len({row.withdrawal_id for row in world.entries(database)}) == 1
    assert np.unique([row.posts for row in world.entries(database)]).tolist() == [4]


async def test_what_was_attested_as_deleted_is_not_asked_about_again(database: Database) -> None:
    world.add_contracts(database)
    sent = world.Sent((Post(1, 100), Post(2, 101)), world.CONTRACTS[0], 1, NOON_US)
    world.record(database, sent)
    choice = Withdrawal(Revision(1, 2), Cause.CHOICE, NOON_US, 100, purposes=ALL)
    policy = Withdrawal(Revision(1, 3), Cause.POLICY, NOON_US, purposes=ALL)
    stream = world.Stream([choice], {3: frozenset({100, 101})})
    process = world.Process(RecallStore(database), stream, ManualClock(NOON_US))
    await process.finish()
    world.resolve_all(database)
    stream.withdrawals.append(policy)

    await process.finish()

    assert sorted(world.taken(database)) == [(2, "acme", 1, 1), (3, "acme", 1, 2)]


async def test_a_recheck_that_finds_nothing_opens_no_recall(database: Database) -> None:
    world.add_contracts(database)
    world.record(database, world.Sent((Post(1, 100),), world.CONTRACTS[0], 1, NOON_US))
    policy = Withdrawal(Revision(1, 3), Cause.POLICY, NOON_US, purposes=ALL)
    stream = world.Stream([policy], {3: frozenset({7})})

    await world.Process(RecallStore(database), stream, ManualClock(NOON_US)).finish()

    assert (stream.asked, world.recalls(database)) == (1, [])


async def test_of_two_processes_that_scan_the_same_withdrawals_at_once_one_writes(database: Database) -> None:
    world.add_contracts(database)
    sent = {}
    for first in (1, 3, 5):
        each = world.Sent((Post(first, 100), Post(first + 1, 101)), world.CONTRACTS[0], 1, NOON_US)
        sent[world.record(database, each)] = each
    choice = Withdrawal(Revision(1, 2), Cause.CHOICE, NOON_US, 100, purposes=ALL)
    policy = Withdrawal(Revision(1, 3), Cause.POLICY, NOON_US, purposes=ALL)
    stream = world.Stream([choice, policy], {3: frozenset({101})})
    # Each writes only when both have looked.
    store = world.Meeting(database, asyncio.Barrier(2))
    processes = [world.Process(store, stream, ManualClock(NOON_US)) for _ in range(2)]
    for step in ("follow", "fence", "scan", "recheck", "recheck"):
        await asyncio.gather(*(process.take(step) for process in processes))

    taken = world.taken(database)

    assert len(taken) == len(set(taken)) == 6
    assert set(taken) == world.expected(sent, stream)
    assert [(row.withdrawals, row.posts) for row in world.recalls(database)] == [(2, 6)]
