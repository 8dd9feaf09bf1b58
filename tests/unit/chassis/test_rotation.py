"""Rotation of the key of tokens: who signs is published, what was signed counts, and no death breaks it."""

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from services.chassis import keys as keys_module
from services.chassis import rotation as rotation_module
from services.chassis.identity import PrincipalKind
from services.chassis.keys import KeyPair, Keys, load_private_key, public_jwk
from services.chassis.refusals import Refusal
from services.chassis.rotation import KeyState, Step, listed, rotate
from tests.support.clock import ManualClock
from tests.support.keys import a_minter, a_verifier, some_keys

HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
KILLED = 9


class Stopped(Exception):  # noqa: N818 - it stands for the death of the process
    """The rotation ends here."""


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return some_keys(tmp_path)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def pair_of(keys: Keys) -> KeyPair:
    return keys.tokens


def kid_of(keys: Keys) -> str:
    return public_jwk(load_private_key(keys.token_private).public_key())["kid"]


def states(keys: Keys, now_us: int) -> dict[str, KeyState]:
    return {key.kid: key.state for key in listed(pair_of(keys), now_us)}


def test_a_running_minter_and_a_running_verifier_change_over_by_themselves(
    keys: Keys, clock: ManualClock
) -> None:
    minter, verifier = a_minter(keys, clock), a_verifier(keys, clock)
    before = minter.mint(PrincipalKind.PIPELINE, "export-1")
    verifier.verify(before)

    rotate(pair_of(keys), clock, HOUR_US)
    after = minter.mint(PrincipalKind.PIPELINE, "export-1")

    assert after != before
    assert [verifier.verify(token).party for token in (before, after)] == ["export-1", "export-1"]


def test_what_the_old_key_signed_counts_until_the_overlap_is_over(keys: Keys, clock: ManualClock) -> None:
    verifier = a_verifier(keys, clock)
    token = a_minter(keys, clock).mint(PrincipalKind.PIPELINE, "export-1")
    rotate(pair_of(keys), clock, 5 * MINUTE_US)

    clock.advance(5 * MINUTE_US - 1)
    assert verifier.verify(token).party == "export-1"
    clock.advance(1)
    for each in (verifier, a_verifier(keys, clock)):
        with pytest.raises(Refusal, match="TOKEN_EXPIRED"):
            each.verify(token)


def test_a_key_whose_time_is_over_goes_at_the_next_rotation(keys: Keys, clock: ManualClock) -> None:
    first = kid_of(keys)
    rotate(pair_of(keys), clock, HOUR_US)
    second = kid_of(keys)
    assert states(keys, clock.now_us()) == {first: KeyState.RETIRED, second: KeyState.SIGNING}

    clock.advance(HOUR_US)
    assert states(keys, clock.now_us())[first] is KeyState.OVER
    rotate(pair_of(keys), clock, HOUR_US)

    assert states(keys, clock.now_us()) == {second: KeyState.RETIRED, kid_of(keys): KeyState.SIGNING}


def test_a_second_rotation_inside_the_overlap_keeps_both_old_keys(keys: Keys, clock: ManualClock) -> None:
    verifier, minter = a_verifier(keys, clock), a_minter(keys, clock)
    tokens = []
    for party in ("one", "two", "three"):
        tokens.append(minter.mint(PrincipalKind.PIPELINE, party))
        rotate(pair_of(keys), clock, HOUR_US)

    assert [verifier.verify(token).party for token in tokens] == ["one", "two", "three"]
    assert sorted(states(keys, clock.now_us()).values()) == ["retired", "retired", "retired", "signing"]


def test_a_key_that_somebody_else_has_put_there_stays_as_it_is(keys: Keys, clock: ManualClock) -> None:
    document = json.loads(keys.token_jwks.read_bytes())
    foreign = public_jwk(load_private_key(keys.receipt_private).public_key())
    keys.token_jwks.write_text(json.dumps({"keys": [*document["keys"], foreign]}))

    rotate(pair_of(keys), clock, HOUR_US)

    assert foreign in json.loads(keys.token_jwks.read_bytes())["keys"]
    assert states(keys, clock.now_us())[foreign["kid"]] is KeyState.OTHER


def test_the_next_key_is_published_before_it_signs(keys: Keys, clock: ManualClock) -> None:
    seen: dict[Step, tuple[bool, int]] = {}
    verifier = a_verifier(keys, clock)

    def look(step: Step) -> None:
        token = a_minter(keys, clock).mint(PrincipalKind.PIPELINE, "export-1")
        verifier.verify(token)
        seen[step] = kid_of(keys) == first, len(json.loads(keys.token_jwks.read_bytes())["keys"])

    first = kid_of(keys)
    rotate(pair_of(keys), clock, HOUR_US, look)

    assert seen == {
        Step.NEXT_MADE: (True, 1),
        Step.PUBLISHED: (True, 2),
        Step.SWITCHED: (False, 2),
        Step.RETIRED: (False, 2),
    }


def check_usable(keys: Keys, clock: ManualClock, token: str) -> None:
    """What was signed before counts, what is signed now counts, and what is secret is for its owner alone."""
    verifier = a_verifier(keys, clock)
    assert verifier.verify(token).party == "before"
    assert verifier.verify(a_minter(keys, clock).mint(PrincipalKind.PIPELINE, "now")).party == "now"
    for path in keys.token_private.parent.iterdir():
        if b"PRIVATE" in path.read_bytes():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def check_repeatable(keys: Keys, clock: ManualClock, token: str, first: str) -> None:
    """Given again, the command brings the rotation to its end: one new key, and an end of the old one."""
    rotate(pair_of(keys), clock, HOUR_US)
    check_usable(keys, clock, token)
    assert states(keys, clock.now_us()) == {first: KeyState.RETIRED, kid_of(keys): KeyState.SIGNING}
    assert b"PRIVATE" in keys.token_private.read_bytes()
    secret = [path for path in keys.token_private.parent.iterdir() if b"PRIVATE" in path.read_bytes()]
    assert sorted(path.name for path in secret) == [
        "checkpoint-signing.pem",
        "receipt-signing.pem",
        "token-signing.pem",
    ]
    clock.advance(HOUR_US)
    with pytest.raises(Refusal, match="TOKEN_EXPIRED"):
        a_verifier(keys, clock).verify(token)


@pytest.mark.parametrize("last", [step for step in Step if step is not Step.RETIRED])
def test_stopped_after_any_step_the_folder_is_usable_and_the_command_can_be_given_again(
    keys: Keys, clock: ManualClock, last: Step
) -> None:
    first, token = kid_of(keys), a_minter(keys, clock).mint(PrincipalKind.PIPELINE, "before")

    def stop(step: Step) -> None:
        if step is last:
            raise Stopped

    with pytest.raises(Stopped):
        rotate(pair_of(keys), clock, HOUR_US, stop)

    check_usable(keys, clock, token)
    check_repeatable(keys, clock, token, first)


def killed_at(line: int, work: Callable[[], object]) -> bool:
    """Runs `work` in a process that is gone at its so-manieth line in our code; whether it came so far.

    No `finally` runs in it: that is what a kill is.
    """
    left = line

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in {keys_module.__file__, rotation_module.__file__}:
            return None
        if event == "line":
            left -= 1
            if left < 0:
                os._exit(KILLED)
        return trace

    child = os.fork()
    if child == 0:
        sys.settrace(trace)
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


@pytest.mark.slow
def test_killed_at_any_line_the_folder_is_usable_and_the_command_can_be_given_again(tmp_path: Path) -> None:
    line = 0
    while True:
        clock, keys = ManualClock(), some_keys(tmp_path / str(line))
        first, token = kid_of(keys), a_minter(keys, clock).mint(PrincipalKind.PIPELINE, "before")

        killed = killed_at(line, lambda: rotate(pair_of(keys), clock, HOUR_US))  # noqa: B023 - at once

        check_usable(keys, clock, token)
        if not killed:
            break
        finished = states(keys, clock.now_us()) == {first: KeyState.RETIRED, kid_of(keys): KeyState.SIGNING}
        if not finished:
            check_repeatable(keys, clock, token, first)
        line += 1

    assert line > 60


def test_two_who_rotate_at_once_are_one(keys: Keys, clock: ManualClock) -> None:
    refused: list[str] = []

    def rotate_too(_step: Step) -> None:
        with pytest.raises(Refusal) as refusal:
            rotate(pair_of(keys), clock, HOUR_US)
        refused.append(refusal.value.reason)

    rotate(pair_of(keys), clock, HOUR_US, rotate_too)

    assert refused == ["ROTATION_UNDER_WAY"] * 4
    assert len(states(keys, clock.now_us())) == 2


@pytest.mark.parametrize("odd", [{}, {"kid": "mine", "exp": "never"}, {"kid": None}], ids=str)
def test_a_key_that_is_there_to_encrypt_with_is_left_alone_whatever_it_is_called(
    keys: Keys, clock: ManualClock, odd: dict[str, object]
) -> None:
    encrypting: dict[str, object] = {"kty": "OKP", "crv": "X25519", "x": "AAAA", "use": "enc"} | odd
    document = json.loads(keys.token_jwks.read_bytes())
    document["keys"].append(encrypting)
    keys.token_jwks.write_text(json.dumps(document))
    signing = kid_of(keys)

    before = states(keys, clock.now_us())
    rotate(pair_of(keys), clock, HOUR_US)

    assert before == {signing: KeyState.SIGNING}
    assert states(keys, clock.now_us()) == {signing: KeyState.RETIRED, kid_of(keys): KeyState.SIGNING}
    assert encrypting in json.loads(keys.token_jwks.read_bytes())["keys"]


@pytest.mark.parametrize("end", ["soon", 1.5, True, None])
def test_an_end_that_cannot_be_read_is_not_taken_for_none(keys: Keys, end: object) -> None:
    document = json.loads(keys.token_jwks.read_bytes())
    document["keys"][0]["exp"] = end
    keys.token_jwks.write_text(json.dumps(document))

    with pytest.raises(Refusal, match="KEYS_UNAVAILABLE"):
        a_verifier(keys)
    with pytest.raises(Refusal, match="KEYS_UNREADABLE"):
        rotate(pair_of(keys), ManualClock(), HOUR_US)


def test_a_key_that_ended_at_the_epoch_counts_for_nothing(keys: Keys, clock: ManualClock) -> None:
    token = a_minter(keys, clock).mint(PrincipalKind.PIPELINE, "export-1")
    document = json.loads(keys.token_jwks.read_bytes())
    document["keys"][0]["exp"] = 0
    keys.token_jwks.write_text(json.dumps(document))

    with pytest.raises(Refusal, match="TOKEN_EXPIRED"):
        a_verifier(keys, clock).verify(token)


def test_a_minter_whose_key_is_gone_signs_nothing(keys: Keys, clock: ManualClock) -> None:
    minter = a_minter(keys, clock)
    minter.mint(PrincipalKind.PIPELINE, "export-1")
    keys.token_private.unlink()

    with pytest.raises(Refusal, match="KEYS_UNAVAILABLE"):
        minter.mint(PrincipalKind.PIPELINE, "export-1")
