"""The limiter asks nobody about what is known to be full, and without a file lets nothing through."""

import pytest
from prometheus_client import REGISTRY

from services.chassis.refusals import Kind, Refusal
from services.metering.domain.rates.fullness import Fullness
from services.metering.domain.rates.limits import RateLimits, Unit
from services.metering.domain.rates.rulings import rule
from services.metering.domain.rates.windows import CallWindow
from services.metering.domain.windows import SECOND_US
from services.metering.limiter import Limiter
from tests.support.clock import NOON_US, ManualClock
from tests.support.rate_limits import MemoryRateWindows, a_call, a_limited, a_rate_limit, limits_by_key

ACME, ORBIT = (("principal", "acme"),), (("principal", "orbit"),)


class Gateway:
    """A limiter with limits that can be changed, and a store that counts its questions."""

    def __init__(self, limits: RateLimits | None) -> None:
        self.clock = ManualClock()
        self.windows = MemoryRateWindows(self.clock)
        self.limits = limits
        self.limiter = Limiter(self.windows, lambda: self.limits, self.clock.now_us)

    async def is_denied(self, *descriptors: tuple[tuple[str, str], ...], calls: int = 1) -> bool:
        return bool((await self.limiter.ask("gateway", descriptors, calls)).denying)


async def test_a_flood_on_a_full_limit_asks_the_store_once_until_the_first_call_leaves() -> None:
    gateway = Gateway(limits_by_key(principal=a_rate_limit(1)))
    assert not await gateway.is_denied(ACME)

    denied = [await gateway.is_denied(ACME) for _ in range(100)]
    asked = gateway.windows.asked
    gateway.clock.advance(SECOND_US - 1)
    still_denied = await gateway.is_denied(ACME)
    gateway.clock.advance(1)

    assert all(denied)
    assert still_denied
    assert asked == gateway.windows.asked == 2
    assert not await gateway.is_denied(ACME)


async def test_what_is_full_for_one_is_not_for_another() -> None:
    gateway = Gateway(limits_by_key(principal=a_rate_limit(1)))
    for _ in range(3):
        await gateway.is_denied(ACME)

    assert not await gateway.is_denied(ORBIT)


async def test_a_denial_from_memory_tells_the_same_time_as_the_store_did() -> None:
    gateway = Gateway(limits_by_key(principal=a_rate_limit(1)))
    await gateway.is_denied(ACME)
    first = await gateway.limiter.ask("gateway", [ACME], 1)

    again = await gateway.limiter.ask("gateway", [ACME, ORBIT], 1)

    assert first.denying == again.denying
    assert [each.until_us for each in again.denying] == [NOON_US + SECOND_US]
    # Of the other limit nobody knows how it stands.
    assert again.standings[1] is None


async def test_a_limit_that_was_raised_has_room_at_once() -> None:
    gateway = Gateway(limits_by_key(principal=a_rate_limit(1)))
    for _ in range(3):
        await gateway.is_denied(ACME)

    gateway.limits = limits_by_key(principal=a_rate_limit(2))

    assert not await gateway.is_denied(ACME)


async def test_a_full_limit_that_is_only_tried_out_from_now_on_denies_nothing_and_others_are_kept() -> None:
    kind, day = (("kind", "licensee"),), a_rate_limit(1, Unit.DAY)
    gateway = Gateway(limits_by_key(kind=day, principal=a_rate_limit(3)))
    before = [await gateway.is_denied(kind, ACME) for _ in range(3)]

    tried_out = a_rate_limit(1, Unit.DAY, is_shadow=True)
    gateway.limits = limits_by_key(kind=tried_out, principal=a_rate_limit(3))
    after = [await gateway.is_denied(kind, ACME) for _ in range(4)]
    gateway.limits = limits_by_key(kind=day, principal=a_rate_limit(3))

    assert before == [False, True, True]
    assert after == [False, False, True, True]
    assert await gateway.is_denied(kind)


async def test_a_call_that_counts_as_several_is_always_looked_up() -> None:
    gateway = Gateway(limits_by_key(principal=a_rate_limit(3)))
    await gateway.is_denied(ACME, calls=2)

    assert await gateway.is_denied(ACME, calls=2)
    assert not await gateway.is_denied(ACME, calls=1)


async def test_who_is_shut_out_by_a_limit_of_none_never_reaches_the_store() -> None:
    gateway = Gateway(limits_by_key(principal=a_rate_limit(0)))

    assert await gateway.is_denied(ACME)
    assert gateway.windows.asked == 0


async def test_a_call_counts_once_in_a_limit_that_two_descriptors_name() -> None:
    gateway = Gateway(limits_by_key(principal=a_rate_limit(2)))

    answer = await gateway.limiter.ask("gateway", [ACME, ACME], 1)

    assert [each.left for each in answer.standings if each] == [1, 1]


async def test_without_a_file_of_limits_nothing_is_let_through() -> None:
    with pytest.raises(Refusal) as refused:
        await Gateway(None).is_denied(ACME)

    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "LIMITS_NOT_SET")


async def test_a_descriptor_without_a_line_has_no_limit_and_figures_say_that_there_was_one() -> None:
    gateway = Gateway(limits_by_key(principal=a_rate_limit(1)))
    before = REGISTRY.get_sample_value("sluice_unlimited_calls_total") or 0

    answer = await gateway.limiter.ask("gateway", [(("kind", "agent"),)], 1)

    assert answer.standings == [None]
    assert not answer.denying
    assert REGISTRY.get_sample_value("sluice_unlimited_calls_total") == before + 1


async def test_figures_name_limits_and_no_callers() -> None:
    gateway = Gateway(limits_by_key(principal=a_rate_limit(1, Unit.HOUR), method=a_rate_limit(7, Unit.HOUR)))

    for _ in range(3):
        await gateway.is_denied(ACME, (("method", "/a/B"),))

    def figure(limit: str, outcome: str) -> float | None:
        return REGISTRY.get_sample_value("sluice_limited_calls_total", {"limit": limit, "outcome": outcome})

    assert (figure("1 a hour", "allowed"), figure("1 a hour", "denied")) == (1, 2)
    # It had room for those that were denied, and did not count them.
    assert (figure("7 a hour", "allowed"), figure("7 a hour", "denied")) == (1, None)


def test_only_so_many_limits_are_remembered_and_forgetting_one_lets_nobody_in() -> None:
    full = Fullness(2)
    for key in ("a", "b", "c"):
        windows, limit = {key: CallWindow.empty(SECOND_US)}, a_limited(key, 1)
        rule(windows, a_call(limit), NOON_US)
        full.learn(a_call(limit), rule(windows, a_call(limit), NOON_US))

    assert len(full) == 2
    assert full.rule(a_call(a_limited("a", 1)), NOON_US) is None
    assert full.rule(a_call(a_limited("c", 1)), NOON_US) is not None
