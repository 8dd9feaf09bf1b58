"""Issuers elsewhere vouch for subjects and agents with keys of their own, whatever else they say."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.identity import Principal, PrincipalKind
from services.chassis.issuers import read_issuers, verifier_of
from services.chassis.keys import Keys
from services.chassis.refusals import Kind, Refusal
from services.chassis.settings import ServiceSettings
from services.chassis.verifying import TokenVerifier
from tests.support.clock import ManualClock
from tests.support.forging import NOON, Workshop
from tests.support.keys import a_minter, some_keys
from tests.support.oidc import ELSEWHERE, ENTRY, FOR_US, a_file_verifier, claims_elsewhere, issuers_file

BOTH = {"kinds": ["subject", "agent"]}
SHOP = Workshop()
OTHER = Workshop()


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return some_keys(tmp_path)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def verifier(tmp_path: Path, keys: Keys, clock: ManualClock) -> TokenVerifier:
    return a_file_verifier(tmp_path, keys, clock, SHOP, OTHER, **BOTH)


def token(shop: Workshop = SHOP, kid: str = "rsa", header: Any = None, **claims: Any) -> str:
    return shop.token(header, claims_elsewhere(shop, **claims), kid=kid)


def reason_of(verifier: TokenVerifier, text: str) -> str:
    with pytest.raises(Refusal) as refused:
        verifier.verify(text)
    assert refused.value.kind is Kind.UNAUTHENTICATED
    return refused.value.reason


@pytest.mark.parametrize("kid", ["ed", "ec", "rsa"])
def test_a_token_of_an_issuer_elsewhere_names_a_subject(verifier: TokenVerifier, kid: str) -> None:
    principal = verifier.verify(token(kid=kid))

    assert principal == Principal(PrincipalKind.SUBJECT, "7", frozenset())
    assert principal.expires_us == (NOON + 60) * 1_000_000


def test_an_agent_of_an_issuer_elsewhere_carries_the_issuers_name(verifier: TokenVerifier) -> None:
    agent = verifier.verify(token(sub="helper", subjects=["7", "18446744073709551615"]))

    assert (agent.kind.value, agent.party) == ("agent", "users/helper")
    assert agent.subjects == {7, 2**64 - 1}
    of_another = token(OTHER, iss=f"{ELSEWHERE}/1", sub="helper", subjects=["7"])
    assert verifier.verify(of_another).party == "users-1/helper"


def test_our_own_tokens_are_believed_beside_them(
    verifier: TokenVerifier, keys: Keys, clock: ManualClock
) -> None:
    own = a_minter(keys, clock).mint(PrincipalKind.OPERATOR, "ada", ["admin"])

    assert verifier.verify(own).roles == {"admin"}
    assert verifier.verify(token()).party == "7"
    assert verifier.verify(own).kind is PrincipalKind.OPERATOR


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "AT+JWT", ...])
def test_id_tokens_and_access_tokens_are_believed(verifier: TokenVerifier, typ: Any) -> None:
    assert verifier.verify(token(header=SHOP.header("rsa", typ=typ))).party == "7"


@pytest.mark.parametrize("typ", ["logout+jwt", "dpop+jwt", "secevent+jwt", "", None, "JOSE", ["JWT"]])
def test_what_was_signed_for_another_use_is_no_token(verifier: TokenVerifier, typ: Any) -> None:
    assert reason_of(verifier, token(header=SHOP.header("rsa", typ=typ))) == "TOKEN_INVALID"


def test_the_audience_is_us_alone_in_either_form(verifier: TokenVerifier) -> None:
    assert verifier.verify(token(aud=[FOR_US])).party == "7"
    for aud in ([FOR_US, "other"], [FOR_US, FOR_US], [], ["other"], "other", "sluice", [[FOR_US]], None, ...):
        assert reason_of(verifier, token(aud=aud)) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "changes",
    [
        *({"sub": wrong} for wrong in ("0", "07", "u-7", "", "-7", str(2**64), 7, None, ["7"], "7\n", ...)),
        *({"exp": wrong} for wrong in (..., "soon", 1.5e300, True)),
        *({"subjects": wrong} for wrong in ([], ["7", "7"], ["x"], "7", None, {"7": 1}, [7])),
        {"nbf": NOON + 1},
        {"subjects": ["7"], "sub": "a" * 128},
        {"subjects": ["7"], "sub": "a\nb"},
        {"subjects": ["7"], "sub": ...},
    ],
    ids=str,
)
def test_a_claim_that_is_missing_or_wrong_is_invalid(verifier: TokenVerifier, changes: Any) -> None:
    assert reason_of(verifier, token(**changes)) == "TOKEN_INVALID"


def test_a_token_expires_on_the_second_without_any_leeway(
    verifier: TokenVerifier, clock: ManualClock
) -> None:
    shown = token()
    verifier.verify(shown)

    clock.advance(60_000_000 - 1)
    assert verifier.verify(shown).party == "7"
    clock.advance(1)
    assert reason_of(verifier, shown) == "TOKEN_EXPIRED"


def test_the_keys_of_an_issuer_check_its_own_tokens_alone(
    verifier: TokenVerifier, keys: Keys, clock: ManualClock
) -> None:
    own = Workshop()
    own.publish(keys.token_jwks)

    for shop, iss in (
        (SHOP, f"{ELSEWHERE}/1"),
        (SHOP, "sluice"),
        (OTHER, ELSEWHERE),
        (OTHER, "sluice"),
        (own, ELSEWHERE),
        (own, f"{ELSEWHERE}/1"),
        (SHOP, "https://id.example.com/other"),
        (SHOP, f"{ELSEWHERE}/"),
        (SHOP, ELSEWHERE.upper()),
        (SHOP, [ELSEWHERE]),
        (SHOP, None),
        (SHOP, ...),
    ):
        for aud in (FOR_US, "sluice"):
            claims = shop.claims(iss=iss, aud=aud, sub="7", kind="operator", roles=["admin"])
            assert reason_of(verifier, shop.token(claims=claims)) == "TOKEN_INVALID"


def test_nothing_but_a_subject_comes_of_what_an_issuer_elsewhere_says(verifier: TokenVerifier) -> None:
    for kind in PrincipalKind:
        said = token(kind=kind.value, roles=["admin", "trust"], sandbox=True, services=["licensing"])
        assert verifier.verify(said) == Principal(PrincipalKind.SUBJECT, "7", frozenset())


def test_an_issuer_vouches_for_the_kinds_that_its_entry_names(
    tmp_path: Path, keys: Keys, clock: ManualClock
) -> None:
    of_subjects = a_file_verifier(tmp_path, keys, clock, SHOP)
    of_agents = a_file_verifier(tmp_path, keys, clock, SHOP, kinds=["agent"])
    subject, agent = token(), token(sub="helper", subjects=["7"])

    assert of_subjects.verify(subject).kind is PrincipalKind.SUBJECT
    assert reason_of(of_subjects, agent) == "TOKEN_INVALID"
    assert of_agents.verify(agent).kind is PrincipalKind.AGENT
    assert reason_of(of_agents, subject) == "TOKEN_INVALID"


def test_another_claim_and_a_fixed_list_lead_to_the_subject(
    tmp_path: Path, keys: Keys, clock: ManualClock
) -> None:
    mapping = {"ada@example.com": "7", "bob@example.com": "8"}
    mapped = a_file_verifier(tmp_path, keys, clock, SHOP, **BOTH, subject_claim="email", mapping=mapping)

    whose: dict[str, Any] = {"sub": "x|1", "email": "ada@example.com", "email_verified": True}

    assert mapped.verify(token(**whose)).party == "7"
    acting = mapped.verify(token(sub="helper", subjects=["ada@example.com", "bob@example.com"]))
    assert acting.party == "users/helper"
    assert acting.subjects == {7, 8}
    cases: list[dict[str, Any]] = [
        *({"email_verified": said} for said in (False, "true", 1, None, ...)),
        {"email": "eve@example.com"},
        {"email": "7"},
        {"email": ["ada@example.com"]},
        {"email": ...},
        {"subjects": ["ada@example.com", "7"]},
        {"subjects": [["ada@example.com"]]},
    ]
    for wrong in cases:
        assert reason_of(mapped, token(**(whose | wrong))) == "TOKEN_INVALID"


def test_a_key_that_an_issuer_withdrew_no_longer_counts(
    tmp_path: Path, verifier: TokenVerifier, keys: Keys, clock: ManualClock
) -> None:
    shown, own = token(), a_minter(keys, clock).mint(PrincipalKind.PIPELINE, "export-1")
    verifier.verify(shown)

    OTHER.publish(tmp_path / "elsewhere-0.json")

    assert reason_of(verifier, shown) == "TOKEN_INVALID"
    assert verifier.verify(own).party == "export-1"


def test_while_the_keys_of_an_issuer_cannot_be_read_its_tokens_let_nobody_in_and_ours_do(
    tmp_path: Path, verifier: TokenVerifier, keys: Keys, clock: ManualClock
) -> None:
    shown, own = token(), a_minter(keys, clock).mint(PrincipalKind.PIPELINE, "export-1")
    verifier.verify(shown)

    (tmp_path / "elsewhere-0.json").unlink()

    with pytest.raises(Refusal, match="KEYS_UNAVAILABLE"):
        verifier.verify(shown)
    assert verifier.verify(own).party == "export-1"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from(["sluice", "7", ELSEWHERE, FOR_US]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=4,
)
TEMPTING = {
    "kind": st.sampled_from([*PrincipalKind]).map(str),
    "roles": st.lists(st.sampled_from(["admin", "trust", "legal", "finance"]), max_size=4),
    "sandbox": st.booleans(),
    "services": st.just(["licensing"]),
    "sub": st.sampled_from(["7", "licensing", "gateway", "ada"]),
    "subjects": st.lists(st.sampled_from(["7", "8", "x"]), max_size=3),
    "scope": st.just("admin"),
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(tempting=st.fixed_dictionaries({}, optional=TEMPTING), noise=st.dictionaries(st.text(), JSON))
def test_whatever_an_issuer_elsewhere_claims_no_more_than_a_subject_or_an_agent_comes_of_it(
    verifier: TokenVerifier, tempting: dict[str, Any], noise: dict[str, Any]
) -> None:
    said = {**claims_elsewhere(SHOP), **tempting, **noise}
    try:
        principal = verifier.verify(SHOP.token(claims=said, kid="ed"))
    except Refusal as refusal:
        assert refusal.kind is Kind.UNAUTHENTICATED
        return

    assert (principal.roles, principal.sandbox) == (frozenset(), False)
    if "subjects" in said:
        assert (principal.kind, principal.party) == ("agent", f"users/{said['sub']}")
        assert [*map(str, sorted(principal.subjects))] == sorted(said["subjects"])
    else:
        assert (principal.kind, principal.party, principal.subjects) == ("subject", said["sub"], frozenset())
        assert principal.party.isdecimal()


WRONG_FILES = [
    {"kinds": ["operator"]},
    {"kinds": ["subject", "service"]},
    {"kinds": ["pipeline"]},
    {"kinds": ["licensee"]},
    {"kinds": ["auditor"]},
    {"kinds": []},
    {"kinds": "subject"},
    {"name": "Users"},
    {"name": ""},
    {"issuer": ""},
    {"issuer": "sluice"},
    {"audience": ["a", "b"]},
    {"jwks_file": None},
    {"jwks_url": "https://id.example.com/keys"},
    *(
        {"jwks_file": None, "jwks_url": url}
        for url in (
            "http://id.example.com/keys",
            "http://localhost:1/keys",
            "http://127.0.0.1/keys",
            "http://127.0.0.2:1/keys",
            "http://a@127.0.0.1:1/keys",
            "https://127.0.0.1/keys",
            "https://10.0.0.1/keys",
            "https://localhost/keys",
            "https://id.example.com/a b",
            "https://id.example.com/\u00fc",
            "file:///etc/keys",
        )
    ),
    {"mapping": {"ada": "u-7"}},
    {"mapping": {"ada": 7}},
    {"roles": ["admin"]},
    {"kept_minutes": -1},
    {"kept_minutes": 24 * 60 + 1},
    {"jwks_file": "/nowhere.json"},
]


@pytest.mark.parametrize("changes", WRONG_FILES, ids=str)
def test_a_file_that_would_let_in_others_or_is_misspelt_stops_the_start(
    tmp_path: Path, keys: Keys, clock: ManualClock, changes: dict[str, Any]
) -> None:
    good = {**ENTRY, "jwks_file": str(SHOP.publish(tmp_path / "elsewhere.json"))}
    assert verifier_of(a_setting(tmp_path, keys, good), clock).errands == []

    with pytest.raises(Refusal, match=r"TOKEN_ISSUERS_WRONG|KEYS_UNAVAILABLE"):
        verifier_of(a_setting(tmp_path, keys, {**good, **changes}), clock)


def a_setting(folder: Path, keys: Keys, *entries: dict[str, Any]) -> ServiceSettings:
    return ServiceSettings(
        database_url="sqlite:///none",
        token_jwks=keys.token_jwks,
        token_issuers=issuers_file(folder, *entries),
    )


def test_each_issuer_is_listed_once_and_has_a_name_of_its_own(tmp_path: Path) -> None:
    good = {**ENTRY, "jwks_file": "keys.json"}
    for second in ({**good, "name": "others"}, {**good, "issuer": "https://other.example.com"}):
        with pytest.raises(Refusal, match="TOKEN_ISSUERS_WRONG"):
            read_issuers(issuers_file(tmp_path, good, second))


def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        read_issuers(issuers_file(tmp_path, {**ENTRY, "kinds": ["operator"], "roles": []}))

    assert "\n" not in refused.value.message
    assert "issuers.0.kinds" in refused.value.message
    assert "issuers.0.roles: Extra inputs are not permitted" in refused.value.message


def test_the_file_may_be_json(tmp_path: Path) -> None:
    path = tmp_path / "issuers.json"
    path.write_text(json.dumps({"issuers": [{**ENTRY, "jwks_file": "keys.json"}]}), encoding="utf-8")

    (entry,) = read_issuers(path)

    assert (entry.issuer, entry.subject_claim) == (ELSEWHERE, "sub")
    assert entry.kinds == {"subject"}


@pytest.mark.parametrize("content", ["", "[]", "issuers: 7", "a: [", "other: []", "\x00", "[" * 5_000])
def test_a_file_that_is_none_stops_the_start(tmp_path: Path, content: str) -> None:
    path = tmp_path / "issuers.yaml"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(Refusal, match="TOKEN_ISSUERS_WRONG"):
        read_issuers(path)


def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="TOKEN_ISSUERS_WRONG"):
        read_issuers(tmp_path / "none.yaml")
