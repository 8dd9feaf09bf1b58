"""Which changes of affiliates may be, and how affiliates stand (M6)."""

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.affiliates import (
    FOREVER_US,
    FURTHEST_AHEAD_US,
    Asked,
    Change,
    Membership,
    Stretch,
    by_pair,
    check_groups,
    since_of,
    stretches_of,
)
from services.licensing.domain.standings import Standing, affiliates_of, joined
from tests.support.affiliates import MemoryRoster, a_change, asked
from tests.support.clock import NOON_US

HOUR_US = 3_600_000_000
EARLIER, LATER = NOON_US - HOUR_US, NOON_US + HOUR_US
FOR_GOOD = Stretch(NOON_US, FOREVER_US)


def a_removal(number: int = 2, since_us: int = LATER, **changes: Any) -> Change:
    return a_change(number, adds=False, since_us=since_us, **changes)


def refusal(asked: Asked, *earlier: Change) -> tuple[Kind, str]:
    with pytest.raises(Refusal) as refused:
        since_of(asked, earlier, NOON_US)
    return refused.value.kind, refused.value.reason


def test_a_change_holds_from_when_it_is_taken_down_unless_a_time_is_given() -> None:
    assert since_of(asked(), (), NOON_US) == NOON_US
    assert since_of(asked(since_us=EARLIER), (), NOON_US) == EARLIER


@pytest.mark.parametrize("since_us", [-1, NOON_US + FURTHEST_AHEAD_US + 1])
def test_a_time_before_1970_or_over_a_year_ahead_is_refused(since_us: int) -> None:
    assert refusal(asked(since_us=since_us)) == (Kind.INVALID, "EFFECTIVE_TIME_INVALID")


def test_nobody_is_their_own_affiliate() -> None:
    assert refusal(asked("acme")) == (Kind.INVALID, "AFFILIATE_OF_ITSELF")


def test_m6_a_party_is_the_affiliate_of_one_licensee_at_a_time() -> None:
    assert refusal(asked(), a_change()) == (Kind.ALREADY_EXISTS, "AFFILIATE_EXISTS")
    assert refusal(asked(), a_change(licensee_id="globex")) == (Kind.PRECONDITION, "AFFILIATE_ELSEWHERE")


def test_m6_a_party_may_be_an_affiliate_elsewhere_from_the_time_on_at_which_it_is_none_any_more() -> None:
    elsewhere = (a_change(licensee_id="globex"), a_removal(licensee_id="globex"))

    assert refusal(asked(since_us=LATER - 1), *elsewhere)[1] == "AFFILIATE_ELSEWHERE"
    assert since_of(asked(since_us=LATER), elsewhere, NOON_US) == LATER


def test_m6_who_has_affiliates_is_none_and_an_affiliate_has_none() -> None:
    assert (
        refusal(asked(), a_change(licensee_id="lab", affiliate_id="lab-eu"))[1] == "AFFILIATE_HAS_AFFILIATES"
    )
    assert refusal(asked(), a_change(licensee_id="globex", affiliate_id="acme"))[1] == "LICENSEE_IS_AFFILIATE"


def test_a_licensee_may_have_several_affiliates() -> None:
    assert since_of(asked(), (a_change(affiliate_id="shop"),), NOON_US) == NOON_US


def test_no_change_begins_before_another_of_the_same_parties_is_finished() -> None:
    expected = (Kind.UNAVAILABLE, "AFFILIATE_CHANGE_UNFINISHED")

    assert refusal(asked(), a_change(affiliate_id="shop", finished=False)) == expected
    assert refusal(asked(adds=False), a_change(), a_removal(finished=False)) == expected


def test_who_is_no_affiliate_cannot_be_removed() -> None:
    expected = (Kind.NOT_FOUND, "AFFILIATE_UNKNOWN")

    assert refusal(asked(adds=False)) == expected
    assert refusal(asked(adds=False), a_change(licensee_id="globex")) == expected
    assert refusal(asked(adds=False), a_change(), a_removal(since_us=NOON_US)) == expected


def test_a_removal_ends_what_began_before_it() -> None:
    earlier = (a_change(since_us=EARLIER),)

    assert since_of(asked(adds=False), earlier, NOON_US) == NOON_US
    assert refusal(asked(adds=False, since_us=EARLIER - 1), *earlier)[1] == "EFFECTIVE_TIME_INVALID"


def test_one_who_was_to_become_an_affiliate_never_does_when_removed_before() -> None:
    announced = a_change(since_us=LATER)

    since_us = since_of(asked(adds=False), (announced,), NOON_US)

    assert since_us == LATER
    assert joined(stretches_of([announced, a_removal(since_us=since_us)])) == ()


def test_an_end_that_was_announced_may_be_brought_forward() -> None:
    changes = (a_change(since_us=EARLIER), a_removal(since_us=LATER))

    since_us = since_of(asked(adds=False), changes, NOON_US)

    assert stretches_of([*changes, a_removal(3, since_us)]) == (Stretch(EARLIER, NOON_US),)


PARTIES = ["a", "b", "c"]
TIMES = st.integers(0, 6)
askings = st.builds(
    Asked, st.sampled_from(PARTIES), st.sampled_from(PARTIES), st.booleans(), st.none() | TIMES, st.just("N")
)


def carried_out(requests: Sequence[tuple[int, Asked]]) -> tuple[list[Change], MemoryRoster]:
    """What is on record, and in metering, after each of these was asked for at its time."""
    changes: list[Change] = []
    roster = MemoryRoster()
    for now_us, request in sorted(requests, key=lambda each: each[0]):
        both = {request.licensee_id, request.affiliate_id}
        earlier = [each for each in changes if both & {each.licensee_id, each.affiliate_id}]
        memberships = {party: asyncio.run(roster.memberships(party)) for party in both}
        try:
            since_us = since_of(request, earlier, now_us)
        except Refusal:
            continue
        # Nobody has moved anybody in metering itself: what the record allows, the groups allow.
        check_groups(request, since_us, memberships)
        changes.append(
            a_change(
                len(changes) + 1,
                request.affiliate_id,
                request.licensee_id,
                adds=request.adds,
                since_us=since_us,
            )
        )
        if request.adds:
            roster.put(request.licensee_id, request.licensee_id, since_us)
        roster.put(request.affiliate_id, request.licensee_id if request.adds else "", since_us)
    return changes, roster


@given(st.lists(st.tuples(TIMES, askings), min_size=6, max_size=20))
def test_m6_whatever_is_asked_the_record_says_at_every_time_what_metering_counts_by(
    requests: Sequence[tuple[int, Asked]],
) -> None:
    changes, roster = carried_out(requests)

    for at_us in range(8):
        recorded = {
            (licensee, affiliate)
            for (licensee, affiliate), theirs in by_pair(changes).items()
            if any(each.since_us <= at_us < each.until_us for each in stretches_of(theirs))
        }
        groups = {party: roster.group_at(party, at_us) for party in PARTIES}
        assert recorded == {(group, party) for party, group in groups.items() if group not in {"", party}}
        assert all(groups[licensee] == licensee for licensee, _ in recorded)


def grouped(group_id: str, since_us: int = EARLIER, until_us: int = FOREVER_US) -> Membership:
    return Membership(group_id, Stretch(since_us, until_us))


@pytest.mark.parametrize(
    ("party", "membership", "is_refused"),
    [
        ("lab", grouped("other"), True),
        ("lab", grouped("other", until_us=NOON_US), False),
        ("lab", grouped("acme"), False),
        ("lab", grouped("acme", until_us=LATER), True),
        ("lab", grouped("lab"), False),
        ("lab", grouped("lab", since_us=LATER), True),
        ("acme", grouped("other"), True),
        ("acme", grouped("acme", since_us=LATER), False),
    ],
)
def test_m6_who_was_grouped_in_metering_itself_is_not_taken_out_of_there_unasked(
    party: str, membership: Membership, is_refused: bool
) -> None:
    memberships = {"acme": (), "lab": (), party: (membership,)}

    if not is_refused:
        check_groups(asked(), NOON_US, memberships)
        return
    with pytest.raises(Refusal, match="PARTY_GROUPED_ELSEWHERE"):
        check_groups(asked(), NOON_US, memberships)


@pytest.mark.parametrize(
    ("membership", "is_refused"),
    [
        (grouped("acme"), False),
        (grouped("other"), True),
        (grouped("other", since_us=LATER), False),
        (grouped("acme", since_us=LATER), True),
    ],
)
def test_a_removal_takes_nobody_out_of_a_group_that_is_not_the_licensees(
    membership: Membership, is_refused: bool
) -> None:
    memberships = {"acme": (grouped("other"),), "lab": (membership,)}

    if not is_refused:
        check_groups(asked(adds=False), NOON_US, memberships)
        return
    with pytest.raises(Refusal, match="PARTY_GROUPED_ELSEWHERE"):
        check_groups(asked(adds=False), NOON_US, memberships)


@pytest.mark.parametrize(
    ("changes", "counted", "standing"),
    [
        ((a_change(),), (FOR_GOOD,), Standing.COUNTED),
        ((a_change(since_us=LATER),), (Stretch(LATER, FOREVER_US),), Standing.ANNOUNCED),
        ((a_change(), a_removal(since_us=NOON_US)), (), Standing.ENDED),
        ((a_change(),), (), Standing.DIFFERS),
        ((a_change(),), (Stretch(EARLIER, FOREVER_US),), Standing.DIFFERS),
        ((), (FOR_GOOD,), Standing.DIFFERS),
        ((a_change(number=3),), (FOR_GOOD,), Standing.CHANGING),
        ((a_change(), a_removal(number=3)), (FOR_GOOD,), Standing.CHANGING),
    ],
)
def test_m6_an_affiliate_stands_as_metering_says_where_the_record_says_the_same(
    changes: tuple[Change, ...], counted: tuple[Stretch, ...], standing: Standing
) -> None:
    members = {"lab": counted} if counted else {}

    found = affiliates_of("acme", changes, {1, 2}, members, NOON_US)

    (lab,) = found.affiliates
    assert (lab.standing, lab.counted) == (standing, counted)


def test_a_licensee_that_left_its_own_group_in_metering_is_told_apart() -> None:
    changes, members = (a_change(),), {"lab": (FOR_GOOD,)}

    without = affiliates_of("acme", changes, {1}, members, NOON_US)
    within = affiliates_of("acme", changes, {1}, members | {"acme": (FOR_GOOD,)}, NOON_US)

    assert (without.licensee_in_group, within.licensee_in_group) == (False, True)
    assert [each.affiliate_id for each in within.affiliates] == ["lab"]


@given(st.lists(st.builds(Stretch, TIMES, TIMES)))
def test_joined_stretches_are_the_same_times_and_never_touch(stretches: list[Stretch]) -> None:
    few = joined(stretches)

    for at_us in range(8):
        within = any(each.since_us <= at_us < each.until_us for each in stretches)
        assert within == any(each.since_us <= at_us < each.until_us for each in few)
    assert all(one.until_us < other.since_us for one, other in itertools.pairwise(few))
