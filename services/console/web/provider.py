"""A provider of sign-ins elsewhere (OpenID Connect): what we are told of it, and what it says of itself."""

from dataclasses import dataclass, field
from typing import Literal

from services.chassis.compact import json_object
from services.chassis.refusals import precondition
from services.console.web.addresses import host_of

LOCAL_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
"""Only these are spoken to over plain HTTP, and only for an issuer that is one of them: for trying out."""
DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Provider:
    """Where people sign in, and as what the page is known there."""

    issuer: str
    """Its `iss`, letter for letter; below it lies its discovery document."""
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    """None for a page that is registered as a public client: PKCE binds the code to it."""
    scopes: tuple[str, ...] = ("openid",)
    token: Literal["id_token", "access_token"] = "id_token"  # noqa: S105 - which of them, not one of them
    """Which of its tokens the services are shown, and believe."""

    def __post_init__(self) -> None:
        """Raises Refusal (precondition, PROVIDER_SETTINGS_WRONG)."""
        if not _is_endpoint(self.issuer, self.issuer) or "?" in self.issuer:
            raise precondition("PROVIDER_SETTINGS_WRONG", "the issuer is https://host[:port][/path]")
        if not self.client_id or "openid" not in self.scopes:
            message = "a client id is needed, and openid among the scopes"
            raise precondition("PROVIDER_SETTINGS_WRONG", message)


@dataclass(frozen=True)
class Endpoints:
    """Where the provider does what (OpenID Connect Discovery 1.0, 3)."""

    authorization: str
    token: str
    keys: str
    end_session: str | None
    """Where people sign out (OpenID Connect RP-Initiated Logout 1.0, 2.1); None where it does not say."""
    names_itself: bool
    """Whether each of its answers has an `iss` (RFC 9207, 3)."""
    secret_in_form: bool = False
    """Whether it takes the secret of a client as a field alone (RFC 6749, 2.3.1)."""


def read_endpoints(document: bytes, issuer: str) -> Endpoints:
    """Out of a discovery document; raises ValueError for one of another issuer, or that leads astray."""
    said = json_object(document)
    if said.get("issuer") != issuer:
        raise ValueError("the discovery document is another issuer's")
    challenges = said.get("code_challenge_methods_supported")
    if challenges is not None and (not isinstance(challenges, list) or "S256" not in challenges):
        raise ValueError("the provider does not take PKCE by S256")
    ending, methods = said.get("end_session_endpoint"), said.get("token_endpoint_auth_methods_supported")
    return Endpoints(
        authorization=_endpoint(said.get("authorization_endpoint"), issuer),
        token=_endpoint(said.get("token_endpoint"), issuer),
        keys=_endpoint(said.get("jwks_uri"), issuer),
        end_session=None if ending is None else _endpoint(ending, issuer),
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        secret_in_form=isinstance(methods, list) and "client_secret_basic" not in methods,
    )


def _endpoint(said: object, issuer: str) -> str:
    if not isinstance(said, str) or not _is_endpoint(said, issuer):
        raise ValueError("an endpoint of the provider is none that could be trusted")
    return said


def _is_endpoint(text: str, issuer: str) -> bool:
    found, home = host_of(text), host_of(issuer)
    if found is None or home is None or "#" in text:
        return False
    return text.startswith("https://") or (found[0] in LOCAL_HOSTS and home[0] in LOCAL_HOSTS)
