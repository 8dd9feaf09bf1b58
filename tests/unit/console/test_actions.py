"""`sluice actions`: what operators did in all three services, and whether the logs of it are whole."""

import json
from typing import Any

from services.chassis.action_messages import page_fields
from services.chassis.action_pages import ActionPage
from services.chassis.actions import ActionHead, Ended, Entry, Outcome
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import unavailable
from sluice.consent.v1 import action_service_pb2 as pb
from tests.support.actions import a_begun, a_caller, a_chain
from tests.support.command_line import Cli
from tests.support.scripted import Script

OPERATOR = PrincipalKind.OPERATOR
LOG = a_chain(None, 1, None)


def answer(entries: list[Entry], head: Entry | None = None) -> pb.ListActionsResponse:
    """A whole log on one page; the three services have the same fields in it."""
    last = head or (entries[-1] if entries else None)
    told = ActionHead() if last is None else ActionHead(last.number, last.digest())
    return pb.ListActionsResponse(**page_fields(ActionPage(tuple(entries), False, told), OPERATOR))


def fields(listed: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(listed[name] for name in names)


def test_two_entries_are_one_action_and_the_services_are_merged_by_time(cli: Cli, script: Script) -> None:
    later = [Entry(1, LOG[-1].at_us + 1, 1, a_caller("bob"), bytes(32), a_begun("peace"))]
    script.answer("ListActions", answer(LOG[::-1]), answer(later), answer([]))

    listed = cli.json("actions", "list", "--operator", "ada", "--since", "2020-01-01")

    names = ("service", "number", "operator", "reason", "outcome")
    assert [fields(each, *names) for each in listed] == [
        ("metering", 1, "bob", "peace", None),
        ("consent", 3, "ada", "reason 2", None),
        ("consent", 1, "ada", "reason 0", "done"),
    ]
    assert listed[2]["request"] == {"cause": "war"}
    assert {request.operator for request in script.asked["ListActions"]} == {"ada"}


def test_people_read_what_came_of_each_action(cli: Cli, script: Script) -> None:
    refused = Ended(Outcome.REFUSED, "HALT_UNKNOWN")
    entries = [LOG[0], Entry(2, LOG[1].at_us, 1, a_caller(), LOG[0].digest(), refused), LOG[2]]
    script.answer("ListActions", answer(entries[::-1]))

    said = cli("actions", "list", "--service", "consent")

    assert said.count("StateService/OrderHalt") == 2
    assert "HALT_UNKNOWN" in said
    # Wrapped in its column.
    assert "no end on" in said


def test_what_is_not_shown_is_said(cli: Cli, script: Script) -> None:
    script.answer("ListActions", answer(LOG[::-1]))

    listed = cli.json("actions", "list", "--service", "consent", "--limit", "1")

    assert [each["number"] for each in listed] == [3]
    assert "These are the newest 1" in cli.err


def test_what_of_one_service_cannot_be_read_is_named_and_the_others_are_listed(
    cli: Cli, script: Script
) -> None:
    script.answer("ListActions", answer(LOG[::-1]), unavailable("DATABASE_UNAVAILABLE", "it is down"))

    listed = cli.json("actions", "list", status=1)

    assert [fields(each, "service", "number") for each in listed] == [("consent", 3), ("consent", 1)]
    refusal = json.loads(cli.err)["refusal"]
    assert refusal["reason"] == "ACTIONS_INCOMPLETE"
    for name in ("metering", "licensing"):
        assert f"{name} (DATABASE_UNAVAILABLE: it is down)" in refusal["message"]


def test_logs_are_checked_although_one_cannot_be_read(cli: Cli, script: Script) -> None:
    script.answer("ListActions", answer(LOG), unavailable("DATABASE_UNAVAILABLE", "it is down"))

    said = cli("actions", "verify", status=1)

    assert "consent: 3 entries, none changed and none missing." in said
    assert "licensing: not read." in said
    assert "ACTIONS_INCOMPLETE" in cli.err


def test_where_no_log_can_be_read_the_reason_is_told_as_it_is(cli: Cli, script: Script) -> None:
    script.answer("ListActions", unavailable("DATABASE_UNAVAILABLE", "it is down"))

    assert cli.refusal("actions", "list")["reason"] == "DATABASE_UNAVAILABLE"


def test_a_whole_log_is_found_whole_and_its_head_told_to_be_kept(cli: Cli, script: Script) -> None:
    script.answer("ListActions", answer(LOG))

    said = cli("actions", "verify", "--service", "licensing")

    assert "licensing: 3 entries, none changed and none missing." in said
    assert "1 action without an end on record." in said
    assert f"--known licensing:3:{LOG[2].digest().hex()}" in said
    assert script.asked["ListActions"][0].oldest_first


def test_a_log_that_lost_an_entry_is_found(cli: Cli, script: Script) -> None:
    script.answer("ListActions", answer([LOG[0], LOG[2]]))

    said = cli("actions", "verify", "--service", "consent", status=1)

    assert "entry 2: it is missing" in said
    assert "ACTIONS_CHANGED" in cli.err


def test_a_log_that_was_cut_is_found_by_what_was_known_of_it(cli: Cli, script: Script) -> None:
    script.answer("ListActions", answer(LOG[:2]))
    known = f"consent:3:{LOG[2].digest().hex()}"

    cli("actions", "verify", "--service", "consent")
    said = cli("actions", "verify", "--service", "consent", "--known", known, status=1)

    assert "entry 3: the log goes no further, and had" in said


def test_what_is_no_known_entry_is_refused(cli: Cli) -> None:
    cli("actions", "verify", "--known", "consent:3", status=2)
