"""Replaces a key while it signs and is checked with.

The folder is usable at each moment: whatever signs is published, and has been before it signed. Killed
anywhere, the command is given again and goes on where it was.

1. The next private key is made, in a file of its own.
2. It is published, beside the one that signs, which names it as its successor. Keys of tokens whose time is
   over go; those of what is kept stay for ever, each with its validity (R6).
3. It takes the place of the one that signs, by one rename; who signs notices by itself.
4. The one that signed before gets its end, `exp`. What it signed counts until then if it is a token; if it is
   kept, what says that it was signed before then counts for ever.

The first two can be done ahead (`announce`), so that others know the next key before it signs.
"""

import contextlib
import enum
import fcntl
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.chassis.clock import Clock
from services.chassis.jwks import NO_JWKS, SECOND_US, is_for_signatures, parse_jwks
from services.chassis.keys import (
    KeyPair,
    ensure_private_key,
    load_private_key,
    public_jwk,
    remove_drafts,
    replace_jwks,
)
from services.chassis.refusals import Refusal, invalid, not_found, precondition
from services.chassis.whole_files import sync_folder

SUCCESSOR = "successor"
"""A member of a JWK of ours: the kid of the key that takes its place. Readers of keys pass over it."""
REVOKED = "revoked"
"""Another: true where somebody else may have the key, since its `exp` at the latest."""
SLACK_US = 60 * SECOND_US
"""More than clocks of one installation differ by: a key is valid from so long before it is published, and
what is kept takes an overlap of at least as much, lest something honest be refused for ever."""


class Step(enum.Enum):
    """The moments of a rotation between which it can die."""

    NEXT_MADE = enum.auto()
    PUBLISHED = enum.auto()
    SWITCHED = enum.auto()
    RETIRED = enum.auto()


class KeyState(enum.StrEnum):
    """What a published key is for."""

    SIGNING = "signing"
    NEXT = "next"  # published by a rotation that has not come to its end
    OUTGOING = "outgoing"  # no longer signs; a rotation was stopped before it could say until when it counts
    RETIRED = "retired"  # no longer signs, and counts until its end, or for ever for what is from before
    OVER = "over"  # counts no more
    REVOKED = "revoked"  # no longer signs, and somebody else may have it
    OTHER = "other"  # of somebody else, who has put it there


@dataclass(frozen=True)
class ListedKey:
    """One published key."""

    kid: str
    state: KeyState
    until_us: int | None
    """Its end, in microseconds since the epoch; None where none is known."""


def _anywhere(_step: Step) -> None:
    """Nobody wants to know."""


def rotate(
    pair: KeyPair, clock: Clock, overlap_us: int, at_step: Callable[[Step], None] = _anywhere
) -> list[ListedKey]:
    """Replaces the key of `pair`, or brings a rotation to its end that was stopped; all keys after that.

    The old key has its end `overlap_us` later, in microseconds, rounded up to a second. `at_step` is called
    after each step. Raises Refusal (precondition): ROTATION_UNDER_WAY, KEY_UNREADABLE, KEYS_UNREADABLE,
    KEY_RETIRED; and OSError.
    """
    with _alone(pair):
        if pair.next.exists() or not _left_outgoing(pair):
            _publish_next(pair, clock.now_us(), at_step)
            # One rename: there is no moment without a key that signs, nor one with half of it.
            pair.next.replace(pair.private)
            sync_folder(pair.private.parent)
            at_step(Step.SWITCHED)
        # By a clock that is read after the change-over: until then, the old key has signed.
        end = -(-(clock.now_us() + overlap_us) // SECOND_US)
        outgoing = _left_outgoing(pair)
        replace_jwks(pair.jwks, [jwk | {"exp": end} if jwk in outgoing else jwk for jwk in _published(pair)])
        at_step(Step.RETIRED)
        return listed(pair, clock.now_us())


def announce(pair: KeyPair, clock: Clock, at_step: Callable[[Step], None] = _anywhere) -> list[ListedKey]:
    """Publishes the next key of `pair` and leaves it at that; the next `rotate` goes on from there.

    Given again, it changes nothing. Raises as `rotate`; ROTATION_UNDER_WAY also where one has to be ended.
    """
    with _alone(pair):
        if _left_outgoing(pair):
            raise precondition("ROTATION_UNDER_WAY", "a rotation was cut short: rotate once more to end it")
        _publish_next(pair, clock.now_us(), at_step)
        return listed(pair, clock.now_us())


def revoke(pair: KeyPair, kid: str, since_us: int, now_us: int) -> list[ListedKey]:
    """Says of a key that somebody else may have it, since `since_us` at the latest; all keys after that.

    It cannot be taken back: given again, the earlier time stands. An announced key that is revoked will never
    sign. Raises Refusal: KEY_UNKNOWN (not found), SINCE_IN_FUTURE (invalid), KEY_SIGNS (precondition) for the
    one that signs, which has to be replaced first, and as `rotate`; and OSError.
    """
    if since_us > now_us:
        raise invalid("SINCE_IN_FUTURE", "a key is revoked since a time that has come")
    with _alone(pair):
        if kid not in {key.kid for key in listed(pair, now_us)}:
            raise not_found("KEY_UNKNOWN", f"there is no key {kid} among those of {pair.jwks.name}")
        if kid == _kid(pair.private):
            raise precondition("KEY_SIGNS", "this key signs: rotate first, then revoke it")
        if pair.next.exists() and kid == _kid(pair.next):
            # Before it is marked: killed in between, it is one more key without a use.
            pair.next.unlink()
            sync_folder(pair.next.parent)
        since = since_us // SECOND_US
        replace_jwks(
            pair.jwks,
            [
                jwk | {"exp": min(since, jwk.get("exp", since)), REVOKED: True}
                if jwk.get("kid") == kid
                else jwk
                for jwk in _published(pair)
            ],
        )
        return listed(pair, now_us)


def listed(pair: KeyPair, now_us: int) -> list[ListedKey]:
    """Every published key that can check a signature, and its state.

    Raises Refusal (precondition): KEY_UNREADABLE, KEYS_UNREADABLE.
    """
    signing = _kid(pair.private)
    jwks = [jwk for jwk in _published(pair) if is_for_signatures(jwk)]
    successors = {jwk.get(SUCCESSOR) for jwk in jwks}
    found = []
    for jwk in jwks:
        until_us = jwk["exp"] * SECOND_US if "exp" in jwk else None
        if jwk["kid"] == signing:
            state = KeyState.SIGNING
        elif jwk.get(REVOKED):
            state = KeyState.REVOKED
        elif until_us is not None:
            state = KeyState.OVER if _is_over(pair, jwk, now_us) else KeyState.RETIRED
        elif jwk.get(SUCCESSOR) == signing:
            state = KeyState.OUTGOING
        else:
            state = KeyState.NEXT if jwk["kid"] in successors else KeyState.OTHER
        found.append(ListedKey(jwk["kid"], state, until_us))
    return found


def _publish_next(pair: KeyPair, now_us: int, at_step: Callable[[Step], None]) -> None:
    # Only a rotation writes there, and there is one: these are of one that was killed, and are secret.
    remove_drafts(pair.next)
    following = _with_validity(pair, public_jwk(ensure_private_key(pair.next).public_key()), now_us)
    at_step(Step.NEXT_MADE)
    signing = _kid(pair.private)
    kept = []
    for jwk in _published(pair):
        if not is_for_signatures(jwk):
            # Somebody has put it there to encrypt with: it stays as it is, with a kid or without.
            kept.append(jwk)
        elif jwk["kid"] != following["kid"] and not _is_over(pair, jwk, now_us):
            kept.append(jwk | {SUCCESSOR: following["kid"]} if jwk["kid"] == signing else jwk)
    replace_jwks(pair.jwks, [*kept, following])
    at_step(Step.PUBLISHED)


def _with_validity(pair: KeyPair, following: dict[str, str], now_us: int) -> dict[str, Any]:
    """The next key as it is published, or has been since it was announced."""
    for jwk in _published(pair):
        if jwk.get("kid") == following["kid"]:
            if "exp" in jwk:
                raise precondition(
                    "KEY_RETIRED", f"the key in {pair.next.name} had its end, and signs no more"
                )
            return jwk
    return following | ({"nbf": (now_us - SLACK_US) // SECOND_US} if pair.is_for_good else {})


def _is_over(pair: KeyPair, jwk: dict[str, Any], now_us: int) -> bool:
    return not pair.is_for_good and "exp" in jwk and bool(jwk["exp"] * SECOND_US <= now_us)


def _left_outgoing(pair: KeyPair) -> list[dict[str, Any]]:
    """Keys that the one that signs now has replaced, and that have no end yet."""
    signing = _kid(pair.private)
    return [jwk for jwk in _published(pair) if jwk.get(SUCCESSOR) == signing and "exp" not in jwk]


def _published(pair: KeyPair) -> list[dict[str, Any]]:
    try:
        content = pair.jwks.read_bytes()
        # As those will read it who check tokens with it.
        parse_jwks(content)
        return list(json.loads(content)["keys"])
    except (OSError, *NO_JWKS) as error:
        raise precondition("KEYS_UNREADABLE", f"the published keys {pair.jwks.name} are no JWKS") from error


def _kid(private: Path) -> str:
    return public_jwk(load_private_key(private).public_key())["kid"]


@contextlib.contextmanager
def _alone(pair: KeyPair) -> Iterator[None]:
    """Keeps others from rotating here; the kernel lets go when the process ends, however it ends."""
    with pair.private.with_name(f".{pair.private.stem}.lock").open("a", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _under_way() from None
        yield


def _under_way() -> Refusal:
    return precondition("ROTATION_UNDER_WAY", "another process is rotating this key")
