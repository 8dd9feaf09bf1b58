"""C9, C10 and R5: how an index keeps up with a database, and with one that is not what it was."""

import sqlite3
from collections.abc import Awaitable

import psycopg
import pytest

from services.chassis.refusals import Refusal
from services.consent.domain.changes import Change, Revision
from services.consent.domain.choices import Stance
from services.consent.domain.policies import Regime
from services.consent.domain.state_changes import ChangeKind
from services.consent.index import Index
from tests.support.clock import NOON_US
from tests.support.consent import (
    a_change,
    a_draft,
    a_key,
    a_policy_draft,
    consent_database_at,
    facts_rows,
    of_post,
)
from tests.support.consent_shelf import Shelf, SqlShelf


class Listener(Index):
    """An index that keeps what it was told."""

    def __init__(self) -> None:
        super().__init__(seed=7)
        self.told: list[Change] = []

    def prepare(self, change: Change):  # type: ignore[no-untyped-def]
        self.told.append(change)
        return super().prepare(change)


async def refused_for(call: Awaitable[object]) -> str:
    with pytest.raises(Refusal) as refused:
        await call
    return refused.value.reason


async def test_whoever_is_at_the_head_is_told_nothing(shelf: Shelf) -> None:
    await shelf.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    listener = Listener()

    for _ in range(3):
        await shelf.register.follow(listener)

    assert len(listener.told) == 1
    assert listener.revision == Revision(1, 1)


async def test_c9_whoever_missed_many_changes_is_brought_to_the_head_at_once(shelf: Shelf) -> None:
    await shelf.put_in_force()
    assert await shelf.head() == Revision(1, 2)
    await shelf.register.import_subjects(facts_rows(7, 8), a_key(1), NOON_US)
    for request in range(2, 20):
        stance = Stance.ALLOW if request % 2 else Stance.DENY
        await shelf.register.record(a_draft(stance, 7, licensee="acme"), a_key(request), NOON_US)

    assert await shelf.reasons((7,), (8,)) == ["ALLOWED", "ALLOWED"]
    assert shelf.index.revision == Revision(1, 22)


async def test_an_index_is_told_of_no_more_than_what_changed(archive: SqlShelf) -> None:
    await archive.put_in_force()
    await archive.register.import_subjects(facts_rows(*range(1, 101)), a_key(1), NOON_US)
    listener = Listener()
    await archive.register.follow(listener)

    await archive.register.record(a_draft(Stance.DENY, 7), a_key(2), NOON_US)
    await archive.register.follow(listener)
    await archive.states(of_post(a_change(ChangeKind.DENY, 1), 5), request=3)
    await archive.register.follow(listener)

    whole, choice, post = listener.told
    assert (whole.before, whole.subject_count, len(whole.profiles)) == (None, 100, 1)
    assert (choice.before, choice.after) == (Revision(1, 102), Revision(1, 103))
    assert (choice.subject_count, len(choice.profiles), choice.policies, choice.halts) == (1, 1, None, None)
    assert (post.subject_count, post.post_count, post.policies, post.halts) == (0, 1, None, None)


async def test_c3_whoever_follows_is_told_when_a_policy_was_announced_and_when_it_took_effect(
    shelf: Shelf,
) -> None:
    await shelf.put_in_force()
    await shelf.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    before = await shelf.reasons((7,))

    await shelf.register.publish(a_policy_draft(NOON_US + 5, Regime.PROHIBITED), a_key(2), NOON_US)
    announced = await shelf.reasons((7,)), shelf.index.view().policies.next_change_us()
    await shelf.register.activate_due(NOON_US + 5)

    assert before == ["ALLOWED"]
    assert announced == (["ALLOWED"], NOON_US + 5)
    assert await shelf.reasons((7,)) == ["PROHIBITED"]


async def test_c3_whoever_follows_is_told_when_a_policy_was_retracted(shelf: Shelf) -> None:
    await shelf.put_in_force()
    await shelf.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    await shelf.register.publish(a_policy_draft(NOON_US + 5, Regime.PROHIBITED), a_key(2), NOON_US)
    announced = await shelf.reasons((7,)), shelf.index.view().policies.next_change_us()

    retracted = await shelf.register.retract(2, a_key(3), NOON_US + 1)
    await shelf.register.activate_due(NOON_US + 5)

    assert announced == (["ALLOWED"], NOON_US + 5)
    assert await shelf.reasons((7,)) == ["ALLOWED"]
    assert shelf.index.view().policies.next_change_us() is None
    assert shelf.index.revision == retracted.revision


async def test_r5_a_database_that_lost_what_was_seen_is_used_no_more_until_the_process_starts_again(
    archive: SqlShelf,
) -> None:
    await archive.put_in_force()
    await archive.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    before = await archive.reasons((7,))
    await archive.run("UPDATE head SET number = number - 1")

    reasons = [await refused_for(archive.reasons((7,)))]
    # Also when it looks whole again: what was acknowledged meanwhile may be anything.
    other = archive.database
    await other.close()
    archive.database = consent_database_at(archive.url)
    await archive.run("UPDATE head SET number = number + 1")
    await archive.database.close()
    archive.database = other
    reasons += [
        await refused_for(archive.reasons((7,))),
        await refused_for(archive.register.record(a_draft(Stance.DENY, 7), a_key(2), NOON_US)),
        await refused_for(archive.custody.standing(7)),
    ]
    await archive.reopen()

    assert reasons == ["DATABASE_BEHIND"] * 4
    assert other.given_up.is_set()
    assert (before, await archive.reasons((7,))) == (["ALLOWED"], ["ALLOWED"])
    assert not archive.database.given_up.is_set()


@pytest.mark.parametrize("denies", [3, 4], ids=["as far as it was", "further than it was"])
async def test_r5_c9_an_index_from_before_a_restore_is_told_when_the_database_has_gone_on_since(
    archive: SqlShelf, denies: int
) -> None:
    if archive.database.dialect == "sqlite":
        pytest.skip("whoever owns a file cannot have been away while it was written to")
    await archive.put_in_force()
    await archive.register.import_subjects(facts_rows(7, 8, 9), a_key(1), NOON_US)
    for request in range(2, 5):
        draft = a_draft(Stance.DENY, 9, licensee=f"licensee-{request}")
        await archive.register.record(draft, a_key(request), NOON_US)
    index, before = archive.index, await archive.reasons((7,))

    # A backup from after revision 5; another process writes to it while this one is stopped.
    await archive.run("DELETE FROM choices")
    await archive.run("DELETE FROM withdrawals WHERE revision > 5")
    await archive.run("DELETE FROM replays")
    await archive.run("UPDATE head SET number = 5, subjects_at = 5")
    await archive.reopen()
    for request in range(2, 2 + denies):
        draft = a_draft(Stance.DENY, 7, licensee=f"licensee-{request}")
        await archive.register.record(draft, a_key(request), NOON_US)
    fresh, archive.index = await archive.reasons((7,), licensee="licensee-2"), index

    assert (before, fresh) == (["ALLOWED"], ["CHOICE_DENIES"])
    assert index.revision == Revision(1, 8)
    assert await archive.run("SELECT number FROM head") == [(5 + denies,)]
    assert await refused_for(archive.reasons((7,))) == "DATABASE_BEHIND"


async def test_c9_processes_that_come_and_go_are_followed_on(archive: SqlShelf) -> None:
    index = archive.index
    for request in range(1, 5):
        await archive.register.record(a_draft(Stance.DENY, request), a_key(request), NOON_US)
        archive.index = index
        if request % 2:
            await archive.head()
        await archive.reopen()
    archive.index = index

    assert await archive.head() == Revision(1, 4)
    assert not archive.database.given_up.is_set()


async def test_r5_a_database_of_an_earlier_epoch_gives_no_answer(archive: SqlShelf) -> None:
    await archive.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    await archive.run("UPDATE head SET epoch = 2")
    assert await archive.head() == Revision(2, 1)
    await archive.run("UPDATE head SET epoch = 1, number = 9")

    assert await refused_for(archive.head()) == "DATABASE_BEHIND"


async def test_r5_a_restore_that_an_operator_has_accepted_is_read_from_the_beginning(
    archive: SqlShelf,
) -> None:
    await archive.put_in_force()
    await archive.register.import_subjects(facts_rows(7, 8), a_key(1), NOON_US)
    await archive.register.record(a_draft(Stance.DENY, 7), a_key(2), NOON_US)
    before = await archive.reasons((7,), (8,))

    # A backup from before the last two records, and the operator's command.
    await archive.run("DELETE FROM states WHERE subject_id = 8")
    await archive.run("UPDATE head SET epoch = 2, number = 3")

    assert before == ["CHOICE_DENIES", "ALLOWED"]
    assert await archive.reasons((7,), (8,)) == ["CHOICE_DENIES", "SUBJECT_UNKNOWN"]
    assert archive.index.revision == Revision(2, 3)


async def test_c10_what_a_failover_could_take_back_is_told_to_nobody(
    archive: SqlShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    await archive.register.record(a_draft(Stance.DENY, 7), a_key(1), NOON_US)

    def gone(_connection: object, _since: float) -> None:
        error = sqlite3.OperationalError("the standby does not answer")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error if archive.database.dialect == "sqlite" else psycopg.OperationalError(str(error))

    monkeypatch.setattr(archive.database._engine, "confirm", gone)
    with pytest.raises(Refusal) as followed:
        await archive.head()
    with pytest.raises(Refusal) as watched:
        await archive.withdrawals()
    monkeypatch.undo()

    assert followed.value.reason == watched.value.reason == "DATABASE_UNAVAILABLE"
    assert archive.index.revision is None
    assert await archive.head() == Revision(1, 1)
