"""Who the command line is: a token it was given, or one it mints with the keys of a local installation."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.chassis.minting import TOKEN_LIFETIME_US, TokenMinter
from services.chassis.refusals import unauthenticated
from services.console.installation import StateFolder

TOKEN_VARIABLE = "SLUICE_TOKEN"  # noqa: S105 - the variable's name, not a token
API_KEY_VARIABLE = "SLUICE_API_KEY"
ISSUER = AUDIENCE = "sluice"

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What can stand after "Bearer" (RFC 6750, 2.1)."""

TokenSource = Callable[[], str]
"""Gives a token that is valid now."""


@dataclass(frozen=True)
class Local:
    """A principal of a local installation."""

    kind: PrincipalKind
    party: str
    roles: Sequence[str] = ()


OPERATOR = Local(PrincipalKind.OPERATOR, "local-operator", ("trust", "legal", "finance", "admin"))
PIPELINE = Local(PrincipalKind.PIPELINE, "local-pipeline")


def a_subject(subject_id: int) -> Local:
    """Somebody whose data it is."""
    return Local(PrincipalKind.SUBJECT, str(subject_id))


def token_source(state: StateFolder, token_file: Path | None, local: Local) -> TokenSource:
    """A token file (read at each call, for it may be renewed), else SLUICE_TOKEN, else a token for `local`.

    Raises Refusal: STATE_MISSING when there is neither a token nor an installation; TOKEN_MISSING and
    TOKEN_INVALID, for a token file also later, when it is read again. Raises OSError.
    """
    if token_file is not None:
        _read_token(token_file)
        return lambda: _read_token(token_file)
    if given := os.environ.get(TOKEN_VARIABLE):
        token = _checked(given, TOKEN_VARIABLE)
        return lambda: token
    return own_tokens(state, local)


def own_tokens(state: StateFolder, local: Local) -> TokenSource:
    """Tokens for `local` of the installation's own keys; raises Refusal: STATE_MISSING, KEY_UNREADABLE."""
    minted = minter(state)
    # Asked anew for each call: it notices that a token is about to expire, or that its key was replaced.
    return lambda: minted.mint(local.kind, local.party, local.roles)


def minter(state: StateFolder, lifetime_us: int = TOKEN_LIFETIME_US) -> TokenMinter:
    """Mints with the key of the installation; raises Refusal: STATE_MISSING, KEY_UNREADABLE."""
    private = state.existing_keys().token_private
    return TokenMinter(private, ISSUER, AUDIENCE, SystemClock(), lifetime_us)


def api_key_source(key_file: Path | None) -> Callable[[], str]:
    """An API key out of a file (read at each call, for it may be changed), else out of SLUICE_API_KEY.

    Raises Refusal (unauthenticated, API_KEY_MISSING), for a file also later, when it is read again; OSError.
    """
    if key_file is not None:
        _read_api_key(key_file)
        return lambda: _read_api_key(key_file)
    if given := os.environ.get(API_KEY_VARIABLE, "").strip():
        return lambda: given
    raise unauthenticated("API_KEY_MISSING", f"name a file with --api-key-file, or set {API_KEY_VARIABLE}")


def _read_api_key(path: Path) -> str:
    # Any byte is a character in Latin-1; what is no key is told apart by licensing.
    if key := path.read_text(encoding="latin-1").strip():
        return key
    raise unauthenticated("API_KEY_MISSING", f"{path} is empty")


def _read_token(path: Path) -> str:
    # Any byte is a character in Latin-1; what can be no token is told apart below.
    token = path.read_text(encoding="latin-1").strip()
    if not token:
        raise unauthenticated("TOKEN_MISSING", f"{path} is empty")
    return _checked(token, str(path))


def _checked(token: str, source: str) -> str:
    """The token, if it can be one. It is never quoted: it may be one all the same."""
    if not _TOKEN.fullmatch(token):
        raise unauthenticated(
            "TOKEN_INVALID",
            f"{source} holds no token: letters, digits and - . _ ~ + / on one line are expected",
        )
    return token
