"""`sluice delivery`, against a licensing that answers as it is told."""

from services.chassis.refusals import already_exists
from services.console.moments import read
from sluice.licensing.v1 import delivery_service_pb2 as pb
from tests.support.command_line import Cli
from tests.support.scripted import Script

DECISION = "01999999-1111-7000-8000-000000000000"
SAID = pb.Countersignature(
    decision_id=DECISION,
    receipt_number=1_007,
    licensee_id="acme",
    posts_received=3,
    countersigned_at=read("2026-01-31T12:00:00Z"),
)
UNCONFIRMED = pb.DeliveryDifference(
    countersignature=SAID, license_id="acme-training", posts_released=5, posts_billed=5
)
COUNTERSIGN = ("delivery", "countersign", DECISION, "--received", 3, "--licensee", "acme")


def test_a_licensee_says_what_arrived(script: Script, cli: Cli) -> None:
    script.answer("CountersignDelivery", pb.CountersignDeliveryResponse(countersignature=SAID))

    said = cli(*COUNTERSIGN)

    assert script.asked["CountersignDelivery"] == [
        pb.CountersignDeliveryRequest(decision_id=DECISION, posts_received=3)
    ]
    assert said == f"acme received 3 posts of {DECISION}, as said at 2026-01-31 12:00:00.000 UTC.\n"
    assert cli.json(*COUNTERSIGN)["posts_received"] == 3


def test_another_word_than_the_first_is_refused(script: Script, cli: Cli) -> None:
    script.answer("CountersignDelivery", already_exists("COUNTERSIGNED_OTHERWISE", "another one stands"))

    assert cli.refusal(*COUNTERSIGN)["reason"] == "COUNTERSIGNED_OTHERWISE"


def test_differences_are_a_table_over_all_pages(script: Script, cli: Cli) -> None:
    confirmed = pb.DeliveryDifference()
    confirmed.CopyFrom(UNCONFIRMED)
    confirmed.posts_billed = 0
    confirmed.confirmed_at.CopyFrom(read("2026-01-31T13:00:00Z"))
    script.answer(
        "ListDeliveryDifferences",
        pb.ListDeliveryDifferencesResponse(differences=[UNCONFIRMED], next_page_token="more"),
        pb.ListDeliveryDifferencesResponse(differences=[confirmed]),
    )

    lines = cli("delivery", "differences", "--licensee", "acme").splitlines()

    assert lines[1].split() == ["1,007", DECISION, "acme", "5", "5", "3", "never"]
    assert lines[2].split()[4:6] == ["0", "3"]
    assert "13:00:00" in lines[2]
    assert [each.page_token for each in script.asked["ListDeliveryDifferences"]] == ["", "more"]
    assert cli.json("delivery", "differences")[0]["posts_billed"] == 0
