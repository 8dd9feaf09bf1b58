"""What Envoy says of a call, and what it is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal, exhausted, unauthenticated
from services.licensing.admitting import Admitted, Call
from services.licensing.rpc.authorization import call_of, denied, ok
from tests.support.walls import a_check

SPOOFED = {
    "x-forwarded-for": "198.51.100.1",
    "x-envoy-external-address": "198.51.100.1",
    "x-sluice-principal": "operator:ada",
    "surface": "content",
}


def test_no_header_of_callers_says_where_they_are_or_which_route_they_took() -> None:
    request = a_check("/posts/1", {"authorization": "Bearer x", **SPOOFED}, address="203.0.113.9")

    assert call_of(request.attributes) == Call("/posts/1", "Bearer x", "203.0.113.9", "api")


def test_behind_a_load_balancer_the_address_is_the_one_that_the_gateway_found() -> None:
    request = a_check("/posts/1", {"x-sluice-address": "198.51.100.7", **SPOOFED}, address="10.0.0.1")

    assert call_of(request.attributes).address == "198.51.100.7"


def test_the_route_alone_says_that_content_is_called_for() -> None:
    assert call_of(a_check("/", {}, surface="content").attributes).surface == "content"


@given(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=128))
def test_whoever_has_a_party_has_a_principal_and_no_network(party: str) -> None:
    answer = ok(Admitted("subject", party, "/a.B/C", "known"))

    found = dict(answer.dynamic_metadata.items())
    assert "remote_prefix" not in found
    assert found.get("principal") == (f"subject:{party}" if party else None)


@pytest.mark.parametrize(
    ("retry_us", "seconds"), [(1, "1"), (1_000_000, "1"), (1_000_001, "2"), (None, None)]
)
def test_the_time_to_come_again_is_told_in_whole_seconds_and_never_too_early(
    retry_us: int | None, seconds: str | None
) -> None:
    refusal = unauthenticated("LOGIN_REQUIRED", "sign in")
    refusal.retry_after_us = retry_us

    for is_grpc in (False, True):
        answer = denied(refusal, is_grpc=is_grpc).denied_response
        headers = {option.header.key: option.header.value for option in answer.headers}
        assert headers.get("retry-after") == seconds


def test_what_is_no_answer_for_a_caller_is_an_error_which_lets_nobody_in() -> None:
    refusal = exhausted("OVERLOADED", "too much at once", retry_after_us=1)

    with pytest.raises(Refusal, match="OVERLOADED"):
        denied(refusal, is_grpc=False)
