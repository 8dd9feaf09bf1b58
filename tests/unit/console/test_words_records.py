"""Words of what is on record about a subject."""

from services.chassis.identity import PrincipalKind
from services.console.settings_page.words_records import RECALLS, recorder
from sluice.licensing.v1.recall_pb2 import RecallState


def test_every_state_of_a_recall_has_a_word() -> None:
    assert RECALLS.keys() == set(RecallState.values()) - {RecallState.RECALL_STATE_UNSPECIFIED}


def test_nobody_of_the_platform_is_named() -> None:
    assert recorder("subject:7") == "you"
    assert recorder("agent:helper") == "your agent"
    assert {recorder(f"{kind}:ada") for kind in PrincipalKind if kind not in {"subject", "agent"}} == {
        "the platform"
    }
