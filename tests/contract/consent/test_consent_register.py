"""What a register promises, whichever it is: the one in memory and the one in a database."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.database import Database
from services.chassis.refusals import Refusal
from services.consent.domain.changes import Revision
from services.consent.domain.choices import MOST_LICENSEES, Draft, Stance
from services.consent.domain.outcomes import Imported, Published, Recorded
from services.consent.domain.policies import Regime
from services.consent.domain.subjects import State
from services.consent.freshness import Freshness
from services.consent.index import Index
from services.consent.registrar import Register
from services.consent.storage.register import SqlRegister
from tests.support.clock import NOON_US
from tests.support.consent import (
    GENERATIVE,
    MemoryRegister,
    a_batch,
    a_draft,
    a_key,
    a_policy_draft,
    a_question,
    consent_database,
    consent_database_at,
    names,
    some_facts,
)
from tests.support.engines import ENGINES, url_on

SECOND_US = 1_000_000
LARGEST_ID = 2**64 - 1


@dataclass
class Shelf:
    """A register, the index that follows it, and a way to another index made from scratch."""

    register: Register
    index: Index
    reopen: Callable[[], tuple[Register, Index]]

    def reasons(self, *posts: tuple[int, ...], licensee: str = "acme") -> list[str]:
        return names(self.index.view().reasons(a_question(licensee), a_batch(*posts)))


@pytest_asyncio.fixture(params=["memory", *ENGINES])
async def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shelf]:
    index = Index(seed=7)
    if request.param == "memory":
        memory = MemoryRegister(Freshness(index))
        await memory.load()

        def follow_again() -> tuple[Register, Index]:
            other = Index(seed=8)
            memory._follower = Freshness(other)
            return memory, other

        yield Shelf(memory, index, follow_again)
        return
    url = url_on(request.param, request, tmp_path, consent_database_at)
    opened: list[Database] = []

    def reopen() -> tuple[Register, Index]:
        for database in opened:
            database.close_now()
        opened[:] = [consent_database_at(url)]
        other = Index(seed=8)
        return SqlRegister(opened[0], Freshness(other)), other

    register, index = reopen()
    await register.load()
    yield Shelf(register, index, reopen)
    await opened[0].close()


async def a_policy_in_force(shelf: Shelf, regime: Regime = Regime.OPT_OUT) -> None:
    await shelf.register.publish(a_policy_draft(NOON_US, regime), a_key(900), NOON_US)
    await shelf.register.activate_due(NOON_US)


async def test_a_new_register_is_empty_and_at_revision_0(shelf: Shelf) -> None:
    assert await shelf.register.head() == Revision(1, 0)
    assert shelf.reasons((7,)) == ["SUBJECT_UNKNOWN"]


async def test_c9_the_index_has_a_choice_when_its_caller_is_told(shelf: Shelf) -> None:
    await a_policy_in_force(shelf)
    await shelf.register.import_subjects([(7, some_facts())], a_key(1), NOON_US)
    allowed = shelf.reasons((7,))

    recorded = await shelf.register.record(a_draft(Stance.DENY, 7), a_key(2), NOON_US)

    assert allowed == ["ALLOWED"]
    assert shelf.reasons((7,)) == ["CHOICE_DENIES"]
    assert shelf.index.revision == recorded.revision == Revision(1, 4)


async def test_c1_live_choices_of_one_subject_are_stamped_one_after_the_other(shelf: Shelf) -> None:
    first = await shelf.register.record(a_draft(Stance.DENY, 7), a_key(1), NOON_US)
    second = await shelf.register.record(a_draft(Stance.DENY, 7), a_key(2), NOON_US - 5)

    assert (first.stated_us, second.stated_us) == (NOON_US, NOON_US + 1)


async def test_c4_a_deny_of_an_unknown_subject_holds_when_they_appear(shelf: Shelf) -> None:
    await a_policy_in_force(shelf)
    await shelf.register.record(a_draft(Stance.DENY, 7), a_key(1), NOON_US)
    unknown = shelf.reasons((7,))

    await shelf.register.import_subjects([(7, some_facts())], a_key(2), NOON_US)

    assert unknown == ["SUBJECT_UNKNOWN"]
    assert shelf.reasons((7,)) == ["CHOICE_DENIES"]


async def test_an_allow_of_an_unknown_subject_is_refused(shelf: Shelf) -> None:
    with pytest.raises(Refusal) as refused:
        await shelf.register.record(a_draft(Stance.ALLOW, 7), a_key(1), NOON_US)

    assert refused.value.reason == "SUBJECT_UNKNOWN"
    assert await shelf.register.head() == Revision(1, 0)


async def test_the_same_request_is_answered_as_before_and_changes_nothing(shelf: Shelf) -> None:
    first = await shelf.register.record(a_draft(Stance.DENY, 7), a_key(1), NOON_US)

    again = await shelf.register.record(a_draft(Stance.DENY, 7), a_key(1), NOON_US + SECOND_US)

    assert again == first == Recorded(Revision(1, 1), NOON_US)
    assert await shelf.register.head() == Revision(1, 1)


async def test_a_request_id_that_comes_with_other_content_is_refused(shelf: Shelf) -> None:
    await shelf.register.record(a_draft(Stance.DENY, 7), a_key(1), NOON_US)

    with pytest.raises(Refusal) as refused:
        await shelf.register.record(a_draft(Stance.DENY, 8), a_key(1, digest=b"\x99" * 32), NOON_US)

    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_c1_of_an_import_the_good_rows_go_in_and_the_bad_ones_are_listed(shelf: Shelf) -> None:
    await shelf.register.import_subjects([(7, some_facts())], a_key(1), NOON_US)
    rows = [
        (1, a_draft(Stance.ALLOW, 7, claimed_us=NOON_US + 1)),
        (2, a_draft(Stance.ALLOW, 8, claimed_us=NOON_US)),
        (3, a_draft(Stance.DENY, 8, claimed_us=NOON_US + 1)),
        (4, a_draft(Stance.ALLOW, 7, claimed_us=NOON_US)),
    ]

    imported = await shelf.register.import_choices(rows, a_key(2), NOON_US)

    assert (imported.accepted, imported.unchanged, imported.revision.number) == (2, 0, 3)
    assert [(row.line, row.reason) for row in imported.rejected] == [
        (1, "STATED_IN_THE_FUTURE"),
        (2, "SUBJECT_UNKNOWN"),
    ]


async def test_the_same_choices_imported_again_change_nothing(shelf: Shelf) -> None:
    rows = [
        (1, a_draft(Stance.DENY, 7, claimed_us=NOON_US - 5)),
        # Clamped, and to another time each time; and with no time at all.
        (2, a_draft(Stance.DENY, 7, claimed_us=NOON_US + SECOND_US)),
        (3, a_draft(Stance.DENY, 7)),
        (4, a_draft(Stance.DENY, 7, claimed_us=NOON_US - 5)),
    ]
    first = await shelf.register.import_choices(rows, a_key(1), NOON_US)

    again = await shelf.register.import_choices(rows, a_key(2), NOON_US + 2 * SECOND_US)

    assert (first.accepted, first.unchanged) == (3, 1)
    assert again == Imported(0, 4, (), Revision(1, 3))


@pytest.mark.parametrize("claimed_us", [None, NOON_US + 10 * SECOND_US])
async def test_c1_a_deny_of_now_that_was_lifted_bites_when_it_comes_again(
    shelf: Shelf, claimed_us: int | None
) -> None:
    await a_policy_in_force(shelf)
    await shelf.register.import_subjects([(7, some_facts())], a_key(1), NOON_US)
    rows = [(1, a_draft(Stance.DENY, 7, claimed_us=claimed_us))]
    await shelf.register.import_choices(rows, a_key(2), NOON_US)
    # The clock stands still, and times are taken in order all the same.
    lifted = await shelf.register.record(a_draft(Stance.ALLOW, 7), a_key(3), NOON_US)
    between = shelf.reasons((7,))

    again = await shelf.register.import_choices(rows, a_key(4), NOON_US)
    at_once = await shelf.register.import_choices(rows, a_key(5), NOON_US)

    assert (lifted.stated_us, between) == (NOON_US + 1, ["ALLOWED"])
    assert (again.accepted, again.unchanged) == (1, 0)
    assert shelf.reasons((7,)) == ["CHOICE_DENIES"]
    assert (at_once.accepted, at_once.unchanged) == (0, 1)


async def test_c1_a_deny_of_now_that_was_lifted_for_one_licensee_bites_there_again(shelf: Shelf) -> None:
    await a_policy_in_force(shelf)
    await shelf.register.import_subjects([(7, some_facts())], a_key(1), NOON_US)
    rows = [(1, a_draft(Stance.DENY, 7)), (2, a_draft(Stance.DENY, 7))]
    await shelf.register.import_choices(rows, a_key(2), NOON_US)
    await shelf.register.record(a_draft(Stance.ALLOW, 7, licensee="acme"), a_key(3), NOON_US + SECOND_US)

    again = await shelf.register.import_choices(rows, a_key(4), NOON_US + 2 * SECOND_US)

    # The second row of the file finds the first, which stands.
    assert (again.accepted, again.unchanged) == (1, 1)
    assert shelf.reasons((7,)) == ["CHOICE_DENIES"]


async def test_c1_a_deny_that_was_clamped_bites_again_when_its_time_has_come(shelf: Shelf) -> None:
    await a_policy_in_force(shelf)
    await shelf.register.import_subjects([(7, some_facts())], a_key(1), NOON_US)
    rows = [(1, a_draft(Stance.DENY, 7, claimed_us=NOON_US + 10))]
    await shelf.register.import_choices(rows, a_key(2), NOON_US)
    await shelf.register.record(a_draft(Stance.ALLOW, 7), a_key(3), NOON_US + 5)

    due = await shelf.register.import_choices(rows, a_key(4), NOON_US + 20)
    await shelf.register.record(a_draft(Stance.ALLOW, 7), a_key(5), NOON_US + 30)
    over = await shelf.register.import_choices(rows, a_key(6), NOON_US + 40)

    assert (due.accepted, over.accepted, over.unchanged) == (1, 0, 1)
    assert shelf.reasons((7,)) == ["ALLOWED"]


async def test_the_choices_of_a_subject_name_so_many_licensees_and_no_more(shelf: Shelf) -> None:
    await a_policy_in_force(shelf)
    await shelf.register.import_subjects([(7, some_facts()), (8, some_facts())], a_key(1), NOON_US)
    rows = [
        (line, a_draft(Stance.DENY, 7, licensee=f"licensee-{line}", claimed_us=NOON_US))
        for line in range(1, MOST_LICENSEES + 2)
    ]

    imported = await shelf.register.import_choices(rows, a_key(2), NOON_US)
    with pytest.raises(Refusal) as refused:
        await shelf.register.record(a_draft(Stance.DENY, 7, licensee="acme"), a_key(3), NOON_US)
    await shelf.register.record(a_draft(Stance.ALLOW, 7, licensee="licensee-1"), a_key(4), NOON_US)
    await shelf.register.record(a_draft(Stance.DENY, 8, licensee="acme"), a_key(5), NOON_US)
    before = shelf.reasons((7,), (8,))
    await shelf.register.record(a_draft(Stance.DENY, 7), a_key(6), NOON_US)

    assert imported.accepted == MOST_LICENSEES
    assert [(row.line, row.reason) for row in imported.rejected] == [(MOST_LICENSEES + 1, "TOO_MANY_SCOPES")]
    assert refused.value.reason == "TOO_MANY_SCOPES"
    assert before == ["ALLOWED", "CHOICE_DENIES"]
    assert shelf.reasons((7,), licensee="licensee-1") == shelf.reasons((7,)) == ["CHOICE_DENIES"]


async def test_c2_rows_of_one_import_count_in_their_order(shelf: Shelf) -> None:
    await a_policy_in_force(shelf)
    await shelf.register.import_subjects([(7, some_facts()), (8, some_facts())], a_key(1), NOON_US)
    deny, allow = (Stance.DENY, NOON_US - 9), (Stance.ALLOW, NOON_US - 8)
    rows = [
        (line, a_draft(stance, who, claimed_us=at))
        for line, (who, (stance, at)) in enumerate([(7, deny), (7, allow), (8, allow), (8, deny)], 1)
    ]

    await shelf.register.import_choices(rows, a_key(2), NOON_US)

    assert shelf.reasons((7,), (8,)) == ["ALLOWED", "CHOICE_DENIES"]


async def test_c4_a_row_replaces_what_was_known_of_a_subject(shelf: Shelf) -> None:
    await a_policy_in_force(shelf)
    suspended = some_facts(states=State.SUSPENDED)
    await shelf.register.import_subjects([(7, suspended)], a_key(1), NOON_US)
    denied = shelf.reasons((7,))

    again = await shelf.register.import_subjects([(7, suspended)], a_key(2), NOON_US)
    back = await shelf.register.import_subjects([(7, some_facts()), (7, some_facts())], a_key(3), NOON_US)

    assert denied == ["SUBJECT_SUSPENDED"]
    assert (again.accepted, again.unchanged) == (0, 1)
    assert (back.accepted, back.unchanged) == (1, 1)
    assert shelf.reasons((7,)) == ["ALLOWED"]


async def test_ids_of_64_bits_stay_exact(shelf: Shelf) -> None:
    await a_policy_in_force(shelf)
    rows = [(LARGEST_ID, some_facts()), (2**63, some_facts()), (2**63 - 1, some_facts())]
    await shelf.register.import_subjects(rows, a_key(1), NOON_US)

    await shelf.register.record(a_draft(Stance.DENY, LARGEST_ID), a_key(2), NOON_US)

    assert shelf.reasons((LARGEST_ID,), (2**63,), (2**63 - 1,), (LARGEST_ID - 1,)) == [
        "CHOICE_DENIES",
        "ALLOWED",
        "ALLOWED",
        "SUBJECT_UNKNOWN",
    ]


async def test_c3_policies_are_announced_activated_once_and_listed_newest_first(shelf: Shelf) -> None:
    published = await shelf.register.publish(a_policy_draft(NOON_US), a_key(1), NOON_US)
    await shelf.register.publish(a_policy_draft(NOON_US + 9), a_key(2), NOON_US)

    await shelf.register.activate_due(NOON_US + 5)
    await shelf.register.activate_due(NOON_US + 6)

    second, first = await shelf.register.policies(None, 10)
    assert published == Published(1, Revision(1, 1))
    assert first.activation is not None
    assert (first.activation.activated_us, first.activation.revision) == (NOON_US + 5, 3)
    assert (second.version, second.activation) == (2, None)
    assert first.draft == a_policy_draft(NOON_US)
    assert await shelf.register.policies(2, 10) == (first,)
    assert await shelf.register.policies(None, 1) == (second,)
    assert await shelf.register.head() == Revision(1, 3)


async def test_c3_a_policy_out_of_order_is_refused(shelf: Shelf) -> None:
    await shelf.register.publish(a_policy_draft(NOON_US + 9), a_key(1), NOON_US)

    with pytest.raises(Refusal) as refused:
        await shelf.register.publish(a_policy_draft(NOON_US + 8), a_key(2), NOON_US)

    assert refused.value.reason == "POLICY_OUT_OF_ORDER"


async def test_c10_an_index_made_from_the_states_answers_as_the_one_that_followed(shelf: Shelf) -> None:
    await a_policy_in_force(shelf, Regime.OPT_IN)
    people = [(who, some_facts("US" if who % 2 else "DE")) for who in range(1, 20)]
    await shelf.register.import_subjects(people, a_key(1), NOON_US)
    for who in range(1, 20):
        stance = Stance.ALLOW if who % 3 else Stance.DENY
        await shelf.register.record(a_draft(stance, who, licensee="acme"), a_key(100 + who), NOON_US)
    posts = [(who,) for who in range(25)]
    followed = {licensee: shelf.reasons(*posts, licensee=licensee) for licensee in ("acme", "other")}

    register, shelf.index = shelf.reopen()
    await register.load()

    assert {licensee: shelf.reasons(*posts, licensee=licensee) for licensee in followed} == followed
    assert shelf.index.revision == await register.head()


steps = st.lists(
    st.tuples(
        st.sampled_from(Stance),
        st.integers(1, 3),
        st.sampled_from(["", "acme", "other"]),
        st.sampled_from([0, 1, GENERATIVE]),
        st.none() | st.integers(NOON_US - 3, NOON_US + 3),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
async def test_c2_the_database_comes_to_the_same_as_a_replay_of_everything(
    tmp_path_factory: pytest.TempPathFactory, taken: list[tuple[Stance, int, str, int, int | None]]
) -> None:
    database = consent_database(tmp_path_factory.mktemp("consent"))
    indexes = Index(seed=7), Index(seed=8), Index(seed=9)
    registers: list[Register] = [
        SqlRegister(database, Freshness(indexes[0])),
        MemoryRegister(Freshness(indexes[1])),
    ]
    for register in registers:
        await register.load()
        await register.import_subjects([(1, some_facts()), (2, some_facts("FR"))], a_key(1), NOON_US)
        await register.publish(a_policy_draft(NOON_US), a_key(2), NOON_US)
        await register.activate_due(NOON_US)
        for number, (stance, who, licensee, purpose, at) in enumerate(taken):
            draft = a_draft(stance, who, licensee=licensee, purpose=purpose, claimed_us=at)
            await take(register, draft, number)

    await SqlRegister(database, Freshness(indexes[2])).load()
    await database.close()

    for licensee in ("acme", "third"):
        posts = a_batch((1,), (2,), (3,), (1, 2), (2, 1))
        answered = [names(index.view().reasons(a_question(licensee), posts)) for index in indexes]
        assert answered[0] == answered[1] == answered[2]


async def take(register: Register, draft: Draft, number: int) -> None:
    """As an import where it has a time, live otherwise; what is refused is refused by both."""
    if draft.claimed_us is not None:
        await register.import_choices([(1, draft)], a_key(1000 + number), NOON_US + number)
        return
    try:
        await register.record(draft, a_key(1000 + number), NOON_US + number)
    except Refusal as refused:
        assert refused.reason == "SUBJECT_UNKNOWN"
