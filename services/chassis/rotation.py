"""Replaces the key that tokens are signed with, while they are signed and checked.

The folder is usable at each moment: whatever signs is published, and has been before it signed. Killed
anywhere, the command is given again and goes on where it was.

1. The next private key is made, in a file of its own.
2. It is published, beside the one that signs, which names it as its successor. Keys whose time is over go.
3. It takes the place of the one that signs, by one rename; minters notice by themselves.
4. The one that signed before gets the time until which what it signed is accepted: its `exp`.
"""

import contextlib
import enum
import fcntl
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from services.chassis.jwks import SECOND_US, is_for_signatures, parse_jwks
from services.chassis.keys import (
    ensure_private_key,
    load_private_key,
    public_jwk,
    remove_drafts,
    replace_jwks,
)
from services.chassis.refusals import Refusal, precondition
from services.chassis.whole_files import sync_folder

SUCCESSOR = "successor"
"""A member of a JWK of ours: the kid of the key that takes its place. Readers of keys pass over it."""


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
    RETIRED = "retired"  # no longer signs, and counts until its end
    OVER = "over"  # counts no more
    OTHER = "other"  # of somebody else, who has put it there


@dataclass(frozen=True)
class ListedKey:
    """One published key."""

    kid: str
    state: KeyState
    until_us: int | None
    """From when on it counts no more, in microseconds since the epoch; None where no end is known."""


@dataclass(frozen=True)
class KeyPair:
    """A private key, and the JWKS file in which its public half is published."""

    private: Path
    jwks: Path

    @property
    def next(self) -> Path:
        """Where the next private key lies until it signs."""
        return self.private.with_name(f"{self.private.stem}.next{self.private.suffix}")


def _anywhere(_step: Step) -> None:
    """Nobody wants to know."""


def rotate(
    pair: KeyPair, now_us: int, overlap_us: int, at_step: Callable[[Step], None] = _anywhere
) -> list[ListedKey]:
    """Replaces the key of `pair`, or brings a rotation to its end that was stopped; all keys after that.

    What the old key signed is accepted for `overlap_us` more, in microseconds, rounded up to a second.
    `at_step` is called after each step. Raises Refusal (precondition): ROTATION_UNDER_WAY, KEY_UNREADABLE,
    KEYS_UNREADABLE; and OSError.
    """
    with _alone(pair):
        if pair.next.exists() or not _left_outgoing(pair):
            _publish_next(pair, now_us, at_step)
            # One rename: there is no moment without a key that signs, nor one with half of it.
            pair.next.replace(pair.private)
            sync_folder(pair.private.parent)
            at_step(Step.SWITCHED)
        end = -(-(now_us + overlap_us) // SECOND_US)
        outgoing = _left_outgoing(pair)
        replace_jwks(pair.jwks, [jwk | {"exp": end} if jwk in outgoing else jwk for jwk in _published(pair)])
        at_step(Step.RETIRED)
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
        elif until_us is not None:
            state = KeyState.OVER if _is_over(jwk, now_us) else KeyState.RETIRED
        elif jwk.get(SUCCESSOR) == signing:
            state = KeyState.OUTGOING
        else:
            state = KeyState.NEXT if jwk["kid"] in successors else KeyState.OTHER
        found.append(ListedKey(jwk["kid"], state, until_us))
    return found


def _publish_next(pair: KeyPair, now_us: int, at_step: Callable[[Step], None]) -> None:
    # Only a rotation writes there, and there is one: these are of one that was killed, and are secret.
    remove_drafts(pair.next)
    following = public_jwk(ensure_private_key(pair.next).public_key())
    at_step(Step.NEXT_MADE)
    signing = _kid(pair.private)
    kept = []
    for jwk in _published(pair):
        if not is_for_signatures(jwk):
            # Somebody has put it there to encrypt with: it stays as it is, with a kid or without.
            kept.append(jwk)
        elif jwk["kid"] != following["kid"] and not _is_over(jwk, now_us):
            kept.append(jwk | {SUCCESSOR: following["kid"]} if jwk["kid"] == signing else jwk)
    replace_jwks(pair.jwks, [*kept, following])
    at_step(Step.PUBLISHED)


def _is_over(jwk: dict[str, Any], now_us: int) -> bool:
    return "exp" in jwk and bool(jwk["exp"] * SECOND_US <= now_us)


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
    except (ValueError, KeyError, TypeError, AttributeError, OSError, jwt.PyJWTError) as error:
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
