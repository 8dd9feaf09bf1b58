"""The gateway of a local installation: its values, by what it is known, and the file that gets its spans."""

import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from services.chassis.identity import PrincipalKind
from services.chassis.issuers import IssuerEntry, read_issuers
from services.chassis.keys import Keys
from services.chassis.refusals import Refusal, invalid
from services.console.credentials import Local, own_tokens
from services.console.gateway import credential
from services.console.gateway.binary import envoy_binary
from services.console.gateway.credential import CredentialFile
from services.console.gateway.files import shipped
from services.console.gateway.program import NAME, GatewayProgram
from services.console.gateway.running import ADMIN_SOCKET
from services.console.gateway.secrets import write_secrets
from services.console.gateway.spans import receiving
from services.console.gateway.values import Content, Issuer, Values, checked
from services.console.installation import HOST, StateFolder
from services.console.programs import ServiceProgram

PORT = 7600
OWN_NETWORK = "127.0.0.0/24"
"""That of HOST."""
PAGE_CALLS_A_SECOND = 5_000
"""From this machine: more than a settings page sends."""
ISSUERS_VARIABLE = "SLUICE_CONSENT_TOKEN_ISSUERS"


@dataclass(frozen=True)
class Asked:
    """What `sluice up --gateway` was told."""

    port: int = PORT
    """0 takes a free one."""
    origins: tuple[str, ...] = ()
    content: Content | None = None
    """What the login wall stands before."""
    has_settings_page: bool = False
    """Whether the settings page calls through it: to the gateway all of its users are one network."""

    @property
    def limits(self) -> dict[str, object]:
        """What differs from the limits of any gateway."""
        return {"networks": {OWN_NETWORK: PAGE_CALLS_A_SECOND}} if self.has_settings_page else {}

    @property
    def ports(self) -> dict[str, int]:
        """Which it takes, by name."""
        return {NAME: self.port}


def content_of(url: str) -> Content:
    """http://host:port/prefix/ as content routes; raises Refusal (invalid, CONTENT_MALFORMED)."""
    try:
        parts = urlsplit(url)
        address = f"{parts.netloc}" if parts.port else f"{parts.netloc}:80"
        if parts.scheme == "http" and parts.hostname and len(parts.path) > 1:
            return Content(prefix=parts.path, address=address)
    except ValidationError as error:
        raise _malformed(url, error.errors()[0]["msg"]) from error
    except ValueError as error:
        raise _malformed(url, str(error)) from error
    raise _malformed(url)


def _malformed(url: str, why: str = "") -> Refusal:
    wanted = f"--content wants http://HOST:PORT/PREFIX/, not {url!r}"
    return invalid("CONTENT_MALFORMED", f"{wanted} ({why})" if why else wanted)


@contextlib.asynccontextmanager
async def local_gateway(
    services: Sequence[ServiceProgram],
    state: StateFolder,
    keys: Keys,
    asked: Asked,
    report: Callable[[str], None],
) -> AsyncIterator[GatewayProgram]:
    """The gateway as a program; its token is renewed and its spans are taken while the context is open.

    Raises Refusal: ENVOY_MISSING, VALUES_INVALID, TOKEN_ISSUERS_WRONG and those of the keys.
    """
    envoy_binary()
    async with _shown(state, report) as shown, receiving(state.trace_file(NAME)) as collector:
        address = f"{HOST}:{asked.port or _a_free_port()}"
        usual = {**_usual(state, keys, asked), **shown, "listen": address, "collector": collector}

        def values() -> Values:
            upstreams = {each.name: each.address for each in services}
            return checked({**usual, "upstreams": upstreams, "issuers": _issuers(services)}, "the gateway")

        # What is wrong with them is said before anything is started.
        values()
        yield GatewayProgram(state, values, address, frozenset(each.name for each in services))


@contextlib.asynccontextmanager
async def _shown(state: StateFolder, report: Callable[[str], None]) -> AsyncIterator[dict[str, object]]:
    """By what services know the gateway: its certificate where they speak TLS, else a token."""
    path = state.gateway_credential().resolve()
    if state.speaks_tls():
        # One of an earlier start would lie there, good for minutes and of no use.
        path.unlink(missing_ok=True)
        yield {"tls": write_secrets(state)}
        return
    token = own_tokens(state, Local(PrincipalKind.SERVICE, credential.NAME))
    async with CredentialFile(path, token, report).kept() as kept:
        yield {"credential": kept}


def _usual(state: StateFolder, keys: Keys, asked: Asked) -> dict[str, object]:
    return {
        "jwks": keys.token_jwks.resolve(),
        "origins": asked.origins,
        "content": asked.content,
        "access_log": str(state.access_log().resolve()),
        "admin_socket": ADMIN_SOCKET,
        "limits": asked.limits,
        "openapi": shipped("openapi.json"),
        "docs": shipped("docs.html"),
    }


def _issuers(services: Sequence[ServiceProgram]) -> list[Issuer]:
    """Those whose tokens consent was told to believe: on its routes the gateway looks at tokens itself."""
    consent = next(each for each in services if each.name == "consent")
    told = consent.environment().get(ISSUERS_VARIABLE)
    return [issuer_of(entry) for entry in read_issuers(Path(told))] if told else []


def issuer_of(entry: IssuerEntry) -> Issuer:
    """The same issuer to the gateway; servers of https are vouched for as this machine has it.

    A relative `jwks_file` is one of the folder of now, as it is to consent.
    """
    url = entry.jwks_url
    return Issuer(
        name=entry.name,
        issuer=entry.issuer,
        audiences=(entry.audience,),
        jwks_file=entry.jwks_file and entry.jwks_file.resolve(),
        jwks_url=url,
        subject_claim=entry.subject_claim,
        authorities=_authorities() if url is not None and url.startswith("https:") else None,
    )


def _authorities() -> Path:
    paths = ssl.get_default_verify_paths()
    return Path(paths.cafile or paths.openssl_cafile)


def _a_free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
