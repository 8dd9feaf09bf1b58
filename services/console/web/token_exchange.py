"""A code for tokens: Authlib's client of OAuth 2.0, over calls that have bounds."""

from collections.abc import Mapping
from typing import Any

import httpx
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.client import OAuth2Client

from services.chassis.refusals import forbidden
from services.console.web.provider import Endpoints, Provider
from services.console.web.provider_calls import ProviderCalls, of_no_use

KNOWN_ERRORS = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope"}
)
"""Of RFC 6749, 5.2; what else a provider writes is not for a log."""

_log = structlog.get_logger(__name__)


class TokenExchange(OAuth2Client):  # type: ignore[misc] # Authlib is not annotated.
    """Authlib's client of one provider; each sign-in has its own."""

    def __init__(
        self, provider: Provider, endpoints: Endpoints, redirect_uri: str, calls: ProviderCalls
    ) -> None:
        with_secret = "client_secret_post" if endpoints.secret_in_form else "client_secret_basic"
        super().__init__(
            calls,
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            token_endpoint_auth_method=with_secret if provider.client_secret else "none",
            scope=" ".join(provider.scopes),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )
        self._endpoints = endpoints

    def address(self, state: str, nonce: str, verifier: str) -> str:
        """Where the browser is sent to sign in (OpenID Connect Core 1.0, 3.1.2.1; RFC 7636, 4.3)."""
        where, _ = self.create_authorization_url(
            self._endpoints.authorization, state=state, nonce=nonce, code_verifier=verifier
        )
        return str(where)

    async def tokens(self, code: str, verifier: str) -> Mapping[str, Any]:
        """What the provider gives for a code (RFC 6749, 4.1.3; RFC 7636, 4.5).

        Raises Refusal (unavailable, PROVIDER_UNAVAILABLE), or (forbidden, SIGN_IN_REFUSED) where it takes no
        such code.
        """
        try:
            given = await self.fetch_token(
                self._endpoints.token, grant_type="authorization_code", code=code, code_verifier=verifier
            )
        except AuthlibBaseError as error:
            _log.warning(
                "a provider gave no tokens", error=error.error if error.error in KNOWN_ERRORS else ""
            )
            raise forbidden("SIGN_IN_REFUSED", "the provider gave no tokens for the code") from error
        except (httpx.HTTPStatusError, ValueError, TypeError, RecursionError) as error:
            raise of_no_use("what came for a code are no tokens") from error
        return dict(given)

    async def _fetch_token(
        self, url: str, body: str, headers: Mapping[str, str], auth: Any, method: str
    ) -> Mapping[str, Any]:
        """One call; Authlib's own form of it does not know of awaiting."""
        url, sent, body = auth.prepare(method, url, dict(headers), body)
        given: Mapping[str, Any] = self.parse_response_token(
            await self.session.exchange(method, url, sent, body)
        )
        return given
