"""Rows of a compliance stream and halts, as the contract has them."""

import enum

import pytest
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

from services.consent.domain.dossiers import ChoiceMethod
from services.consent.domain.halts import HaltKind, HaltOrder, HaltScope
from services.consent.domain.state_changes import ChangeKind, StateChange, StateRow
from services.consent.domain.verdicts import NO_HALTS
from services.consent.domain.withdrawals import Cause
from services.consent.rpc import halts, state_answers, state_rows
from services.consent.rpc.requests import EARLIEST_US, LATEST_US
from sluice.consent.v1 import (
    choice_pb2,
    consent_service_pb2,
    halt_pb2,
    state_change_pb2,
    withdrawal_pb2,
)
from sluice.consent.v1 import state_service_pb2 as pb
from sluice.type.v1 import purpose_pb2
from tests.support.clock import NOON_US
from tests.support.consent import GENERATIVE, NOTICE


def a_change(**fields: object) -> state_change_pb2.StateChange:
    given: dict[str, object] = {"subject_id": 7, "kind": state_change_pb2.STATE_CHANGE_KIND_DELETE}
    return state_change_pb2.StateChange(**(given | fields))  # type: ignore[arg-type]


def rows(*changes: state_change_pb2.StateChange) -> list[pb.RecordStatesRequest.Row]:
    return [pb.RecordStatesRequest.Row(line=line, change=change) for line, change in enumerate(changes, 3)]


def take(change: state_change_pb2.StateChange) -> StateRow:
    (good,), bad = state_rows.changes(rows(change))
    assert bad == ()
    return good


def test_a_change_is_of_a_subject_or_of_a_post() -> None:
    at = Timestamp(seconds=NOON_US // 1_000_000)

    assert take(a_change(occurred_at=at)) == StateRow(3, 7, 0, StateChange(ChangeKind.DELETE, NOON_US))
    assert take(a_change(post_id=9)) == StateRow(3, 0, 9, StateChange(ChangeKind.DELETE, None))


def test_a_change_carries_its_countries_and_its_notice() -> None:
    withheld = a_change(kind=state_change_pb2.STATE_CHANGE_KIND_WITHHELD, countries=["DE", "FR", "DE"])
    served = a_change(kind=state_change_pb2.STATE_CHANGE_KIND_NOTICE_SERVED, notice_digest=NOTICE)

    assert take(withheld).change.countries == frozenset({"DE", "FR"})
    assert take(served).change.notice == NOTICE


@pytest.mark.parametrize(("seconds", "bounded"), [(-(2**62), EARLIEST_US), (2**62, LATEST_US)])
def test_a_time_that_cannot_be_is_the_nearest_that_can_be_kept(seconds: int, bounded: int) -> None:
    assert take(a_change(occurred_at=Timestamp(seconds=seconds))).change.occurred_us == bounded


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"subject_id": 0}, "TARGET_MISSING"),
        ({"post_id": 0}, "TARGET_MISSING"),
        ({"kind": 0}, "CHANGE_UNKNOWN"),
        ({"kind": 99}, "CHANGE_UNKNOWN"),
        ({"kind": state_change_pb2.STATE_CHANGE_KIND_DENY}, "CHANGE_NOT_OF_SUBJECT"),
        ({"post_id": 9, "kind": state_change_pb2.STATE_CHANGE_KIND_SUSPEND}, "CHANGE_NOT_OF_POST"),
        ({"kind": state_change_pb2.STATE_CHANGE_KIND_WITHHELD, "countries": ["de"]}, "COUNTRY_INVALID"),
        ({"kind": state_change_pb2.STATE_CHANGE_KIND_NOTICE_SERVED}, "NOTICE_DIGEST_INVALID"),
    ],
)
def test_a_bad_change_is_rejected_with_its_line_and_reason_and_stops_no_other(
    fields: dict[str, object], reason: str
) -> None:
    good, bad = state_rows.changes(rows(a_change(**fields), a_change()))

    assert [row.line for row in good] == [4]
    assert [(row.line, row.reason) for row in bad] == [(3, reason)]


@pytest.mark.parametrize(
    ("given", "scope"),
    [
        (halt_pb2.HaltScope(everything=True), HaltScope(HaltKind.EVERYTHING)),
        (
            halt_pb2.HaltScope(purpose=purpose_pb2.PURPOSE_AI_TRAINING_GENERATIVE),
            HaltScope(HaltKind.PURPOSE, str(int(GENERATIVE))),
        ),
        (halt_pb2.HaltScope(jurisdiction="US-CA"), HaltScope(HaltKind.JURISDICTION, "US-CA")),
        (halt_pb2.HaltScope(licensee_id="acme"), HaltScope(HaltKind.LICENSEE, "acme")),
    ],
)
def test_c12_a_halt_is_read_and_told_as_the_contract_has_it(
    given: halt_pb2.HaltScope, scope: HaltScope
) -> None:
    order = halts.halt_order(pb.OrderHaltRequest(scope=given, cause="a test", recall=True))

    assert order == HaltOrder(scope, "a test", recall=True)
    assert state_answers._scope(scope) == given


def test_w1_what_is_asked_again_names_the_one_halt_that_applies_or_none() -> None:
    halt = halt_pb2.HaltScope(jurisdiction="DE")
    asked = [
        None,
        consent_service_pb2.Recheck(policy=True),
        consent_service_pb2.Recheck(halt=halt),
    ]

    found = [halts.halts_of(consent_service_pb2.CheckConsentRequest(recheck=recheck)) for recheck in asked]

    assert found == [None, NO_HALTS, frozenset({HaltScope(HaltKind.JURISDICTION, "DE")})]


@pytest.mark.parametrize(
    ("ours", "theirs", "prefix"),
    [
        (ChangeKind, state_change_pb2.StateChangeKind.DESCRIPTOR, "STATE_CHANGE_KIND_"),
        (Cause, withdrawal_pb2.WithdrawalCause.DESCRIPTOR, "WITHDRAWAL_CAUSE_"),
        (ChoiceMethod, choice_pb2.ChoiceMethod.DESCRIPTOR, "CHOICE_METHOD_"),
    ],
)
def test_the_numbers_of_the_domain_are_those_of_the_contract(
    ours: type[enum.IntEnum], theirs: EnumDescriptor, prefix: str
) -> None:
    told = {value.name.removeprefix(prefix): value.number for value in theirs.values if value.number}

    assert {each.name: each.value for each in ours if each.value} == told


def test_c12_the_kinds_of_halts_are_the_fields_of_the_contract() -> None:
    fields = halt_pb2.HaltScope.DESCRIPTOR.fields

    assert {kind.name.lower(): kind.value for kind in HaltKind} == {
        field.name.removesuffix("_id"): field.number for field in fields
    }
