"""The freshness protocol in every order of its steps: it holds, and does not with any one guard taken away.

The second half keeps the first honest: an invariant that nothing breaks says nothing. `-s` shows the numbers
of states and the shortest traces.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import NamedTuple

import pytest

from tests.model.checker import Exploration, Step, explore
from tests.model.protocol import ALL_GUARDS, A, Action, B, Guards, Invariant, Protocol, Scenario

OPT_OUT = Scenario(asked=(A,), time_passes=True)
POLICY = Scenario(asked=(A,), time_passes=True, denies=False, effective=3)
"""Far enough ahead that the first permits run out before it."""
BOTH_WRITES = Scenario(asked=(A, B), time_passes=False, effective=0)
"""It takes two kinds of writes for a failover to give a number to another one, but no time."""

SCENARIOS = {"opt-out": OPT_OUT, "policy": POLICY, "both writes": BOTH_WRITES}
LEAST_STATES = {"opt-out": 50_000, "policy": 15_000, "both writes": 200_000}


class Need(NamedTuple):
    """Without the guard, the scenario breaks the invariant."""

    guard: str
    scenario: str
    invariant: Invariant


C9_NEEDS = [
    Need("head_read", "opt-out", Invariant.DENY_IS_SEEN),
    Need("shared_read_after_arrival", "opt-out", Invariant.DENY_IS_SEEN),
    Need("synchronous_read", "opt-out", Invariant.DENY_IS_SEEN),
    Need("acknowledge_after_commit", "opt-out", Invariant.DENY_IS_SEEN),
    Need("good_until", "opt-out", Invariant.DENY_IS_IN_FORCE),
    Need("both_margins_in_in_force_after", "opt-out", Invariant.DENY_IS_IN_FORCE),
]
C3_NEEDS = [
    Need("head_read", "policy", Invariant.POLICY_APPLIES),
    Need("shared_read_after_arrival", "policy", Invariant.POLICY_APPLIES),
    Need("synchronous_read", "policy", Invariant.POLICY_APPLIES),
    Need("activation_before_answer", "policy", Invariant.POLICY_APPLIES),
    Need("good_until", "policy", Invariant.POLICY_APPLIES),
    Need("good_until_capped_by_next_policy", "policy", Invariant.POLICY_APPLIES),
    Need("activate_once", "policy", Invariant.ACTIVATED_ONCE),
]
W5_NEEDS = [
    Need("fence", "opt-out", Invariant.RECALL_FINDS_ALL),
    Need("fence", "policy", Invariant.RECALL_FINDS_ALL),
    # The fence compares numbers, which must therefore go on meaning the same writes.
    Need("synchronous_read", "both writes", Invariant.RECALL_FINDS_ALL),
]
R5_NEEDS = [Need("synchronous_read", "opt-out", Invariant.NUMBERS_STAY)]


def _name(need: Need) -> str:
    return f"{need.guard}, {need.scenario}"


@pytest.fixture(scope="module")
def walks() -> dict[str, Exploration]:
    """Each scenario with all guards, walked whole."""
    return {name: _walk(name, ALL_GUARDS) for name in SCENARIOS}


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_c9_c3_w5_hold_in_every_state_that_can_be_reached(
    walks: dict[str, Exploration], scenario: str
) -> None:
    walk = walks[scenario]

    assert not walk.broken, walk.in_words()
    assert walk.states > LEAST_STATES[scenario]


@pytest.mark.slow
def test_all_that_can_happen_has_happened_in_the_walks(walks: dict[str, Exploration]) -> None:
    left_out = {name: set(Action) - set(walk.taken) for name, walk in walks.items()}

    assert left_out == {
        "opt-out": {Action.ACTIVATE},
        "policy": {Action.DENY, Action.ACKNOWLEDGE, Action.WITHHOLD},
        "both writes": {Action.TICK},
    }


@pytest.mark.parametrize("need", C9_NEEDS, ids=_name)
def test_c9_does_not_hold_without_any_of_its_guards(need: Need) -> None:
    walk = _walk(need.scenario, ALL_GUARDS.without(need.guard), need.invariant)

    assert walk.broken == need.invariant, f"{need.guard} is not needed: {walk.in_words()}"


@pytest.mark.parametrize("need", C3_NEEDS, ids=_name)
def test_c3_does_not_hold_without_any_of_its_guards(need: Need) -> None:
    walk = _walk(need.scenario, ALL_GUARDS.without(need.guard), need.invariant)

    assert walk.broken == need.invariant, f"{need.guard} is not needed: {walk.in_words()}"


@pytest.mark.parametrize("need", W5_NEEDS, ids=_name)
def test_w5_does_not_hold_without_any_of_its_guards(need: Need) -> None:
    walk = _walk(need.scenario, ALL_GUARDS.without(need.guard), need.invariant)

    assert walk.broken == need.invariant, f"{need.guard} is not needed: {walk.in_words()}"


@pytest.mark.parametrize("need", R5_NEEDS, ids=_name)
def test_r5_does_not_hold_without_any_of_its_guards(need: Need) -> None:
    walk = _walk(need.scenario, ALL_GUARDS.without(need.guard), need.invariant)

    assert walk.broken == need.invariant, f"{need.guard} is not needed: {walk.in_words()}"


def test_no_guard_and_no_invariant_is_idle() -> None:
    needs = [*C9_NEEDS, *C3_NEEDS, *W5_NEEDS, *R5_NEEDS]

    assert {need.guard for need in needs} == {field.name for field in fields(Guards)}
    assert {need.invariant for need in needs} == set(Invariant)


def test_the_checker_finds_a_shortest_trace() -> None:
    def steps(state: int) -> Iterator[Step[int]]:
        for stride in (1, 3):
            following = min(state + stride, 10)
            yield Step("go", str(stride), following, ("below 7",) if following >= 7 else ())

    found = explore(0, steps)
    everything = explore(0, steps, "another")

    assert found.trace == ("go 1", "go 3", "go 3")
    assert (everything.states, everything.trace) == (11, ())


def _walk(scenario: str, guards: Guards, sought: Invariant | None = None) -> Exploration:
    protocol = Protocol(SCENARIOS[scenario], guards)
    walk = explore(protocol.initial(), protocol.steps, sought)
    print(f"\n{scenario}: {walk.states:,} states, {walk.in_words()}")
    return walk
