"""What may be said of a provider, by an operator and by itself."""

import json
from typing import Any

import pytest

from services.chassis.refusals import Refusal
from services.console.web.provider import Endpoints, Provider, read_endpoints

ISSUER = "https://id.example.com/users"
DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": "https://id.example.com/authorize?tenant=1",
    "token_endpoint": "https://tokens.example.com/token",
    "jwks_uri": "https://id.example.com/keys",
}


def test_the_endpoints_are_those_of_the_document() -> None:
    assert read_endpoints(json.dumps(DOCUMENT).encode(), ISSUER) == Endpoints(
        authorization="https://id.example.com/authorize?tenant=1",
        token="https://tokens.example.com/token",
        keys="https://id.example.com/keys",
        end_session=None,
        names_itself=False,
        secret_in_form=False,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": f"{ISSUER}/"},
        {"issuer": [ISSUER]},
        {"token_endpoint": "http://127.0.0.1/token"},
        {"token_endpoint": "https://tokens.example.com/#token"},
        {"jwks_uri": "https://a@id.example.com/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "https:///authorize"},
        {"code_challenge_methods_supported": "S256"},
    ],
)
def test_a_document_that_leads_astray_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"provider|another"):
        read_endpoints(json.dumps(DOCUMENT | changes).encode(), ISSUER)


@pytest.mark.parametrize("document", [b"", b"[]", b"null", b"\xff", b'{"issuer": "a", "issuer": "b"}'])
def test_what_is_no_document_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError):
        read_endpoints(document, ISSUER)


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "http://id.example.com"},
        {"issuer": "id.example.com"},
        {"issuer": f"{ISSUER}?a=1"},
        {"issuer": f"{ISSUER}#a"},
        {"client_id": ""},
        {"scopes": ("profile",)},
    ],
)
def test_settings_of_a_provider_that_cannot_be_right_are_refused(said: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="PROVIDER_SETTINGS_WRONG"):
        Provider(**{"issuer": ISSUER, "client_id": "pages", **said})


def test_a_provider_on_this_machine_may_speak_plain_http() -> None:
    assert Provider("http://127.0.0.1:8080", "pages").issuer == "http://127.0.0.1:8080"


def test_the_secret_is_in_no_text_that_could_come_into_a_log() -> None:
    assert "hush" not in repr(Provider(ISSUER, "pages", "hush"))
