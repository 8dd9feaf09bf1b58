"""How far the log is published, and what receipts and places of posts say on a page."""

import base64
import json

import pytest

from services.chassis.refusals import Kind, Refusal, invalid, not_found, precondition, unavailable
from services.console import moments
from services.console.operations.ages import span
from services.console.operations.decision import answers, counts
from services.console.operations.log_pages import sizes_of
from services.console.operations.log_parts import LATE_US, of_log, standing
from services.console.operations.receipt_claims import Asked, asked_in, claims_of
from services.console.web.asking import Missing
from services.console.web.reading import reader_of
from sluice.licensing.v1 import log_service_pb2
from sluice.licensing.v1 import release_service_pb2 as pb

NOW_US = moments.read("2026-01-31T12:00:00Z").ToMicroseconds()


def a_receipt(**claims: object) -> str:
    payload = (
        base64.urlsafe_b64encode(json.dumps(claims, sort_keys=True, separators=(",", ":")).encode())
        .decode()
        .rstrip("=")
    )
    return f"e30.{payload}.c2ln"


def a_checkpoint(age_us: int) -> log_service_pb2.Checkpoint:
    """Over seven receipts."""
    return log_service_pb2.Checkpoint(size=7, published_at=moments.from_us(NOW_US - age_us))


@pytest.mark.parametrize(
    ("oldest_us", "is_late"), [(0, False), (LATE_US, False), (LATE_US + 1, True), (-5, False)]
)
def test_a_checkpoint_is_late_where_the_first_receipt_after_it_has_waited_too_long(
    oldest_us: int, is_late: bool
) -> None:
    first_after = pb.DecisionSummary(receipt_number=8, decided_at=moments.from_us(NOW_US - oldest_us))

    found = standing(a_checkpoint(LATE_US * 9), first_after, NOW_US)

    assert found.is_late is is_late
    assert (found.waiting(9), found.waiting(7), found.waiting(None)) == (2, 1, None)


def test_a_checkpoint_of_long_ago_is_in_order_where_nothing_was_decided_since() -> None:
    found = standing(a_checkpoint(LATE_US * 9), None, NOW_US)

    assert (found.age_us, found.is_late, found.waiting(None)) == (LATE_US * 9, False, 0)


def test_where_nobody_knows_whether_receipts_wait_none_are_said_not_to() -> None:
    found = standing(a_checkpoint(-5), Missing("PEER_UNAVAILABLE"), NOW_US)

    assert (found.age_us, found.is_late, found.waiting(9)) == (0, False, None)


async def refuses(refusal: Refusal) -> None:
    raise refusal


@pytest.mark.parametrize(
    "refusal",
    [
        not_found("CHECKPOINT_UNKNOWN", "none yet"),
        precondition("LOG_FOLDER_ALTERED", "not what was signed"),
        Refusal(Kind.INTERNAL, "LOG_DAMAGED", "it contradicts itself"),
        unavailable("PEER_UNAVAILABLE", "gone"),
    ],
)
async def test_a_log_that_is_not_there_or_not_to_be_believed_takes_no_page_with_it(refusal: Refusal) -> None:
    assert await of_log(refuses(refusal)) == Missing(refusal.reason)


async def test_a_question_that_is_wrong_is_not_taken_for_a_log_that_is_missing() -> None:
    with pytest.raises(Refusal):
        await of_log(refuses(invalid("INCLUSION_OUT_OF_RANGE", "no such leaf")))


def test_claims_are_shown_as_they_stand() -> None:
    claims = claims_of(a_receipt(number=7, outcome="DENIED", counts={"NO_ROOM": 2}, trace_id=None))

    assert claims == [("counts", '{"NO_ROOM": 2}'), ("number", "7"), ("outcome", "DENIED")]


@pytest.mark.parametrize("receipt", ["", "a.b", "a.b.c.d", "e30.!.c2ln", "e30.e30x.c2ln", "e30.W10.c2ln"])
def test_what_is_no_receipt_has_no_claims(receipt: str) -> None:
    assert claims_of(receipt) == []


def test_claims_say_who_asked_for_what() -> None:
    said = {"principal_kind": "pipeline", "principal": "firehose", "licensee_id": "acme"}

    known = asked_in([*said.items(), ("purpose", "ai_training_generative")])
    unknown = asked_in([*said.items(), ("purpose", "99")])

    assert known == Asked("pipeline:firehose", "acme", 2)
    assert unknown == Asked("pipeline:firehose", "acme", 99)
    assert asked_in(said.items()) is None
    assert asked_in([*said.items(), ("purpose", "no such thing")]) is None


def test_posts_have_their_places_in_the_request() -> None:
    decision = pb.Decision(verdicts=bytes([1, 3, 3]), reasons=bytes([1, 46, 46]))

    assert [(each.place, each.reason) for each in answers(decision, 1, 2)] == [(2, 46), (3, 46)]
    assert answers(decision, 3) == []
    assert counts(decision) == [((3, 46), 2), ((1, 1), 1)]


def test_where_reasons_are_not_told_verdicts_are() -> None:
    decision = pb.Decision(verdicts=bytes([1, 3]))

    assert [(each.verdict, each.reason) for each in answers(decision, 0)] == [(1, 0), (3, 0)]


def test_sizes_are_numbers_of_the_contract() -> None:
    assert sizes_of(" 3 ", "20") == (3, 20)
    assert sizes_of("3", "") == (3, 0)
    for first, second in (("", ""), ("0", "5"), ("a", "5"), ("3", "x"), ("-1", "5"), ("9" * 19, "")):
        assert sizes_of(first, second) is None


def test_a_span_of_time_is_said_in_the_readers_words() -> None:
    assert span(reader_of("en-GB"), 90 * 60_000_000) == "90 minutes"
    assert span(reader_of("de-DE"), 3 * 3_600_000_000) == "3 Stunden"
    assert span(reader_of("es-ES"), -1) == "0 segundos"
