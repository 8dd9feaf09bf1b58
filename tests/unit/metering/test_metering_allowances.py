"""M3, M8: several allowances of one request, and which of them says when to come back."""

import pytest

from services.chassis.refusals import Kind, Refusal
from services.metering.domain.allowances import (
    NoRoom,
    Scope,
    Shortfall,
    in_order,
    worst,
)
from services.metering.domain.windows import MINUTE_US, ROLLING_DAY_US, SECOND_US
from tests.support.metering import an_allowance


def an_obstacle(id: str, retry_at_us: int | None, *, exact: bool = False, never: bool = False) -> NoRoom:
    return NoRoom(an_allowance(id=id), used=0, held=0, shortfall=Shortfall(retry_at_us, exact, never))


def test_allowances_have_one_order() -> None:
    second = an_allowance(window_us=SECOND_US, scope=Scope.LICENSEE, id="a")
    day = an_allowance(window_us=ROLLING_DAY_US, id="b")
    minute = an_allowance(window_us=MINUTE_US, id="b")

    assert in_order([second, day, minute]) == (minute, day, second)


def test_the_same_window_of_the_same_license_cannot_have_two_limits() -> None:
    with pytest.raises(Refusal) as refused:
        in_order([an_allowance(5), an_allowance(7, MINUTE_US), an_allowance(6)])

    assert (refused.value.kind, refused.value.reason) == (Kind.INVALID, "ALLOWANCE_TWICE")
    assert [violation.field for violation in refused.value.violations] == ["claim.allowances[2]"]


def test_m8_the_latest_time_is_the_one_to_come_back_at() -> None:
    early, late = an_obstacle("early", 100, exact=True), an_obstacle("late", 200)

    assert worst([late, early]) == late


def test_m8_a_time_that_nobody_knows_is_later_than_any() -> None:
    known, unknown = an_obstacle("known", 100), an_obstacle("unknown", None)

    assert worst([known, unknown]) == unknown


def test_m8_never_is_later_than_all() -> None:
    unknown, never = an_obstacle("unknown", None), an_obstacle("never", None, never=True)

    assert worst([never, unknown]) == never


def test_m8_of_two_at_the_same_time_the_exact_one_is_told() -> None:
    exact, latest = an_obstacle("exact", 100, exact=True), an_obstacle("latest", 100)

    assert worst([latest, exact]) == exact
