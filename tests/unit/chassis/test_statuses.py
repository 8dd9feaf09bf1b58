"""Refusals over the wire: every kind comes back as what it was, small enough for metadata."""

import grpc
import pytest
from grpc.aio import AioRpcError, Metadata

from services.chassis.refusals import FieldViolation, Kind, Refusal
from services.chassis.statuses import DETAILS_KEY, code_of, from_rpc_error, to_status


def over_the_wire(refusal: Refusal) -> Refusal:
    metadata = Metadata((DETAILS_KEY, to_status(refusal).SerializeToString()))
    return from_rpc_error(AioRpcError(code_of(refusal.kind), Metadata(), metadata, refusal.message))


@pytest.mark.parametrize("kind", list(Kind))
def test_a_refusal_of_any_kind_comes_back_as_it_went(kind: Kind) -> None:
    refusal = Refusal(
        kind,
        "SOME_REASON",
        "some words",
        violations=[FieldViolation("posts[3].id", "is zero")],
        retry_after_us=7,
        metadata={"party": "x"},
    )

    returned = over_the_wire(refusal)

    assert vars(returned) == vars(refusal)


def test_no_retry_time_stays_none() -> None:
    assert over_the_wire(Refusal(Kind.INVALID, "R", "m")).retry_after_us is None


def test_many_and_long_violations_are_cut_and_the_cut_is_told() -> None:
    violations = [FieldViolation("f" * 1_000, "d" * 1_000) for _ in range(500)]
    refusal = Refusal(Kind.INVALID, "R", "m" * 10_000, violations=violations)

    status = to_status(refusal)

    assert status.ByteSize() < 12 * 1024
    assert over_the_wire(refusal).violations[-1].description == "and 480 more"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.DEADLINE_EXCEEDED, Kind.UNAVAILABLE),
        (grpc.StatusCode.CANCELLED, Kind.UNAVAILABLE),
        (grpc.StatusCode.OUT_OF_RANGE, Kind.INVALID),
        (grpc.StatusCode.UNIMPLEMENTED, Kind.INTERNAL),
        (grpc.StatusCode.DATA_LOSS, Kind.INTERNAL),
    ],
)
@pytest.mark.parametrize("details", [(), ((DETAILS_KEY, b"\xff\xff"),)], ids=["bare", "broken"])
def test_a_status_of_somebody_else_keeps_its_kind_and_none_of_its_text(
    code: grpc.StatusCode, kind: Kind, details: tuple[tuple[str, bytes], ...]
) -> None:
    refusal = from_rpc_error(AioRpcError(code, Metadata(), Metadata(*details), "row 17 of table secrets"))

    assert refusal.kind is kind
    assert refusal.reason == f"RPC_{code.name}"
    assert "secrets" not in refusal.message
