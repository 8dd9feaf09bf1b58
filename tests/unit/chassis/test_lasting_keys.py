"""Keys of what is kept (R6): each stays published with its validity, whatever happens to a rotation."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from services.chassis.keys import KeyPair, Keys, load_private_key, public_jwk
from services.chassis.refusals import Refusal
from services.chassis.rotation import KeyState, Step, announce, listed, revoke, rotate
from services.licensing.signing import ReceiptSigner
from sluice_gate.errors import VerificationError
from sluice_gate.verifying.claims import signed_claims
from sluice_gate.verifying.keys import load_keys
from tests.support.clock import NOON_US, ManualClock
from tests.support.gate import FakeReleases
from tests.support.keys import some_keys
from tests.support.release_jobs import a_request
from tests.unit.chassis.test_rotation import killed_at

HOUR_US = 3_600_000_000
SECOND_US = 1_000_000
REQUEST = a_request(2)


class Stopped(Exception):  # noqa: N818 - it stands for the death of the process
    """The rotation ends here."""


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return some_keys(tmp_path)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def kid_of(pair: KeyPair) -> str:
    return public_jwk(load_private_key(pair.private).public_key())["kid"]


def states(pair: KeyPair, clock: ManualClock) -> dict[str, KeyState]:
    return {key.kid: key.state for key in listed(pair, clock.now_us())}


def published(pair: KeyPair, kid: str) -> dict[str, Any]:
    (jwk,) = [jwk for jwk in json.loads(pair.jwks.read_bytes())["keys"] if jwk["kid"] == kid]
    return dict(jwk)


def a_receipt(keys: Keys, clock: ManualClock) -> str:
    """Of a decision at this moment, signed as licensing signs."""
    releases = FakeReleases()
    releases.clock.advance(clock.now_us() - NOON_US)
    payload = releases.conclude(REQUEST).decision.receipt.split(".")[1]
    return ReceiptSigner(keys.receipts).sign(base64.urlsafe_b64decode(payload + "=="), clock.now_us())


def reason_of(receipt: str, keys: Keys) -> str | None:
    """Why the receipt is refused with the keys as they are published now; None where it is not."""
    try:
        signed_claims(receipt, load_keys(keys.receipt_jwks))
    except VerificationError as error:
        return error.reason
    return None


@pytest.mark.parametrize("years", [0, 1, 30])
def test_r6_what_was_signed_with_each_key_of_a_history_verifies_for_ever(
    keys: Keys, clock: ManualClock, years: int
) -> None:
    receipts = []
    for _ in range(4):
        receipts.append(a_receipt(keys, clock))
        rotate(keys.receipts, clock, HOUR_US)
        clock.advance(years * 365 * 24 * HOUR_US)

    assert [reason_of(receipt, keys) for receipt in receipts] == [None] * 4
    assert sorted(states(keys.receipts, clock).values()) == ["retired"] * 4 + ["signing"]


def test_r6_a_key_is_valid_from_a_little_before_its_publication_until_the_overlap_is_over(
    keys: Keys, clock: ManualClock
) -> None:
    first = kid_of(keys.receipts)
    rotate(keys.receipts, clock, HOUR_US)
    second = kid_of(keys.receipts)

    assert "nbf" not in published(keys.receipts, first)
    assert published(keys.receipts, first)["exp"] == (NOON_US + HOUR_US) // SECOND_US
    assert published(keys.receipts, second)["nbf"] == NOON_US // SECOND_US - 60
    assert "exp" not in published(keys.receipts, second)


def test_r6_the_end_of_a_key_is_told_by_the_clock_after_the_change_over(
    keys: Keys, clock: ManualClock
) -> None:
    first = kid_of(keys.receipts)

    def dawdle(step: Step) -> None:
        if step is Step.PUBLISHED:
            clock.advance(2 * HOUR_US)

    rotate(keys.receipts, clock, HOUR_US, dawdle)

    assert published(keys.receipts, first)["exp"] == (NOON_US + 3 * HOUR_US) // SECOND_US


@pytest.mark.slow
def test_r6_killed_at_any_line_whatever_signs_is_published_and_the_command_can_be_given_again(
    tmp_path: Path,
) -> None:
    line, killed = 0, True
    while killed:
        clock, keys = ManualClock(), some_keys(tmp_path / str(line))
        first, before = kid_of(keys.receipts), a_receipt(keys, clock)

        killed = killed_at(line, lambda: rotate(keys.receipts, clock, HOUR_US))  # noqa: B023 - at once
        between = a_receipt(keys, clock)
        if states(keys.receipts, clock).get(first) is not KeyState.RETIRED:
            clock.advance(48 * HOUR_US)
            rotate(keys.receipts, clock, HOUR_US)

        receipts = (before, between, a_receipt(keys, clock))
        assert [reason_of(receipt, keys) for receipt in receipts] == [None] * 3
        assert states(keys.receipts, clock)[first] is KeyState.RETIRED
        assert len(states(keys.receipts, clock)) == 2
        line += 1

    assert line > 60


@pytest.mark.parametrize("last", [step for step in Step if step is not Step.RETIRED])
@pytest.mark.parametrize("sort", ["receipts", "checkpoints"])
def test_r6_stopped_after_any_step_whatever_signs_is_published_and_the_command_can_be_given_again(
    keys: Keys, clock: ManualClock, last: Step, sort: str
) -> None:
    pair: KeyPair = getattr(keys, sort)
    first, before = kid_of(pair), a_receipt(keys, clock)

    def stop(step: Step) -> None:
        if step is last:
            raise Stopped

    with pytest.raises(Stopped):
        rotate(pair, clock, HOUR_US, stop)
    between = a_receipt(keys, clock)
    clock.advance(48 * HOUR_US)
    rotate(pair, clock, HOUR_US)
    after = a_receipt(keys, clock)

    assert [reason_of(receipt, keys) for receipt in (before, between, after)] == [None] * 3
    assert states(pair, clock) == {first: KeyState.RETIRED, kid_of(pair): KeyState.SIGNING}
    assert not pair.next.exists()


def test_r6_a_key_that_was_announced_is_the_one_that_a_later_rotation_changes_to(
    keys: Keys, clock: ManualClock
) -> None:
    pair = keys.checkpoints
    first = kid_of(pair)
    announce(pair, clock)
    (second,) = [kid for kid, state in states(pair, clock).items() if state is KeyState.NEXT]
    clock.advance(24 * 30 * HOUR_US)

    again = {key.kid: key.state for key in announce(pair, clock)}
    kept_nbf = published(pair, second)["nbf"]
    rotate(pair, clock, HOUR_US)

    assert again == {first: KeyState.SIGNING, second: KeyState.NEXT}
    assert kept_nbf == NOON_US // SECOND_US - 60
    assert states(pair, clock) == {first: KeyState.RETIRED, second: KeyState.SIGNING}


def test_r6_nothing_is_announced_while_a_rotation_has_to_be_ended(keys: Keys, clock: ManualClock) -> None:
    def stop(step: Step) -> None:
        if step is Step.SWITCHED:
            raise Stopped

    with pytest.raises(Stopped):
        rotate(keys.receipts, clock, HOUR_US, stop)

    with pytest.raises(Refusal, match="ROTATION_UNDER_WAY"):
        announce(keys.receipts, clock)


def test_r6_what_a_revoked_key_signed_since_then_is_refused_and_what_is_older_is_not(
    keys: Keys, clock: ManualClock
) -> None:
    first, receipts = kid_of(keys.receipts), []
    for _ in range(3):
        receipts.append(a_receipt(keys, clock))
        clock.advance(HOUR_US)
    rotate(keys.receipts, clock, HOUR_US)
    theft_us = NOON_US + HOUR_US

    revoke(keys.receipts, first, theft_us, clock.now_us())

    assert [reason_of(receipt, keys) for receipt in receipts] == [None, "KEY_REVOKED", "KEY_REVOKED"]
    assert signed_claims(receipts[0], load_keys(keys.receipt_jwks)).key.is_revoked
    assert states(keys.receipts, clock) == {first: KeyState.REVOKED, kid_of(keys.receipts): KeyState.SIGNING}
    assert reason_of(a_receipt(keys, clock), keys) is None


def test_r6_a_revocation_is_never_taken_back(keys: Keys, clock: ManualClock) -> None:
    first = kid_of(keys.receipts)
    rotate(keys.receipts, clock, HOUR_US)
    ends = []

    for since_us in (NOON_US - 5 * SECOND_US, NOON_US - 1, NOON_US - 9 * SECOND_US):
        revoke(keys.receipts, first, since_us, clock.now_us())
        ends.append(NOON_US // SECOND_US - published(keys.receipts, first)["exp"])
    rotate(keys.receipts, clock, HOUR_US)

    assert ends == [5, 5, 9]
    assert published(keys.receipts, first)["revoked"] is True


def test_r6_an_announced_key_that_is_revoked_never_signs(keys: Keys, clock: ManualClock) -> None:
    announce(keys.receipts, clock)
    (leaked,) = [kid for kid, state in states(keys.receipts, clock).items() if state is KeyState.NEXT]

    revoke(keys.receipts, leaked, NOON_US, clock.now_us())
    rotate(keys.receipts, clock, HOUR_US)

    assert kid_of(keys.receipts) != leaked
    assert states(keys.receipts, clock)[leaked] is KeyState.REVOKED
    assert reason_of(a_receipt(keys, clock), keys) is None


def test_r6_a_retired_key_that_is_put_back_as_the_next_one_is_not_changed_to(
    keys: Keys, clock: ManualClock
) -> None:
    old = keys.receipt_private.read_bytes()
    rotate(keys.receipts, clock, HOUR_US)
    keys.receipts.next.write_bytes(old)

    with pytest.raises(Refusal, match="KEY_RETIRED"):
        rotate(keys.receipts, clock, HOUR_US)


def test_r6_the_key_that_signs_is_replaced_before_it_can_be_revoked(keys: Keys, clock: ManualClock) -> None:
    signing, before = kid_of(keys.receipts), keys.receipt_jwks.read_bytes()
    refused = []

    for kid, since_us in ((signing, NOON_US), ("another", NOON_US), (signing, NOON_US + 1)):
        with pytest.raises(Refusal) as refusal:
            revoke(keys.receipts, kid, since_us, NOON_US)
        refused.append(refusal.value.reason)

    assert refused == ["KEY_SIGNS", "KEY_UNKNOWN", "SINCE_IN_FUTURE"]
    assert keys.receipt_jwks.read_bytes() == before
