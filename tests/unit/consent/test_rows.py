"""Rows of imports, one by one; requests and numbers as the contract has them."""

import base64
import struct

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.refusals import Refusal
from services.consent.domain.batches import batch_of
from services.consent.domain.choices import Draft, Scope, Stance
from services.consent.domain.policies import Regime
from services.consent.domain.purposes import Purpose
from services.consent.domain.subjects import Facts, State
from services.consent.domain.verdicts import Reason
from services.consent.rpc import rows
from services.consent.rpc.requests import LARGEST_VERSION, LATEST_US, number_of, page_token_of
from sluice.consent.v1 import choice_pb2, consent_service_pb2, policy_pb2, reason_pb2, subject_pb2
from sluice.type.v1 import purpose_pb2
from tests.support.consent import NOTICE, OTHER_NOTICE


def a_choice(**changes: object) -> choice_pb2.Choice:
    given = choice_pb2.Choice(
        subject_id=7,
        stance=choice_pb2.STANCE_DENY,
        everyone=True,
        all_purposes=True,
        method=choice_pb2.CHOICE_METHOD_IMPORT,
        notice_digest=NOTICE,
        stated_at=Timestamp(seconds=1_000, nanos=1_999),
    )
    for field, value in changes.items():
        if value is None:
            given.ClearField(field)
        elif isinstance(value, Timestamp):
            given.stated_at.CopyFrom(value)
        else:
            setattr(given, field, value)
    return given


def import_one(given: choice_pb2.Choice) -> Draft:
    good, bad = rows.choices([consent_service_pb2.RecordChoicesRequest.Row(line=3, choice=given)])
    assert bad == ()
    return good[0][1]


def reject_one(given: choice_pb2.Choice) -> str:
    good, bad = rows.choices([consent_service_pb2.RecordChoicesRequest.Row(line=3, choice=given)])
    assert good == []
    assert bad[0].line == 3
    return bad[0].reason


def a_subject(**fields: object) -> subject_pb2.Subject:
    given: dict[str, object] = {"subject_id": 7, "jurisdiction": "US-CA"}
    return subject_pb2.Subject(**(given | fields))  # type: ignore[arg-type]


def test_c1_an_imported_choice_carries_its_own_time_in_whole_microseconds() -> None:
    draft = import_one(a_choice())

    assert draft == Draft(7, Stance.DENY, Scope(), 3, NOTICE, 1_000_000_001)


def test_an_imported_choice_names_a_licensee_and_a_purpose() -> None:
    draft = import_one(a_choice(licensee_id="acme", purpose=purpose_pb2.PURPOSE_AI_INDEX))

    assert draft.scope == Scope("acme", Purpose.AI_INDEX)


@pytest.mark.parametrize("licensee_id", ["everyone-else", "allied", "all.of.us"])
def test_a_licensee_may_be_called_almost_like_everyone(licensee_id: str) -> None:
    assert import_one(a_choice(licensee_id=licensee_id)).scope.licensee == licensee_id


def test_c1_a_deny_is_taken_with_no_time_or_an_impossible_one_and_with_a_broken_digest() -> None:
    never = import_one(a_choice(stated_at=None, notice_digest=b"short"))
    beyond = import_one(a_choice(stated_at=Timestamp(seconds=2**62)))

    assert never.claimed_us is None
    assert never.notice_digest == b""
    assert beyond.claimed_us == LATEST_US


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"subject_id": 0}, "SUBJECT_ID_MISSING"),
        ({"stance": 0}, "STANCE_UNKNOWN"),
        ({"stance": 9}, "STANCE_UNKNOWN"),
        ({"everyone": None}, "LICENSEE_INVALID"),
        ({"everyone": False}, "LICENSEE_INVALID"),
        ({"licensee_id": "Acme Inc."}, "LICENSEE_INVALID"),
        ({"licensee_id": "everyone"}, "LICENSEE_INVALID"),
        ({"licensee_id": "all"}, "LICENSEE_INVALID"),
        ({"all_purposes": None}, "PURPOSE_UNKNOWN"),
        ({"purpose": 0}, "PURPOSE_UNKNOWN"),
        ({"purpose": 99}, "PURPOSE_UNKNOWN"),
        ({"purpose": purpose_pb2.PURPOSE_VETTED_RESEARCH}, "PURPOSE_NOT_CHOOSABLE"),
        ({"method": 77}, "METHOD_UNKNOWN"),
        ({"stance": choice_pb2.STANCE_ALLOW, "notice_digest": b"short"}, "NOTICE_DIGEST_MISSING"),
    ],
)
def test_a_bad_choice_is_rejected_with_its_line_and_reason(changes: dict[str, object], reason: str) -> None:
    assert reject_one(a_choice(**changes)) == reason


def test_a_bad_row_stops_no_other() -> None:
    given = [a_choice(), a_choice(subject_id=0), a_choice(subject_id=8)]

    good, bad = rows.choices(
        consent_service_pb2.RecordChoicesRequest.Row(line=line, choice=choice)
        for line, choice in enumerate(given, 1)
    )

    assert [line for line, _ in good] == [1, 3]
    assert [row.line for row in bad] == [2]


def test_c4_an_imported_subject_is_as_the_row_says() -> None:
    states = [subject_pb2.SUBJECT_STATE_PROTECTED, subject_pb2.SUBJECT_STATE_MINOR]
    given = a_subject(states=states, notice_digests=[NOTICE, OTHER_NOTICE])

    good, _ = rows.subjects([consent_service_pb2.ImportSubjectsRequest.Row(line=1, subject=given)])

    expected = Facts("US-CA", State.PROTECTED | State.MINOR, frozenset({NOTICE, OTHER_NOTICE}))
    assert good == [(1, 7, expected, None)]


def test_c4_c5_an_imported_subject_is_withheld_in_countries_and_is_as_of_a_time() -> None:
    given = a_subject(withheld_countries=["FR", "DE"], as_of=Timestamp(seconds=1, nanos=1_999))

    good, _ = rows.subjects([consent_service_pb2.ImportSubjectsRequest.Row(line=1, subject=given)])

    ((_, _, facts, as_of_us),) = good
    assert (facts.withheld, as_of_us) == (frozenset({"DE", "FR"}), 1_000_001)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"withheld_countries": ["US-CA"]}, "COUNTRY_INVALID"),
        ({"subject_id": 0}, "SUBJECT_ID_MISSING"),
        ({"jurisdiction": ""}, "JURISDICTION_INVALID"),
        ({"jurisdiction": "us"}, "JURISDICTION_INVALID"),
        ({"jurisdiction": "US\n"}, "JURISDICTION_INVALID"),
        ({"states": [0]}, "STATE_UNKNOWN"),
        ({"states": [6]}, "STATE_UNKNOWN"),
        ({"notice_digests": [b"short"]}, "NOTICE_DIGEST_INVALID"),
        ({"notice_digests": [bytes([n]) * 32 for n in range(65)]}, "TOO_MANY_NOTICES"),
    ],
)
def test_a_bad_subject_is_rejected_with_its_line_and_reason(fields: dict[str, object], reason: str) -> None:
    row = consent_service_pb2.ImportSubjectsRequest.Row(line=5, subject=a_subject(**fields))

    good, bad = rows.subjects([row])

    assert good == []
    assert [(one.line, one.reason) for one in bad] == [(5, reason)]


ONE_POST = (struct.pack("<Q", 1), struct.pack("<Q", 7), struct.pack("<2I", 0, 1), struct.pack("<Q", 2))


def test_columns_of_a_batch_are_read_as_they_are() -> None:
    batch = batch_of(*ONE_POST, struct.pack("<Q", 2**64 - 1))

    assert batch.author_ids.tolist() == [7]
    assert batch.embed_offsets.tolist() == [0, 1]
    assert batch.embed_author_ids.tolist() == [2**64 - 1]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ((b"1234567", b"", struct.pack("<I", 0), b"", b""), "COLUMN_LENGTHS"),
        ((*ONE_POST, b""), "COLUMN_LENGTHS"),
        ((ONE_POST[0], b"", *ONE_POST[2:], b"12345678"), "COLUMN_LENGTHS"),
        ((*ONE_POST[:2], struct.pack("<I", 0), ONE_POST[3], b"12345678"), "COLUMN_LENGTHS"),
        ((*ONE_POST[:2], struct.pack("<2I", 0, 0), ONE_POST[3], b"12345678"), "COLUMN_LENGTHS"),
        ((*ONE_POST[:2], struct.pack("<2I", 1, 1), ONE_POST[3], b"12345678"), "COLUMN_LENGTHS"),
        ((b"\1" * 16, b"\1" * 16, struct.pack("<3I", 0, 2, 1), ONE_POST[3], b"\1" * 8), "COLUMN_LENGTHS"),
        ((bytes(8 * 10_001), b"", b"", b"", b""), "TOO_MANY_POSTS"),
    ],
)
def test_columns_that_do_not_fit_together_are_refused(
    columns: tuple[bytes, bytes, bytes, bytes, bytes], reason: str
) -> None:
    with pytest.raises(Refusal) as refused:
        batch_of(*columns)

    assert refused.value.reason == reason


def test_the_numbers_of_the_domain_are_those_of_the_contract() -> None:
    reasons = {
        name.removeprefix("CONSENT_REASON_"): number
        for name, number in reason_pb2.ConsentReason.items()
        if number
    }
    states = {
        name.removeprefix("SUBJECT_STATE_"): 1 << number - 1
        for name, number in subject_pb2.SubjectState.items()
        if number
    }

    assert {reason.name: reason.value for reason in Reason} == reasons
    assert {state.name: state.value for state in State} == states
    assert {f"PURPOSE_{p.name}": p.value for p in Purpose} == without_zero(purpose_pb2.Purpose.items())
    assert {f"STANCE_{s.name}": s.value for s in Stance} == without_zero(choice_pb2.Stance.items())
    assert {f"REGIME_{r.name}": r.value for r in Regime if r} == without_zero(policy_pb2.Regime.items())


def without_zero(values: list[tuple[str, int]]) -> dict[str, int]:
    return {name: number for name, number in values if number}


def test_a_page_token_says_where_the_next_page_begins() -> None:
    assert number_of(page_token_of(42)) == 42
    assert number_of("") is None


def as_token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        "!",
        "MQ",
        "YWJj",
        *map(as_token, ["-9", "0", "+1", " 1", "1_0", "01", "9" * 30, "9" * 5000, str(2**31)]),
    ],
)
def test_a_page_token_that_nobody_gave_is_refused(token: str) -> None:
    with pytest.raises(Refusal) as refused:
        number_of(token, LARGEST_VERSION)

    assert refused.value.reason == "PAGE_TOKEN_INVALID"
