"""Agents: a token lists for whom its bearer acts, and for nobody else do they act."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.claims import MOST_SUBJECTS, principal_of, subject_id_of
from services.chassis.identity import FOR_SUBJECTS, OUTSIDE, Principal, PrincipalKind, check_admission
from services.chassis.refusals import Refusal
from tests.support.admissions import admit
from tests.support.clock import ManualClock
from tests.support.forging import Workshop
from tests.support.keys import a_minter, a_verifier, some_keys

LARGEST_ID = 2**64 - 1
METHOD = "/a.Service/Act"


def said(**changes: Any) -> dict[str, Any]:
    claims = {"sub": "helper", "kind": "agent", "subjects": ["7", "8"]} | changes
    return {name: value for name, value in claims.items() if value is not ...}


def test_a_minted_token_of_an_agent_names_those_it_acts_for(tmp_path: Path) -> None:
    keys, clock = some_keys(tmp_path), ManualClock()

    token = a_minter(keys, clock).mint(PrincipalKind.AGENT, "helper", subjects=[8, LARGEST_ID])

    agent = a_verifier(keys, clock).verify(token)
    assert (agent.kind.value, agent.party) == ("agent", "helper")
    assert agent.subjects == {8, LARGEST_ID}
    assert agent != a_verifier(keys, clock).verify(a_minter(keys, clock).mint(PrincipalKind.SUBJECT, "8"))


def test_an_agent_has_another_token_for_other_subjects(tmp_path: Path) -> None:
    minter = a_minter(some_keys(tmp_path), ManualClock())

    first = minter.mint(PrincipalKind.AGENT, "helper", subjects=[7])

    assert minter.mint(PrincipalKind.AGENT, "helper", subjects=[7]) == first
    assert minter.mint(PrincipalKind.AGENT, "helper", subjects=[8]) != first


def test_the_largest_token_of_an_agent_is_believed(tmp_path: Path) -> None:
    keys, clock = some_keys(tmp_path), ManualClock()
    subjects = range(LARGEST_ID - MOST_SUBJECTS + 1, LARGEST_ID + 1)

    token = a_minter(keys, clock).mint(PrincipalKind.AGENT, "a" * 128, subjects=subjects)

    assert a_verifier(keys, clock).verify(token).subjects == set(subjects)


@pytest.mark.parametrize(
    "subjects",
    [
        ...,
        None,
        [],
        "7",
        {"7": "8"},
        7,
        [7],
        ["7", 8],
        [True],
        [None],
        [["7"]],
        ["7", "7"],
        ["0"],
        ["07"],
        ["+7"],
        ["-7"],
        [" 7"],
        ["7\n"],
        ["7.0"],
        ["1e3"],
        ["0x7"],
        ["1_000"],
        ["\u0667"],
        [""],
        [str(2**64)],
        ["9" * 21],
        [str(each) for each in range(1, MOST_SUBJECTS + 2)],
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_list_of_subjects_that_could_be_read_in_two_ways_names_no_agent(subjects: Any) -> None:
    with pytest.raises((ValueError, KeyError)):
        principal_of(said(subjects=subjects), 1)


@pytest.mark.parametrize("kind", [kind for kind in PrincipalKind if kind is not PrincipalKind.AGENT])
@pytest.mark.parametrize("subjects", [["7"], [], None])
def test_nobody_but_an_agent_may_say_for_whom_they_act(kind: PrincipalKind, subjects: Any) -> None:
    with pytest.raises(ValueError, match="nobody else"):
        principal_of(said(kind=kind.value, subjects=subjects), 1)


def test_a_signed_token_that_is_wrong_about_its_subjects_is_invalid(tmp_path: Path) -> None:
    shop = Workshop()
    keys = some_keys(tmp_path)
    shop.publish(keys.token_jwks)
    verifier = a_verifier(keys, ManualClock())
    assert verifier.verify(shop.token(claims=shop.claims(**said()))).subjects == {7, 8}

    for wrong in (said(subjects=["7", "7"]), said(subjects=...), said(kind="operator", roles=["admin"])):
        with pytest.raises(Refusal, match="TOKEN_INVALID"):
            verifier.verify(shop.token(claims=shop.claims(**wrong)))


@given(st.integers(1, LARGEST_ID))
def test_an_id_is_read_in_the_one_way_in_which_it_is_written(subject_id: int) -> None:
    assert subject_id_of(str(subject_id)) == subject_id
    for other in (f"0{subject_id}", f"{subject_id} ", f"{subject_id}.0", subject_id):
        with pytest.raises(ValueError, match="decimal string"):
            subject_id_of(other)


IDS = st.integers(0, LARGEST_ID)


@given(
    kind=st.sampled_from(PrincipalKind),
    party=st.one_of(IDS.map(str), st.text(max_size=3)),
    subjects=st.frozensets(IDS, max_size=3),
    asked=IDS,
    is_listed=st.booleans(),
)
def test_only_a_subject_and_their_agent_act_for_them_and_neither_reaches_anybody_else(
    kind: PrincipalKind, party: str, subjects: frozenset[int], asked: int, is_listed: bool
) -> None:
    if is_listed:
        party, subjects = str(asked), subjects | {asked}
    someone = Principal(kind, party, frozenset(), subjects=subjects)

    acts = (kind == "subject" and party == str(asked)) or (kind == "agent" and asked in subjects)

    assert someone.acts_for(asked) is acts
    assert someone.reaches(asked) is (acts or kind not in {"subject", "agent"})


def test_from_outside_come_those_who_are_outside_and_no_others() -> None:
    table = {METHOD: admit(*PrincipalKind, services=["gateway"])}
    let_in = set()
    for kind in PrincipalKind:
        someone = Principal(kind, "gateway", frozenset(), subjects=frozenset({7}))
        check_admission(table, METHOD, someone)
        try:
            check_admission(table, METHOD, someone, from_outside=True)
        except Refusal as refusal:
            assert refusal.reason == "NOT_ADMITTED"
        else:
            let_in.add(kind.value)

    assert let_in == {"licensee", "subject", "agent", "operator", "auditor"}
    assert let_in == {kind.value for kind in OUTSIDE} >= {kind.value for kind in FOR_SUBJECTS}
