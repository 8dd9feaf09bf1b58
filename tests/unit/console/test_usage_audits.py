"""`sluice usage audit` and `rebuild`: every difference is named."""

import json

import pytest

from services.chassis.clock import SystemClock
from services.chassis.refusals import Kind, Refusal
from services.console.moments import read
from services.console.usage_audits import PAGE
from sluice.licensing.v1.release_service_pb2 import ATTEMPT_STATE_CONCLUDED as CONCLUDED
from sluice.licensing.v1.release_service_pb2 import ATTEMPT_STATE_TOMBSTONED as TOMBSTONED
from sluice.licensing.v1.release_service_pb2 import ATTEMPT_STATE_UNKNOWN as UNKNOWN
from sluice.licensing.v1.release_service_pb2 import AttemptState, CheckAttemptsResponse
from sluice.metering.v1.metering_service_pb2 import ListHoldsResponse, Reservation
from sluice.metering.v1.usage_service_pb2 import (
    AUDIT_STEP_DONE,
    AUDIT_STEP_STARTED,
    AuditUsageResponse,
    RebuildProjectionsResponse,
)
from sluice.type.v1.revision_pb2 import Revision
from tests.support.command_line import Cli
from tests.support.scripted import Script

NOON = read("2026-01-31T12:00:00Z")
MINUTE_US = 60_000_000
AGREES = AuditUsageResponse(
    check="The sums of an account are those of its entries", compared=1_234, step=AUDIT_STEP_DONE
)
STARTS = AuditUsageResponse(check=AGREES.check, step=AUDIT_STEP_STARTED)
DIFFERS = AuditUsageResponse(
    check="The hours are those of the entries",
    compared=24,
    differences=[
        AuditUsageResponse.Difference(subject="party acme, 12:00", expected="1,000 posts", found="999 posts")
    ],
    difference_count=102,
    step=AUDIT_STEP_DONE,
)
NO_HOLDS = ListHoldsResponse()


def a_hold(number: int) -> Reservation:
    id = f"019a0000-0000-7000-8000-{number:012}"
    return Reservation(
        reservation_id=id, party_id="acme", counted_at=NOON, posts_reserved=1_500, posts_freed=500
    )


def test_where_all_agrees_that_is_said(script: Script, cli: Cli) -> None:
    script.stream("AuditUsage", [AGREES, AGREES])
    script.answer("ListHolds", NO_HOLDS)

    assert cli("usage", "audit").splitlines() == [
        "The sums of an account are those of its entries: 1,234 compared, all agree.",
        "The sums of an account are those of its entries: 1,234 compared, all agree.",
        "Licensing knows every old hold and has not given it up: 0 compared, all agree.",
        "No hold is older than 5 minutes.",
        "No hold is younger than 5 minutes, so none was left out.",
        "All that was compared adds up.",
    ]


def test_every_difference_is_named_and_ends_it_with_1(script: Script, cli: Cli) -> None:
    script.stream("AuditUsage", [AGREES, DIFFERS])
    script.answer("ListHolds", NO_HOLDS)

    said = cli("usage", "audit", status=1)

    assert "The hours are those of the entries: 24 compared, 102 differ." in said
    assert "party acme, 12:00  1,000 posts  999 posts" in said
    assert "and 101 more." in said
    assert "All that was compared adds up." not in said
    assert cli.err.splitlines()[-1] == "102 differences."


def test_differences_for_programs(script: Script, cli: Cli) -> None:
    script.stream("AuditUsage", [AGREES, DIFFERS])
    script.answer("ListHolds", ListHoldsResponse(holds=[a_hold(1)]))
    script.answer("CheckAttempts", states(CONCLUDED))

    answer = cli.json("usage", "audit", status=1)

    assert answer["difference_count"] == 102
    assert answer["checks"] == [
        {"check": AGREES.check, "compared": 1_234, "difference_count": 0, "differences": []},
        {
            "check": DIFFERS.check,
            "compared": 24,
            "difference_count": 102,
            "differences": [
                {"subject": "party acme, 12:00", "expected": "1,000 posts", "found": "999 posts"}
            ],
        },
        {
            "check": "Licensing knows every old hold and has not given it up",
            "compared": 1,
            "difference_count": 0,
            "differences": [],
        },
    ]
    assert [hold["reservation_id"] for hold in answer["old_holds"]] == [a_hold(1).reservation_id]
    assert answer["young_hold_count"] == 0


def test_each_check_is_named_as_it_starts(script: Script, cli: Cli) -> None:
    script.stream("AuditUsage", [STARTS, AGREES])
    script.answer("ListHolds", NO_HOLDS)

    said = cli("usage", "audit").splitlines()

    assert said[:2] == [
        "The sums of an account are those of its entries: 1,234 compared, all agree.",
        "Licensing knows every old hold and has not given it up: 0 compared, all agree.",
    ]
    assert cli.err.splitlines() == [
        "Checking: The sums of an account are those of its entries ...",
        "Checking: Licensing knows every old hold and has not given it up ...",
    ]


def test_programs_are_told_each_check_as_it_starts_and_when_it_is_done(script: Script, cli: Cli) -> None:
    script.stream("AuditUsage", [STARTS, AGREES])
    script.answer("ListHolds", NO_HOLDS)

    answer = cli.json("usage", "audit")

    old_holds = "Licensing knows every old hold and has not given it up"
    assert [check["check"] for check in answer["checks"]] == [AGREES.check, old_holds]
    assert [json.loads(line) for line in cli.err.splitlines()] == [
        {"check": AGREES.check, "step": "started"},
        {"check": AGREES.check, "step": "done", "compared": 1_234, "difference_count": 0},
        {"check": old_holds, "step": "started"},
        {"check": old_holds, "step": "done", "compared": 0, "difference_count": 0},
    ]


@pytest.mark.parametrize(
    ("young", "said"),
    [
        (1, "1 hold is younger than 5 minutes: too young to ask licensing about, and left out."),
        (2, "2 holds are younger than 5 minutes: too young to ask licensing about, and left out."),
    ],
)
def test_holds_that_are_too_young_to_ask_about_are_counted_and_left_out(
    script: Script, cli: Cli, young: int, said: str
) -> None:
    holds = [a_hold(number) for number in range(young + 1)]
    for hold in holds[1:]:
        hold.counted_at.GetCurrentTime()
    script.stream("AuditUsage", [AGREES])
    script.answer("ListHolds", ListHoldsResponse(holds=holds))
    script.answer("CheckAttempts", states(CONCLUDED))

    lines = cli("usage", "audit").splitlines()

    assert "1 hold older than 5 minutes:" in lines
    assert said in lines
    assert lines[-1] == "All that was compared adds up."
    (request,) = script.asked["CheckAttempts"]
    assert list(request.reservation_ids) == [holds[0].reservation_id]


def test_every_page_of_old_holds_is_listed(script: Script, cli: Cli) -> None:
    script.stream("AuditUsage", [AGREES])
    script.answer(
        "ListHolds",
        ListHoldsResponse(holds=[a_hold(1)], next_page_token="next"),
        ListHoldsResponse(holds=[a_hold(2)]),
    )
    script.answer("CheckAttempts", states(CONCLUDED, CONCLUDED))

    before_us = SystemClock().now_us()
    lines = cli("usage", "audit", "--older-than", "2h").splitlines()

    assert lines[2] == "2 holds older than 2 hours:"
    assert [line.split("  ")[1:] for line in lines[4:6]] == [
        [a_hold(number).reservation_id, "1,000 posts of acme held since 2026-01-31 12:00:00.000 UTC"]
        for number in (1, 2)
    ]
    first, second = script.asked["ListHolds"]
    assert (first.page_token, second.page_token) == ("", "next")
    assert first.counted_before == second.counted_before
    assert first.counted_before.ToMicroseconds() >= before_us


@pytest.mark.parametrize(("minutes", "is_old"), [(119, False), (121, True)])
def test_a_hold_is_old_from_the_given_age_on(script: Script, cli: Cli, minutes: int, is_old: bool) -> None:
    hold = a_hold(1)
    hold.counted_at.FromMicroseconds(SystemClock().now_us() - minutes * MINUTE_US)
    script.stream("AuditUsage", [AGREES])
    script.answer("ListHolds", ListHoldsResponse(holds=[hold]))
    script.answer("CheckAttempts", states(CONCLUDED))

    answer = cli.json("usage", "audit", "--older-than", "2h")

    assert (len(answer["old_holds"]), answer["young_hold_count"]) == (int(is_old), int(not is_old))


@pytest.mark.parametrize("age", ["5", "0s", "-1m"])
def test_an_age_is_a_duration(cli: Cli, age: str) -> None:
    assert "a duration" in cli.wrong("usage", "audit", f"--older-than={age}")


def test_an_audit_that_is_cut_short_has_found_nothing_to_be_right(script: Script, cli: Cli) -> None:
    lost = Refusal(Kind.UNAVAILABLE, "DATABASE_UNAVAILABLE", "the database does not answer")
    script.stream("AuditUsage", [AGREES, lost])

    said = cli("usage", "audit", status=1)

    assert "All that was compared adds up." not in said
    assert "DATABASE_UNAVAILABLE" in cli.err


def states(*states: AttemptState) -> CheckAttemptsResponse:
    return CheckAttemptsResponse(states=states)


def test_m2_a_hold_that_licensing_does_not_know_or_has_given_up_differs(script: Script, cli: Cli) -> None:
    script.stream("AuditUsage", [AGREES])
    script.answer("ListHolds", ListHoldsResponse(holds=[a_hold(number) for number in range(3)]))
    script.answer("CheckAttempts", states(CONCLUDED, UNKNOWN, TOMBSTONED))

    answer = cli.json("usage", "audit", status=1)

    check = answer["checks"][-1]
    held = "1,000 posts of acme held since 2026-01-31 12:00:00.000 UTC"
    assert (check["compared"], check["difference_count"]) == (3, 2)
    assert [(each["subject"], each["expected"], each["found"]) for each in check["differences"]] == [
        (f"reservation {a_hold(1).reservation_id}", "known to licensing", held),
        (f"reservation {a_hold(2).reservation_id}", "cancelled, for licensing has given it up", held),
    ]
    (request,) = script.asked["CheckAttempts"]
    assert list(request.reservation_ids) == [a_hold(number).reservation_id for number in range(3)]


def test_licensing_is_asked_about_holds_in_pages(script: Script, cli: Cli) -> None:
    script.stream("AuditUsage", [AGREES])
    script.answer("ListHolds", ListHoldsResponse(holds=[a_hold(number) for number in range(PAGE + 1)]))
    script.answer("CheckAttempts", states(*[CONCLUDED] * PAGE), states(CONCLUDED))

    cli("usage", "audit")

    assert [len(request.reservation_ids) for request in script.asked["CheckAttempts"]] == [PAGE, 1]


def test_an_audit_that_cannot_ask_licensing_says_so(script: Script, cli: Cli) -> None:
    script.stream("AuditUsage", [AGREES])
    script.answer("ListHolds", ListHoldsResponse(holds=[a_hold(1)]))
    script.answer("CheckAttempts", Refusal(Kind.UNAVAILABLE, "DATABASE_UNAVAILABLE", "no answer"))

    said = cli("usage", "audit", status=1)

    assert "All that was compared adds up." not in said
    assert "DATABASE_UNAVAILABLE" in cli.err


def test_sums_are_made_anew(script: Script, cli: Cli) -> None:
    script.answer("RebuildProjections", RebuildProjectionsResponse(revision=Revision(epoch=1, number=7)))

    assert cli("usage", "rebuild") == "The sums are being made anew, up to revision 7.\n"
    assert cli.json("usage", "rebuild") == {"revision": {"epoch": 1, "number": 7}}
    ids = [request.request_id for request in script.asked["RebuildProjections"]]
    assert len(set(ids)) == 2
