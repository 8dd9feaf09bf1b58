"""`sluice licensee affiliate`, against a licensing that answers as it is told."""

import pytest

from services.chassis.refusals import precondition, unavailable
from services.console.moments import read
from sluice.licensing.v1 import affiliate_service_pb2 as pb
from tests.support.command_line import Cli
from tests.support.scripted import Script

NOON = read("2026-01-31T12:00:00Z")
EVENING = read("2026-01-31T18:00:00Z")
FOR_GOOD = pb.AffiliateStretch(since=NOON)
ENDED = pb.AffiliateStretch(since=NOON, until=EVENING)
BACK_DATED = (
    "That time had passed: what is assessed since then is counted anew. What was held stays as it is;"
    " allowances follow from now on."
)


def an_affiliate(
    standing: pb.AffiliateStanding = pb.AFFILIATE_STANDING_COUNTED,
    affiliate_id: str = "acme-labs",
    counted: pb.AffiliateStretch = FOR_GOOD,
) -> pb.Affiliate:
    return pb.Affiliate(
        affiliate_id=affiliate_id,
        display_name="Acme Labs",
        standing=standing,
        recorded=[FOR_GOOD],
        counted=[counted],
    )


def test_an_affiliate_is_added_from_now_on(script: Script, cli: Cli) -> None:
    script.answer("AddAffiliate", pb.AddAffiliateResponse(effective_at=NOON))

    said = cli("licensee", "affiliate", "add", "acme", "acme-labs", "--name", "Acme Labs")

    (asked,) = script.asked["AddAffiliate"]
    assert (asked.licensee_id, asked.affiliate_id, asked.display_name) == ("acme", "acme-labs", "Acme Labs")
    assert not asked.HasField("effective_at")
    assert (
        said == "acme-labs (Acme Labs) is counted together with acme from 2026-01-31 12:00:00.000 UTC on.\n"
    )


def test_m6_who_back_dates_a_removal_is_told_what_that_means(script: Script, cli: Cli) -> None:
    script.answer("RemoveAffiliate", pb.RemoveAffiliateResponse(effective_at=NOON, back_dated=True))
    times = ("--from", "2026-01-31T12:00:00Z")

    said = cli("licensee", "affiliate", "remove", "acme", "acme-labs", "--reason", "sold", *times)

    (asked,) = script.asked["RemoveAffiliate"]
    assert (asked.reason, asked.effective_at) == ("sold", NOON)
    assert said.splitlines() == [
        "acme-labs is not counted together with acme from 2026-01-31 12:00:00.000 UTC on.",
        BACK_DATED,
    ]


def test_programs_are_told_from_when_it_holds_and_whether_it_is_back_dated(script: Script, cli: Cli) -> None:
    script.answer("AddAffiliate", pb.AddAffiliateResponse(effective_at=NOON))

    answer = cli.json("licensee", "affiliate", "add", "acme", "acme-labs", "--name", "Acme Labs")

    assert answer == {"effective_at": "2026-01-31T12:00:00.000000Z", "back_dated": False}


def test_affiliates_of_all_pages_are_listed_with_how_they_stand(script: Script, cli: Cli) -> None:
    first = pb.ListAffiliatesResponse(
        affiliates=[an_affiliate()], next_page_token="next", licensee_in_group=True
    )
    ended = an_affiliate(pb.AFFILIATE_STANDING_ENDED, "acme-shop", ENDED)
    second = pb.ListAffiliatesResponse(affiliates=[ended], licensee_in_group=True)
    script.answer("ListAffiliates", first, second)

    said = cli("licensee", "affiliate", "list", "acme", "--ended")

    assert [each.page_token for each in script.asked["ListAffiliates"]] == ["", "next"]
    assert script.asked["ListAffiliates"][0].include_ended
    for word in ("acme-labs", "counted", "acme-shop", "ended", "2026-01-31 12:00:00.000 UTC"):
        assert word in said
    assert "moved" not in said


def test_m6_who_was_moved_in_metering_is_pointed_out(script: Script, cli: Cli) -> None:
    differing = an_affiliate(pb.AFFILIATE_STANDING_DIFFERS, "acme-shop", ENDED)
    page = pb.ListAffiliatesResponse(affiliates=[an_affiliate(), differing], licensee_in_group=False)
    script.answer("ListAffiliates", page)

    said = cli("licensee", "affiliate", "list", "acme")

    assert "acme-shop was moved in metering itself, whose word counts." in said
    assert "Metering does not have acme itself in its group" in said


def test_programs_get_the_list_with_whether_the_licensee_is_in_its_group(script: Script, cli: Cli) -> None:
    script.answer("ListAffiliates", pb.ListAffiliatesResponse(affiliates=[an_affiliate()]))

    answer = cli.json("licensee", "affiliate", "list", "acme")

    stretch = {"since": "2026-01-31T12:00:00.000000Z"}
    assert answer == {
        "affiliates": [
            {
                "affiliate_id": "acme-labs",
                "display_name": "Acme Labs",
                "standing": "counted",
                "recorded": [stretch],
                "counted": [stretch],
            }
        ],
        "licensee_in_group": False,
    }


def test_who_has_no_affiliates_is_said_to_have_none(script: Script, cli: Cli) -> None:
    script.answer("ListAffiliates", pb.ListAffiliatesResponse())

    assert cli("licensee", "affiliate", "list", "acme") == "No affiliates of acme.\n"


def test_who_cannot_know_whether_a_change_was_begun_is_told_where_to_look(script: Script, cli: Cli) -> None:
    script.answer("AddAffiliate", unavailable("PEER_REFUSED", "metering refused the question: INTERNAL"))

    refusal = cli.refusal("licensee", "affiliate", "add", "acme", "acme-labs", "--name", "Acme Labs")

    assert (refusal["kind"], refusal["reason"]) == ("unavailable", "PEER_REFUSED")
    assert "`sluice licensee affiliate list acme` shows it" in refusal["message"]


def test_other_refusals_are_passed_on_as_they_are(script: Script, cli: Cli) -> None:
    script.answer("AddAffiliate", precondition("AFFILIATE_ELSEWHERE", "it is another licensee's"))

    refusal = cli.refusal("licensee", "affiliate", "add", "acme", "acme-labs", "--name", "Acme Labs")

    assert (refusal["reason"], refusal["message"]) == ("AFFILIATE_ELSEWHERE", "it is another licensee's")


@pytest.mark.parametrize("ids", [("Acme", "acme-labs"), ("acme", "Acme Labs")])
def test_what_can_be_no_id_is_wrong_usage(cli: Cli, ids: tuple[str, str]) -> None:
    said = cli.wrong("licensee", "affiliate", "add", *ids, "--name", "Acme Labs")

    assert "lower-case letters, digits, dots" in said
