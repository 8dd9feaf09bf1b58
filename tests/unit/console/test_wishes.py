"""A no is always carried out, a yes to what is still so, and the same form twice comes to the same calls."""

import json

import pytest

from services.chassis.ids import uuid7
from services.console.settings_page.switches import board_of_everyone, board_of_licensee
from services.console.settings_page.wishes import Wish
from sluice.consent.v1 import choice_pb2, reason_pb2
from sluice.consent.v1.standing_pb2 import GetStandingResponse, LicenseeStanding, PurposeStanding

FORM = uuid7(1_700_000_000_000_000)
NOTICE = b"n" * 32
LACKS_A_YES = reason_pb2.CONSENT_REASON_NOT_OPTED_IN
SAID_NO = reason_pb2.CONSENT_REASON_CHOICE_DENIES


def purposes(reason: int, revision: int = 3, denied_by: int = 0) -> list[PurposeStanding]:
    """Both kinds of training, alike."""
    return [
        PurposeStanding(
            purpose=purpose,  # type: ignore[arg-type]
            reason=reason,  # type: ignore[arg-type]
            record_revision=revision,
            denied_by_purpose=denied_by,  # type: ignore[arg-type]
        )
        for purpose in (2, 3)
    ]


def now(standing: list[PurposeStanding], policy: int = 1) -> GetStandingResponse:
    """So it stands for everyone, and for acme."""
    acme = LicenseeStanding(licensee_id="acme", purposes=standing)
    return GetStandingResponse(anyone=standing, licensees=[acme], policy_version=policy)


def a_yes(standing: list[PurposeStanding], licensee: str = "") -> Wish:
    """To both kinds of training, as it comes back from a browser."""
    seen = now(standing)
    board = board_of_licensee(seen.licensees[0], ()) if licensee else board_of_everyone(seen, ())
    wish = Wish.yes(board.training, "/", 1, NOTICE)
    return Wish.opened(json.loads(json.dumps(wish.sealed())))


def a_no(*, everything: bool = False) -> Wish:
    board = board_of_everyone(now(purposes(LACKS_A_YES)), ())
    return Wish.no(board.everything if everything else board.training, "/")


@pytest.mark.parametrize("licensee", ["", "acme"])
def test_a_yes_stands_while_nothing_has_changed(licensee: str) -> None:
    assert a_yes(purposes(LACKS_A_YES), licensee).still_stands(now(purposes(LACKS_A_YES)))


@pytest.mark.parametrize(
    "changed",
    [
        now(purposes(SAID_NO)),
        now(purposes(LACKS_A_YES, revision=4)),
        now(purposes(LACKS_A_YES, denied_by=1)),
        now(purposes(reason_pb2.CONSENT_REASON_HALTED)),
        now(purposes(LACKS_A_YES), policy=2),
        GetStandingResponse(policy_version=1),
    ],
)
def test_a_yes_falls_with_whatever_its_reader_decided_upon(changed: GetStandingResponse) -> None:
    assert not a_yes(purposes(LACKS_A_YES)).still_stands(changed)
    assert not a_yes(purposes(LACKS_A_YES), "acme").still_stands(changed)


def test_a_yes_that_has_come_about_meanwhile_is_said_again() -> None:
    half = [*purposes(reason_pb2.CONSENT_REASON_ALLOWED, 9)[:1], *purposes(LACKS_A_YES)[1:]]

    assert a_yes(purposes(LACKS_A_YES)).still_stands(now(half))


def test_a_yes_names_its_purposes_and_the_notice_that_was_shown() -> None:
    requests = list(a_yes(purposes(SAID_NO), "acme").requests(7, FORM))

    assert [request.choice.purpose for request in requests] == [2, 3]
    assert {request.choice.licensee_id for request in requests} == {"acme"}
    assert {request.choice.notice_digest for request in requests} == {NOTICE}
    assert {request.choice.stance for request in requests} == {choice_pb2.STANCE_ALLOW}


def test_a_no_to_everything_is_one_choice_that_covers_all() -> None:
    (request,) = a_no(everything=True).requests(7, FORM)

    assert request.choice.all_purposes
    assert request.choice.everyone
    assert request.choice.stance == choice_pb2.STANCE_DENY


def test_a_form_sent_twice_makes_the_same_calls_under_ids_that_differ_from_each_other() -> None:
    first, again = list(a_no().requests(7, FORM)), list(a_no().requests(7, FORM))

    assert first == again
    assert len({request.request_id for request in first} | {FORM}) == 3
