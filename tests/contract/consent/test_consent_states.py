"""What every database of consent does with states, halts and withdrawals (C4, C5, C12, W1)."""

import pytest

from services.chassis.refusals import Refusal
from services.consent.domain.changes import Revision
from services.consent.domain.choices import Stance
from services.consent.domain.halts import HaltKind, HaltScope
from services.consent.domain.outcomes import Halted, Imported
from services.consent.domain.policies import Regime
from services.consent.domain.state_changes import ChangeKind
from services.consent.domain.subjects import State
from services.consent.domain.withdrawals import Cause, Withdrawal, closed
from tests.support.clock import NOON_US
from tests.support.consent import (
    EVERYTHING,
    FIRST_EMBED,
    GENERATIVE,
    NOTICE,
    OTHER_NOTICE,
    SHARING,
    a_batch,
    a_change,
    a_draft,
    a_halt_order,
    a_key,
    a_policy_draft,
    a_question,
    facts_rows,
    of_post,
    of_subject,
    some_facts,
)
from tests.support.consent_shelf import SqlShelf

LARGEST_ID = 2**64 - 1
OF_ACME = HaltScope(HaltKind.LICENSEE, "acme")


@pytest.fixture
async def ready(archive: SqlShelf) -> SqlShelf:
    """A policy and subjects 7, 8 and 9 at revision 5."""
    await archive.put_in_force()
    await archive.register.import_subjects(facts_rows(7, 8, 9, as_of_us=0), a_key(901), NOON_US)
    assert await archive.head() == Revision(1, 5)
    return archive


async def test_c4_a_change_of_state_denies_and_its_opposite_frees(ready: SqlShelf) -> None:
    suspended = await ready.states(of_subject(a_change(ChangeKind.SUSPEND, 10)), request=1)
    denied = await ready.reasons((7,), (8,))

    await ready.states(of_subject(a_change(ChangeKind.UNSUSPEND, 11)), request=2)

    assert suspended == Imported(1, 0, (), Revision(1, 6))
    assert denied == ["SUBJECT_SUSPENDED", "ALLOWED"]
    assert await ready.reasons((7,), (8,)) == ["ALLOWED", "ALLOWED"]


async def test_c5_a_post_is_denied_on_its_own_wherever_it_is_embedded(ready: SqlShelf) -> None:
    rows = [
        of_post(a_change(ChangeKind.DENY, 10), 1),
        of_post(a_change(ChangeKind.DELETE, 10), LARGEST_ID, 2),
        of_post(a_change(ChangeKind.WITHHELD, 10, countries=["DE"]), 2**63, 3),
    ]
    await ready.states(*rows, request=1)
    posts = a_batch((7,), (7,), (7,), (7, 8), post_ids=[1, LARGEST_ID, 2**63, 5], embed_ids=[1])

    answered = await ready.answers(a_question(), posts)
    in_the_us = await ready.answers(a_question(territory=frozenset({"US"})), posts)

    assert answered == ["POST_DENIED", "POST_DELETED", "WITHHELD", "POST_DENIED"]
    assert in_the_us == ["POST_DENIED", "POST_DELETED", "ALLOWED", "POST_DENIED"]


async def test_states_of_posts_and_subjects_are_followed_and_found_again(ready: SqlShelf) -> None:
    await ready.states(of_post(a_change(ChangeKind.DENY, 10), 1), request=1)
    await ready.reasons((7,))
    await ready.states(
        of_post(a_change(ChangeKind.UNDENY, 11), 1),
        of_post(a_change(ChangeKind.DELETE, 11), 2, 2),
        of_subject(a_change(ChangeKind.PROTECT, 11), 9, 3),
        request=2,
    )
    followed = await ready.reasons((7,), (8,), (9,))

    await ready.reopen()

    assert followed == ["ALLOWED", "POST_DELETED", "SUBJECT_PROTECTED"]
    assert await ready.reasons((7,), (8,), (9,)) == followed


async def test_the_same_changes_again_change_nothing(ready: SqlShelf) -> None:
    rows = [
        of_subject(a_change(ChangeKind.SUSPEND, 10), 7, 1),
        of_subject(a_change(ChangeKind.MINOR, 10), 8, 2),
        of_post(a_change(ChangeKind.DELETE, 10), 1, 3),
        of_post(a_change(ChangeKind.WITHHELD, 10, countries=["DE"]), 1, 4),
    ]
    first = await ready.states(*rows, request=1)
    before = await ready.withdrawals()

    again = await ready.states(*rows, request=2, now_us=NOON_US + 5)
    replayed = await ready.states(*rows, request=1)

    assert first == replayed == Imported(4, 0, (), Revision(1, 9))
    assert again == Imported(0, 4, (), Revision(1, 9))
    assert await ready.withdrawals() == before


async def test_good_changes_go_in_and_bad_ones_are_listed(ready: SqlShelf) -> None:
    rows = [
        of_subject(a_change(ChangeKind.UNDELETE, NOON_US + 1), 7, 1),
        of_subject(a_change(ChangeKind.NOTICE_SERVED, NOON_US + 1, notice=OTHER_NOTICE), 7, 2),
        of_subject(a_change(ChangeKind.DELETE, NOON_US + 1), 7, 3),
        of_post(a_change(ChangeKind.UNDENY, NOON_US + 1), 1, 4),
        of_subject(a_change(ChangeKind.MINOR, 10), 98, 5),
    ]

    imported = await ready.states(*rows, request=1)

    assert (imported.accepted, imported.unchanged) == (2, 0)
    assert [(row.line, row.reason) for row in imported.rejected] == [
        (1, "OCCURRED_IN_THE_FUTURE"),
        (2, "OCCURRED_IN_THE_FUTURE"),
        (4, "OCCURRED_IN_THE_FUTURE"),
    ]
    assert await ready.reasons((7,), (98,)) == ["SUBJECT_DELETED", "SUBJECT_UNKNOWN"]


async def test_c4_a_change_told_before_its_subject_is_holds_when_they_appear(ready: SqlShelf) -> None:
    await ready.states(of_subject(a_change(ChangeKind.MINOR, 10), 99), request=1)

    await ready.register.import_subjects(facts_rows(99, as_of_us=9), a_key(2), NOON_US)

    assert await ready.reasons((99,)) == ["SUBJECT_MINOR"]


async def test_c4_what_frees_someone_not_yet_described_and_notices_of_theirs_are_kept(
    ready: SqlShelf,
) -> None:
    imported = await ready.states(
        of_subject(a_change(ChangeKind.UNPROTECT, 8), 99, 1),
        of_subject(a_change(ChangeKind.NOTICE_SERVED, 8, notice=NOTICE), 99, 2),
        of_subject(a_change(ChangeKind.PROTECT, 7), 99, 3),
        request=1,
    )
    unknown = await ready.reasons((99,))
    described = facts_rows(99, facts=some_facts(notices=[]), as_of_us=6)

    await ready.register.import_subjects(described, a_key(2), NOON_US)

    assert (imported.accepted, imported.unchanged) == (2, 1)
    assert unknown == ["SUBJECT_UNKNOWN"]
    assert await ready.reasons((99,)) == ["ALLOWED"]


async def test_c4_c5_a_change_of_now_takes_nothing_back_again_where_it_was_so_already(
    ready: SqlShelf,
) -> None:
    rows = [
        of_subject(a_change(ChangeKind.SUSPEND, None), 7, 1),
        of_post(a_change(ChangeKind.DENY, None), 1, 2),
    ]
    await ready.states(*rows, request=1)
    before = await ready.withdrawals()

    again = await ready.states(*rows, request=2, now_us=NOON_US + 5)
    late = await ready.states(
        of_subject(a_change(ChangeKind.UNSUSPEND, NOON_US + 4), 7, 1),
        of_post(a_change(ChangeKind.UNDENY, NOON_US + 4), 1, 2),
        request=3,
        now_us=NOON_US + 6,
    )

    assert (again.accepted, late.accepted) == (2, 0)
    assert await ready.withdrawals() == before
    assert await ready.reasons((8,), (7,)) == ["POST_DENIED", "SUBJECT_SUSPENDED"]


async def test_c4_changes_that_come_late_are_overtaken_by_a_description(ready: SqlShelf) -> None:
    suspended = some_facts(states=State.SUSPENDED)
    await ready.register.import_subjects(facts_rows(7, facts=suspended, as_of_us=50), a_key(1), NOON_US)

    late = await ready.states(of_subject(a_change(ChangeKind.UNSUSPEND, 49)), request=2)
    after_late = await ready.reasons((7,))
    await ready.states(of_subject(a_change(ChangeKind.UNSUSPEND, 51)), request=3)

    assert (late.accepted, late.unchanged) == (0, 1)
    assert (after_late, await ready.reasons((7,))) == (["SUBJECT_SUSPENDED"], ["ALLOWED"])


async def test_c12_a_halt_holds_until_it_is_lifted(ready: SqlShelf) -> None:
    ordered = await ready.custody.order_halt(a_halt_order(OF_ACME), a_key(1), NOON_US)
    halted = await ready.reasons((7,), (0,)), await ready.reasons((7,), licensee="other")

    lifted = await ready.custody.lift_halt(ordered.halt_id, a_key(2), NOON_US + 1)

    assert ordered == Halted(6, Revision(1, 6))
    assert halted == (["HALTED", "HALTED"], ["ALLOWED"])
    assert lifted == Halted(6, Revision(1, 7))
    assert await ready.reasons((7,)) == ["ALLOWED"]


async def test_c12_a_halt_is_there_after_a_restart(ready: SqlShelf) -> None:
    await ready.custody.order_halt(a_halt_order(HaltScope(HaltKind.JURISDICTION, "US")), a_key(1), NOON_US)

    await ready.reopen()

    assert await ready.reasons((7,)) == ["HALTED"]


async def test_c12_of_two_halts_of_the_same_each_is_lifted_by_itself(ready: SqlShelf) -> None:
    first = await ready.custody.order_halt(a_halt_order(), a_key(1), NOON_US)
    await ready.custody.order_halt(a_halt_order(), a_key(2), NOON_US)

    await ready.custody.lift_halt(first.halt_id, a_key(3), NOON_US)

    assert await ready.reasons((7,)) == ["HALTED"]


async def test_c12_a_halt_ends_once(ready: SqlShelf) -> None:
    ordered = await ready.custody.order_halt(a_halt_order(), a_key(1), NOON_US)
    lifted = await ready.custody.lift_halt(ordered.halt_id, a_key(2), NOON_US)

    replayed = await ready.custody.lift_halt(ordered.halt_id, a_key(2), NOON_US)
    with pytest.raises(Refusal) as again:
        await ready.custody.lift_halt(ordered.halt_id, a_key(3), NOON_US)
    with pytest.raises(Refusal) as unknown:
        await ready.custody.lift_halt(99, a_key(4), NOON_US)

    assert replayed == lifted
    assert (again.value.reason, unknown.value.reason) == ("HALT_ENDED", "HALT_UNKNOWN")


async def test_c12_halts_are_listed_newest_first_page_by_page(ready: SqlShelf) -> None:
    for request in (1, 2, 3):
        await ready.custody.order_halt(a_halt_order(OF_ACME), a_key(request), NOON_US + request)
    await ready.custody.lift_halt(7, a_key(4), NOON_US + 9)

    first = await ready.custody.halts(None, 2, in_force_only=False)
    rest = await ready.custody.halts(first[-1].halt_id, 2, in_force_only=False)
    in_force = await ready.custody.halts(None, 9, in_force_only=True)

    assert [halt.halt_id for halt in (*first, *rest)] == [8, 7, 6]
    assert [halt.halt_id for halt in in_force] == [8, 6]
    assert (first[1].lifted_us, first[1].lifted_by) == (NOON_US + 9, "operator:ada")
    assert (rest[0].order, rest[0].ordered_us, rest[0].lifted_us) == (
        a_halt_order(OF_ACME), NOON_US + 1, None,
    )  # fmt: skip


async def test_w1_whatever_takes_releases_back_is_withdrawn_in_the_order_of_revisions(
    ready: SqlShelf,
) -> None:
    before = await ready.withdrawals()
    record = ready.register.record
    await record(a_draft(Stance.DENY, 7, licensee="acme", purpose=GENERATIVE), a_key(1), NOON_US)
    await record(a_draft(Stance.ALLOW, 7), a_key(2), NOON_US)
    await ready.states(
        of_subject(a_change(ChangeKind.DELETE, 10), LARGEST_ID, 1),
        of_subject(a_change(ChangeKind.WITHHELD, 10, countries=["FR", "DE"]), 8, 2),
        of_post(a_change(ChangeKind.DENY, 10), FIRST_EMBED, 3),
        of_post(a_change(ChangeKind.UNDENY, 11), FIRST_EMBED, 4),
        request=3,
    )
    await ready.custody.order_halt(a_halt_order(EVERYTHING), a_key(4), NOON_US)
    await ready.custody.order_halt(a_halt_order(OF_ACME, recall=True), a_key(5), NOON_US)

    withdrawn = await ready.withdrawals(above=5)

    assert before == [(2, Withdrawal(Cause.POLICY, policy_version=1))]
    assert withdrawn == [
        (6, Withdrawal(Cause.CHOICE, 7, licensee="acme", purposes=(GENERATIVE,))),
        (8, Withdrawal(Cause.SUBJECT_STATE, LARGEST_ID)),
        (9, Withdrawal(Cause.SUBJECT_WITHHELD, 8, countries=("DE", "FR"))),
        (10, Withdrawal(Cause.POST_DENIED, post_id=FIRST_EMBED)),
        (13, Withdrawal(Cause.HALT, halt=OF_ACME)),
    ]


async def test_w1_a_policy_withdraws_when_it_takes_effect_and_not_before(ready: SqlShelf) -> None:
    await ready.register.publish(a_policy_draft(NOON_US + 9, Regime.PROHIBITED), a_key(1), NOON_US)
    announced = await ready.withdrawals(above=5)

    await ready.register.activate_due(NOON_US + 9)

    assert announced == []
    assert await ready.withdrawals(above=5) == [(7, Withdrawal(Cause.POLICY, policy_version=2))]


async def test_w1_imports_and_signals_withdraw_too(ready: SqlShelf) -> None:
    rows = [(1, a_draft(Stance.DENY, 7, claimed_us=5)), (2, a_draft(Stance.ALLOW, 8, claimed_us=5))]
    await ready.register.import_choices(rows, a_key(1), NOON_US)
    deleted = some_facts(states=State.DELETED)
    await ready.register.import_subjects(facts_rows(9, facts=deleted), a_key(2), NOON_US)

    assert await ready.withdrawals(above=5) == [
        (6, Withdrawal(Cause.CHOICE, 7, purposes=closed(SHARING))),
        (8, Withdrawal(Cause.SUBJECT_STATE, 9)),
    ]


async def test_w1_withdrawals_come_page_by_page_with_the_head_of_the_same_moment(ready: SqlShelf) -> None:
    for request in range(1, 6):
        await ready.register.record(a_draft(Stance.DENY, request), a_key(request), NOON_US + request)
    await ready.register.import_subjects(facts_rows(50), a_key(9), NOON_US)

    first, head = await ready.custody.withdrawals(5, 3)
    rest, _ = await ready.custody.withdrawals(first[-1].revision, 3)

    assert [each.revision for each in (*first, *rest)] == [6, 7, 8, 9, 10]
    assert [each.recorded_us for each in first] == [NOON_US + 1, NOON_US + 2, NOON_US + 3]
    assert head == Revision(1, 11)
