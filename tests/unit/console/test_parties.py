"""`sluice party`, against a metering that answers as it is told."""

import pytest

from services.chassis.refusals import invalid, not_found
from services.console.moments import read
from sluice.metering.v1 import party_service_pb2 as pb
from sluice.metering.v1.party_pb2 import Membership, Party
from sluice.type.v1.revision_pb2 import Revision
from tests.support.command_line import Cli
from tests.support.scripted import Script

NOON = read("2026-01-31T12:00:00Z")
EVENING = read("2026-01-31T18:00:00Z")
AT_SEVEN = Revision(epoch=1, number=7)
ACME = Party(party_id="acme", display_name="Acme Models", affiliates=["acme-labs", "acme-eu"])
MEMBERSHIP = Membership(party_id="acme", group_id="acme-group", since=NOON)
ENDED = Membership(party_id="globex", group_id="acme-group", since=NOON, until=EVENING)


def test_a_party_is_put_with_all_that_is_said_of_it(script: Script, cli: Cli) -> None:
    script.answer("PutParty", pb.PutPartyResponse(revision=AT_SEVEN, effective_at=NOON))
    named = ("--name", "Acme Models", "--affiliate", "acme-labs", "--affiliate", "acme-eu")

    said = cli("party", "put", "acme", *named, "--vetted-research", "--from", "2026-01-31T12:00:00Z")

    (asked,) = script.asked["PutParty"]
    assert asked.party.vetted_research
    asked.party.ClearField("vetted_research")
    assert (asked.party, asked.effective_at) == (ACME, NOON)
    assert said == (
        "Party acme (Acme Models) is on record at revision 7, from 2026-01-31 12:00:00.000 UTC on.\n"
    )


def test_a_party_is_put_from_now_on_where_no_time_is_given(script: Script, cli: Cli) -> None:
    script.answer("PutParty", pb.PutPartyResponse(revision=AT_SEVEN, effective_at=NOON))

    answer = cli.json("party", "put", "acme", "--name", "Acme Models")

    (asked,) = script.asked["PutParty"]
    assert not asked.HasField("effective_at")
    assert not asked.party.vetted_research
    assert answer == {
        "revision": {"epoch": 1, "number": 7},
        "effective_at": "2026-01-31T12:00:00.000000Z",
    }


def test_a_party_is_moved_into_a_group(script: Script, cli: Cli) -> None:
    script.answer("MoveParty", pb.MovePartyResponse(revision=AT_SEVEN, effective_at=NOON))

    said = cli("party", "move", "acme", "--group", "acme-group")

    (asked,) = script.asked["MoveParty"]
    assert (asked.party_id, asked.group_id) == ("acme", "acme-group")
    assert said == "Party acme is in group acme-group from 2026-01-31 12:00:00.000 UTC on (revision 7).\n"


def test_m6_who_back_dates_a_move_is_told_what_that_means(script: Script, cli: Cli) -> None:
    answer = pb.MovePartyResponse(revision=AT_SEVEN, effective_at=NOON, back_dated=True)
    script.answer("MoveParty", answer)

    said = cli("party", "move", "acme", "--no-group", "--from", "2026-01-31T12:00:00Z")

    (asked,) = script.asked["MoveParty"]
    assert (asked.group_id, asked.effective_at) == ("", NOON)
    assert said.splitlines() == [
        "Party acme is in no group from 2026-01-31 12:00:00.000 UTC on (revision 7).",
        "That time had passed: what is assessed since then is counted anew. What was held stays as it is;"
        " allowances follow from now on.",
    ]


def test_programs_are_told_whether_a_move_was_back_dated(script: Script, cli: Cli) -> None:
    script.answer("MoveParty", pb.MovePartyResponse(revision=AT_SEVEN, effective_at=NOON))

    assert cli.json("party", "move", "acme", "--no-group")["back_dated"] is False


@pytest.mark.parametrize("options", [(), ("--group", "g", "--no-group")])
def test_a_party_goes_to_one_place(cli: Cli, options: tuple[str, ...]) -> None:
    assert "either --group ID or --no-group is expected" in cli.wrong("party", "move", "acme", *options)


@pytest.mark.parametrize(
    "command",
    [
        ("put", "Acme", "--name", "Acme"),
        ("move", "acme", "--group", ""),
        ("move", "Acme", "--no-group"),
        ("show", "Acme"),
        ("group", "Red"),
    ],
)
def test_what_can_be_no_id_is_wrong_usage(cli: Cli, command: tuple[str, ...]) -> None:
    assert "lower-case letters, digits, dots" in cli.wrong("party", *command)


@pytest.mark.parametrize("command", [("show", "acne"), ("move", "acne", "--no-group")])
def test_who_names_a_party_that_is_not_on_record_is_told_how_to_put_it_there(
    script: Script, cli: Cli, command: tuple[str, ...]
) -> None:
    for rpc in ("GetParty", "MoveParty"):
        script.answer(rpc, not_found("PARTY_UNKNOWN", "there is no party with this id"))

    refusal = cli.refusal("party", *command)

    assert (refusal["kind"], refusal["reason"]) == ("not_found", "PARTY_UNKNOWN")
    assert (
        "no party acne is on record. `sluice party put acne --name NAME` puts it there" in refusal["message"]
    )


def test_who_names_a_group_without_its_option_is_told_of_it(cli: Cli) -> None:
    said = cli.wrong("party", "move", "acme", "red")

    assert "a group goes with its option: --group red" in said


@pytest.mark.parametrize("more", [("red", "blue"), ("red", "--group", "blue"), ("red", "--no-group")])
def test_one_party_is_moved_at_a_time(cli: Cli, more: tuple[str, ...]) -> None:
    assert "one party is expected, and nothing after it" in cli.wrong("party", "move", "acme", *more)


def test_a_time_that_is_none_is_wrong_usage(cli: Cli) -> None:
    said = cli.wrong("party", "put", "acme", "--name", "Acme", "--from", "noon")

    assert "--from" in said
    assert "a time like" in said


def test_a_party_is_shown_with_its_memberships(script: Script, cli: Cli) -> None:
    answer = pb.GetPartyResponse(
        party=ACME, group_id="acme-group", memberships=[MEMBERSHIP], revision=AT_SEVEN
    )
    script.answer("GetParty", answer)

    said = cli("party", "show", "acme", "--as-of", "2026-01-31T18:00:00Z")

    assert script.asked["GetParty"] == [pb.GetPartyRequest(party_id="acme", as_of=EVENING)]
    for text in ("Acme Models", "acme-labs, acme-eu", "acme-group", "2026-01-31 12:00:00.000 UTC  for good"):
        assert text in said
    assert said.splitlines()[-1] == "As of revision 7."


def test_a_party_of_which_nothing_was_said_has_its_id_alone(script: Script, cli: Cli) -> None:
    script.answer("GetParty", pb.GetPartyResponse(party=Party(party_id="acme"), revision=AT_SEVEN))

    rows = [line.split("  ", 1) for line in cli("party", "show", "acme").splitlines()[1:-1]]

    assert [(name.strip(), value.strip()) for name, value in rows] == [
        ("party", "acme"),
        ("name", "not said"),
        ("vetted research", "no"),
        ("affiliates", "none"),
        ("group", "none"),
    ]


def test_every_page_of_parties_is_listed(script: Script, cli: Cli) -> None:
    acme = pb.ListPartiesResponse.Entry(party=ACME, group_id="acme-group")
    globex = pb.ListPartiesResponse.Entry(party=Party(party_id="globex", vetted_research=True))
    script.answer(
        "ListParties",
        pb.ListPartiesResponse(entries=[acme], next_page_token="next"),
        pb.ListPartiesResponse(entries=[globex]),
    )

    listed = cli.json("party", "list")

    assert [entry["party"]["party_id"] for entry in listed] == ["acme", "globex"]
    assert [request.page_token for request in script.asked["ListParties"]] == ["", "next"]
    assert cli("party", "list").splitlines()[1].split() == ["globex", "yes"]


def test_no_parties_are_said_to_be_none(script: Script, cli: Cli) -> None:
    script.answer("ListParties", pb.ListPartiesResponse())
    script.answer("ListMemberships", pb.ListMembershipsResponse())

    assert cli("party", "list") == "No parties.\n"
    assert cli("party", "group", "g") == "Nobody has ever belonged to group g.\n"


def test_every_page_of_a_group_is_listed(script: Script, cli: Cli) -> None:
    script.answer(
        "ListMemberships",
        pb.ListMembershipsResponse(memberships=[MEMBERSHIP], next_page_token="next"),
        pb.ListMembershipsResponse(memberships=[ENDED]),
    )

    said = cli("party", "group", "acme-group")

    assert [request.page_token for request in script.asked["ListMemberships"]] == ["", "next"]
    assert said.splitlines()[1].split("  ")[0] == "acme"
    assert "2026-01-31 12:00:00.000 UTC  2026-01-31 18:00:00.000 UTC" in said


def test_what_metering_refuses_is_said(script: Script, cli: Cli) -> None:
    script.answer("GetParty", not_found("PARTY_UNKNOWN", "there is no such party"))
    script.answer("PutParty", invalid("EFFECTIVE_TIME_INVALID", "that is too far ahead"))

    assert cli.refusal("party", "show", "nobody")["reason"] == "PARTY_UNKNOWN"
    assert cli.refusal("party", "put", "acme", "--name", "Acme")["reason"] == "EFFECTIVE_TIME_INVALID"
