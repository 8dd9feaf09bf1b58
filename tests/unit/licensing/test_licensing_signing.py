"""Signatures: the published example of RFC 8037, and receipts that another library verifies."""

import base64
import json
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.chassis.keys import ensure_keys, load_private_key, public_jwk
from services.chassis.refusals import Refusal
from services.chassis.rotation import SLACK_US, rotate
from services.licensing.signing import CheckpointSigner, ReceiptSigner, compact_jws
from tests.support.clock import NOON_US, ManualClock
from tests.support.vectors import vectors

HOUR_US = 3_600_000_000


def unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_example_of_rfc_8037_is_reproduced() -> None:
    example = vectors("jose/rfc8037_A.json")
    key = Ed25519PrivateKey.from_private_bytes(unbase64url(example["jwk_private"]["d"]))

    jws = compact_jws(example["protected"].encode(), example["payload"].encode(), key)

    assert jws == example["jws_compact_A4"]
    assert public_jwk(key.public_key())["kid"] == example["thumbprint_sha256_A3"]


def kid_of(private: Path) -> str:
    return public_jwk(load_private_key(private).public_key())["kid"]


def test_r1_a_receipt_names_its_key_and_verifies_under_it(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path)
    signer = ReceiptSigner(keys.receipts)
    published = json.loads(keys.receipt_jwks.read_bytes())["keys"][0]

    receipt = signer.sign(b'{"v":1}', NOON_US)

    header = b'{"alg":"EdDSA","kid":"%s","typ":"sluice-receipt+json"}' % kid_of(keys.receipt_private).encode()
    assert unbase64url(receipt.split(".")[0]) == header
    assert published["kid"] == kid_of(keys.receipt_private)
    assert jwt.decode(receipt, jwt.PyJWK(published).key, algorithms=["EdDSA"]) == {"v": 1}


def test_without_a_key_there_is_no_signer(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path)
    keys.receipt_private.unlink()

    with pytest.raises(Refusal, match="KEY_UNREADABLE"):
        ReceiptSigner(keys.receipts)


def test_r6_signers_that_run_notice_a_new_key_and_a_retired_one_never_signs_again(tmp_path: Path) -> None:
    keys, clock = ensure_keys(tmp_path), ManualClock()
    receipts, checkpoints = ReceiptSigner(keys.receipts), CheckpointSigner(keys.checkpoints, "a.log")
    old = {
        pair: (kid_of(pair.private), pair.private.read_bytes()) for pair in (keys.receipts, keys.checkpoints)
    }
    before = receipts.sign(b"{}", NOON_US), checkpoints.current().public_key

    for pair in old:
        rotate(pair, clock, HOUR_US)
    after = receipts.sign(b"{}", NOON_US), checkpoints.current().public_key
    for pair, (_, pem) in old.items():
        pair.private.write_bytes(pem)

    assert jwt.get_unverified_header(before[0])["kid"] == old[keys.receipts][0]
    assert jwt.get_unverified_header(after[0])["kid"] not in {kid for kid, _ in old.values()}
    assert before[1] != after[1]
    for sign in (lambda: receipts.sign(b"{}", NOON_US), lambda: checkpoints.note("a.log\n0\n")):
        with pytest.raises(Refusal, match="KEYS_UNAVAILABLE"):
            sign()
    for pair in old:
        with pytest.raises(Refusal, match="KEY_RETIRED"):
            ReceiptSigner(pair)


def test_r6_a_key_that_nobody_could_verify_with_signs_nothing(tmp_path: Path) -> None:
    keys, others = ensure_keys(tmp_path / "ours"), ensure_keys(tmp_path / "others")
    signer = ReceiptSigner(keys.receipts)

    keys.receipt_private.write_bytes(others.receipt_private.read_bytes())

    with pytest.raises(Refusal, match="KEYS_UNAVAILABLE"):
        signer.sign(b"{}", NOON_US)
    with pytest.raises(Refusal, match="KEY_RETIRED"):
        ReceiptSigner(keys.receipts)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"keys": [{"kty": "oct", "kid": "a", "k": "AA"}]}'])
def test_r6_nothing_is_signed_while_the_published_keys_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    keys = ensure_keys(tmp_path)
    signer, published = ReceiptSigner(keys.receipts), keys.receipt_jwks.read_bytes()

    keys.receipt_jwks.write_bytes(content)
    with pytest.raises(Refusal, match="KEYS_UNAVAILABLE"):
        signer.sign(b"{}", NOON_US)
    with pytest.raises(Refusal, match="KEYS_UNREADABLE"):
        ReceiptSigner(keys.receipts)
    keys.receipt_jwks.write_bytes(published)

    assert signer.sign(b"{}", NOON_US)


def test_r6_what_was_decided_before_a_key_was_there_is_not_signed_with_it(tmp_path: Path) -> None:
    """A process that stood still over a rotation would make a receipt that is refused for ever."""
    keys, clock = ensure_keys(tmp_path), ManualClock()
    signer = ReceiptSigner(keys.receipts)
    clock.advance(HOUR_US)
    rotate(keys.receipts, clock, HOUR_US)
    valid_from_us = NOON_US + HOUR_US - SLACK_US

    with pytest.raises(Refusal, match="KEYS_UNAVAILABLE"):
        signer.sign(b"{}", valid_from_us - 1)

    assert signer.sign(b"{}", valid_from_us)
