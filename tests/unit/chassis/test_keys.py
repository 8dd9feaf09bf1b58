"""Keys on first start: private, whole, and the same for everyone who starts at once."""

import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.chassis.identity import PrincipalKind
from services.chassis.keys import Keys, ensure_keys, given_keys, load_private_key, public_jwk, thumbprint
from services.chassis.refusals import Refusal
from tests.support.keys import a_minter, a_verifier


def test_private_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path / "keys")

    assert stat.S_IMODE(keys.token_private.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.receipt_private.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_keys_are_made_once(tmp_path: Path) -> None:
    first = ensure_keys(tmp_path).token_private.read_bytes()

    second = ensure_keys(tmp_path).token_private.read_bytes()

    assert first == second


def test_a_lost_public_half_is_made_again_from_the_private_one(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path)
    before = keys.receipt_jwks.read_bytes()
    keys.receipt_jwks.unlink()

    ensure_keys(tmp_path)

    assert keys.receipt_jwks.read_bytes() == before


def test_those_who_start_at_once_use_the_same_pair(tmp_path: Path) -> None:
    made: list[Keys] = []
    together = threading.Barrier(8)

    def start() -> None:
        together.wait(10)
        made.append(ensure_keys(tmp_path))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(made) == 8
    token = a_minter(made[0]).mint(PrincipalKind.PIPELINE, "export-1")
    assert all(a_verifier(keys).verify(token).party == "export-1" for keys in made)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint-jwks.json",
        "checkpoint-signing.pem",
        "receipt-jwks.json",
        "receipt-signing.pem",
        "token-jwks.json",
        "token-signing.pem",
    ]


def test_a_thumbprint_is_the_one_of_rfc_8037() -> None:
    # RFC 8037, appendix A.3.
    required = {"crv": "Ed25519", "kty": "OKP", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}

    assert thumbprint(required) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_jwk_says_what_its_key_is_for() -> None:
    private = Ed25519PrivateKey.from_private_bytes(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )

    jwk = public_jwk(private.public_key())

    assert jwk["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert jwk["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert (jwk["alg"], jwk["use"]) == ("EdDSA", "sig")


def test_a_damaged_key_file_is_a_clear_refusal(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("nothing of the kind")

    with pytest.raises(Refusal, match=r"KEY_UNREADABLE: the private key key\.pem"):
        load_private_key(path)


def test_keys_that_are_given_are_read_and_nothing_is_written(tmp_path: Path) -> None:
    made = ensure_keys(tmp_path / "keys")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "keys").iterdir()}
    (tmp_path / "keys").chmod(0o500)

    given = given_keys(tmp_path / "keys")

    assert given == made
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "keys").iterdir()} == before


def test_given_keys_that_are_not_all_there_are_refused_by_name_and_not_made(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path)
    keys.receipt_private.unlink()
    keys.token_jwks.unlink()

    with pytest.raises(Refusal) as refused:
        given_keys(tmp_path)

    assert refused.value.reason == "KEYS_MISSING"
    assert refused.value.message == f"{tmp_path} lacks token-jwks.json, receipt-signing.pem"
    assert not keys.receipt_private.exists()
