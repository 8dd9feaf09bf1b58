"""C11 on every database: a subject's records are kept, told as of a time, paged, and erased."""

from dataclasses import replace

import pytest

from services.chassis.refusals import Refusal
from services.chassis.replays import ReplayKey
from services.consent.domain.changes import Revision
from services.consent.domain.choices import Scope, Stance
from services.consent.domain.dossiers import SignalRecord
from services.consent.domain.explanations import explain
from services.consent.domain.outcomes import Erased, Imported
from services.consent.domain.policies import Regime
from services.consent.domain.posts import UNMARKED, PostMark
from services.consent.domain.purposes import Signal
from services.consent.domain.state_changes import ChangeKind
from services.consent.domain.subjects import State, Subject
from services.consent.domain.verdicts import Reason
from services.consent.domain.withdrawals import Cause, Withdrawal
from tests.support.clock import NOON_US
from tests.support.consent import (
    NOTICE,
    a_change,
    a_draft,
    a_halt_order,
    a_key,
    a_policy_draft,
    a_post_state,
    a_question,
    facts_rows,
    of_post,
    of_subject,
    some_facts,
)
from tests.support.consent_shelf import SqlShelf

HOUR_US = 3_600_000_000


async def a_life(archive: SqlShelf) -> None:
    """An hour between steps: known, denies, suspended and back, allows, a post denied, a halt that ends."""
    record, now = archive.register.record, NOON_US
    await archive.put_in_force()
    await archive.register.import_subjects(facts_rows(7), a_key(1), now)
    await record(a_draft(Stance.DENY, 7), a_key(2), now + HOUR_US)
    suspend = of_subject(a_change(ChangeKind.SUSPEND, None))
    await archive.states(suspend, request=3, now_us=now + 2 * HOUR_US)
    unsuspend = of_subject(a_change(ChangeKind.UNSUSPEND, None))
    await archive.states(unsuspend, request=4, now_us=now + 3 * HOUR_US)
    await record(a_draft(Stance.ALLOW, 7), a_key(5), now + 4 * HOUR_US)
    deny = of_post(a_change(ChangeKind.DENY, None), 1)
    await archive.states(deny, request=6, now_us=now + 5 * HOUR_US)
    halted = await archive.custody.order_halt(a_halt_order(), a_key(7), now + 6 * HOUR_US)
    await archive.custody.lift_halt(halted.halt_id, a_key(8), now + 7 * HOUR_US)


async def test_c11_what_was_known_at_a_time_is_what_was_recorded_until_then(archive: SqlShelf) -> None:
    await a_life(archive)

    told = []
    for hour in range(-1, 8):
        known, _ = await archive.custody.known(7, 1, NOON_US + hour * HOUR_US)
        told.append(explain(known, a_question())[-1].reason.name)
    just_before, _ = await archive.custody.known(7, 1, NOON_US + HOUR_US - 1)

    assert told == [
        "SUBJECT_UNKNOWN",
        "ALLOWED",
        "CHOICE_DENIES",
        "SUBJECT_SUSPENDED",
        "CHOICE_DENIES",
        "ALLOWED",
        "POST_DENIED",
        "HALTED",
        "POST_DENIED",
    ]
    assert just_before.choices == ()


async def test_c11_records_name_the_revision_the_time_and_who_recorded_them(archive: SqlShelf) -> None:
    await a_life(archive)

    known, head = await archive.custody.known(7, 1, NOON_US + 2 * HOUR_US)

    assert head == Revision(1, 10)
    assert known.facts is not None
    assert (known.facts.revision, known.facts.states) == (5, State.SUSPENDED)
    assert (known.facts.occurred_us, known.facts.recorded_us) == (NOON_US + 2 * HOUR_US,) * 2
    assert [(each.revision, each.recorded_by) for each in known.choices] == [(4, "operator:ada")]
    assert (known.post, known.post_revision) == (UNMARKED, 0)
    assert known.policy is not None
    assert known.policy.version == 1


async def test_c11_an_explanation_of_now_is_what_the_index_answers(archive: SqlShelf) -> None:
    await a_life(archive)
    await archive.states(
        of_post(a_change(ChangeKind.UNDENY, None), 1), request=20, now_us=NOON_US + 9 * HOUR_US
    )

    known, head = await archive.custody.known(7, 1, 2**60)

    assert await archive.reasons((7,)) == [explain(known, a_question())[-1].reason.name] == ["ALLOWED"]
    assert head == archive.index.revision
    assert known.post_revision == 11


async def test_c11_nothing_is_known_of_whoever_nobody_spoke_of(archive: SqlShelf) -> None:
    known, head = await archive.custody.known(7, 1, NOON_US)

    assert (known.facts, known.choices, known.policy, head) == (None, (), None, Revision(1, 0))
    assert explain(known, a_question())[-1].reason is Reason.SUBJECT_UNKNOWN
    assert await archive.custody.dossier(7, NOON_US) is None
    assert (await archive.custody.standing(7))[:2] == (Subject(), ())


async def test_c11_a_dossier_holds_every_record_of_a_subject_and_of_nobody_else(archive: SqlShelf) -> None:
    await a_life(archive)
    await archive.register.import_subjects(facts_rows(8), a_key(20), NOON_US)
    await archive.register.record(a_draft(Stance.DENY, 8), a_key(21), NOON_US)

    dossier = await archive.custody.dossier(7, NOON_US + 9)

    assert dossier is not None
    assert (dossier.subject_id, dossier.epoch, dossier.revision, dossier.taken_us) == (7, 1, 12, NOON_US + 9)
    assert [(each.revision, each.stance) for each in dossier.choices] == [(4, Stance.DENY), (7, Stance.ALLOW)]
    assert [(each.revision, each.states) for each in dossier.facts] == [
        (3, State(0)), (5, State.SUSPENDED), (6, State(0)),
    ]  # fmt: skip
    assert dossier.facts[0].notices == frozenset({NOTICE})
    assert dossier.standing == (7,)
    assert [policy.version for policy in dossier.policies] == [1]
    assert dossier.erased_us is None


async def test_the_choices_that_still_matter_stand_oldest_first(archive: SqlShelf) -> None:
    await archive.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    for request, (stance, licensee) in enumerate(
        [(Stance.DENY, "acme"), (Stance.DENY, ""), (Stance.ALLOW, "acme"), (Stance.ALLOW, "")], 2
    ):
        await archive.register.record(a_draft(stance, 7, licensee=licensee), a_key(request), NOON_US)

    subject, standing, head = await archive.custody.standing(7)

    assert [(each.revision, each.scope) for each in standing] == [(4, Scope("acme")), (5, Scope())]
    assert (subject.facts, head) == (some_facts(), Revision(1, 5))


async def test_every_choice_is_in_the_history_newest_first_page_by_page(archive: SqlShelf) -> None:
    for request in range(1, 6):
        await archive.register.record(a_draft(Stance.DENY, 7), a_key(request), NOON_US)
    await archive.register.record(a_draft(Stance.DENY, 8), a_key(9), NOON_US)

    first, head = await archive.custody.choices(7, None, 3)
    rest, _ = await archive.custody.choices(7, first[-1].revision, 3)

    assert [each.revision for each in (*first, *rest)] == [5, 4, 3, 2, 1]
    assert [each.stated_us - NOON_US for each in first] == [4, 3, 2]
    assert head == Revision(1, 6)


async def test_c1_a_record_keeps_the_time_that_the_source_claimed(archive: SqlShelf) -> None:
    rows = [
        (1, a_draft(Stance.DENY, 7)),
        (2, a_draft(Stance.DENY, 7, claimed_us=NOON_US + 9, licensee="acme")),
    ]
    await archive.register.import_choices(rows, a_key(1), NOON_US)

    clamped, without = (await archive.custody.choices(7, None, 9))[0]

    assert (clamped.claimed_us, clamped.stated_us) == (NOON_US + 9, NOON_US)
    assert (without.claimed_us, without.stated_us) == (None, NOON_US)


async def test_c11_erasing_leaves_a_deny_and_a_tombstone(archive: SqlShelf) -> None:
    await a_life(archive)
    await archive.register.object(7, "browser", frozenset({Signal.GPC}), a_key(20), NOON_US)
    before = [each for each in await archive.withdrawals() if each[1].subject_id != 7]

    erased = await archive.custody.erase(7, a_key(21), NOON_US + 9 * HOUR_US)

    dossier = await archive.custody.dossier(7, NOON_US)
    assert erased == Erased(NOON_US + 9 * HOUR_US, Revision(1, 12))
    assert dossier is not None
    assert (dossier.choices, dossier.facts, dossier.erased_us) == ((), (), NOON_US + 9 * HOUR_US)
    assert await archive.reasons((7,)) == ["POST_DENIED"]
    assert await archive.reasons((8,), (7,)) == ["POST_DENIED", "SUBJECT_UNKNOWN"]
    assert await archive.withdrawals() == [*before, (12, Withdrawal(Cause.SUBJECT_ERASED, 7))]
    assert len(before) == 2
    assert [each.revision for each in dossier.withdrawals] == [12]
    for table in ("choices", "subjects", "signals"):
        assert await archive.run(f"SELECT count(*) FROM {table} WHERE subject_id = 7") == [(0,)]


async def test_c11_w1_whoever_reads_on_after_an_erasure_finds_that_everything_is_withdrawn(
    archive: SqlShelf,
) -> None:
    await archive.register.import_subjects(facts_rows(7, 8), a_key(1), NOON_US)
    for request, (subject_id, licensee) in enumerate([(7, "acme"), (8, "acme"), (7, "other")], 2):
        draft = a_draft(Stance.DENY, subject_id, licensee=licensee)
        await archive.register.record(draft, a_key(request), NOON_US)
    position = (await archive.withdrawals(limit=2))[-1][0]

    await archive.custody.erase(7, a_key(9), NOON_US)

    assert position == 4
    assert [
        (number, each.subject_id, each.cause) for number, each in await archive.withdrawals(position)
    ] == [(6, 7, Cause.SUBJECT_ERASED)]
    assert [number for number, _ in await archive.withdrawals()] == [4, 6]


async def test_c11_an_erasure_takes_what_the_subject_asked_for_with_it(archive: SqlShelf) -> None:
    def asked_by(subject_id: int) -> ReplayKey:
        return replace(a_key(subject_id), principal=f"subject:{subject_id}")

    for subject_id in (7, 77):
        await archive.register.record(a_draft(Stance.DENY, subject_id), asked_by(subject_id), NOON_US)

    await archive.custody.erase(7, a_key(9), NOON_US)

    kept = await archive.run("SELECT principal FROM replays ORDER BY principal")
    assert kept == [("operator:ada",), ("subject:77",)]
    with pytest.raises(Refusal, match="SUBJECT_ERASED"):
        await archive.register.record(a_draft(Stance.DENY, 7), asked_by(7), NOON_US)


async def test_c11_a_dossier_says_who_objected_what_changed_and_what_was_taken_back(
    archive: SqlShelf,
) -> None:
    await a_life(archive)
    sent = frozenset({Signal.GPC})
    await archive.register.object(7, "news.example", sent, a_key(20), NOON_US)
    await archive.register.object(8, "news.example", sent, a_key(21), NOON_US)

    dossier = await archive.custody.dossier(7, NOON_US)

    assert dossier is not None
    assert dossier.signals == (SignalRecord(11, "news.example", Signal.GPC),)
    assert [record.kind for record in dossier.facts] == [0, ChangeKind.SUSPEND, ChangeKind.UNSUSPEND]
    assert [(each.revision, each.withdrawal.cause) for each in dossier.withdrawals] == [
        (4, Cause.CHOICE), (5, Cause.SUBJECT_STATE), (11, Cause.CHOICE),
    ]  # fmt: skip


async def test_c11_an_erasure_is_there_after_a_restart_and_holds_against_every_import(
    archive: SqlShelf,
) -> None:
    await a_life(archive)
    await archive.custody.erase(7, a_key(20), NOON_US)
    await archive.reopen()

    described = await archive.register.import_subjects(facts_rows(7), a_key(21), NOON_US)
    rows = [(1, a_draft(Stance.ALLOW, 7, claimed_us=5)), (2, a_draft(Stance.DENY, 7, claimed_us=5))]
    chosen = await archive.register.import_choices(rows, a_key(22), NOON_US)
    changed = await archive.states(of_subject(a_change(ChangeKind.DELETE, 5)), request=23)

    def reasons(imported: Imported) -> list[str]:
        assert imported.accepted == 0
        return [row.reason for row in imported.rejected]

    assert reasons(described) == reasons(changed) == ["SUBJECT_ERASED"]
    assert reasons(chosen) == ["SUBJECT_ERASED"] * 2
    assert await archive.reasons((8,), (7,)) == ["POST_DENIED", "SUBJECT_UNKNOWN"]


async def test_c11_nothing_live_is_recorded_of_whoever_was_erased_and_nothing_explained(
    archive: SqlShelf,
) -> None:
    await archive.custody.erase(7, a_key(1), NOON_US)

    with pytest.raises(Refusal, match="SUBJECT_ERASED"):
        await archive.register.record(a_draft(Stance.DENY, 7), a_key(2), NOON_US)
    with pytest.raises(Refusal, match="SUBJECT_ERASED"):
        await archive.register.object(7, "browser", frozenset({Signal.GPC}), a_key(3), NOON_US)
    with pytest.raises(Refusal, match="SUBJECT_ERASED"):
        await archive.custody.known(7, 0, NOON_US)


async def test_c11_erasing_again_changes_nothing(archive: SqlShelf) -> None:
    first = await archive.custody.erase(7, a_key(1), NOON_US)

    replayed = await archive.custody.erase(7, a_key(1), NOON_US + 5)
    again = await archive.custody.erase(7, a_key(2), NOON_US + 5)

    assert first == replayed == again == Erased(NOON_US, Revision(1, 1))
    assert len(await archive.withdrawals()) == 1


async def test_c11_the_posts_of_whoever_was_erased_keep_their_states(archive: SqlShelf) -> None:
    await archive.states(of_post(a_change(ChangeKind.DELETE, 5), 1), request=1)

    await archive.custody.erase(7, a_key(2), NOON_US)
    known, _ = await archive.custody.known(8, 1, NOON_US)

    assert known.post == a_post_state(PostMark.DELETED)


async def test_c3_the_policy_that_was_in_force_at_a_time_is_told(archive: SqlShelf) -> None:
    await archive.put_in_force()
    await archive.register.publish(a_policy_draft(NOON_US + 5), a_key(1), NOON_US)
    await archive.register.activate_due(NOON_US + 7)

    before, _ = await archive.custody.known(7, 0, NOON_US + 6)
    after, _ = await archive.custody.known(7, 0, NOON_US + 7)

    assert before.policy is not None
    assert after.policy is not None
    assert (before.policy.version, after.policy.version) == (1, 2)


async def test_c11_what_was_known_at_a_time_has_no_gaps_where_the_clocks_of_processes_differ(
    archive: SqlShelf,
) -> None:
    await archive.put_in_force()
    await archive.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    prohibiting = a_policy_draft(NOON_US + 2, Regime.PROHIBITED)
    await archive.register.publish(prohibiting, a_key(2), NOON_US + 1)
    # One process is ahead, and the other one writes next.
    await archive.register.record(a_draft(Stance.DENY, 7), a_key(3), NOON_US + 9)
    await archive.register.activate_due(NOON_US + 2)

    between, _ = await archive.custody.known(7, 0, NOON_US + 8)
    after, _ = await archive.custody.known(7, 0, NOON_US + 9)

    assert between.policy is not None
    assert after.policy is not None
    assert (len(between.choices), between.policy.version) == (0, 1)
    assert (len(after.choices), after.policy.version) == (1, 2)
