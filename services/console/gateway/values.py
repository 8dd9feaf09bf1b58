"""What an operator says about a gateway: addresses, certificates, origins, issuers and limits.

Whatever is misspelt is refused: it would be a default in disguise.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from services.chassis.addresses import parse_address
from services.chassis.fetching import source_of
from services.chassis.refusals import invalid

Address = Annotated[str, Field(pattern=r"^.+:\d+$", description="host:port; IPv6 in brackets.")]
NETWORK_BITS = {4: 24, 6: 48}
"""How much of an address is that of its network, by version of IP."""
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]


class Part(BaseModel):
    """A group of values."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Tls(Part):
    """Certificates, as files of Envoy's secrets (SDS), which are read again when they are replaced."""

    certificate: Path
    """Holds the secret "gateway": the gateway's own certificate and key."""
    authorities: Path
    """Holds the secret "authorities": those who vouch for the services."""


class Issuer(Part):
    """Somebody whose tokens tell who a user is."""

    name: Name
    issuer: str = Field(min_length=1)
    """The `iss` claim."""
    audiences: tuple[str, ...] = Field(min_length=1)
    """One of them is the `aud` claim."""
    jwks_file: Path | None = None
    """Their keys; read when the gateway starts."""
    jwks_url: str | None = None
    """Or where they publish them, https; looked up again every five minutes. Plain http to 127.0.0.1 alone:
    elsewhere, keys that anyone on the way can change vouch for nobody."""
    authorities: Path | None = None
    """PEM file of those who vouch for the server of an https `jwks_url`."""
    subject_claim: str = Field("sub", min_length=1)
    """Which claim says whose a subject's token is, as in the services' list of issuers: calls are counted
    by it and by `sub`."""

    @field_validator("jwks_url")
    @classmethod
    def _leads_somewhere(cls, url: str | None) -> str | None:
        if url is not None:
            source_of(url)
        return url

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.jwks_file is None) == (self.jwks_url is None):
            raise ValueError("either jwks_file or jwks_url")
        if self.is_vouched_for != (self.authorities is not None):
            raise ValueError("an https jwks_url and authorities go together")
        return self

    @property
    def is_vouched_for(self) -> bool:
        """Whether the keys come over TLS."""
        return self.jwks_url is not None and self.jwks_url.startswith("https:")


class Content(Part):
    """Routes of the platform's own, which show posts to readers: the login wall stands before them."""

    prefix: str = Field(pattern=r"^/[A-Za-z0-9._~/-]*$")
    """Paths that begin with it."""
    address: Address
    """Where the platform serves them, over HTTP/1.1."""
    keep_token: bool = False
    """Whether it is shown the `authorization` of callers: whoever holds somebody's token can do what they
    can."""

    @field_validator("prefix")
    @classmethod
    def _leaves_room(cls, prefix: str) -> str:
        if any(taken.startswith(prefix) or prefix.startswith(taken) for taken in ("/v1/", "/sluice.")):
            raise ValueError("the paths of the API are not content")
        return prefix


class Limits(Part):
    """What the gateway bounds by itself."""

    request_bytes: int = Field(4 * 1024 * 1024, ge=1024)
    """Largest body of a call over gRPC or gRPC-Web that is no stream; more is 413."""
    json_bytes: int = Field(384 * 1024, ge=1024)
    """Largest body in JSON, which is held before it is known whose it is; more is 413. The largest call that
    licensees make, RequestRelease of 10,000 posts, is 230 kB, and 300 kB if it is indented."""
    body_seconds: int = Field(15, ge=1)
    """How long a body in JSON may take to come; more is 408."""
    answer_bytes: int = Field(16 * 1024 * 1024, ge=1024)
    """Largest answer that is turned into JSON."""
    heap_bytes: int = Field(1024 * 1024 * 1024, ge=64 * 1024 * 1024)
    """What Envoy may hold in memory; near it, new calls are 503. One network can have it hold
    calls_a_second * body_seconds * json_bytes (563 MiB)."""
    header_kib: int = Field(32, ge=8, le=96)
    """All headers of a request together; more is 431."""
    call_seconds: int = Field(30, ge=1)
    """A call that names no time of its own (grpc-timeout)."""
    longest_call_seconds: int = Field(60, ge=1)
    """The longest that a call may ask for."""
    longest_stream_seconds: int = Field(3600, ge=1)
    """A stream is ended after that; callers open another."""
    connections: int = Field(10_000, ge=1)
    """From outside."""
    streams_a_connection: int = Field(128, ge=1)
    """Calls at once over one connection from outside."""
    upstream_calls: int = Field(1024, ge=1)
    """Calls at once to one service; more is 503."""
    calls_a_second: int = Field(100, ge=1)
    """From one network (/24 of IPv4, /48 of IPv6), before it is asked who calls and before a body is
    held; more is 429. Raising it raises what one network can have held: name those that need more."""
    networks: Mapping[str, Annotated[int, Field(ge=1)]] = {}
    """Calls a second from networks of the operator's own, by 10.4.0.0/24 or 2001:db8:4::/48, such as the one
    where the settings page runs: through it come all of its users. Nothing else should call from there."""
    caller_calls_a_second: int = Field(20, ge=1)
    """From one caller, by issuer, kind and name, on the routes that need no metering (consent's); more is
    429. Kept in memory, for each process of the gateway."""
    exports_an_hour: int = Field(20, ge=1, le=3600)
    """Files of a subject's records for one caller: so many at once, and from then on as many an hour."""
    callers: int = Field(50_000, ge=1)
    """Of how many callers the calls are remembered; the one seen longest ago is forgotten for a new one, and
    may then call as if never seen. Each takes less than a KiB: 50 MiB, and as much again for exports."""

    @field_validator("networks")
    @classmethod
    def _are_as_counted(cls, networks: Mapping[str, int]) -> Mapping[str, int]:
        for network in networks:
            _check_network(network)
        return networks


class Values(Part):
    """Everything that the template needs besides the contracts."""

    listen: Address = "127.0.0.1:7600"
    """Where callers from outside come in."""
    listen_tls: Path | None = None
    """File of secrets (SDS) with the secret "listener": the certificate that callers see. Plain without."""
    upstreams: dict[Name, Address | Annotated[tuple[Address, ...], Field(min_length=1)]]
    """The services, by name: consent, metering, licensing. Each is one address or a list of them."""
    tls: Tls | None = None
    """Mutual TLS to the services, each known by the DNS name that is its name. Plain without."""
    credential: Path | None = None
    """File of secrets (SDS) with the secret "credential", shown to licensing and metering as `authorization`.
    Without, the certificate says who the gateway is."""
    issuer: str = "sluice"
    audience: str = "sluice"
    jwks: Path
    """Public keys of the installation's own tokens; read when the gateway starts."""
    issuers: tuple[Issuer, ...] = ()
    """Others whose tokens consent believes."""
    origins: tuple[str, ...] = ()
    """Web pages that may call, such as https://settings.example."""
    trusted_hops: int = Field(0, ge=0, le=8)
    """Proxies of our own before the gateway, whose x-forwarded-for is believed."""
    content: Content | None = None
    collector: Address | None = None
    """OTLP collector (gRPC) for the gateway's spans."""
    sampled_percent: float = Field(100, ge=0, le=100)
    """Of the traces that begin here."""
    access_log: str = "/dev/stdout"
    admin_socket: str | None = None
    """Unix socket of Envoy's administration; there is none without."""
    stats_listen: Address | None = None
    """Where Prometheus reads Envoy's figures, over plain HTTP at /stats/prometheus; out of `admin_socket`."""
    openapi: Path | None = None
    """Served as /openapi.json."""
    docs: Path | None = None
    """Served as /docs."""
    limits: Limits = Limits.model_validate({})

    @property
    def token_providers(self) -> list[tuple[str, str]]:
        """Name and `subject_claim` of each of the issuers."""
        return [(issuer.name, issuer.subject_claim) for issuer in self.issuers]

    @field_validator("listen", "collector", "stats_listen")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None:
            parse_address(value)
        return value

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if parts.scheme not in {"http", "https"} or f"{parts.scheme}://{parts.netloc}" != origin:
                raise ValueError(f"{origin!r} is no origin: scheme://host[:port] and nothing after it")
        return origins

    @model_validator(mode="after")
    def _figures_have_a_source(self) -> Self:
        if self.stats_listen is not None and self.admin_socket is None:
            raise ValueError("stats_listen needs an admin_socket")
        return self

    @model_validator(mode="after")
    def _names_are_of_one(self) -> Self:
        names = [issuer.name for issuer in self.issuers]
        if len({*names, "sluice"}) <= len(names):
            raise ValueError("each of issuers has a name of its own, and none is called sluice")
        return self


def read_values(text: str, origin: str) -> Values:
    """Values out of YAML; raises Refusal (invalid, VALUES_INVALID) that names `origin` and the field."""
    try:
        return checked(yaml.safe_load(text), origin)
    except yaml.YAMLError as error:
        raise invalid("VALUES_INVALID", f"{origin} is no YAML: {error}") from None


def checked(fields: object, origin: str) -> Values:
    """The fields as values; raises Refusal (invalid, VALUES_INVALID) that names `origin` and the field."""
    try:
        return Values.model_validate(fields)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'it'}: {e['msg']}" for e in error.errors())
        raise invalid("VALUES_INVALID", f"{origin}: {faults}") from None


def _check_network(text: str) -> None:
    """Raises ValueError for what is not written as Envoy writes the networks that it counts by."""
    network = ipaddress.ip_network(text)
    if str(network) != text or network.prefixlen != NETWORK_BITS[network.version]:
        raise ValueError(f"{text!r} is no network that is counted: 192.0.2.0/24 or 2001:db8:7::/48")


def addresses(of: str | Sequence[str]) -> list[str]:
    """All addresses of a service."""
    return [of] if isinstance(of, str) else list(of)


def is_literal(address: str) -> bool:
    """Whether the host is an address already, and no name to be looked up."""
    try:
        ipaddress.ip_address(parse_address(address)[0])
    except ValueError:
        return False
    return True
