"""`sluice damages policy`, against a metering that answers as it is told (D1)."""

from pathlib import Path

import pytest

from services.chassis.refusals import invalid
from sluice.metering.v1 import damages_service_pb2 as pb
from sluice.metering.v1.damages_pb2 import Unenforceable
from sluice.type.v1.revision_pb2 import Revision
from tests.support.assessments import a_policy, usd
from tests.support.command_line import Cli
from tests.support.scripted import Script

EXAMPLE = Path(__file__).parents[3] / "examples" / "damages-policy.yaml"
AT_SEVEN = Revision(epoch=1, number=7)
CLAUSE = (
    "More than 1,000,000 posts in any 24 hours: USD 15,000.00 per 1,000,000 posts (whole_units, disjoint)."
    " Counted are view, access; licensed volume is left out."
)


def test_d1_the_example_is_the_clause_as_it_is_quoted(script: Script, cli: Cli) -> None:
    script.answer("PutDamagesPolicy", pb.PutDamagesPolicyResponse(policy=a_policy(), revision=AT_SEVEN))

    said = cli("damages", "policy", "put", EXAMPLE)

    (asked,) = script.asked["PutDamagesPolicy"]
    policy = asked.policy
    assert (policy.threshold, policy.unit, policy.rate) == (1_000_000, 1_000_000, usd(15_000))
    assert (policy.window.seconds, policy.decimals) == (86_400, 2)
    assert (policy.rounding, policy.overlap, list(policy.accesses)) == (1, 1, [2, 3])
    assert said.splitlines() == ["Version 1 of the damages policy is on record at revision 7.", CLAUSE]


def test_programs_are_told_also_what_is_false_or_0(script: Script, cli: Cli) -> None:
    policy = a_policy(threshold=0)
    script.answer("PutDamagesPolicy", pb.PutDamagesPolicyResponse(policy=policy, revision=AT_SEVEN))

    answer = cli.json("damages", "policy", "put", EXAMPLE)["policy"]

    assert answer["threshold"] == 0
    assert answer["licensed_volume_counts"] is False
    assert answer["not_enforceable"] == []
    assert answer["rate"] == {"currency_code": "USD", "units": 15_000, "nanos": 0}
    assert answer["rounding"] == "whole_units"
    assert answer["accesses"] == ["view", "access"]
    assert answer["recorded_at"] == "2026-01-01T00:00:00.000000Z"


@pytest.mark.parametrize("field", ["threshold", "decimals"])
def test_a_number_that_was_forgotten_is_not_taken_for_0(cli: Cli, tmp_path: Path, field: str) -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    file = tmp_path / "policy.yaml"
    file.write_text("\n".join(line for line in lines if not line.startswith(field)), encoding="utf-8")

    (violation,) = cli.refusal("damages", "policy", "put", file)["violations"]

    assert violation == {"field": f"policy.yaml:1: {field}", "description": "is missing"}


def test_what_metering_gives_is_not_the_authors_to_write(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8") + "version: 3\n", encoding="utf-8")

    (violation,) = cli.refusal("damages", "policy", "put", file)["violations"]

    assert violation["field"].endswith(": version")


def test_what_metering_refuses_is_said(script: Script, cli: Cli) -> None:
    script.answer("PutDamagesPolicy", invalid("WINDOW_INVALID", "the window is a number of whole seconds"))

    assert cli.refusal("damages", "policy", "put", EXAMPLE)["reason"] == "WINDOW_INVALID"


def test_every_page_of_versions_is_listed(script: Script, cli: Cli) -> None:
    script.answer(
        "ListDamagesPolicies",
        pb.ListDamagesPoliciesResponse(policies=[a_policy(version=2)], next_page_token="next"),
        pb.ListDamagesPoliciesResponse(policies=[a_policy(version=1)]),
    )

    listed = cli.json("damages", "policy", "list")

    assert [policy["version"] for policy in listed] == [2, 1]
    assert [request.page_token for request in script.asked["ListDamagesPolicies"]] == ["", "next"]


def test_versions_are_listed_for_people(script: Script, cli: Cli) -> None:
    script.answer("ListDamagesPolicies", pb.ListDamagesPoliciesResponse(policies=[a_policy()]))

    row = cli("damages", "policy", "list").splitlines()[1]

    assert row.split()[:2] == ["1", "Terms"]
    assert "1,000,000  24 hours  USD 15,000.00  1,000,000  whole_units, disjoint" in row


def test_no_versions_are_said_to_be_none(script: Script, cli: Cli) -> None:
    script.answer("ListDamagesPolicies", pb.ListDamagesPoliciesResponse())

    assert cli("damages", "policy", "list") == "No damages policy is on record.\n"
    assert cli.refusal("damages", "policy", "show")["reason"] == "POLICY_UNKNOWN"


def test_a_version_is_shown_whole(script: Script, cli: Cli) -> None:
    barred = [Unenforceable(jurisdiction="DE", reason="a penalty")]
    policies = [a_policy(version=3, rate=usd(7, 500_000_000)), a_policy(version=2, not_enforceable=barred)]
    script.answer("ListDamagesPolicies", pb.ListDamagesPoliciesResponse(policies=policies))

    second = cli("damages", "policy", "show", 2)
    latest = cli("damages", "policy", "show")

    assert "DE (a penalty)" in second
    assert "07" * 32 in second
    assert second.splitlines()[-1] == CLAUSE
    assert "USD 7.50 per 1,000,000 posts" in latest
    assert "nothing is said" in latest
