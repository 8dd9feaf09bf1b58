"""`sluice subjects standing`, against a consent that answers as it is told."""

from sluice.consent.v1.policy_pb2 import Regime
from sluice.consent.v1.reason_pb2 import ConsentReason
from sluice.consent.v1.standing_pb2 import GetStandingResponse, LicenseeStanding, PurposeStanding
from sluice.type.v1.purpose_pb2 import Purpose
from sluice.type.v1.revision_pb2 import Revision
from tests.support.command_line import Cli
from tests.support.scripted import Script

ALLOWED = PurposeStanding(
    purpose=Purpose.PURPOSE_AI_INPUT,
    reason=ConsentReason.CONSENT_REASON_ALLOWED,
    by_choice=True,
    record_revision=1_234,
    regime=Regime.REGIME_OPT_IN,
)
BY_NEED = PurposeStanding(
    purpose=Purpose.PURPOSE_AI_INPUT,
    reason=ConsentReason.CONSENT_REASON_CHOICE_DENIES,
    by_choice=True,
    record_revision=3,
    regime=Regime.REGIME_OPT_OUT,
    denied_by_purpose=Purpose.PURPOSE_THIRD_PARTY_SHARING,
)
NO_POLICY = PurposeStanding(
    purpose=Purpose.PURPOSE_DATA_MINING, reason=ConsentReason.CONSENT_REASON_NO_POLICY
)
HALTED = PurposeStanding(
    purpose=Purpose.PURPOSE_AI_INPUT,
    reason=ConsentReason.CONSENT_REASON_HALTED,
    record_revision=9,
    denied_by_purpose=Purpose.PURPOSE_THIRD_PARTY_SHARING,
)
TOLD = GetStandingResponse(
    anyone=[BY_NEED, NO_POLICY, HALTED],
    licensees=[LicenseeStanding(licensee_id="acme", purposes=[ALLOWED])],
    policy_version=2,
    revision=Revision(epoch=1, number=1_234),
)
TOLD.as_of.FromJsonString("2026-10-01T12:00:00Z")


def test_each_licensee_and_purpose_is_a_line_and_anyone_else_comes_last(script: Script, cli: Cli) -> None:
    script.answer("GetStanding", TOLD)

    head, *lines, end = cli("subjects", "standing", "11").splitlines()

    assert head.split() == ["licensee", "purpose", "answer", "because", "of", "regime", "record"]
    assert [line.split() for line in lines] == [
        ["acme", "ai_input", "allowed", "a", "choice", "opt_in", "1,234"],
        [
            "(any",
            "other)",
            "ai_input",
            "choice_denies",
            "a",
            "choice",
            "on",
            "third_party_sharing",
            "opt_out",
            "3",
        ],
        ["(any", "other)", "data_mining", "no_policy"],
        ["(any", "other)", "ai_input", "halted", "third_party_sharing", "9"],
    ]
    assert "under policy version 2; read up to revision 1,234." in end


def test_licensees_are_asked_for_once_each_in_the_order_given(script: Script, cli: Cli) -> None:
    script.answer("GetStanding", TOLD)

    cli("subjects", "standing", "11", *("--licensee", "b", "--licensee", "a", "--licensee", "b"))

    (asked,) = script.asked["GetStanding"]
    assert (asked.subject_id, list(asked.licensee_ids)) == (11, ["b", "a"])


def test_programs_are_told_what_is_false_and_none_too(script: Script, cli: Cli) -> None:
    script.answer("GetStanding", TOLD)

    told = cli.json("subjects", "standing", "11")

    assert told["licensees"][0]["licensee_id"] == "acme"
    assert told["anyone"][1] == {
        "purpose": "data_mining",
        "reason": "no_policy",
        "by_choice": False,
        "record_revision": 0,
    }
    assert told["anyone"][0]["denied_by_purpose"] == "third_party_sharing"
    assert (told["policy_version"], told["revision"]) == (2, {"epoch": 1, "number": 1_234})


def test_who_has_no_policy_in_force_is_told_so(script: Script, cli: Cli) -> None:
    script.answer("GetStanding", GetStandingResponse(anyone=[NO_POLICY]))

    assert "under no policy; read up to revision 0." in cli("subjects", "standing", "11")
