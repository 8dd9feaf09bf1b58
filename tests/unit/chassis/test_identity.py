"""Tokens: only what our own keys signed, for us, for now, names a principal; only the table admits one."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.identity import (
    Principal,
    PrincipalKind,
    acting_as,
    check_admission,
    current_principal,
)
from services.chassis.keys import Keys, load_private_key, public_jwk
from services.chassis.minting import TOKEN_LIFETIME_US
from services.chassis.refusals import Kind, Refusal
from services.chassis.verifying import TokenVerifier
from tests.support.admissions import admit, admit_anyone
from tests.support.clock import ManualClock
from tests.support.keys import a_minter, a_verifier, some_keys

MINUTE_US = 60_000_000
METHOD = "/a.Service/Act"


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return some_keys(tmp_path)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Forge:
    """Makes tokens that are wrong in one way."""

    def __init__(self, keys: Keys, clock: ManualClock) -> None:
        self.key = load_private_key(keys.token_private)
        self.kid = public_jwk(self.key.public_key())["kid"]
        self.now = clock.now_us() // 1_000_000

    def claims(self, **changes: Any) -> dict[str, Any]:
        claims: dict[str, Any] = {
            "iss": "sluice",
            "aud": "sluice",
            "sub": "export-1",
            "kind": "pipeline",
            "roles": [],
            "exp": self.now + 60,
        }
        return {name: value for name, value in {**claims, **changes}.items() if value is not ...}

    def signed(self, header: Any, payload: Any) -> str:
        """Of exactly these, which the library might not want to sign."""
        said = ".".join(segment(json.dumps(each).encode()) for each in (header, payload))
        return f"{said}.{segment(self.key.sign(said.encode()))}"

    def token(self, headers: dict[str, Any] | None = None, **changes: Any) -> str:
        return jwt.encode(
            self.claims(**changes), self.key, algorithm="EdDSA", headers={"kid": self.kid, **(headers or {})}
        )


@pytest.fixture
def forge(keys: Keys, clock: ManualClock) -> Forge:
    return Forge(keys, clock)


def reason_of(verifier: TokenVerifier, token: str) -> str:
    with pytest.raises(Refusal) as refused:
        verifier.verify(token)
    assert refused.value.kind is Kind.UNAUTHENTICATED
    return refused.value.reason


def test_a_minted_token_names_its_principal(keys: Keys, clock: ManualClock) -> None:
    token = a_minter(keys, clock).mint(PrincipalKind.OPERATOR, "ada", roles=["legal", "trust"])

    principal = a_verifier(keys, clock).verify(token)

    assert principal == Principal(PrincipalKind.OPERATOR, "ada", frozenset({"legal", "trust"}))
    assert principal.expires_us == clock.now_us() + TOKEN_LIFETIME_US


def test_a_token_expires_on_the_second_even_when_it_was_believed_before(
    keys: Keys, clock: ManualClock
) -> None:
    token = a_minter(keys, clock).mint(PrincipalKind.PIPELINE, "export-1")
    verifier = a_verifier(keys, clock)
    verifier.verify(token)

    clock.advance(15 * MINUTE_US - 1)
    assert verifier.verify(token).party == "export-1"
    clock.advance(1)
    assert reason_of(verifier, token) == "TOKEN_EXPIRED"


def test_no_token_is_missing(keys: Keys) -> None:
    assert reason_of(a_verifier(keys), "") == "TOKEN_MISSING"


def test_the_same_token_is_shown_again_until_half_of_its_life_is_over(keys: Keys, clock: ManualClock) -> None:
    minter = a_minter(keys, clock)
    first = minter.mint(PrincipalKind.SERVICE, "licensing")

    clock.advance(7 * MINUTE_US)
    assert minter.mint(PrincipalKind.SERVICE, "licensing") == first
    clock.advance(MINUTE_US)
    assert minter.mint(PrincipalKind.SERVICE, "licensing") != first


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": ...},
        {"iss": "another"},
        {"iss": ...},
        {"sub": ...},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a" * 129},
        {"sub": "a\nb"},
        {"sub": "a\x00"},
        {"sub": "a\x7f"},
        {"sub": "a\u202eb"},
        {"exp": ...},
        {"exp": "soon"},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": True},
        {"kind": ...},
        {"kind": "emperor"},
        {"kind": ["pipeline"]},
        {"roles": "admin"},
        {"roles": [1]},
        *({"roles": ["admin", odd]} for odd in ("", "a" * 65, "line\nbreak", "\ud800")),
    ],
    ids=str,
)
def test_a_claim_that_is_missing_or_wrong_is_invalid(
    keys: Keys, clock: ManualClock, forge: Forge, changes: dict[str, Any]
) -> None:
    verifier = a_verifier(keys, clock)
    assert verifier.verify(forge.token()).kind is PrincipalKind.PIPELINE

    assert reason_of(verifier, forge.token(**changes)) == "TOKEN_INVALID"


def test_a_party_may_be_as_long_as_services_keep_it(keys: Keys, clock: ManualClock, forge: Forge) -> None:
    longest = "a" * 128

    assert a_verifier(keys, clock).verify(forge.token(sub=longest)).party == longest


def test_a_token_is_not_valid_before_its_time(keys: Keys, clock: ManualClock, forge: Forge) -> None:
    token = forge.token(nbf=forge.now + 10)
    verifier = a_verifier(keys, clock)

    assert reason_of(verifier, token) == "TOKEN_INVALID"
    clock.advance(10_000_000)
    assert verifier.verify(token).party == "export-1"


@pytest.mark.parametrize("headers", [{"crit": ["exp"]}, {"kid": "another"}, {"kid": ""}], ids=str)
def test_a_critical_extension_or_an_unknown_key_is_invalid(
    keys: Keys, clock: ManualClock, forge: Forge, headers: dict[str, Any]
) -> None:
    assert reason_of(a_verifier(keys, clock), forge.token(headers)) == "TOKEN_INVALID"


def test_an_extension_that_only_the_library_understands_is_invalid(
    keys: Keys, clock: ManualClock, forge: Forge
) -> None:
    """RFC 7797: with b64 true the token says the same as without it, so the library lets it pass."""
    header = {"alg": "EdDSA", "kid": forge.kid}
    verifier = a_verifier(keys, clock)
    assert verifier.verify(forge.signed(header, forge.claims())).party == "export-1"

    token = forge.signed({**header, "crit": ["b64"], "b64": True}, forge.claims())

    assert reason_of(verifier, token) == "TOKEN_INVALID"


def test_a_token_cannot_bring_its_own_key(keys: Keys, clock: ManualClock, forge: Forge) -> None:
    own = Ed25519PrivateKey.generate()
    headers = {"kid": forge.kid, "jwk": public_jwk(own.public_key()), "jku": "https://example.org/keys"}

    token = jwt.encode(forge.claims(), own, algorithm="EdDSA", headers=headers)

    assert reason_of(a_verifier(keys, clock), token) == "TOKEN_INVALID"


def test_an_unsigned_token_is_invalid(keys: Keys, clock: ManualClock, forge: Forge) -> None:
    token = jwt.encode(forge.claims(), "", algorithm="none", headers={"kid": forge.kid})

    assert reason_of(a_verifier(keys, clock), token) == "TOKEN_INVALID"


def test_the_public_key_is_no_shared_secret(keys: Keys, clock: ManualClock, forge: Forge) -> None:
    public = forge.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    token = jwt.encode(forge.claims(), public, algorithm="HS256", headers={"kid": forge.kid})

    assert reason_of(a_verifier(keys, clock), token) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "damage", [lambda t: t[:-2], lambda t: t + ".x", lambda _: "a.b", lambda t: "x" * 5_000]
)
def test_what_is_no_token_is_invalid(
    keys: Keys, clock: ManualClock, forge: Forge, damage: Callable[[str], str]
) -> None:
    assert reason_of(a_verifier(keys, clock), damage(forge.token())) == "TOKEN_INVALID"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["sluice", "b64"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=4,
)
CLAIMS = st.sampled_from(["iss", "aud", "sub", "kind", "roles", "exp", "nbf", "iat", "jti"])
HEADERS = st.sampled_from(["alg", "kid", "typ", "crit", "b64", "cty", "jwk"])


def refuses_or_believes(verifier: TokenVerifier, token: str) -> bool:
    try:
        verifier.verify(token)
    except Refusal as refusal:
        return refusal.kind is Kind.UNAUTHENTICATED
    return True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(text=st.text() | st.binary().map(lambda content: content.decode("latin-1")))
def test_whatever_is_shown_as_a_token_is_a_refusal(keys: Keys, clock: ManualClock, text: str) -> None:
    verifier = a_verifier(keys, clock)

    assert refuses_or_believes(verifier, text)
    assert refuses_or_believes(verifier, f"{text}.{text}.{text}")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(headers=st.dictionaries(HEADERS, JSON, max_size=3), said=st.dictionaries(CLAIMS, JSON) | JSON)
def test_whatever_a_signed_token_says_it_is_believed_or_refused(
    keys: Keys, clock: ManualClock, forge: Forge, headers: Any, said: Any
) -> None:
    header = {"alg": "EdDSA", "kid": forge.kid, **headers}
    payload = {**forge.claims(), **said} if isinstance(said, dict) else said

    token = forge.signed(header, payload)

    assert refuses_or_believes(a_verifier(keys, clock), token)


def key_set(*jwks: dict[str, Any]) -> str:
    return json.dumps({"keys": list(jwks)})


def test_es256_and_rs256_keys_check_their_own_algorithm_only(
    tmp_path: Path, clock: ManualClock, forge: Forge
) -> None:
    p256, big = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65_537, 2_048)
    path = tmp_path / "jwks.json"
    path.write_text(
        key_set(
            {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(p256.public_key())), "kid": "p256"},
            {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(big.public_key())), "kid": "rsa"},
        )
    )
    verifier = TokenVerifier(path, "sluice", "sluice", clock)

    def signed(key: Any, algorithm: str, kid: str) -> str:
        return jwt.encode(forge.claims(), key, algorithm=algorithm, headers={"kid": kid})

    assert verifier.verify(signed(p256, "ES256", "p256")).party == "export-1"
    assert verifier.verify(signed(big, "RS256", "rsa")).party == "export-1"
    assert reason_of(verifier, signed(big, "PS256", "rsa")) == "TOKEN_INVALID"
    assert reason_of(verifier, signed(p256, "ES256", "rsa")) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "content",
    [
        "not json",
        "[]",
        key_set({"kty": "oct", "k": "c2VjcmV0", "kid": "a"}),
        key_set({"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "a"}),
        key_set(public_jwk(Ed25519PrivateKey.generate().public_key()) | {"alg": "RS256"}),
    ],
)
def test_a_key_set_that_cannot_be_trusted_lets_nobody_in(tmp_path: Path, content: str) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(content)

    with pytest.raises(Refusal, match="KEYS_UNAVAILABLE"):
        TokenVerifier(path, "sluice", "sluice")


def test_a_key_that_was_withdrawn_no_longer_counts(keys: Keys, clock: ManualClock) -> None:
    token = a_minter(keys, clock).mint(PrincipalKind.PIPELINE, "export-1")
    verifier = a_verifier(keys, clock)
    verifier.verify(token)

    keys.token_jwks.write_text(key_set(public_jwk(Ed25519PrivateKey.generate().public_key())))

    assert reason_of(verifier, token) == "TOKEN_INVALID"


def test_while_the_keys_cannot_be_read_nobody_is_let_in(keys: Keys, clock: ManualClock) -> None:
    token = a_minter(keys, clock).mint(PrincipalKind.PIPELINE, "export-1")
    verifier = a_verifier(keys, clock)
    content = keys.token_jwks.read_text()

    keys.token_jwks.unlink()
    with pytest.raises(Refusal, match="KEYS_UNAVAILABLE"):
        verifier.verify(token)
    keys.token_jwks.write_text(content)

    assert verifier.verify(token).party == "export-1"


def principal(kind: PrincipalKind, *roles: str) -> Principal:
    return Principal(kind, "someone", frozenset(roles))


def test_an_rpc_without_an_entry_admits_nobody() -> None:
    for kind in PrincipalKind:
        with pytest.raises(Refusal, match="NOT_ADMITTED"):
            check_admission({}, METHOD, principal(kind, "admin"))


def test_an_operator_needs_one_of_the_roles_and_others_need_none() -> None:
    table = {METHOD: admit(PrincipalKind.OPERATOR, PrincipalKind.PIPELINE, roles=["legal", "admin"])}

    check_admission(table, METHOD, principal(PrincipalKind.PIPELINE))
    check_admission(table, METHOD, principal(PrincipalKind.OPERATOR, "admin"))
    for refused in (
        principal(PrincipalKind.OPERATOR),
        principal(PrincipalKind.OPERATOR, "finance"),
        principal(PrincipalKind.LICENSEE, "admin"),
    ):
        with pytest.raises(Refusal, match="NOT_ADMITTED"):
            check_admission(table, METHOD, refused)


def test_a_line_says_in_as_many_words_whose_sandbox_is_let_in() -> None:
    pipeline, licensee = PrincipalKind.PIPELINE, PrincipalKind.LICENSEE
    trial = Principal(pipeline, "export-1", frozenset(), sandbox=True)

    check_admission({METHOD: admit(pipeline, sandbox=[pipeline])}, METHOD, trial)
    for closed in (
        admit(pipeline),
        admit(licensee, sandbox=[licensee]),
        admit(pipeline, licensee, sandbox=[licensee]),
        admit(licensee, sandbox=[pipeline]),
    ):
        with pytest.raises(Refusal, match="NOT_ADMITTED"):
            check_admission({METHOD: closed}, METHOD, trial)


def test_a_line_for_strangers_admits_no_principal() -> None:
    for kind in PrincipalKind:
        with pytest.raises(Refusal, match="NOT_ADMITTED"):
            check_admission({METHOD: admit_anyone()}, METHOD, principal(kind, "admin"))


def test_a_token_of_the_sandbox_names_a_principal_of_the_sandbox(keys: Keys, clock: ManualClock) -> None:
    minter, verifier = a_minter(keys, clock), a_verifier(keys, clock)

    trial = verifier.verify(minter.mint(PrincipalKind.PIPELINE, "export-1", sandbox=True))
    real = verifier.verify(minter.mint(PrincipalKind.PIPELINE, "export-1"))

    assert (trial.sandbox, real.sandbox) == (True, False)
    assert trial != real


def test_there_is_no_current_principal_outside_of_a_call() -> None:
    with acting_as(principal(PrincipalKind.AUDITOR)):
        assert current_principal().kind is PrincipalKind.AUDITOR

    with pytest.raises(Refusal, match="TOKEN_MISSING"):
        current_principal()
