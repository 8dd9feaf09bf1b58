"""The recipes, over a register in memory."""

from dataclasses import dataclass

import pytest

from services.chassis.refusals import Refusal, unavailable
from services.consent.acknowledging import Acknowledger
from services.consent.domain.changes import Follower, Revision
from services.consent.domain.choices import Stance
from services.consent.domain.policies import Regime
from services.consent.domain.purposes import Signal
from services.consent.index import Index
from services.consent.registrar import Answer, Registrar
from tests.support.clock import NOON_US, ManualClock
from tests.support.consent import (
    SHARING,
    a_batch,
    a_draft,
    a_key,
    a_policy_draft,
    a_question,
    facts_rows,
    names,
)
from tests.support.consent_memory import MemoryRegister

SECOND_US = 1_000_000
PERMIT_US, MARGIN_US = 30 * SECOND_US, SECOND_US


@dataclass
class Desk:
    """A registrar with what it stands on."""

    registrar: Registrar
    register: MemoryRegister
    clock: ManualClock

    async def check(self, *posts: tuple[int, ...]) -> Answer:
        return await self.registrar.check(a_question(), a_batch(*posts))


def a_registrar(register: MemoryRegister, clock: ManualClock) -> Registrar:
    acknowledger = Acknowledger(clock, permit_us=PERMIT_US, margin_us=MARGIN_US)
    return Registrar(register, Index(seed=7), clock, acknowledger)


@pytest.fixture
async def desk() -> Desk:
    clock, register = ManualClock(), MemoryRegister()
    registrar = a_registrar(register, clock)
    await registrar.import_subjects(facts_rows(7, 8), a_key(100))
    await registrar.publish(a_policy_draft(NOON_US), a_key(101))
    return Desk(registrar, register, clock)


async def test_c9_a_check_after_the_acknowledgement_sees_the_choice(desk: Desk) -> None:
    before = await desk.check((7,), (8,))

    acknowledged = await desk.registrar.record(a_draft(Stance.DENY, 7), a_key())
    after = await desk.check((7,), (8,))

    assert names(before.reasons) == ["ALLOWED", "ALLOWED"]
    assert names(after.reasons) == ["CHOICE_DENIES", "ALLOWED"]
    assert after.revision >= acknowledged.outcome.revision


async def test_c9_an_answer_is_good_for_the_permit_time_from_the_start_of_the_check(desk: Desk) -> None:
    answer = await desk.check((7,))

    assert answer.checked_us == NOON_US
    assert answer.good_until_us == NOON_US + PERMIT_US


async def test_c9_an_answer_is_good_until_the_next_change_of_policy_at_most(desk: Desk) -> None:
    await desk.registrar.publish(a_policy_draft(NOON_US + 5 * SECOND_US), a_key(2))

    answer = await desk.check((7,))

    assert answer.policy_version == 1
    assert answer.good_until_us == NOON_US + 5 * SECOND_US


async def test_c9_an_acknowledgement_says_when_no_earlier_permit_is_valid_any_more(desk: Desk) -> None:
    earlier = await desk.check((7,))

    acknowledged = await desk.registrar.record(a_draft(Stance.DENY, 7), a_key())

    assert acknowledged.in_force_after_us == NOON_US + PERMIT_US + 2 * MARGIN_US
    assert acknowledged.in_force_after_us >= earlier.good_until_us + 2 * MARGIN_US


async def test_c9_a_policy_says_when_no_permit_under_an_earlier_version_is_valid_any_more(desk: Desk) -> None:
    at_us = NOON_US + PERMIT_US + 5 * SECOND_US
    began_before = await desk.check((7,))

    soon = await desk.registrar.publish(a_policy_draft(NOON_US + SECOND_US), a_key(2))
    later = await desk.registrar.publish(a_policy_draft(at_us), a_key(3))
    desk.clock.advance(PERMIT_US + 5 * SECOND_US - 1)
    last_before = await desk.check((7,))

    # A check that began before the announcement, and one that knew of it.
    assert soon.in_force_after_us == NOON_US + PERMIT_US + 2 * MARGIN_US
    assert soon.in_force_after_us >= began_before.good_until_us + 2 * MARGIN_US
    assert last_before.good_until_us == at_us
    assert later.in_force_after_us == at_us + 2 * MARGIN_US


async def test_c9_to_retract_a_policy_makes_answers_good_for_longer_and_none_for_less(desk: Desk) -> None:
    await desk.registrar.publish(a_policy_draft(NOON_US + 5 * SECOND_US, Regime.PROHIBITED), a_key(2))
    before = await desk.check((7,))

    retracted = await desk.registrar.retract(2, a_key(3))
    after = await desk.check((7,))
    desk.clock.advance(5 * SECOND_US)
    later = await desk.check((7,))

    assert before.good_until_us == NOON_US + 5 * SECOND_US
    assert after.good_until_us == NOON_US + PERMIT_US
    assert after.revision == retracted.revision
    assert (later.policy_version, names(later.reasons)) == (1, ["ALLOWED"])


async def test_c3_a_policy_whose_time_has_come_is_not_retracted_even_if_nobody_has_asked_since(
    desk: Desk,
) -> None:
    await desk.registrar.publish(a_policy_draft(NOON_US + SECOND_US, Regime.PROHIBITED), a_key(2))
    desk.clock.advance(SECOND_US)

    with pytest.raises(Refusal, match="POLICY_IN_EFFECT"):
        await desk.registrar.retract(2, a_key(3))

    assert names((await desk.check((7,))).reasons) == ["PROHIBITED"]


async def test_c3_before_its_time_a_policy_releases_nothing(desk: Desk) -> None:
    desk.clock.advance(-1)

    answer = await desk.check((7,))

    assert names(answer.reasons) == ["NO_POLICY"]
    assert answer.policy_version == 0
    assert answer.good_until_us == NOON_US


async def test_c3_the_first_check_whose_clock_reaches_the_time_activates_the_policy_once(desk: Desk) -> None:
    first = await desk.check((7,))
    second = await desk.check((7,))

    (policy,) = await desk.registrar.policies(None, 10)
    assert policy.activation is not None
    assert policy.activation.activated_us == NOON_US
    assert policy.activation.revision == first.revision.number == second.revision.number == 4


async def test_c3_what_is_due_is_activated_where_nobody_asks(desk: Desk) -> None:
    await desk.registrar.follow()

    (policy,) = await desk.registrar.policies(None, 10)
    assert policy.activation is not None


async def test_c3_after_an_activation_nothing_is_answered_under_the_old_version(desk: Desk) -> None:
    await desk.check((7,))
    at_us = NOON_US + 5 * SECOND_US
    await desk.registrar.publish(a_policy_draft(at_us, Regime.PROHIBITED), a_key(2))
    desk.clock.advance(5 * SECOND_US)

    activating = await desk.check((7,))
    # A clock that is behind finds the activation all the same.
    desk.clock.advance(-SECOND_US)
    behind = await desk.check((7,))

    assert names(activating.reasons) == names(behind.reasons) == ["PROHIBITED"]
    assert activating.policy_version == behind.policy_version == 2


class Unreachable(MemoryRegister):
    """A register whose database cannot be read."""

    async def follow(self, follower: Follower) -> None:
        raise unavailable("DATABASE_UNAVAILABLE", "gone")


async def test_c10_without_the_database_there_is_no_answer() -> None:
    cut_off = a_registrar(Unreachable(), ManualClock())

    with pytest.raises(Refusal) as refused:
        await cut_off.check(a_question(), a_batch((7,)))

    assert refused.value.reason == "DATABASE_UNAVAILABLE"


async def test_c10_an_index_that_was_read_once_gives_no_answer_without_the_database(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = await desk.check((7,))

    monkeypatch.setattr(desk.register, "follow", Unreachable().follow)
    with pytest.raises(Refusal) as refused:
        await desk.check((7,))
    monkeypatch.undo()

    assert names(answered.reasons) == names((await desk.check((7,))).reasons) == ["ALLOWED"]
    assert refused.value.reason == "DATABASE_UNAVAILABLE"


async def test_c9_a_check_at_one_replica_sees_a_choice_made_at_another(desk: Desk) -> None:
    other = a_registrar(desk.register, desk.clock)
    before = await desk.check((7,))

    await other.record(a_draft(Stance.DENY, 7), a_key())

    assert names(before.reasons) == ["ALLOWED"]
    assert names((await desk.check((7,))).reasons) == ["CHOICE_DENIES"]


async def test_c9_an_import_is_acknowledged_when_the_index_has_it() -> None:
    clock, register, index = ManualClock(), MemoryRegister(), Index(seed=7)
    acknowledger = Acknowledger(clock, permit_us=PERMIT_US, margin_us=MARGIN_US)
    registrar = Registrar(register, index, clock, acknowledger)

    imported = await registrar.import_subjects(facts_rows(7, 8), a_key())

    assert index.revision == imported.outcome.revision == Revision(1, 2)


async def test_c1_a_signal_denies_its_purposes_the_first_time_that_a_source_sends_it(desk: Desk) -> None:
    signals = frozenset({Signal.GPC})
    first = await desk.registrar.object(7, "browser", signals, a_key(1))
    denied = await desk.check((7,), (8,))
    await desk.registrar.record(a_draft(Stance.ALLOW, 7, purpose=SHARING), a_key(2))

    again = await desk.registrar.object(7, "browser", signals, a_key(3))
    allowed = await desk.check((7,), (8,))
    elsewhere = await desk.registrar.object(7, "chirp.example", signals, a_key(4))

    assert (len(first.outcome.recorded), again.outcome.recorded) == (1, ())
    assert names(denied.reasons) == ["CHOICE_DENIES", "ALLOWED"]
    assert names(allowed.reasons) == ["ALLOWED", "ALLOWED"]
    assert len(elsewhere.outcome.recorded) == 1
    assert names((await desk.check((7,))).reasons) == ["CHOICE_DENIES"]


async def test_c1_a_choice_that_cannot_be_one_is_not_recorded(desk: Desk) -> None:
    with pytest.raises(Refusal) as refused:
        await desk.registrar.record(a_draft(Stance.ALLOW, 7, notice_digest=b""), a_key())

    assert refused.value.reason == "NOTICE_DIGEST_MISSING"
    assert desk.register.head == Revision(1, 3)
