"""What follows for a subject, on every database: read by what still matters, and as all records say."""

from dataclasses import replace

from services.consent.domain.choices import Stance
from services.consent.domain.explanations import Known
from services.consent.domain.halts import HaltKind, HaltScope
from services.consent.domain.policies import Regime
from services.consent.domain.state_changes import ChangeKind
from services.consent.domain.subjects import State
from tests.support.clock import NOON_US
from tests.support.consent import (
    EVERYTHING,
    a_change,
    a_draft,
    a_halt_order,
    a_key,
    a_policy_draft,
    facts_rows,
    of_subject,
)
from tests.support.consent_shelf import SqlShelf
from tests.support.consent_standings import check_standing


async def known_now(archive: SqlShelf, subject_id: int = 7) -> Known:
    """After it was held against checks and explanations."""
    await check_standing(archive, subject_id)
    known, _ = await archive.custody.known_now(subject_id)
    return known


async def test_c2_of_the_choices_those_are_read_that_still_matter_and_nobody_elses(archive: SqlShelf) -> None:
    record = archive.register.record
    await archive.put_in_force()
    await archive.register.import_subjects(facts_rows(7, 8), a_key(1), NOON_US)
    await record(a_draft(Stance.DENY, 7), a_key(2), NOON_US + 1)
    await record(a_draft(Stance.ALLOW, 7, licensee="acme"), a_key(3), NOON_US + 2)
    await record(a_draft(Stance.DENY, 7, licensee="acme"), a_key(4), NOON_US + 3)
    await record(a_draft(Stance.DENY, 8), a_key(5), NOON_US + 4)

    known = await known_now(archive)

    assert [(each.stance, each.licensee) for each in known.choices] == [
        (Stance.DENY, ""),
        (Stance.DENY, "acme"),
    ]


async def test_c4_the_latest_record_of_the_subject_is_read(archive: SqlShelf) -> None:
    await archive.put_in_force()
    await archive.register.import_subjects(facts_rows(7, 8), a_key(1), NOON_US)
    told = await archive.states(of_subject(a_change(ChangeKind.SUSPEND, None)), request=2, now_us=NOON_US + 1)
    await archive.states(of_subject(a_change(ChangeKind.DELETE, None), 8), request=3, now_us=NOON_US + 2)

    known = await known_now(archive)

    assert known.facts is not None
    assert (known.facts.states, known.facts.revision) == (State.SUSPENDED, told.revision.number)


async def test_c3_the_version_activated_last_is_read_and_none_that_waits_or_was_retracted(
    archive: SqlShelf,
) -> None:
    before = await known_now(archive)
    await archive.put_in_force()
    await archive.register.publish(a_policy_draft(NOON_US + 1, Regime.OPT_IN), a_key(1), NOON_US)
    await archive.register.activate_due(NOON_US + 1)
    await archive.register.publish(a_policy_draft(NOON_US + 5, Regime.PROHIBITED), a_key(2), NOON_US + 2)
    await archive.register.retract(3, a_key(3), NOON_US + 3)
    await archive.register.publish(a_policy_draft(NOON_US + 9, Regime.PROHIBITED), a_key(4), NOON_US + 4)

    known = await known_now(archive)

    assert before.policy is None
    assert known.policy is not None
    assert known.policy.version == 2


async def test_c12_the_halts_in_force_are_read_and_none_that_was_lifted(archive: SqlShelf) -> None:
    lifted = await archive.custody.order_halt(a_halt_order(EVERYTHING), a_key(1), NOON_US)
    order = a_halt_order(HaltScope(HaltKind.LICENSEE, "acme"))
    halted = await archive.custody.order_halt(order, a_key(2), NOON_US + 1)
    await archive.custody.lift_halt(lifted.halt_id, a_key(3), NOON_US + 2)

    known = await known_now(archive)

    assert [halt.halt_id for halt in known.halts] == [halted.halt_id]


async def test_c12_the_longest_cause_of_a_halt_is_kept_whatever_its_bytes(archive: SqlShelf) -> None:
    order = replace(a_halt_order(), cause="\N{POLICE CARS REVOLVING LIGHT}" * 500)
    await archive.custody.order_halt(order, a_key(1), NOON_US)

    known = await known_now(archive)

    assert [halt.order for halt in known.halts] == [order]


async def test_c11_nothing_is_read_of_whoever_is_unknown_or_was_erased(archive: SqlShelf) -> None:
    await archive.put_in_force()
    await archive.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    await archive.register.record(a_draft(Stance.ALLOW, 7, licensee="acme"), a_key(2), NOON_US + 1)
    await archive.register.record(a_draft(Stance.DENY, 9), a_key(3), NOON_US + 1)
    await archive.custody.erase(7, a_key(4), NOON_US + 2)

    erased, unknown, denied_before = [await known_now(archive, who) for who in (7, 8, 9)]

    assert erased == unknown
    assert (erased.facts, erased.choices) == (None, ())
    assert (denied_before.facts, len(denied_before.choices)) == (None, 1)
