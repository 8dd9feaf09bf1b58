"""Signatures: the published example of RFC 8037, and receipts that another library verifies."""

import base64
import json
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.chassis.keys import ensure_keys, public_jwk
from services.chassis.refusals import Refusal
from services.licensing.signing import ReceiptSigner, compact_jws
from tests.support.vectors import vectors


def unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_example_of_rfc_8037_is_reproduced() -> None:
    example = vectors("jose/rfc8037_A.json")
    key = Ed25519PrivateKey.from_private_bytes(unbase64url(example["jwk_private"]["d"]))

    jws = compact_jws(example["protected"].encode(), example["payload"].encode(), key)

    assert jws == example["jws_compact_A4"]
    assert public_jwk(key.public_key())["kid"] == example["thumbprint_sha256_A3"]


def test_r1_a_receipt_names_its_key_and_verifies_under_it(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path)
    signer = ReceiptSigner(keys.receipt_private)
    published = json.loads(keys.receipt_jwks.read_bytes())["keys"][0]

    receipt = signer.sign(b'{"v":1}')

    assert receipt.split(".")[0] == base64.urlsafe_b64encode(
        b'{"alg":"EdDSA","kid":"%s","typ":"sluice-receipt+json"}' % signer.kid.encode()
    ).decode().rstrip("=")
    assert published["kid"] == signer.kid
    assert jwt.decode(receipt, jwt.PyJWK(published).key, algorithms=["EdDSA"]) == {"v": 1}


def test_without_a_key_there_is_no_signer(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="KEY_UNREADABLE"):
        ReceiptSigner(tmp_path / "none.pem")
