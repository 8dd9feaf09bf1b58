"""The log of actions is a chain: what was changed in it, or taken out of it, is found."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis.actions import NO_DIGEST, ActionHead, Begun, ChainCheck, Ended, Entry, Fault, Outcome
from tests.support.actions import NONCE, a_begun, a_begun_of, a_caller, a_chain, rechained
from tests.support.clock import NOON_US

A_LOG = a_chain(None, 1, None, None, 4, 3, None)


def head_of(entries: list[Entry]) -> ActionHead:
    return ActionHead(entries[-1].number, entries[-1].digest()) if entries else ActionHead()


def checked(entries: list[Entry], *known: ActionHead, told: ActionHead | None = None) -> Fault | None:
    check = ChainCheck(known)
    for entry in entries:
        check.add(entry)
    return check.finish(head_of(entries) if told is None else told)


def test_a_log_as_it_was_written_has_no_fault_and_names_what_has_not_ended() -> None:
    check = ChainCheck([head_of(A_LOG[:3])])
    for entry in A_LOG:
        check.add(entry)

    assert check.finish(head_of(A_LOG)) is None
    assert check.unfinished == (7,)
    assert check.head == head_of(A_LOG)


def test_an_empty_log_has_no_fault() -> None:
    assert checked([]) is None


def test_the_digest_is_of_the_fields_in_the_order_of_the_documentation() -> None:
    begun, ended = a_chain(None, 1)

    digest = hashlib.sha256(NONCE + b'{"cause":"war"}').hexdigest()
    text = (
        f'[1,{NOON_US},1,"ada",["legal","trust"],"sluice.consent.v1.StateService/OrderHalt",'
        f'"0af7651916cd43dd8448eb211c80319c","{"00" * 32}","begun","0190b8a0-0000-7000-8000-000000000001",'
        f'"{digest}",7,"reason 0"]'
    )
    assert begun.digest() == ended.previous == hashlib.sha256(text.encode()).digest()
    end = (
        f'[2,{NOON_US + 1},1,"ada",["legal","trust"],"sluice.consent.v1.StateService/OrderHalt",'
        f'"0af7651916cd43dd8448eb211c80319c","{begun.digest().hex()}","ended",1,"",0,0]'
    )
    assert ended.digest() == hashlib.sha256(end.encode()).digest()


@settings(max_examples=60)
@given(st.integers(0, len(A_LOG) - 1), st.sampled_from(["at_us", "action", "caller", "what", "previous"]))
def test_an_entry_that_was_changed_is_found_at_the_latest_at_the_next_one(index: int, field: str) -> None:
    changed: dict[str, Any] = {
        "at_us": NOON_US - 1,
        "action": 99,
        "caller": a_caller("mallory"),
        "what": a_begun("peace"),
        "previous": b"\xff" * 32,
    }
    entries = [*A_LOG]
    entries[index] = replace(entries[index], **{field: changed[field]})

    fault = checked(entries, told=head_of(A_LOG))

    assert fault is not None
    assert fault.number in {index + 1, index + 2}


@given(st.sets(st.integers(0, len(A_LOG) - 1), min_size=1))
@settings(max_examples=60)
def test_entries_that_were_taken_out_are_found(taken: set[int]) -> None:
    left = [entry for index, entry in enumerate(A_LOG) if index not in taken]

    fault = checked(left, told=head_of(A_LOG))

    assert fault is not None
    assert fault.number == min(taken) + 1


@given(st.integers(1, len(A_LOG)))
def test_a_log_that_was_cut_and_written_on_is_found_by_a_head_from_before(cut: int) -> None:
    known = head_of(A_LOG)
    forged = rechained([*A_LOG[: cut - 1], replace(A_LOG[cut - 1], at_us=NOON_US - 7)])

    assert checked(A_LOG, known) is None
    assert checked(forged, known) is not None


def test_a_log_written_anew_is_not_found_without_a_head_from_before() -> None:
    # Which is why whoever checks keeps the head.
    forged = rechained([replace(A_LOG[0], caller=a_caller("mallory")), *A_LOG[1:]])

    assert checked(forged) is None
    assert checked(forged, head_of(A_LOG[:2])) == Fault(2, "it is not the entry that was known")


@pytest.mark.parametrize("ends", [(1,), (None, 2), (None, 1, 1)])
def test_an_end_of_what_was_never_begun_is_a_fault(ends: tuple[int | None, ...]) -> None:
    assert checked(a_chain(*ends)) == Fault(len(ends), "it ends an action that is not under way")


def test_c11_what_a_request_said_can_be_forgotten_and_the_chain_still_holds() -> None:
    begun = Entry(1, NOON_US, 1, a_caller(), NO_DIGEST, a_begun_of(7))
    ended = Entry(2, NOON_US, 1, a_caller(), begun.digest(), Ended(Outcome.DONE))
    forgotten = replace(begun, what=a_begun_of(7).forgotten())

    assert forgotten.digest() == begun.digest()
    assert checked([forgotten, ended]) is None
    assert isinstance(forgotten.what, Begun)
    assert (forgotten.what.request, forgotten.what.nonce, forgotten.what.subject_id) == ("", b"", None)


def test_a_request_that_was_changed_is_found_at_its_own_entry() -> None:
    changed = replace(a_begun(), request='{"cause":"peace"}')

    assert checked([replace(A_LOG[0], what=changed)]) == Fault(1, "its request is not the one that was made")


def test_half_a_character_in_an_entry_does_not_keep_the_next_one_out() -> None:
    halves = [Entry(1, NOON_US, 1, a_caller(half), NO_DIGEST, a_begun()) for half in ("\ud800", "\udfff")]

    assert halves[0].digest() != halves[1].digest()


def test_the_digest_tells_an_end_from_a_beginning_and_one_outcome_from_another() -> None:
    whats: list[Begun | Ended] = [
        Begun(),
        *(Ended(outcome) for outcome in Outcome),
        Ended(Outcome.DONE, answers=1),
    ]
    digests = {Entry(1, NOON_US, 1, a_caller(), NO_DIGEST, what).digest() for what in whats}

    assert len(digests) == len(whats)
