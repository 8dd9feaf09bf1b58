"""The protocol of recalls in every order of its steps: it holds, and does not without any one of its guards.

`-s` shows the numbers of states and the shortest traces.
"""

from dataclasses import fields
from typing import NamedTuple

import pytest

from tests.model.checker import Exploration, explore
from tests.model.recall_protocol import ALL_GUARDS, Action, Guards, Invariant, RecallProtocol, Scenario

SCENARIOS = {
    "withdrawals": Scenario(writes=3, followers=("A", "B"), scans=True, restores=False),
    "restore": Scenario(writes=2, followers=("A",), scans=True, restores=True),
}
LEAST_STATES = {"withdrawals": 80_000, "restore": 10_000}
ALONE = {Action.RECALL_ALONE, Action.MOVE_ALONE}
"""What happens only where recalls and position are not written together."""


class Need(NamedTuple):
    """Without the guard, the scenario breaks the invariant."""

    guard: str
    scenario: str
    invariant: Invariant


W5_NEEDS = [
    Need("fence", "withdrawals", Invariant.NONE_MISSED),
    Need("fence_read_under_lock", "withdrawals", Invariant.NONE_MISSED),
    Need("fence_never_back", "withdrawals", Invariant.NONE_MISSED),
    Need("fence_never_back", "withdrawals", Invariant.IN_ORDER),
    Need("names_new_revision", "withdrawals", Invariant.NONE_MISSED),
    Need("scan_up_to_fence", "withdrawals", Invariant.NONE_MISSED),
    Need("scan_up_to_fence", "withdrawals", Invariant.IN_ORDER),
    Need("looks_after_positions", "withdrawals", Invariant.NONE_MISSED),
    Need("scan_compares", "withdrawals", Invariant.NONE_TWICE),
    Need("recalls_with_scanned", "withdrawals", Invariant.NONE_MISSED),
    Need("recalls_with_scanned", "withdrawals", Invariant.NONE_TWICE),
    Need("drops_denied", "withdrawals", Invariant.ALLOWED),
    Need("newer_than_fence", "restore", Invariant.NOT_FOR_EVER),
]
R5_NEEDS = [
    Need("mark", "restore", Invariant.NOT_FROM_BEFORE),
    Need("mark_from_seen", "restore", Invariant.NOT_FROM_BEFORE),
    Need("mark_from_fence", "restore", Invariant.NOT_FROM_BEFORE),
]


def _name(need: Need) -> str:
    return f"{need.guard}, {need.invariant.name.lower()}"


@pytest.fixture(scope="module")
def walks() -> dict[str, Exploration]:
    """Each scenario with all guards, walked whole."""
    return {name: _walk(name, ALL_GUARDS) for name in SCENARIOS}


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_w5_and_r5_hold_in_every_state_that_can_be_reached(
    walks: dict[str, Exploration], scenario: str
) -> None:
    walk = walks[scenario]

    assert not walk.broken, walk.in_words()
    assert walk.states > LEAST_STATES[scenario]


@pytest.mark.slow
def test_all_that_can_happen_has_happened_in_the_walks(walks: dict[str, Exploration]) -> None:
    left_out = {name: set(Action) - set(walk.taken) for name, walk in walks.items()}

    assert left_out == {
        "withdrawals": ALONE | {Action.RESTORE, Action.DISBELIEVE, Action.DECIDE_ELSEWHERE},
        "restore": ALONE | {Action.LOSE},
    }


@pytest.mark.parametrize("need", W5_NEEDS, ids=_name)
def test_w5_does_not_hold_without_any_of_its_guards(need: Need) -> None:
    walk = _walk(need.scenario, ALL_GUARDS.without(need.guard), need.invariant)

    assert walk.broken == need.invariant, f"{need.guard} is not needed: {walk.in_words()}"


@pytest.mark.parametrize("need", R5_NEEDS, ids=_name)
def test_r5_does_not_hold_without_any_of_its_guards(need: Need) -> None:
    walk = _walk(need.scenario, ALL_GUARDS.without(need.guard), need.invariant)

    assert walk.broken == need.invariant, f"{need.guard} is not needed: {walk.in_words()}"


def test_no_guard_and_no_invariant_of_recalls_is_idle() -> None:
    needs = [*W5_NEEDS, *R5_NEEDS]

    assert {need.guard for need in needs} == {field.name for field in fields(Guards)}
    assert {need.invariant for need in needs} == set(Invariant)


def _walk(scenario: str, guards: Guards, sought: Invariant | None = None) -> Exploration:
    protocol = RecallProtocol(SCENARIOS[scenario], guards)
    walk = explore(protocol.initial(), protocol.steps, sought)
    print(f"\n{scenario}: {walk.states:,} states, {walk.in_words()}")
    return walk
