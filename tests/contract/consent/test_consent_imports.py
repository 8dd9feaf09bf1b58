"""What every register does with rows that come from elsewhere (C1, C4)."""

import pytest

from services.consent.domain.changes import Revision
from services.consent.domain.choices import Stance
from services.consent.domain.outcomes import Imported
from services.consent.domain.subjects import State
from tests.support.clock import NOON_US
from tests.support.consent import (
    a_draft,
    a_key,
    facts_rows,
    some_facts,
)
from tests.support.consent_shelf import Shelf

SECOND_US = 1_000_000


async def test_c1_of_an_import_the_good_rows_go_in_and_the_bad_ones_are_listed(shelf: Shelf) -> None:
    await shelf.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
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
    await shelf.put_in_force()
    await shelf.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    rows = [(1, a_draft(Stance.DENY, 7, claimed_us=claimed_us))]
    await shelf.register.import_choices(rows, a_key(2), NOON_US)
    # The clock stands still, and times are taken in order all the same.
    lifted = await shelf.register.record(a_draft(Stance.ALLOW, 7), a_key(3), NOON_US)
    between = await shelf.reasons((7,))

    again = await shelf.register.import_choices(rows, a_key(4), NOON_US)
    at_once = await shelf.register.import_choices(rows, a_key(5), NOON_US)

    assert (lifted.stated_us, between) == (NOON_US + 1, ["ALLOWED"])
    assert (again.accepted, again.unchanged) == (1, 0)
    assert await shelf.reasons((7,)) == ["CHOICE_DENIES"]
    assert (at_once.accepted, at_once.unchanged) == (0, 1)


async def test_c1_a_deny_of_now_that_was_lifted_for_one_licensee_bites_there_again(shelf: Shelf) -> None:
    await shelf.put_in_force()
    await shelf.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    rows = [(1, a_draft(Stance.DENY, 7)), (2, a_draft(Stance.DENY, 7))]
    await shelf.register.import_choices(rows, a_key(2), NOON_US)
    await shelf.register.record(a_draft(Stance.ALLOW, 7, licensee="acme"), a_key(3), NOON_US + SECOND_US)

    again = await shelf.register.import_choices(rows, a_key(4), NOON_US + 2 * SECOND_US)

    # The second row of the file finds the first, which stands.
    assert (again.accepted, again.unchanged) == (1, 1)
    assert await shelf.reasons((7,)) == ["CHOICE_DENIES"]


async def test_c1_a_deny_that_was_clamped_bites_again_when_its_time_has_come(shelf: Shelf) -> None:
    await shelf.put_in_force()
    await shelf.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    rows = [(1, a_draft(Stance.DENY, 7, claimed_us=NOON_US + 10))]
    await shelf.register.import_choices(rows, a_key(2), NOON_US)
    await shelf.register.record(a_draft(Stance.ALLOW, 7), a_key(3), NOON_US + 5)

    due = await shelf.register.import_choices(rows, a_key(4), NOON_US + 20)
    await shelf.register.record(a_draft(Stance.ALLOW, 7), a_key(5), NOON_US + 30)
    over = await shelf.register.import_choices(rows, a_key(6), NOON_US + 40)

    assert (due.accepted, over.accepted, over.unchanged) == (1, 0, 1)
    assert await shelf.reasons((7,)) == ["ALLOWED"]


async def test_c2_rows_of_one_import_count_in_their_order(shelf: Shelf) -> None:
    await shelf.put_in_force()
    await shelf.register.import_subjects(facts_rows(7, 8), a_key(1), NOON_US)
    deny, allow = (Stance.DENY, NOON_US - 9), (Stance.ALLOW, NOON_US - 8)
    rows = [
        (line, a_draft(stance, who, claimed_us=at))
        for line, (who, (stance, at)) in enumerate([(7, deny), (7, allow), (8, allow), (8, deny)], 1)
    ]

    await shelf.register.import_choices(rows, a_key(2), NOON_US)

    assert await shelf.reasons((7,), (8,)) == ["ALLOWED", "CHOICE_DENIES"]


async def test_c4_a_row_replaces_what_was_known_of_a_subject(shelf: Shelf) -> None:
    await shelf.put_in_force()
    suspended = facts_rows(7, facts=some_facts(states=State.SUSPENDED))
    await shelf.register.import_subjects(suspended, a_key(1), NOON_US)
    denied = await shelf.reasons((7,))

    again = await shelf.register.import_subjects(suspended, a_key(2), NOON_US)
    back = await shelf.register.import_subjects(facts_rows(7, 7), a_key(3), NOON_US + 1)

    assert denied == ["SUBJECT_SUSPENDED"]
    assert (again.accepted, again.unchanged) == (0, 1)
    assert (back.accepted, back.unchanged) == (1, 1)
    assert await shelf.reasons((7,)) == ["ALLOWED"]


async def test_c4_the_same_descriptions_again_change_nothing_also_where_two_are_of_the_same_time(
    shelf: Shelf,
) -> None:
    await shelf.put_in_force()
    suspended = facts_rows(7, facts=some_facts(states=State.SUSPENDED), as_of_us=10)
    rows = [*suspended, (2, 7, some_facts(), 10)]
    first = await shelf.register.import_subjects(rows, a_key(1), NOON_US)

    again = await shelf.register.import_subjects(rows, a_key(2), NOON_US + 1)

    assert (first.accepted, first.unchanged) == (1, 1)
    assert again == Imported(0, 2, (), first.revision)
    assert await shelf.reasons((7,)) == ["SUBJECT_SUSPENDED"]


async def test_c4_a_description_from_the_future_that_could_only_free_is_refused_and_listed(
    shelf: Shelf,
) -> None:
    await shelf.put_in_force()
    suspended = facts_rows(7, facts=some_facts(states=State.SUSPENDED))
    await shelf.register.import_subjects(suspended, a_key(1), NOON_US)

    free = await shelf.register.import_subjects(facts_rows(7, 8, as_of_us=NOON_US + 9), a_key(2), NOON_US)

    assert [(row.line, row.reason) for row in free.rejected] == [
        (1, "OCCURRED_IN_THE_FUTURE"),
        (2, "OCCURRED_IN_THE_FUTURE"),
    ]
    assert await shelf.reasons((7,), (8,)) == ["SUBJECT_SUSPENDED", "SUBJECT_UNKNOWN"]
