"""A key that signs what stays: read again when it is replaced, and of use only while it is published (R6).

A token counts for minutes, a receipt for ever. So nothing is signed but with a key that is published already
and has no end: one whose file was put back after its time would sign what nobody accepts.
"""

from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.chassis.file_versions import FileVersion, version_of
from services.chassis.jwks import NO_JWKS, SECOND_US, parse_jwks
from services.chassis.keys import KeyPair, load_private_key, public_jwk
from services.chassis.refusals import Refusal, precondition, unavailable


class Signing(NamedTuple):
    """A key that may sign."""

    kid: str
    key: Ed25519PrivateKey
    since_us: int
    """Before which nothing that it signs may be dated, in microseconds since the epoch."""


class SigningKey:
    """The key of one pair, whichever it is at the moment."""

    def __init__(self, pair: KeyPair) -> None:
        """Raises Refusal (precondition): KEY_UNREADABLE, KEYS_UNREADABLE, KEY_RETIRED."""
        self._pair = pair
        self._versions: tuple[FileVersion, FileVersion] | None = None
        try:
            self._read()
        except OSError as error:
            raise precondition("KEY_UNREADABLE", f"{pair.private.name} or its JWKS cannot be read") from error

    def current(self) -> Signing:
        """The key that signs now.

        Raises Refusal (unavailable, KEYS_UNAVAILABLE) where it cannot be read, or may sign no more.
        """
        try:
            if self._versions != self._versions_now():
                self._read()
        except (OSError, Refusal) as error:
            self._versions = None
            message = "the key to sign with cannot be read, or signs no more"
            raise unavailable("KEYS_UNAVAILABLE", message) from error
        return self._signing

    def _read(self) -> None:
        while True:
            # Before the files are read: what is replaced meanwhile is another version the next time.
            versions = self._versions_now()
            key = load_private_key(self._pair.private)
            kid = public_jwk(key.public_key())["kid"]
            since_us = self._since_us(kid)
            if since_us is not None:
                self._signing, self._versions = Signing(kid, key, since_us), versions
                return
            # Between the two files a rotation may have come to its end.
            if versions == self._versions_now():
                message = f"the key in {self._pair.private.name} is not published, or has been replaced"
                raise precondition("KEY_RETIRED", message)

    def _since_us(self, kid: str) -> int | None:
        """When the validity of a published key begins, 0 where it does not say; None for one without use."""
        try:
            published = parse_jwks(self._pair.jwks.read_bytes()).get(kid)
            if published is None or published.until_us is not None:
                return None
            return int(published.jwk.get("nbf", 0)) * SECOND_US
        except NO_JWKS as error:
            raise precondition("KEYS_UNREADABLE", f"{self._pair.jwks.name} is no JWKS") from error

    def _versions_now(self) -> tuple[FileVersion, FileVersion]:
        return version_of(self._pair.private), version_of(self._pair.jwks)
