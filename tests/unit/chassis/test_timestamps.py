"""Times as callers send them: what is a time is read exactly, what is none is refused with its field."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Kind, Refusal
from services.chassis.timestamps import END_US, FIRST_US, microseconds, time_us

any_time = st.builds(
    Timestamp,
    seconds=st.integers(-(2**63), 2**63 - 1) | st.integers(FIRST_US // 10**6 - 2, END_US // 10**6 + 2),
    nanos=st.integers(-(2**31), 2**31 - 1) | st.sampled_from([0, 999, 1_000, 999_999_999]),
)


@given(any_time)
def test_what_protobuf_reads_is_read_the_same_and_what_it_does_not_is_refused(time: Timestamp) -> None:
    try:
        expected = time.ToMicroseconds()
    except ValueError:
        with pytest.raises(Refusal) as refused:
            time_us(time, "expires_at")
        assert (refused.value.kind, refused.value.reason) == (Kind.INVALID, "INVALID_REQUEST")
        assert [violation.field for violation in refused.value.violations] == ["expires_at"]
    else:
        assert time_us(time, "expires_at") == microseconds(time) == expected


@pytest.mark.parametrize("nanos", [-5, -1, 1_000_000_000, 2_000_000_000])
def test_nanoseconds_that_are_no_part_of_a_second_are_no_time(nanos: int) -> None:
    assert microseconds(Timestamp(seconds=1, nanos=nanos)) is None


def test_years_beyond_9999_are_told_to_those_who_ask_for_them() -> None:
    time = Timestamp(seconds=2**40, nanos=1_999)

    assert microseconds(time) == 2**40 * 1_000_000 + 1
