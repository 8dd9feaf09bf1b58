"""The ledger keeps the fence (W5) and what the peers have shown (R5), on each engine."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, text

from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.licensing.contracts import ContractDesk
from services.licensing.domain.answers import BEGINNING, ConsentAnswer, Hold, Revision
from services.licensing.domain.attempts import OpenHold
from services.licensing.domain.decisions import Asker, Draft, Request
from services.licensing.domain.deliveries import Message, Said
from services.licensing.domain.manifests import Manifest, manifest_of
from services.licensing.domain.reasons import Reason
from services.licensing.ledger import Behind, Concluded, Ledger
from services.licensing.resolving import Resolver
from services.licensing.sealing import Seal
from services.licensing.storage.contracts import ContractStore
from services.licensing.storage.head import lock_head, move_fence, seen, shown, take_number
from services.licensing.storage.ledger import LedgerRows, LedgerStore
from services.licensing.storage.outbox import OutboxStore
from tests.support.billing import Accounts
from tests.support.licensing import a_batch, a_post

BATCH = a_batch(*(a_post(number, number) for number in (1, 2, 3)))
BEFORE, FENCE = Revision(1, 7), Revision(1, 9)
GOES, GONE = Reason.RELEASED, Reason.CHOICE_DENIES


class Unsigned:
    """Signs nothing."""

    def sign(self, payload: bytes, decided_at_us: int) -> str:
        return payload.decode()


class Desk:
    """What a desk does to a ledger, step by step."""

    def __init__(self, accounts: Accounts) -> None:
        self.database, self._clock = accounts.database, accounts.clock
        self.woken: list[bool] = []
        store, clock = LedgerStore(self.database), self._clock
        seal = Seal(Unsigned(), 30_000_000)
        self._ledger = Ledger(store, seal, clock, self._wake, margin_us=0)
        self._resolver = Resolver(store, clock, self._wake, margin_us=0)
        self._contracts = ContractDesk(ContractStore(self.database), self._clock)

    def _wake(self) -> None:
        self.woken.append(True)

    async def draft(self, *reasons: int, revision: Revision = BEFORE) -> Draft:
        """One on BATCH, with a hold where something goes."""
        now_us, attempt_id = self._clock.now_us(), uuid7(self._clock.now_us())
        verdicts = np.array(reasons, np.uint8)
        return Draft(
            attempt_id=attempt_id,
            decision_id=uuid7(now_us),
            salt=bytes(32),
            request=Request(Asker("firehose", "pipeline", uuid7(now_us)), BATCH, now_us, ""),
            license=await self._contracts.current("license-1"),
            judged_at_us=now_us,
            reasons=verdicts,
            consent=ConsentAnswer(verdicts, revision, 3, now_us + 30_000_000),
            hold=Hold(attempt_id, now_us) if (verdicts == GOES).any() else None,
            no_room=None,
            metering_revision=Revision(1, 40),
        )

    async def conclude(self, draft: Draft) -> Any:
        return await self._ledger.conclude(draft, manifest(draft))

    async def confirm(self, decision_id: str, delivered: int) -> None:
        await self._ledger.confirm(decision_id, "pipeline", "firehose", bytes([delivered]))

    async def resolve(self, attempt_id: str) -> None:
        await self._resolver.resolve([OpenHold(attempt_id, self._clock.now_us(), ((1, 0, 1),))])

    async def give_up(self, attempt_id: str) -> None:
        await self._ledger.give_up([attempt_id])

    async def messages(self) -> list[Message]:
        return list(await OutboxStore(self.database).due(100))

    def on_record(self) -> list[int]:
        """Rows of decisions, attempts, messages, and the next number."""

        def count(connection: Connection) -> list[int]:
            tables = ("decisions", "attempts", "outbox")
            rows = [
                connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables
            ]
            return [*rows, lock_head(connection).next_number]

        return self.database.write_now(count)


def manifest(draft: Draft) -> Manifest:
    return manifest_of(BATCH, draft.released, draft.salt)


def fence_at(database: Database, to: Revision) -> None:
    def unit(connection: Connection) -> None:
        lock_head(connection)
        move_fence(connection, to)

    database.write_now(unit)


def an_answer(*reasons: int, revision: Revision = FENCE) -> ConsentAnswer:
    return ConsentAnswer(np.array(reasons, np.uint8), revision, 3, 2**60)


@pytest.fixture
async def desk(accounts: Accounts) -> Desk:
    return Desk(accounts)


async def test_w5_a_release_on_an_answer_from_before_the_fence_writes_nothing(desk: Desk) -> None:
    draft = await desk.draft(GOES, GOES, GONE)
    before = desk.on_record()
    fence_at(desk.database, FENCE)

    assert await desk.conclude(draft) == Behind(FENCE)

    assert desk.on_record() == before
    assert desk.woken == []


@pytest.mark.parametrize("revision", [FENCE, Revision(1, 10), Revision(2, 1)])
async def test_w5_a_release_on_the_fence_or_after_it_concludes(desk: Desk, revision: Revision) -> None:
    fence_at(desk.database, FENCE)

    concluded = await desk.conclude(await desk.draft(GOES, GONE, GONE, revision=revision))

    assert isinstance(concluded, Concluded)
    assert concluded.decision.consent_revision == revision


async def test_w5_a_denial_concludes_whatever_the_fence(desk: Desk) -> None:
    fence_at(desk.database, FENCE)

    concluded = await desk.conclude(await desk.draft(GONE, GONE, GONE))

    assert isinstance(concluded, Concluded)
    assert await desk.messages() == []


async def test_w5_what_was_dropped_is_taken_off_the_hold_by_the_transaction_that_concludes(
    desk: Desk,
) -> None:
    fence_at(desk.database, FENCE)
    draft = (await desk.draft(GOES, GOES, GONE)).asked_again(an_answer(GONE, GOES))

    concluded = await desk.conclude(draft)
    woken = list(desk.woken)
    await desk.confirm(concluded.decision.decision_id, 0b000)

    assert concluded.decision.released.tolist() == [False, True, False]
    assert [(each.reservation_id, each.said, each.counts) for each in await desk.messages()] == [
        (draft.attempt_id, Said.REDUCE, ((1, 0, 1),)),
        (draft.attempt_id, Said.SETTLE, ()),
    ]
    assert woken == [True]


async def test_a_newer_answer_that_drops_nothing_leaves_the_hold_as_it_is(desk: Desk) -> None:
    fence_at(desk.database, FENCE)

    await desk.conclude((await desk.draft(GOES, GOES, GONE)).asked_again(an_answer(GOES, GOES)))

    assert await desk.messages() == []


async def test_an_attempt_that_was_given_up_while_it_was_behind_cannot_conclude(desk: Desk) -> None:
    draft = await desk.draft(GOES, GOES, GONE)
    fence_at(desk.database, FENCE)
    await desk.conclude(draft)
    await desk.give_up(draft.attempt_id)

    assert await desk.conclude(draft.asked_again(an_answer(GOES, GOES))) is None
    assert [each.said for each in await desk.messages()] == [Said.CANCEL]


async def test_a_hold_whose_reduction_was_lost_is_freed_by_the_settlement_that_is_said_again(
    desk: Desk,
) -> None:
    fence_at(desk.database, FENCE)
    draft = (await desk.draft(GOES, GOES, GOES)).asked_again(an_answer(GOES, GONE, GOES))
    concluded = await desk.conclude(draft)
    lost = await desk.messages()
    await OutboxStore(desk.database).remove([each.seq for each in lost], [])

    await desk.resolve(draft.attempt_id)
    while_it_is_open = await desk.messages()
    await desk.confirm(concluded.decision.decision_id, 0b101)
    settled = await desk.messages()
    await OutboxStore(desk.database).remove([each.seq for each in settled], [])
    await desk.resolve(draft.attempt_id)

    assert while_it_is_open == [], "nobody gives up what has concluded"
    assert [(each.said, each.counts) for each in await desk.messages()] == [(Said.SETTLE, ((1, 0, 2),))]


async def test_r5_what_a_decision_rests_on_is_kept_in_the_head_and_never_falls(desk: Desk) -> None:
    on = [
        (Revision(1, 7), Revision(1, 40)),
        (Revision(1, 6), Revision(2, 3)),
        (Revision(2, 1), Revision(1, 99)),
        (Revision(1, 99), None),
    ]
    kept = []
    for consent, metering in on:
        draft = await desk.draft(GONE, GONE, GONE, revision=consent)
        await desk.conclude(replace(draft, metering_revision=metering))
        kept.append(tuple(desk.database.write_now(seen)))

    assert kept == [
        (Revision(1, 7), Revision(1, 40)),
        (Revision(1, 7), Revision(2, 3)),
        (Revision(2, 1), Revision(2, 3)),
        (Revision(2, 1), Revision(2, 3)),
    ]


async def test_r5_a_number_for_what_nobody_was_asked_about_leaves_what_was_seen(database: Database) -> None:
    database.write_now(lambda connection: take_number(connection, Revision(1, 7), Revision(1, 3)))

    database.write_now(take_number)

    assert tuple(database.write_now(seen)) == (Revision(1, 7), Revision(1, 3))


async def test_r5_the_fence_is_something_that_consent_has_shown(database: Database) -> None:
    database.write_now(lambda connection: take_number(connection, Revision(1, 7), Revision(1, 3)))
    fence_at(database, FENCE)

    assert database.write_now(shown) == (FENCE, Revision(1, 3))


async def test_r5_a_new_ledger_was_shown_nothing(database: Database) -> None:
    assert await LedgerStore(database).shown() == (BEGINNING, BEGINNING)


async def test_r5_a_process_learns_with_a_decision_what_a_peer_has_shown_to_others(
    database: Database,
) -> None:
    heard = list[tuple[Revision, Revision]]()
    ours, theirs = LedgerStore(database, lambda *seen: heard.append(seen)), LedgerStore(database)

    def decided(consent: Revision, metering: Revision | None) -> Callable[[LedgerRows], int]:
        def unit(rows: LedgerRows) -> int:
            rows.lock_head()
            return rows.take_number(consent, metering)

        return unit

    await theirs.write(decided(Revision(1, 100), Revision(1, 7)))
    await ours.write(decided(Revision(1, 80), None))
    await ours.write(lambda rows: rows.lock_head())

    assert heard == [(Revision(1, 100), Revision(1, 7))]
