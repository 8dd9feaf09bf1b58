"""Signing in at a provider that is honest, and at one that is not: over real HTTP, without the pages."""

import hmac
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from services.chassis.refusals import Refusal
from services.console.web.authorizing import Authorization, Pending
from services.console.web.provider import DISCOVERY
from tests.support.authorizing import an_authorization, broken, refusal_of, signed_in, slow
from tests.support.clock import ManualClock
from tests.support.forging import NOON, Workshop, base64url, segment
from tests.support.provider import CALLBACK, CLIENT, ProviderServer, a_provider, answer_in

HOUR_US = 3_600_000_000


@pytest.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    async with a_provider() as server:
        yield server


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def _finished_with(
    id_token: str, server: ProviderServer, authorization: Authorization, address: str, pending: Pending
) -> str:
    server.tokens = {"id_token": id_token}
    return await authorization.finish(pending, answer_in(await server.back_from(address)))


def _hashed(shop: Workshop, claims: dict[str, Any]) -> str:
    """Signed by HS256, with a public key that everybody knows for a secret."""
    said = f"{segment(shop.header('rsa', alg='HS256'))}.{segment(claims)}"
    secret = shop.public_forms("rsa")["pem"]
    return f"{said}.{base64url(hmac.new(secret, said.encode(), 'sha256').digest())}"


@pytest.mark.parametrize("kid", ["ed", "ec", "rsa"])
async def test_the_id_token_comes_back_whatever_key_has_signed_it(
    provider: ProviderServer, clock: ManualClock, kid: str
) -> None:
    provider.signs_with = kid

    token = await signed_in(provider, an_authorization(provider, clock))

    assert token.count(".") == 2


async def test_the_access_token_comes_back_where_the_services_believe_that(
    provider: ProviderServer, clock: ManualClock
) -> None:
    provider.tokens = {"access_token": "for the services"}

    token = await signed_in(provider, an_authorization(provider, clock, token="access_token"))

    assert token == "for the services"


async def test_a_provider_that_takes_the_secret_as_a_field_alone_gets_it_so(
    provider: ProviderServer, clock: ManualClock
) -> None:
    provider.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    token = await signed_in(provider, an_authorization(provider, clock))

    assert token.count(".") == 2


async def test_each_sign_in_has_a_state_a_nonce_and_a_challenge_of_its_own(
    provider: ProviderServer, clock: ManualClock
) -> None:
    authorization = an_authorization(provider, clock, scopes=("openid", "profile"))

    asked = [parse_qs(urlsplit((await authorization.begin("/"))[0]).query) for _ in range(2)]

    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
        assert len(asked[0][name][0]) >= 43
    assert asked[0]["scope"] == ["openid profile"]
    assert asked[0]["redirect_uri"] == [CALLBACK]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://id.example.com"},
        {"aud": "another client"},
        {"aud": ["another client"]},
        {"aud": [CLIENT, "another client"]},
        {"aud": [CLIENT, "another client"], "azp": "another client"},
        {"azp": "another client"},
        {"nonce": "of another sign-in"},
        {"nonce": ...},
        {"exp": NOON - 61},
        {"exp": ...},
        {"iat": NOON + 61},
        {"iat": ...},
        {"sub": ...},
        {"exp": "tomorrow"},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
)
async def test_an_id_token_that_is_not_for_this_sign_in_signs_nobody_in(
    provider: ProviderServer, clock: ManualClock, claims: dict[str, Any]
) -> None:
    provider.claims, provider.tokens = claims, {"access_token": "for the services"}

    for token in ("id_token", "access_token"):
        assert await refusal_of(provider, an_authorization(provider, clock, token=token)) == "SIGN_IN_INVALID"


async def test_an_id_token_that_nobody_trusted_has_signed_signs_nobody_in(
    provider: ProviderServer, clock: ManualClock
) -> None:
    shop, authorization = provider.shop, an_authorization(provider, clock)
    address, pending = await authorization.begin("/")
    claims = shop.claims(iss=provider.issuer, aud=CLIENT, nonce=pending.nonce, iat=NOON, kind=...)
    honest = shop.token(claims=claims)
    forged = [
        shop.token(claims=claims, key=shop.own),
        shop.with_signature(shop.header(alg="none"), b"", claims),
        _hashed(shop, claims),
        honest[:-4] + "AAAA",
        shop.token(shop.header("ec", alg="RS256"), claims, kid="ec"),
        shop.token(shop.header(crit=["exp"]), claims),
        "a.b",
        "",
    ]

    for each in forged:
        with pytest.raises(Refusal, match="SIGN_IN_INVALID"):
            await _finished_with(each, provider, authorization, address, pending)
    # But for its signature nothing is wrong with any of them.
    assert await _finished_with(honest, provider, authorization, address, pending) == honest


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"state": "of another sign-in"}, "SIGN_IN_LOST"),
        ({"state": ""}, "SIGN_IN_LOST"),
        ({"code": ""}, "SIGN_IN_LOST"),
        ({"code": "of another"}, "SIGN_IN_REFUSED"),
        ({"iss": "https://id.example.com"}, "SIGN_IN_MIXED_UP"),
        ({"error": "access_denied"}, "SIGN_IN_DENIED"),
        ({"error": "<script>"}, "SIGN_IN_REFUSED"),
        ({"error": "access_denied", "iss": "https://id.example.com"}, "SIGN_IN_MIXED_UP"),
        ({"error": "access_denied", "state": "of another sign-in"}, "SIGN_IN_LOST"),
    ],
)
async def test_an_answer_that_is_not_right_signs_nobody_in(
    provider: ProviderServer, clock: ManualClock, more: dict[str, str], reason: str
) -> None:
    assert await refusal_of(provider, an_authorization(provider, clock), **more) == reason


async def test_a_provider_that_names_itself_always_does_so_or_is_another(
    provider: ProviderServer, clock: ManualClock
) -> None:
    authorization = an_authorization(provider, clock)
    address, pending = await authorization.begin("/")
    answer = answer_in(await provider.back_from(address))
    del answer["iss"]

    with pytest.raises(Refusal, match="SIGN_IN_MIXED_UP"):
        await authorization.finish(pending, answer)

    assert "/token" not in provider.asked


async def test_the_same_answer_a_second_time_signs_nobody_in(
    provider: ProviderServer, clock: ManualClock
) -> None:
    authorization = an_authorization(provider, clock)
    address, pending = await authorization.begin("/")
    answer = answer_in(await provider.back_from(address))
    await authorization.finish(pending, answer)

    with pytest.raises(Refusal, match="SIGN_IN_REFUSED"):
        await authorization.finish(pending, answer)


async def test_a_code_goes_to_nobody_but_who_has_the_verifier(
    provider: ProviderServer, clock: ManualClock
) -> None:
    authorization = an_authorization(provider, clock)
    address, pending = await authorization.begin("/")
    answer = answer_in(await provider.back_from(address))
    stolen = Pending(pending.state, pending.nonce, "v" * 64, "/")

    with pytest.raises(Refusal, match="SIGN_IN_REFUSED"):
        await authorization.finish(stolen, answer)


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://id.example.com"},
        {"issuer": ...},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://id.example.com/authorize"},
        {"token_endpoint": "http://127.0.0.1@id.example.com/token"},
        {"token_endpoint": ...},
        {"jwks_uri": 7},
        {"end_session_endpoint": "//id.example.com"},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
async def test_a_discovery_document_that_leads_astray_is_of_no_use(
    provider: ProviderServer, clock: ManualClock, document: dict[str, Any]
) -> None:
    provider.document = document

    assert await refusal_of(provider, an_authorization(provider, clock)) == "PROVIDER_UNAVAILABLE"


async def _huge(_request: Request) -> Response:
    return PlainTextResponse(" " * 300_000 + "{}")


async def _elsewhere(_request: Request) -> Response:
    return Response(status_code=302, headers={"location": "http://127.0.0.1:1/"})


async def _nested(_request: Request) -> Response:
    return PlainTextResponse("[" * 100_000)


async def _odd(_request: Request) -> Response:
    return PlainTextResponse(json.dumps({"error": {"a": 1}, "error_description": 7}), 400)


@pytest.mark.parametrize("path", [DISCOVERY, "/keys", "/token"])
@pytest.mark.parametrize("wrong", [_huge, broken, _elsewhere, _nested])
async def test_a_provider_that_answers_wrongly_signs_nobody_in(
    provider: ProviderServer, clock: ManualClock, path: str, wrong: Any
) -> None:
    provider.instead[path] = wrong

    assert await refusal_of(provider, an_authorization(provider, clock)) == "PROVIDER_UNAVAILABLE"


async def test_an_error_in_no_form_that_there_is_signs_nobody_in(
    provider: ProviderServer, clock: ManualClock
) -> None:
    provider.instead["/token"] = _odd

    reason = await refusal_of(provider, an_authorization(provider, clock))

    assert reason in {"PROVIDER_UNAVAILABLE", "SIGN_IN_REFUSED"}


async def test_a_provider_that_does_not_answer_is_not_waited_for(
    provider: ProviderServer, clock: ManualClock
) -> None:
    provider.instead["/token"] = slow

    assert await refusal_of(provider, an_authorization(provider, clock)) == "PROVIDER_UNAVAILABLE"


async def test_a_provider_that_is_down_signs_nobody_in(clock: ManualClock) -> None:
    authorization = an_authorization(ProviderServer("http://127.0.0.1:1"), clock)

    with pytest.raises(Refusal, match="PROVIDER_UNAVAILABLE"):
        await authorization.begin("/")

    assert authorization.end_address() is None
