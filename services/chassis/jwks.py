"""The public keys that tokens are checked with: a JWKS file (RFC 7517), read again when it changes.

A key serves exactly one algorithm, the one its own type demands: a token cannot choose how it is checked.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from services.chassis.compact import json_object
from services.chassis.file_versions import FileVersion, version_of
from services.chassis.refusals import unavailable

SMALLEST_RSA_BITS = 2048
LARGEST_RSA_BITS = 8192
"""Checking a signature takes longer with every bit, and anyone can have one checked."""
SECOND_US = 1_000_000
PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "n", "e", "kid", "alg", "use")
"""Of a JWK, what is published; never what a file may hold besides."""
NO_JWKS = (ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError)
"""What reading a file raises that is none."""


@dataclass(frozen=True)
class PublicKey:
    """A key as it is published (RFC 7517)."""

    members: Mapping[str, str]
    until_us: int | None
    """From when on nothing that it signed is accepted; None where no end is known."""


@dataclass(frozen=True)
class VerificationKey:
    """A public key and the one algorithm (RFC 7518) it may check."""

    algorithm: str
    key: jwt.PyJWK
    until_us: int | None = None
    """From when on it vouches for nothing, in microseconds since the epoch; its `exp` member, in seconds."""
    jwk: Mapping[str, Any] = field(default_factory=dict)
    """The key as its file has it."""

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Whether the signature (RFC 7518, 3; RFC 8037, 3.1) over `signed` is this key's."""
        return bool(self.key.Algorithm.verify(signed, self.key.key, signature))


Parse = Callable[[bytes], Mapping[str, VerificationKey]]


class Jwks:
    """The keys of one JWKS file, by kid."""

    def __init__(self, path: Path, parse: Parse | None = None) -> None:
        """`parse` makes keys of the content, `parse_jwks` unless said; raises as that does.

        Raises Refusal (unavailable, KEYS_UNAVAILABLE) when the file is unreadable or holds a wrong key.
        """
        self._path = path
        self._parse = parse or parse_jwks
        self._version: FileVersion | None = None
        self._keys: Mapping[str, VerificationKey] = {}
        self.refresh()

    def refresh(self) -> bool:
        """Reads the file again if it is another one than last time; tells whether it was.

        Raises Refusal (unavailable, KEYS_UNAVAILABLE): keys that may be withdrawn let nobody in.
        """
        try:
            version = version_of(self._path)
            if version == self._version:
                return False
            self._keys = self._parse(self._path.read_bytes())
        except (OSError, *NO_JWKS) as error:
            self._version = None
            raise unavailable("KEYS_UNAVAILABLE", "the keys to check tokens with cannot be read") from error
        self._version = version
        return True

    def get(self, kid: str) -> VerificationKey | None:
        """The key of that id, or None."""
        return self._keys.get(kid)

    def published(self, now_us: int) -> Sequence[PublicKey]:
        """What anyone may know of the keys that still vouch for something at `now_us`."""
        return [
            PublicKey({name: str(key.jwk[name]) for name in PUBLIC_MEMBERS if name in key.jwk}, key.until_us)
            for key in self._keys.values()
            if key.until_us is None or now_us < key.until_us
        ]


def parse_jwks(content: bytes) -> Mapping[str, VerificationKey]:
    """The keys of a JWKS document, by kid; keys for encryption are left out.

    Raises ValueError for a document with a symmetric, weak or unnamed key, or with one kid twice.
    """
    keys: dict[str, VerificationKey] = {}
    for jwk in json.loads(content)["keys"]:
        if not is_for_signatures(jwk):
            continue
        kid = jwk["kid"]
        if not isinstance(kid, str) or kid in keys:
            raise ValueError("each key needs a kid of its own")
        keys[kid] = _verification_key(jwk)
    return keys


def usable_keys(content: bytes) -> Mapping[str, VerificationKey]:
    """The keys of somebody else's JWKS document that tokens can be checked with, by kid.

    All others are left out (RFC 7517, 5): nobody vouches with them here. Raises ValueError where none is
    left, where two have one kid, and for what is no JWKS.
    """
    try:
        listed = json_object(content)["keys"]
    except (KeyError, RecursionError) as error:
        raise ValueError("not a JWKS document") from error
    keys: dict[str, VerificationKey] = {}
    for jwk in listed if isinstance(listed, list) else ():
        try:
            ((kid, key),) = parse_jwks(json.dumps({"keys": [jwk]}).encode()).items()
        except (*NO_JWKS, RecursionError, OverflowError, UnsupportedAlgorithm):
            continue
        if kid in keys:
            raise ValueError("two keys have one kid")
        keys[kid] = key
    if not keys:
        raise ValueError("no key that tokens could be checked with")
    return keys


def is_for_signatures(jwk: Mapping[str, Any]) -> bool:
    """Whether a JWK is for signatures (RFC 7517, 4.2); of others nothing is looked at, not even the kid."""
    return bool(jwk.get("use", "sig") == "sig")


def _verification_key(jwk: dict[str, Any]) -> VerificationKey:
    if jwk.get("kty") == "oct" or "d" in jwk:
        raise ValueError("a key set to check with holds public keys only")
    key = jwt.PyJWK(jwk)
    algorithm = _algorithm_of(key.key)
    if jwk.get("alg", algorithm) != algorithm:
        raise ValueError("the alg of a key does not go with its type")
    return VerificationKey(algorithm, jwt.PyJWK(jwk, algorithm), _until_us(jwk), jwk)


def _until_us(jwk: dict[str, Any]) -> int | None:
    if "exp" not in jwk:
        return None
    # What cannot be read as an end must not become a key without one.
    if type(jwk["exp"]) is not int:
        raise ValueError("the exp of a key is a whole number of seconds")
    return int(jwk["exp"]) * SECOND_US


def _algorithm_of(key: object) -> str:
    if isinstance(key, Ed25519PublicKey):
        return "EdDSA"
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return "ES256"
    if isinstance(key, RSAPublicKey) and SMALLEST_RSA_BITS <= key.key_size <= LARGEST_RSA_BITS:
        return "RS256"
    raise ValueError("keys are Ed25519, P-256, or RSA of 2048 to 8192 bits")
