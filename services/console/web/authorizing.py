"""Signing in at a provider: the authorization code flow of OpenID Connect, with PKCE.

State, nonce and verifier are made for one sign-in of one browser, which alone can go on with it. Whatever is
not as it should be ends in a Refusal, before any service is shown a token.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from services.chassis.clock import Clock
from services.chassis.refusals import Refusal, forbidden, invalid, unauthenticated
from services.console.web.discovering import Discovery, Known
from services.console.web.id_tokens import check_id_token, read_id_token
from services.console.web.provider import Provider
from services.console.web.provider_calls import ProviderCalls
from services.console.web.token_exchange import TokenExchange

LONGEST_CODE = 4_096
"""Characters."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Pending:
    """A sign-in that has begun; for the browser to keep, sealed."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    next: str
    """The page to go on to."""


class Authorization:
    """Signs people in at one provider."""

    def __init__(
        self, provider: Provider, redirect_uri: str, clock: Clock, calls: ProviderCalls | None = None
    ) -> None:
        """`redirect_uri` is the address that the provider sends them back to, as it is registered there."""
        self._provider = provider
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._calls = calls or ProviderCalls()
        self._discovery = Discovery(provider.issuer, self._calls, clock)

    async def begin(self, next: str) -> tuple[str, Pending]:
        """Where to send the browser, and what it is to keep.

        Raises Refusal (unavailable, PROVIDER_UNAVAILABLE).
        """
        known = await self._discovery.known()
        pending = Pending(
            secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), next
        )
        where = self._exchange(known).address(pending.state, pending.nonce, pending.verifier)
        return where, pending

    async def finish(self, pending: Pending | None, answer: Mapping[str, str]) -> str:
        """The token to show the services, for what the provider has sent the browser back with.

        Raises Refusal: SIGN_IN_LOST where it is not the sign-in that this browser has begun, SIGN_IN_MIXED_UP
        where another provider answers, SIGN_IN_DENIED and SIGN_IN_REFUSED where the provider says no,
        SIGN_IN_INVALID where its ID token is not right, PROVIDER_UNAVAILABLE.
        """
        if pending is None or not hmac.compare_digest(
            pending.state.encode(), answer.get("state", "").encode("utf-8", "replace")
        ):
            raise invalid("SIGN_IN_LOST", "this is not the sign-in that was begun in this browser")
        known = await self._discovery.known()
        self._check_sender(known, answer.get("iss"))
        if "error" in answer:
            raise _refused(answer["error"])
        code = answer.get("code", "")
        if not 0 < len(code) <= LONGEST_CODE:
            raise invalid("SIGN_IN_LOST", "the provider sent no code")
        tokens = await self._exchange(known).tokens(code, pending.verifier)
        return await self._checked(tokens, pending.nonce)

    def end_address(self) -> str | None:
        """Where people sign out at the provider; None where it does not say, or nobody has asked it yet.

        Whoever has signed out here is out, and does not wait for the provider to be told so.
        """
        known = self._discovery.known_already
        return None if known is None else known.endpoints.end_session

    def _check_sender(self, known: Known, issuer: str | None) -> None:
        """Whether the answer is this provider's (RFC 9207, 2.4): another's code must not go to it."""
        if issuer is None and not known.endpoints.names_itself:
            return
        if issuer != self._provider.issuer:
            raise forbidden("SIGN_IN_MIXED_UP", "another provider has answered than was asked")

    async def _checked(self, tokens: Mapping[str, object], nonce: str) -> str:
        shown, access = tokens.get(self._provider.token), tokens.get("access_token")
        try:
            token = read_id_token(tokens.get("id_token"))
            known = await self._discovery.known_with(token.header.get("kid"))
            check_id_token(
                token,
                self._provider,
                known,
                nonce=nonce,
                access_token=access if isinstance(access, str) else None,
                now_us=self._clock.now_us(),
            )
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            # Why is for the log alone: it would tell a forger what to change.
            _log.warning("an ID token is not valid", why=str(error))
            raise _not_valid() from error
        if not isinstance(shown, str) or not shown.isascii() or not shown.isprintable():
            raise _not_valid()
        return shown

    def _exchange(self, known: Known) -> TokenExchange:
        return TokenExchange(self._provider, known.endpoints, self._redirect_uri, self._calls)


def _not_valid() -> Refusal:
    return unauthenticated("SIGN_IN_INVALID", "what the provider gave is not valid here")


def _refused(error: str) -> Refusal:
    if error == "access_denied":
        return forbidden("SIGN_IN_DENIED", "whoever was to sign in did not agree")
    return forbidden("SIGN_IN_REFUSED", "the provider does not sign anybody in")
