"""A workshop of forged and confused tokens: three honest keys, an attacker's own, and all pieces by hand.

Nothing here goes through a library of tokens, which might not want to make what an attacker makes.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.chassis.keys import public_jwk
from tests.support.clock import NOON_US

NOON = NOON_US // 1_000_000
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493

Signer = Ed25519PrivateKey | Ed448PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
ALGORITHMS = {"ed": "EdDSA", "ec": "ES256", "rsa": "RS256"}
"""The honest keys by kid, and what each of them checks."""


def base64url(content: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def number_bytes(number: int, length: int = 32) -> bytes:
    """Big-endian."""
    return number.to_bytes(length, "big")


def segment(content: Any) -> str:
    """JSON as Python writes it; bytes and text as they are, for what is no JSON."""
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogatepass")
    return base64url(content if isinstance(content, bytes) else json.dumps(content).encode())


def raw_signature(key: Signer, signed: bytes) -> bytes:
    """As JWS has it (RFC 7518, 3; RFC 8037): fixed-length r and s, or that of the key's own kind."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        length = (key.curve.key_size + 7) // 8
        r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
        return number_bytes(r, length) + number_bytes(s, length)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(signed)


@dataclass
class Workshop:
    """What an attacker works with; the private honest keys are for what an honest signer was talked into."""

    ed_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    ec_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    rsa_key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65_537, 2_048))
    own: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    """The attacker's, which nobody trusts."""

    def key(self, kid: str) -> Signer:
        """An honest key."""
        honest: dict[str, Signer] = {"ed": self.ed_key, "ec": self.ec_key, "rsa": self.rsa_key}
        return honest[kid]

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Those of an honest token; `...` leaves one out."""
        said = {
            "iss": "sluice", "aud": "sluice", "sub": "export-1", "kind": "pipeline", "roles": [],
            "exp": NOON + 60,
        } | changes  # fmt: skip
        return {name: value for name, value in said.items() if value is not ...}

    def header(self, key: str = "ed", /, **changes: Any) -> dict[str, Any]:
        """Of an honest token of a key; `...` leaves a parameter out."""
        said = {"alg": ALGORITHMS[key], "kid": key, "typ": "JWT"} | changes
        return {name: value for name, value in said.items() if value is not ...}

    def token(
        self, header: Any = None, claims: Any = None, *, kid: str = "ed", key: Signer | None = None
    ) -> str:
        """Signed over exactly these, by the honest key of `kid` unless another is given."""
        head = self.header(kid) if header is None else header
        said = f"{segment(head)}.{segment(self.claims() if claims is None else claims)}"
        return f"{said}.{base64url(raw_signature(key or self.key(kid), said.encode()))}"

    def with_signature(self, header: Any, signature: bytes, claims: Any = None) -> str:
        """Under a signature that is given."""
        return f"{segment(header)}.{segment(claims or self.claims())}.{base64url(signature)}"

    def hashed(self, header: Mapping[str, Any], secret: bytes, bits: int) -> str:
        """HS256, HS384, HS512, with any bytes for a secret."""
        said = f"{segment(dict(header))}.{segment(self.claims())}"
        return f"{said}.{base64url(hmac.new(secret, said.encode(), f'sha{bits}').digest())}"

    def public_forms(self, kid: str) -> dict[str, bytes]:
        """The public key in the forms in which somebody might pass it for a secret."""
        public = self.key(kid).public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        jwk = self.jwk(kid)
        raw = {"ed": "x", "ec": "x", "rsa": "n"}[kid]
        return {
            "pem": pem,
            "pem without its last line feed": pem.rstrip(),
            "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            "raw": base64.urlsafe_b64decode(jwk[raw] + "=" * (-len(jwk[raw]) % 4)),
            "jwk": json.dumps(jwk).encode(),
            "jwk member": jwk[raw].encode(),
        }

    def jwk(self, kid: str) -> dict[str, str]:
        """The public key as the verifier has it."""
        if kid == "ed":
            return public_jwk(self.ed_key.public_key()) | {"kid": kid}
        if kid == "ec":
            point = self.ec_key.public_key().public_numbers()
            where = {"x": base64url(number_bytes(point.x)), "y": base64url(number_bytes(point.y))}
            return {"kty": "EC", "crv": "P-256", "kid": kid, "alg": "ES256", "use": "sig"} | where
        numbers = self.rsa_key.public_key().public_numbers()
        values = {"n": base64url(number_bytes(numbers.n, 256)), "e": "AQAB"}
        return {"kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig"} | values

    def publish(self, path: Path) -> Path:
        """Writes the JWKS that the verifier reads."""
        path.write_text(json.dumps({"keys": [self.jwk(kid) for kid in ALGORITHMS]}), encoding="utf-8")
        return path

    def certificate(self) -> str:
        """The attacker's key in standard base64, as x5c has certificates."""
        der = self.own.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def thumbprint(self) -> str:
        """Of the attacker's key."""
        return base64url(hashlib.sha256(self.own.public_key().public_bytes_raw()).digest())
