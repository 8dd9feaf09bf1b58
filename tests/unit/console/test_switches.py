"""What a switch shows and offers, for each way in which things can stand (C2, C3, C4, C12)."""

from collections.abc import Sequence
from typing import Any

import pytest

from services.consent.domain.purposes import PURPOSES
from services.console.settings_page.switches import (
    EVERYONE,
    NEEDED,
    Board,
    Offers,
    board_of_everyone,
    board_of_licensee,
)
from sluice.consent.v1 import choice_pb2, policy_pb2, reason_pb2
from sluice.consent.v1.standing_pb2 import GetStandingResponse, LicenseeStanding, PurposeStanding

ALLOWED = reason_pb2.CONSENT_REASON_ALLOWED
SAID_NO = reason_pb2.CONSENT_REASON_CHOICE_DENIES
NOT_OPTED_IN = reason_pb2.CONSENT_REASON_NOT_OPTED_IN
NOT_SERVED = reason_pb2.CONSENT_REASON_NOTICE_NOT_SERVED
PROHIBITED = reason_pb2.CONSENT_REASON_PROHIBITED
FIXED = [
    each
    for each in reason_pb2.ConsentReason.values()
    if each not in {ALLOWED, SAID_NO, NOT_OPTED_IN, NOT_SERVED}
]


def stand(*reasons: int, needs: int = 0) -> list[PurposeStanding]:
    """Both kinds of training with these reasons, the last of them again where there is one."""
    training: Any = zip((2, 3), (*reasons, reasons[-1]), strict=False)
    needed: Any = needs
    return [
        PurposeStanding(purpose=purpose, reason=reason, denied_by_purpose=needed)
        for purpose, reason in training
    ]


def a_choice(
    stance: choice_pb2.Stance, revision: int, licensee: str = "", purpose: int = 0
) -> choice_pb2.RecordedChoice:
    """For everyone or one, of everything or one purpose."""
    scope: dict[str, Any] = {"licensee_id": licensee} if licensee else {"everyone": True}
    about: dict[str, Any] = {"purpose": purpose} if purpose else {"all_purposes": True}
    choice = choice_pb2.Choice(subject_id=7, stance=stance, **scope, **about)
    return choice_pb2.RecordedChoice(choice=choice, revision=revision)


def everyone(
    anyone: Sequence[PurposeStanding],
    acme: Sequence[PurposeStanding] | None = None,
    choices: Sequence[choice_pb2.RecordedChoice] = (),
) -> Board:
    """The switches for everyone, with a licensee that stands apart."""
    apart = [LicenseeStanding(licensee_id="acme", purposes=acme)] if acme else []
    return board_of_everyone(GetStandingResponse(anyone=anyone, licensees=apart), choices)


def test_what_is_allowed_is_on_and_can_be_turned_off() -> None:
    switch = everyone(stand(ALLOWED)).training

    assert (switch.is_on, switch.is_whole, switch.has_exceptions) == (True, True, False)
    assert switch.offers(can_allow=True) == Offers(turns_off=True)


def test_it_is_on_as_long_as_anything_may_go_to_anybody() -> None:
    for_one = everyone(stand(SAID_NO), acme=stand(ALLOWED)).training
    for_one_use = everyone(stand(ALLOWED, SAID_NO)).training

    # One press ends all of it, and allowing the rest is another button.
    expected = Offers(turns_off=True, allows=True)
    assert for_one.offers(can_allow=True) == for_one_use.offers(can_allow=True) == expected
    assert not for_one.is_whole


def test_everyone_but_one_is_on_and_nothing_is_left_to_allow_for_everyone() -> None:
    switch = everyone(stand(ALLOWED), acme=stand(SAID_NO)).training

    assert (switch.is_on, switch.is_whole, switch.has_exceptions) == (True, False, True)
    assert switch.offers(can_allow=True) == Offers(turns_off=True)


@pytest.mark.parametrize("reason", [NOT_OPTED_IN, NOT_SERVED])
def test_what_lacks_a_yes_is_off_and_can_be_allowed_or_denied_for_good(reason: int) -> None:
    switch = everyone(stand(reason)).training

    assert not switch.is_on
    assert switch.offers(can_allow=True) == Offers(turns_on=True, denies=True)


def test_after_a_no_there_is_nothing_more_to_deny() -> None:
    switch = everyone(stand(SAID_NO)).training

    assert switch.offers(can_allow=True) == Offers(turns_on=True)


def test_a_no_to_what_it_needs_leaves_a_no_to_itself_to_be_said() -> None:
    switch = everyone(stand(SAID_NO, needs=1)).training

    assert switch.offers(can_allow=True) == Offers(turns_on=True, denies=True)


@pytest.mark.parametrize("reason", FIXED)
def test_what_no_choice_can_turn_has_no_switch_and_can_be_denied(reason: int) -> None:
    switch = everyone(stand(reason)).training

    assert switch.offers(can_allow=True) == Offers(denies=True)


def test_what_no_choice_can_turn_shows_that_a_no_is_on_record() -> None:
    no = a_choice(choice_pb2.STANCE_DENY, 4)

    switch = everyone(stand(PROHIBITED), choices=[no]).training

    assert switch.offers(can_allow=True) == Offers()


def test_a_yes_after_a_no_leaves_a_no_to_be_said_again() -> None:
    choices = [a_choice(choice_pb2.STANCE_DENY, 4), a_choice(choice_pb2.STANCE_ALLOW, 5, purpose=2)]

    board = everyone(stand(PROHIBITED), choices=choices)

    assert not board.training.no_on_record
    assert board.by_purpose[1].no_on_record


def test_without_a_notice_to_be_shown_nothing_can_be_allowed_and_all_be_denied() -> None:
    assert everyone(stand(NOT_OPTED_IN)).training.offers(can_allow=False) == Offers(denies=True)
    assert everyone(stand(ALLOWED, SAID_NO)).training.offers(can_allow=False) == Offers(turns_off=True)


def test_a_yes_is_to_what_it_can_change_alone() -> None:
    switch = everyone(stand(PROHIBITED, NOT_OPTED_IN)).training

    assert [each.purpose for each in switch.waiting] == [3]


def test_c7_what_each_purpose_needs_is_what_the_rules_say_it_does() -> None:
    choosable = {purpose: traits for purpose, traits in PURPOSES.items() if traits.choosable}

    needs = {purpose: int(traits.needs) for purpose, traits in choosable.items() if traits.needs}

    assert needs == dict.fromkeys(choosable.keys() - {NEEDED}, NEEDED)


@pytest.mark.parametrize(("purpose", "waiting"), [(1, []), (2, [3]), (4, [2, 3])])
def test_c3_a_yes_is_never_to_what_the_policy_forbids_by_itself_or_by_what_it_needs(
    purpose: int, waiting: list[int]
) -> None:
    standings = [PurposeStanding(purpose=each, reason=SAID_NO, regime=1) for each in (1, 2, 3, 4)]  # type: ignore[arg-type]
    standings[purpose - 1].regime = policy_pb2.REGIME_PROHIBITED

    switch = everyone(standings).training

    assert [each.purpose for each in switch.waiting] == waiting
    assert switch.hides_a_ban == (len(waiting) < 2)


def test_a_no_for_everyone_is_one_for_each_licensee_until_a_yes_for_that_one() -> None:
    standing = LicenseeStanding(licensee_id="acme", purposes=stand(PROHIBITED))
    no, yes = a_choice(choice_pb2.STANCE_DENY, 4), a_choice(choice_pb2.STANCE_ALLOW, 5, "acme")

    assert board_of_licensee(standing, [no]).training.no_on_record
    assert not board_of_licensee(standing, [no, yes]).training.no_on_record


def test_what_is_withheld_somewhere_is_not_said_to_be_denied_everywhere_without_a_no() -> None:
    withheld = stand(reason_pb2.CONSENT_REASON_WITHHELD)

    assert everyone(withheld).training.is_withheld
    assert not everyone(withheld, choices=[a_choice(choice_pb2.STANCE_DENY, 4)]).training.is_withheld


def test_a_licensees_switches_are_about_that_one() -> None:
    no = a_choice(choice_pb2.STANCE_DENY, 4, "acme", 2)
    standing = LicenseeStanding(licensee_id="acme", purposes=stand(PROHIBITED))

    board = board_of_licensee(standing, [no, a_choice(choice_pb2.STANCE_ALLOW, 3)])

    assert [each.licensee for each in board.by_purpose] == ["acme"] * 2
    assert [each.no_on_record for each in board.by_purpose] == [True, False]
    assert board.everything.all_purposes
    assert everyone(stand(ALLOWED)).training.licensee == EVERYONE
