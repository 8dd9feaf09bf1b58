"""Hostile tokens: of hundreds forged and confused not one is believed; honest ones beside them are."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.chassis.identity import PrincipalKind
from services.chassis.jwks import parse_jwks
from services.chassis.refusals import Kind, Refusal
from services.chassis.serving import Server
from services.chassis.verifying import TokenVerifier
from tests.integration.chassis.echo import ADMISSIONS, NAME, Echo
from tests.support.clock import ManualClock
from tests.support.forgeries import forgeries
from tests.support.forging import ALGORITHMS, NOON, Workshop, base64url, raw_signature
from tests.support.grpc import MANY
from tests.support.vectors import vectors

SHOP = Workshop()
FORGERIES = forgeries(SHOP)


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> TokenVerifier:
    jwks = SHOP.publish(tmp_path_factory.mktemp("keys") / "jwks.json")
    return TokenVerifier(jwks, "sluice", "sluice", ManualClock())


def believed(verifier: TokenVerifier, token: str) -> bool:
    try:
        verifier.verify(token)
    except Refusal as refusal:
        assert refusal.kind is Kind.UNAUTHENTICATED
        return False
    return True


def honest() -> dict[str, str]:
    """Tokens that differ from the forgeries in nothing but what is wrong with those."""
    said = SHOP.claims
    return {
        **{f"signed by {kid}": SHOP.token(kid=kid) for kid in ALGORITHMS},
        "without a type": SHOP.token(SHOP.header(typ=...)),
        "an access token": SHOP.token(SHOP.header(typ="at+jwt")),
        "without roles": SHOP.token(claims=said(roles=...)),
        "with more claims": SHOP.token(claims=said(jti="x", nbf=NOON, iat=NOON - 1, more={"a": [1, None]})),
        "of the sandbox": SHOP.token(claims=said(sandbox=True)),
        "plainly not of the sandbox": SHOP.token(claims=said(sandbox=False)),
        "of a party with other letters": SHOP.token(claims=said(sub="Ærø 7 / é")),
        "until the last number": SHOP.token(claims=said(exp=2**53)),
        "with an address of keys that nobody looks at": SHOP.token(SHOP.header(jku="https://sluice.example")),
    }


def test_there_are_some_hundreds_of_them() -> None:
    assert len(FORGERIES) >= 450
    assert len(set(FORGERIES.values())) >= 440


@pytest.mark.parametrize("name", sorted(FORGERIES))
def test_a_forged_or_confused_token_is_not_believed(verifier: TokenVerifier, name: str) -> None:
    assert not believed(verifier, FORGERIES[name])


@pytest.mark.parametrize("name", sorted(honest()))
def test_an_honest_token_beside_them_is_believed(verifier: TokenVerifier, name: str) -> None:
    assert verifier.verify(honest()[name]).kind is PrincipalKind.PIPELINE


@pytest.mark.parametrize("kid", sorted(ALGORITHMS))
def test_a_signature_with_any_single_bit_flipped_is_not_believed(verifier: TokenVerifier, kid: str) -> None:
    said, _, signature = SHOP.token(kid=kid).rpartition(".")
    genuine = base64.urlsafe_b64decode(signature + "==")
    flipped = [
        genuine[:place] + bytes([genuine[place] ^ 1 << bit]) + genuine[place + 1 :]
        for place in range(len(genuine))
        for bit in range(8)
    ]

    accepted = sum(believed(verifier, f"{said}.{base64url(each)}") for each in flipped)

    assert len(flipped) == {"ed": 512, "ec": 512, "rsa": 2_048}[kid]
    assert accepted == 0
    assert believed(verifier, f"{said}.{signature}")


def test_a_token_with_any_letter_changed_is_not_believed(verifier: TokenVerifier) -> None:
    genuine = SHOP.token()
    changed = [
        genuine[:place] + letter + genuine[place + 1 :]
        for place in range(len(genuine))
        for letter in "A_.=+"
        if letter != genuine[place]
    ]

    assert sum(believed(verifier, each) for each in changed) == 0
    assert believed(verifier, genuine)


@pytest.fixture
async def served(tmp_path: Path, verifier: TokenVerifier) -> AsyncIterator[grpc.aio.Channel]:
    server = Server([Echo().bolt()], ADMISSIONS, verifier, limits=MANY)
    address = await server.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel
    await server.drain(grace_seconds=0, finish_seconds=0)


def sendable() -> dict[str, str]:
    """Those that a header can carry as they are; transports take spaces off its ends."""
    return {
        name: token
        for name, token in FORGERIES.items()
        if token.isascii() and token.isprintable() and token == token.strip() and len(token) < 4_500
    }


async def test_a_served_rpc_lets_none_of_them_in(served: Any) -> None:
    say = served.unary_unary(f"/{NAME}/Say")
    codes: dict[grpc.StatusCode, list[str]] = {}
    for name, token in sendable().items():
        try:
            await say(b"hello", metadata=[("authorization", f"Bearer {token}")])
        except grpc.aio.AioRpcError as refused:
            codes.setdefault(refused.code(), []).append(name)
        else:
            codes.setdefault(grpc.StatusCode.OK, []).append(name)

    assert len(sendable()) >= 400
    assert set(codes) == {grpc.StatusCode.UNAUTHENTICATED}
    for name, token in honest().items():
        if name != "of the sandbox":
            assert await say(b"hello", metadata=[("authorization", f"Bearer {token}")]) == b"hello"


def test_the_published_signatures_are_judged_as_their_publishers_say() -> None:
    """Wycheproof: Ed25519, valid and invalid."""
    judged = 0
    for group in vectors("jose/ed25519_test.json")["testGroups"]:
        point = base64url(bytes.fromhex(group["publicKey"]["pk"]))
        jwk = f'{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"a","x":"{point}"}}]}}'
        key = parse_jwks(jwk.encode())["a"]
        for test in group["tests"]:
            verdict = key.verifies(bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
            assert verdict == (test["result"] == "valid"), test["tcId"]
            judged += 1

    assert judged == 151


def test_the_example_of_rfc_8037_is_verified_and_names_nobody_here(tmp_path: Path) -> None:
    example = vectors("jose/rfc8037_A.json")
    header, payload, signature = example["jws_compact_A4"].split(".")
    raw = base64.urlsafe_b64decode(example["jwk_public"]["x"] + "=")

    Ed25519PublicKey.from_public_bytes(raw).verify(
        base64.urlsafe_b64decode(signature + "=="), f"{header}.{payload}".encode()
    )
    assert not believed(
        TokenVerifier(SHOP.publish(tmp_path / "jwks.json"), "sluice", "sluice"), example["jws_compact_A4"]
    )


def test_the_workshop_signs_as_jws_wants_it(verifier: TokenVerifier) -> None:
    """Without it the forgeries would be refused for another reason than theirs."""
    for kid, length in (("ed", 64), ("ec", 64), ("rsa", 256)):
        assert len(raw_signature(SHOP.key(kid), b"x")) == length
