"""The recipes, over a register in memory."""

from dataclasses import dataclass

import pytest

from services.chassis.refusals import Refusal, unavailable
from services.consent.domain.changes import Revision
from services.consent.domain.choices import Stance
from services.consent.domain.policies import Regime
from services.consent.freshness import Freshness
from services.consent.index import Index
from services.consent.registrar import Answer, Registrar
from tests.support.clock import NOON_US, ManualClock
from tests.support.consent import (
    MemoryRegister,
    a_batch,
    a_draft,
    a_key,
    a_policy_draft,
    a_question,
    names,
    some_facts,
)

SECOND_US = 1_000_000
PERMIT_US, MARGIN_US = 30 * SECOND_US, SECOND_US


@dataclass
class Desk:
    """A registrar with what it stands on."""

    registrar: Registrar
    register: MemoryRegister
    freshness: Freshness
    clock: ManualClock

    async def check(self, *posts: tuple[int, ...]) -> Answer:
        return await self.registrar.check(a_question(), a_batch(*posts))


@pytest.fixture
async def desk() -> Desk:
    clock, freshness = ManualClock(), Freshness(Index(seed=7))
    register = MemoryRegister(freshness)
    registrar = Registrar(register, freshness, clock, permit_us=PERMIT_US, margin_us=MARGIN_US)
    await registrar.load()
    await registrar.import_subjects([(7, some_facts()), (8, some_facts())], a_key(100))
    await registrar.publish(a_policy_draft(NOON_US), a_key(101))
    return Desk(registrar, register, freshness, clock)


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

    assert acknowledged.in_force_after_us == NOON_US + PERMIT_US + MARGIN_US
    assert acknowledged.in_force_after_us >= earlier.good_until_us + MARGIN_US


async def test_c9_a_policy_says_when_no_permit_under_an_earlier_version_is_valid_any_more(desk: Desk) -> None:
    at_us = NOON_US + PERMIT_US + 5 * SECOND_US
    began_before = await desk.check((7,))

    soon = await desk.registrar.publish(a_policy_draft(NOON_US + SECOND_US), a_key(2))
    later = await desk.registrar.publish(a_policy_draft(at_us), a_key(3))
    desk.clock.advance(PERMIT_US + 5 * SECOND_US - 1)
    last_before = await desk.check((7,))

    # A check that began before the announcement, and one that knew of it.
    assert soon.in_force_after_us == NOON_US + PERMIT_US + MARGIN_US
    assert soon.in_force_after_us >= began_before.good_until_us + MARGIN_US
    assert last_before.good_until_us == at_us
    assert later.in_force_after_us == at_us + MARGIN_US


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


async def test_c3_the_timer_activates_what_is_due_when_nobody_asks(desk: Desk) -> None:
    await desk.registrar.activate_due()

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


async def test_c10_without_the_database_there_is_no_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = await desk.check((7,))

    async def gone() -> Revision:
        raise unavailable("DATABASE_UNAVAILABLE", "gone")

    monkeypatch.setattr(desk.register, "head", gone)
    cut_off = Registrar(desk.register, desk.freshness, desk.clock, permit_us=PERMIT_US, margin_us=MARGIN_US)

    with pytest.raises(Refusal) as refused:
        await cut_off.check(a_question(), a_batch((7,)))

    assert names(answered.reasons) == ["ALLOWED"]
    assert refused.value.reason == "DATABASE_UNAVAILABLE"


async def test_c10_a_distrusted_index_answers_again_once_it_was_read_anew(desk: Desk) -> None:
    await desk.check((7,))
    desk.freshness.distrust()

    with pytest.raises(Refusal) as refused:
        await desk.check((7,))
    await desk.registrar.load()

    assert refused.value.reason == "INDEX_STALE"
    assert names((await desk.check((7,))).reasons) == ["ALLOWED"]


async def test_c1_a_choice_that_cannot_be_one_is_not_recorded(desk: Desk) -> None:
    with pytest.raises(Refusal) as refused:
        await desk.registrar.record(a_draft(Stance.ALLOW, 7, notice_digest=b""), a_key())

    assert refused.value.reason == "NOTICE_DIGEST_MISSING"
    assert await desk.register.head() == Revision(1, 3)
