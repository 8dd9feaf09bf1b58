"""What the affiliates desk promises, whichever store it has, and wherever it or metering dies (M6)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.chassis.ids import uuid7
from services.chassis.refusals import Kind, Refusal, invalid, unavailable
from services.chassis.replays import ReplayKey
from services.licensing.affiliates import AffiliateDesk, Store
from services.licensing.domain.affiliates import Asked
from services.licensing.domain.licenses import Licensee
from services.licensing.domain.standings import Standing
from services.licensing.finisher import Finisher
from services.licensing.storage.affiliates import AffiliateStore
from services.licensing.storage.contracts import ContractRows, ContractStore
from tests.support.affiliates import MemoryAffiliates, MemoryRoster, asked
from tests.support.clock import NOON_US, ManualClock
from tests.support.engines import ENGINES, url_on
from tests.support.licensing import licensing_database_at

LICENSEES = ("acme", "globex", "lab")
SECOND_US = 1_000_000


@pytest_asyncio.fixture(params=["memory", *ENGINES])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryAffiliates(*LICENSEES)
        return
    database = licensing_database_at(url_on(request.param, request, tmp_path, licensing_database_at))
    for id in LICENSEES:
        add = partial(ContractRows.add_licensee, licensee=Licensee(id, id.title(), NOON_US), created_by="ann")
        await ContractStore(database).write(add)
    yield AffiliateStore(database)
    await database.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def metering() -> MemoryRoster:
    return MemoryRoster()


@pytest.fixture
def desk(store: Store, metering: MemoryRoster, clock: ManualClock) -> AffiliateDesk:
    return AffiliateDesk(store, metering, clock)


def a_key(adds: bool = True, request_id: str | None = None, content: str = "") -> ReplayKey:
    """A request of its own unless said."""
    operation = "AddAffiliate" if adds else "RemoveAffiliate"
    return ReplayKey(
        "operator:ann", operation, request_id or uuid7(NOON_US), sha256(content.encode()).digest()
    )


async def standings(desk: AffiliateDesk, licensee_id: str = "acme") -> dict[str, Standing]:
    found = await desk.of_licensee(licensee_id)
    return {each.affiliate_id: each.standing for each in found.affiliates}


async def test_m6_an_added_affiliate_is_in_the_licensees_group_when_that_is_answered(
    desk: AffiliateDesk, metering: MemoryRoster
) -> None:
    change = await desk.change(asked(), a_key())

    assert (change.since_us, change.back_dated) == (NOON_US, False)
    assert [metering.group_at(party, NOON_US) for party in ("acme", "lab")] == ["acme", "acme"]
    assert metering.names == {"acme": "Acme", "lab": "Lab"}
    assert (await desk.of_licensee("acme")).licensee_in_group
    assert await standings(desk) == {"lab": Standing.COUNTED}


async def test_m6_a_removed_affiliate_has_left_the_group_when_that_is_answered(
    desk: AffiliateDesk, metering: MemoryRoster, clock: ManualClock
) -> None:
    await desk.change(asked(), a_key())
    clock.advance(SECOND_US)

    change = await desk.change(asked(adds=False, reason="sold"), a_key(adds=False))

    assert change.since_us == NOON_US + SECOND_US
    assert [metering.group_at("lab", NOON_US + us) for us in (0, SECOND_US)] == ["acme", ""]
    (lab,) = (await desk.of_licensee("acme")).affiliates
    assert (lab.standing, lab.removal_reason, lab.display_name) == (Standing.ENDED, "sold", "Lab")


async def test_m6_a_back_dated_change_says_that_it_is(desk: AffiliateDesk, metering: MemoryRoster) -> None:
    change = await desk.change(asked(since_us=NOON_US - SECOND_US), a_key())

    assert change.back_dated
    assert metering.group_at("lab", NOON_US - SECOND_US) == "acme"


async def test_a_repeated_request_gets_the_same_answer_and_changes_nothing(
    desk: AffiliateDesk, metering: MemoryRoster, clock: ManualClock
) -> None:
    key = a_key()
    first = await desk.change(asked(), key)
    clock.advance(SECOND_US)
    await desk.change(asked(adds=False), a_key(adds=False))

    again = await desk.change(asked(), key)

    assert (again.number, again.since_us) == (first.number, first.since_us)
    assert metering.group_at("lab", NOON_US + SECOND_US) == ""


async def test_a_reused_request_id_is_refused_but_an_addition_and_a_removal_do_not_share_one(
    desk: AffiliateDesk,
) -> None:
    request_id = uuid7(NOON_US)
    await desk.change(asked(), a_key(request_id=request_id))

    with pytest.raises(Refusal, match="REQUEST_ID_REUSED"):
        await desk.change(asked("shop"), a_key(request_id=request_id, content="other"))
    await desk.change(asked(adds=False), a_key(adds=False, request_id=request_id))


async def test_affiliates_of_an_unknown_licensee_are_refused(desk: AffiliateDesk) -> None:
    with pytest.raises(Refusal, match="LICENSEE_UNKNOWN"):
        await desk.change(asked(licensee_id="nobody"), a_key())
    with pytest.raises(Refusal, match="LICENSEE_UNKNOWN"):
        await desk.of_licensee("nobody")
    assert await desk.unfinished() == []


async def test_while_metering_is_out_of_reach_nothing_begins_and_nothing_is_listed(
    desk: AffiliateDesk, metering: MemoryRoster
) -> None:
    metering.refusing = unavailable("PEER_UNAVAILABLE", "metering did not answer")

    for asking in (desk.change(asked(), a_key()), desk.of_licensee("acme")):
        with pytest.raises(Refusal, match="PEER_UNAVAILABLE"):
            await asking
    assert await desk.unfinished() == []


async def test_m6_who_was_moved_in_metering_itself_differs_and_is_not_taken_for_an_affiliate(
    desk: AffiliateDesk, metering: MemoryRoster, clock: ManualClock
) -> None:
    await desk.change(asked(), a_key())
    clock.advance(SECOND_US)
    metering.put("lab", "other", clock.now_us())
    metering.put("stranger", "acme", clock.now_us())

    assert await standings(desk) == {"lab": Standing.DIFFERS, "stranger": Standing.DIFFERS}
    with pytest.raises(Refusal, match="PARTY_GROUPED_ELSEWHERE"):
        await desk.change(asked(adds=False), a_key(adds=False))
    assert metering.group_at("lab", clock.now_us()) == "other"


async def test_m6_a_party_that_metering_has_in_the_group_already_becomes_an_affiliate_from_then_on(
    desk: AffiliateDesk, metering: MemoryRoster
) -> None:
    metering.put("lab", "acme", NOON_US - SECOND_US)

    await desk.change(asked(since_us=NOON_US - SECOND_US), a_key())

    assert await standings(desk) == {"lab": Standing.COUNTED}


async def test_of_two_licensees_who_want_one_affiliate_at_once_one_gets_it(
    desk: AffiliateDesk, metering: MemoryRoster
) -> None:
    asking = [desk.change(asked(licensee_id=id), a_key()) for id in ("acme", "globex")]

    answers = await asyncio.gather(*asking, return_exceptions=True)

    (refused,) = [answer for answer in answers if isinstance(answer, Refusal)]
    assert refused.reason in {"AFFILIATE_CHANGE_UNFINISHED", "AFFILIATE_ELSEWHERE"}
    assert len(await standings(desk) | await standings(desk, "globex")) == 1


class ProcessDiedError(Exception):
    """Stands for a process that is gone."""


class Deadly:
    """Passes calls on until one of them: the caller dies before it happens, or before it hears of it."""

    def __init__(self, inner: Any, deaths: "Deaths") -> None:
        self._inner = inner
        self._deaths = deaths

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return self._deaths.around(getattr(self._inner, name))


class Deaths:
    """Counts the calls and dies at one of them; `after` it was done, or before."""

    def __init__(self, at: int, after: bool) -> None:
        self.calls = 0
        self._at = at
        self._after = after

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        async def die_or_do(*args: Any) -> Any:
            self.calls += 1
            dies = self.calls == self._at
            if dies and not self._after:
                raise ProcessDiedError
            answer = await call(*args)
            if dies:
                raise ProcessDiedError
            return answer

        return die_or_do


STEPS_OF_ADDING = 10
"""Asked before? two memberships, take down, licensee, two introductions, two moves, finish."""
STEPS_OF_REMOVING = 6


async def dies(
    store: Store,
    metering: MemoryRoster,
    clock: ManualClock,
    request: Asked,
    key: ReplayKey,
    *,
    deaths: Deaths,
) -> None:
    dying_store: Any = Deadly(store, deaths)
    dying_metering: Any = Deadly(metering, deaths)
    with pytest.raises(ProcessDiedError):
        await AffiliateDesk(dying_store, dying_metering, clock).change(request, key)


async def finish_by_repeating(desk: AffiliateDesk, request: Asked, key: ReplayKey) -> None:
    await desk.change(request, key)


async def finish_in_the_background(desk: AffiliateDesk, request: Asked, key: ReplayKey) -> None:
    await Finisher(desk, interval_seconds=1).finish_all()


@pytest.mark.parametrize("finish", [finish_by_repeating, finish_in_the_background])
@pytest.mark.parametrize("after", [False, True])
async def test_m6_wherever_licensing_dies_adding_is_done_wholly_or_not_at_all(
    store: Store, metering: MemoryRoster, clock: ManualClock, after: bool, finish: Any
) -> None:
    desk = AffiliateDesk(store, metering, clock)
    for step in range(1, STEPS_OF_ADDING + 1):
        request, key = asked(f"lab-{step}"), a_key()
        await dies(store, metering, clock, request, key, deaths=Deaths(step, after))

        meanwhile = (await standings(desk)).get(request.affiliate_id)
        clock.advance(SECOND_US)
        await finish(desk, request, key)

        begun, done = step > 4 - after, step > STEPS_OF_ADDING - after
        assert meanwhile is (Standing.COUNTED if done else Standing.CHANGING if begun else None)
        finished = (await standings(desk)).get(request.affiliate_id)
        group = metering.group_at(request.affiliate_id, clock.now_us())
        is_added = begun or finish is finish_by_repeating
        assert (finished, group) == ((Standing.COUNTED, "acme") if is_added else (None, ""))
    assert await desk.unfinished() == []


@pytest.mark.parametrize("finish", [finish_by_repeating, finish_in_the_background])
@pytest.mark.parametrize("after", [False, True])
async def test_m6_wherever_licensing_dies_removing_is_done_wholly_or_not_at_all(
    store: Store, metering: MemoryRoster, clock: ManualClock, after: bool, finish: Any
) -> None:
    desk = AffiliateDesk(store, metering, clock)
    for step in range(1, STEPS_OF_REMOVING + 1):
        await desk.change(asked(f"lab-{step}"), a_key())
        request, key = asked(f"lab-{step}", adds=False), a_key(adds=False)
        clock.advance(SECOND_US)
        await dies(store, metering, clock, request, key, deaths=Deaths(step, after))

        meanwhile = (await standings(desk))[request.affiliate_id]
        await finish(desk, request, key)

        begun, done = step > 4 - after, step > STEPS_OF_REMOVING - after
        expected = Standing.ENDED if done else Standing.CHANGING if begun else Standing.COUNTED
        assert meanwhile is expected
        finished = (await standings(desk))[request.affiliate_id]
        group = metering.group_at(request.affiliate_id, clock.now_us())
        is_removed = begun or finish is finish_by_repeating
        assert (finished, group) == ((Standing.ENDED, "") if is_removed else (Standing.COUNTED, "acme"))
    assert await desk.unfinished() == []


async def test_an_unfinished_change_holds_up_others_of_its_parties_and_of_nobody_else(
    store: Store, metering: MemoryRoster, clock: ManualClock, desk: AffiliateDesk
) -> None:
    await dies(store, metering, clock, asked(), a_key(), deaths=Deaths(5, after=False))

    with pytest.raises(Refusal) as refused:
        await desk.change(asked("shop"), a_key())
    await desk.change(asked("shop", licensee_id="globex"), a_key())

    assert (refused.value.kind, refused.value.reason) == (Kind.UNAVAILABLE, "AFFILIATE_CHANGE_UNFINISHED")


async def test_what_metering_does_not_take_stays_and_holds_up_no_other(
    store: Store,
    metering: MemoryRoster,
    clock: ManualClock,
    desk: AffiliateDesk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await dies(store, metering, clock, asked(), a_key(), deaths=Deaths(5, after=False))
    await dies(store, metering, clock, asked("shop", "globex"), a_key(), deaths=Deaths(5, after=False))
    introduce = metering.introduce

    async def refuse_acme(request_id: str, party_id: str, display_name: str) -> None:
        if party_id == "acme":
            raise invalid("INVALID_REQUEST", "not this one")
        await introduce(request_id, party_id, display_name)

    monkeypatch.setattr(metering, "introduce", refuse_acme)

    await Finisher(desk, interval_seconds=1).finish_all()

    assert [change.licensee_id for change in await desk.unfinished()] == ["acme"]
    assert await standings(desk) == {"lab": Standing.CHANGING}
    assert await standings(desk, "globex") == {"shop": Standing.COUNTED}
