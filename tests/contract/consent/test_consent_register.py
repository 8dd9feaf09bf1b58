"""What a register promises, whichever it is: the one in memory and the one in a database."""

import secrets

import pytest

from services.chassis.refusals import Refusal
from services.consent.domain.changes import Revision
from services.consent.domain.choices import MOST_LICENSEES, Stance
from services.consent.domain.outcomes import Published, Recorded, Retracted
from services.consent.domain.policies import Regime
from services.consent.domain.purposes import Signal
from services.consent.domain.subjects import State
from tests.support.clock import NOON_US
from tests.support.consent import (
    SHARING,
    a_draft,
    a_key,
    a_policy_draft,
    facts_rows,
    some_facts,
)
from tests.support.consent_shelf import Shelf

SECOND_US = 1_000_000
LARGEST_ID = 2**64 - 1


async def test_a_new_register_is_empty_and_at_revision_0(shelf: Shelf) -> None:
    assert await shelf.head() == Revision(1, 0)
    assert await shelf.reasons((7,)) == ["SUBJECT_UNKNOWN"]


async def test_c9_a_follower_finds_a_choice_whose_caller_was_told(shelf: Shelf) -> None:
    await shelf.put_in_force()
    await shelf.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    allowed = await shelf.reasons((7,))

    recorded = await shelf.register.record(a_draft(Stance.DENY, 7), a_key(2), NOON_US)

    assert allowed == ["ALLOWED"]
    assert await shelf.reasons((7,)) == ["CHOICE_DENIES"]
    assert shelf.index.revision == recorded.revision == Revision(1, 4)


async def test_c1_live_choices_of_one_subject_are_stamped_one_after_the_other(shelf: Shelf) -> None:
    first = await shelf.register.record(a_draft(Stance.DENY, 7), a_key(1), NOON_US)
    second = await shelf.register.record(a_draft(Stance.DENY, 7), a_key(2), NOON_US - 5)

    assert (first.stated_us, second.stated_us) == (NOON_US, NOON_US + 1)


async def test_c4_a_deny_of_an_unknown_subject_holds_when_they_appear(shelf: Shelf) -> None:
    await shelf.put_in_force()
    await shelf.register.record(a_draft(Stance.DENY, 7), a_key(1), NOON_US)
    unknown = await shelf.reasons((7,))

    await shelf.register.import_subjects(facts_rows(7), a_key(2), NOON_US)

    assert unknown == ["SUBJECT_UNKNOWN"]
    assert await shelf.reasons((7,)) == ["CHOICE_DENIES"]


async def test_an_allow_of_an_unknown_subject_is_refused(shelf: Shelf) -> None:
    with pytest.raises(Refusal) as refused:
        await shelf.register.record(a_draft(Stance.ALLOW, 7), a_key(1), NOON_US)

    assert refused.value.reason == "SUBJECT_UNKNOWN"
    assert await shelf.head() == Revision(1, 0)


async def test_the_same_request_is_answered_as_before_and_changes_nothing(shelf: Shelf) -> None:
    first = await shelf.register.record(a_draft(Stance.DENY, 7), a_key(1), NOON_US)

    again = await shelf.register.record(a_draft(Stance.DENY, 7), a_key(1), NOON_US + SECOND_US)

    assert again == first == Recorded(Revision(1, 1), NOON_US)
    assert await shelf.head() == Revision(1, 1)


async def test_a_request_id_that_comes_with_other_content_is_refused(shelf: Shelf) -> None:
    await shelf.register.record(a_draft(Stance.DENY, 7), a_key(1), NOON_US)

    with pytest.raises(Refusal) as refused:
        await shelf.register.record(a_draft(Stance.DENY, 8), a_key(1, digest=b"\x99" * 32), NOON_US)

    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_c1_a_deny_is_taken_however_long_the_names_of_those_denied_before_are(shelf: Shelf) -> None:
    await shelf.put_in_force()
    await shelf.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    # Nothing that a page of an index could make shorter.
    licensees = [secrets.token_hex(31) for _ in range(MOST_LICENSEES)]

    for number, licensee in enumerate(licensees):
        await shelf.register.record(a_draft(Stance.DENY, 7, licensee=licensee), a_key(10 + number), NOON_US)

    assert [await shelf.reasons((7,), licensee=each) for each in licensees] == [["CHOICE_DENIES"]] * len(
        licensees
    )


async def test_the_choices_of_a_subject_name_so_many_licensees_and_no_more(shelf: Shelf) -> None:
    await shelf.put_in_force()
    await shelf.register.import_subjects(facts_rows(7, 8), a_key(1), NOON_US)
    rows = [
        (line, a_draft(Stance.DENY, 7, licensee=f"licensee-{line}", claimed_us=NOON_US))
        for line in range(1, MOST_LICENSEES + 2)
    ]

    imported = await shelf.register.import_choices(rows, a_key(2), NOON_US)
    with pytest.raises(Refusal) as refused:
        await shelf.register.record(a_draft(Stance.DENY, 7, licensee="acme"), a_key(3), NOON_US)
    await shelf.register.record(a_draft(Stance.ALLOW, 7, licensee="licensee-1"), a_key(4), NOON_US)
    await shelf.register.record(a_draft(Stance.DENY, 8, licensee="acme"), a_key(5), NOON_US)
    before = await shelf.reasons((7,), (8,))
    await shelf.register.record(a_draft(Stance.DENY, 7), a_key(6), NOON_US)

    assert imported.accepted == MOST_LICENSEES
    assert [(row.line, row.reason) for row in imported.rejected] == [(MOST_LICENSEES + 1, "TOO_MANY_SCOPES")]
    assert refused.value.reason == "TOO_MANY_SCOPES"
    assert before == ["ALLOWED", "CHOICE_DENIES"]
    assert await shelf.reasons((7,), licensee="licensee-1") == await shelf.reasons((7,)) == ["CHOICE_DENIES"]


async def test_ids_of_64_bits_stay_exact(shelf: Shelf) -> None:
    await shelf.put_in_force()
    rows = facts_rows(LARGEST_ID, 2**63, 2**63 - 1)
    await shelf.register.import_subjects(rows, a_key(1), NOON_US)

    await shelf.register.record(a_draft(Stance.DENY, LARGEST_ID), a_key(2), NOON_US)

    assert await shelf.reasons((LARGEST_ID,), (2**63,), (2**63 - 1,), (LARGEST_ID - 1,)) == [
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
    assert await shelf.head() == Revision(1, 3)


async def test_c3_a_retracted_policy_stays_on_record_and_makes_way(shelf: Shelf) -> None:
    await shelf.register.publish(a_policy_draft(NOON_US), a_key(1), NOON_US)
    await shelf.register.publish(a_policy_draft(NOON_US + 900), a_key(2), NOON_US)

    retracted = await shelf.register.retract(2, a_key(3), NOON_US + 1)
    again = await shelf.register.retract(2, a_key(3), NOON_US + 2)
    published = await shelf.register.publish(a_policy_draft(NOON_US + 9), a_key(4), NOON_US + 3)
    await shelf.register.activate_due(NOON_US + 1_000)

    third, second, first = await shelf.register.policies(None, 10)
    assert retracted == again == Retracted(2, Revision(1, 3))
    assert published == Published(3, Revision(1, 4))
    assert second.retraction is not None
    assert (second.retraction.retracted_us, second.retraction.revision) == (NOON_US + 1, 3)
    assert second.activation is None
    assert None not in (first.activation, third.activation)
    assert await shelf.head() == Revision(1, 6)


async def test_c3_a_policy_is_retracted_once_and_before_its_time(shelf: Shelf) -> None:
    await shelf.register.publish(a_policy_draft(NOON_US), a_key(1), NOON_US)
    await shelf.register.publish(a_policy_draft(NOON_US + 9), a_key(2), NOON_US)
    await shelf.register.activate_due(NOON_US)
    await shelf.register.retract(2, a_key(3), NOON_US + 1)
    reasons = []

    for request, version in enumerate((1, 2, 3), 4):
        with pytest.raises(Refusal) as refused:
            await shelf.register.retract(version, a_key(request), NOON_US + 2)
        reasons.append(refused.value.reason)

    assert reasons == ["POLICY_IN_EFFECT", "POLICY_RETRACTED", "POLICY_UNKNOWN"]
    assert await shelf.head() == Revision(1, 4)


async def test_c3_a_policy_out_of_order_is_refused(shelf: Shelf) -> None:
    await shelf.register.publish(a_policy_draft(NOON_US + 9), a_key(1), NOON_US)

    with pytest.raises(Refusal) as refused:
        await shelf.register.publish(a_policy_draft(NOON_US + 8), a_key(2), NOON_US)

    assert refused.value.reason == "POLICY_OUT_OF_ORDER"


async def test_c10_an_index_made_from_the_states_answers_as_the_one_that_followed(shelf: Shelf) -> None:
    await shelf.put_in_force(Regime.OPT_IN)
    people = [(who, who, some_facts("US" if who % 2 else "DE"), None) for who in range(1, 20)]
    await shelf.register.import_subjects(people, a_key(1), NOON_US)
    for who in range(1, 20):
        stance = Stance.ALLOW if who % 3 else Stance.DENY
        await shelf.register.record(a_draft(stance, who, licensee="acme"), a_key(100 + who), NOON_US)
    posts = [(who,) for who in range(25)]
    followed = {licensee: await shelf.reasons(*posts, licensee=licensee) for licensee in ("acme", "other")}

    revision = await shelf.head()
    await shelf.reopen()

    assert {licensee: await shelf.reasons(*posts, licensee=licensee) for licensee in followed} == followed
    assert await shelf.head() == revision


async def test_c1_a_signal_denies_its_purposes_for_everyone_the_first_time_that_a_source_sends_it(
    shelf: Shelf,
) -> None:
    await shelf.put_in_force()
    await shelf.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    signals = frozenset({Signal.GPC, Signal.AIPREF_TRAIN_AI})

    first = await shelf.register.object(7, "browser", signals, a_key(2), NOON_US)
    replayed = await shelf.register.object(7, "browser", signals, a_key(2), NOON_US)
    again = await shelf.register.object(7, "browser", signals, a_key(3), NOON_US)
    more = await shelf.register.object(7, "browser", frozenset({Signal.AIPREF_SEARCH}), a_key(4), NOON_US)

    # Sharing by the one, four purposes of AI by the other.
    assert (first.revision, first.recorded) == (Revision(1, 8), (4, 5, 6, 7, 8))
    assert replayed == first
    assert (again.revision, again.recorded) == (Revision(1, 8), ())
    assert more.recorded == (9,)
    assert await shelf.reasons((7,)) == ["CHOICE_DENIES"]


async def test_c2_a_signal_that_was_lifted_stays_lifted_when_its_source_sends_it_again(shelf: Shelf) -> None:
    await shelf.put_in_force()
    await shelf.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    signals = frozenset({Signal.GPC})
    await shelf.register.object(7, "browser", signals, a_key(2), NOON_US)
    await shelf.register.record(a_draft(Stance.ALLOW, 7, purpose=SHARING), a_key(3), NOON_US)

    await shelf.register.object(7, "browser", signals, a_key(4), NOON_US)
    lifted = await shelf.reasons((7,))
    await shelf.register.object(7, "chirp.example", signals, a_key(5), NOON_US)

    assert lifted == ["ALLOWED"]
    assert await shelf.reasons((7,)) == ["CHOICE_DENIES"]


async def test_c4_a_signal_of_an_unknown_subject_holds_when_they_appear(shelf: Shelf) -> None:
    await shelf.put_in_force()
    await shelf.register.object(7, "browser", frozenset({Signal.GPC}), a_key(1), NOON_US)

    await shelf.register.import_subjects(facts_rows(7), a_key(2), NOON_US)

    assert await shelf.reasons((7,)) == ["CHOICE_DENIES"]


async def test_c4_a_description_that_is_older_than_the_last_one_changes_nothing(shelf: Shelf) -> None:
    await shelf.put_in_force()
    suspended = some_facts(states=State.SUSPENDED)
    await shelf.register.import_subjects(facts_rows(7, as_of_us=NOON_US - 5), a_key(1), NOON_US)

    older = await shelf.register.import_subjects(
        facts_rows(7, facts=suspended, as_of_us=NOON_US - 6), a_key(2), NOON_US
    )
    before = await shelf.reasons((7,))
    newer = await shelf.register.import_subjects(
        facts_rows(7, facts=suspended, as_of_us=NOON_US - 4), a_key(3), NOON_US
    )

    assert (older.accepted, older.unchanged, newer.accepted) == (0, 1, 1)
    assert (before, await shelf.reasons((7,))) == (["ALLOWED"], ["SUBJECT_SUSPENDED"])
