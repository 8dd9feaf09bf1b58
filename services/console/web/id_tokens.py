"""Checks that an ID token is for us and of this sign-in (OpenID Connect Core 1.0, 3.1.3.7).

It is read and its signature checked as the services do with their tokens: EdDSA, ES256 or RS256, as the key's
own type says and never the token; its claims are Authlib's to check.
"""

from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError

from services.chassis.compact import Compact, read_compact
from services.chassis.verifying import LONGEST_TOKEN, signer_of
from services.console.web.discovering import Known
from services.console.web.provider import Provider

LEEWAY_SECONDS = 60
"""By which the provider's clock may differ from ours; how long a session may last the services say."""


def read_id_token(text: object) -> Compact:
    """Its parts; raises ValueError, and RecursionError where JSON is nested too deeply."""
    if not isinstance(text, str) or len(text) > LONGEST_TOKEN:
        raise ValueError("no ID token, or one that is too long")
    return read_compact(text)


def check_id_token(
    token: Compact, provider: Provider, known: Known, *, nonce: str, access_token: str | None, now_us: int
) -> None:
    """Raises ValueError unless the provider made it for us, for this sign-in, and it has not ended.

    With an `access_token` it has to go with that, if it says so (`at_hash`). `now_us` in microseconds UTC.
    """
    signer_of(known.keys.get, token)
    wanted = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": provider.client_id},
    }
    shown = {"nonce": nonce, "client_id": provider.client_id}
    if access_token is not None:
        shown["access_token"] = access_token
    claims = CodeIDToken(token.claims, token.header, wanted, shown)
    try:
        claims.validate(now=now_us // 1_000_000, leeway=LEEWAY_SECONDS)
    except (JoseError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError("a claim is missing, or not what it should be") from error
