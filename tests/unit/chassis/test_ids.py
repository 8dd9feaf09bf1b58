"""Ids that carry their time, and which of them are still remembered."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.clock import SystemClock
from services.chassis.ids import (
    DAY_US,
    MINUTE_US,
    check_request_id,
    derived_uuid7,
    earliest_uuid7,
    uuid7,
    uuid7_time_us,
)
from services.chassis.refusals import Kind, Refusal

NOW_US = 1_760_000_000_123_456


@given(st.integers(0, 2**47 * 1_000))
def test_an_id_carries_its_time_to_the_millisecond(now_us: int) -> None:
    id = uuid7(now_us)

    assert uuid.UUID(id).version == 7
    assert uuid.UUID(id).variant == uuid.RFC_4122
    assert uuid7_time_us(id) == now_us // 1_000 * 1_000


@given(st.integers(0, 2**47 * 1_000), st.integers(1, 10**9))
def test_a_later_microsecond_gives_a_greater_id(now_us: int, later_us: int) -> None:
    assert uuid7(now_us) < uuid7(now_us + later_us)


def test_an_id_that_follows_from_another_is_the_same_again_and_has_its_time() -> None:
    id = uuid7(NOW_US)

    derived = derived_uuid7(id, "move", "acme")

    assert derived == derived_uuid7(id, "move", "acme")
    assert uuid7_time_us(derived) == uuid7_time_us(id)
    assert (
        len({id, derived, derived_uuid7(id, "moveacme"), derived_uuid7(uuid7(NOW_US), "move", "acme")}) == 4
    )


def test_ids_of_one_microsecond_differ() -> None:
    assert len({uuid7(NOW_US) for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize(
    "id",
    [
        "",
        "0199c7a5-5f7b-7000-8000",
        "0199C7A5-5F7B-7000-8000-000000000000",
        "0199c7a55f7b70008000000000000000",
        "{0199c7a5-5f7b-7000-8000-000000000000}",
        "0199c7a5-5f7b-4000-8000-000000000000",
        "0199c7a5-5f7b-7000-c000-000000000000",
        "0199c7a5-5f7b-7000-8000-000000000000\n",
    ],
)
def test_only_the_canonical_form_of_version_7_is_an_id(id: str) -> None:
    with pytest.raises(Refusal, match="REQUEST_ID_MALFORMED") as refused:
        check_request_id(id, NOW_US)

    assert refused.value.kind is Kind.INVALID
    assert refused.value.violations[0].field == "request_id"


def test_an_id_counts_from_five_minutes_ahead_back_to_the_horizon() -> None:
    check_request_id(uuid7(NOW_US + 5 * MINUTE_US), NOW_US)
    check_request_id(uuid7(NOW_US - 400 * DAY_US + 1_000), NOW_US)

    with pytest.raises(Refusal, match="REQUEST_ID_IN_FUTURE"):
        check_request_id(uuid7(NOW_US + 5 * MINUTE_US + 1_000), NOW_US)
    with pytest.raises(Refusal, match="REQUEST_ID_TOO_OLD"):
        check_request_id(uuid7(NOW_US - 400 * DAY_US - 1_000), NOW_US)
    with pytest.raises(Refusal, match="REQUEST_ID_TOO_OLD"):
        check_request_id(uuid7(NOW_US - 2 * DAY_US), NOW_US, horizon_us=DAY_US)


def test_the_clock_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = iter([5_000_000, 3_000_000, 7_000_000])
    monkeypatch.setattr("services.chassis.clock.time.time_ns", lambda: next(readings))
    clock = SystemClock()

    told = [clock.now_us() for _ in range(3)]

    assert told == [5_000, 5_000, 7_000]


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_ids_of_before_a_time_are_less_than_its_earliest_and_no_others(of_us: int, time_us: int) -> None:
    assert (uuid7(of_us) < earliest_uuid7(time_us)) == (of_us // 1_000 < time_us // 1_000)


def test_the_earliest_id_has_the_form_of_any() -> None:
    assert uuid7_time_us(earliest_uuid7(NOW_US)) == NOW_US // 1_000 * 1_000
