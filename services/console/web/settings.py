"""What an operator can set for the two pages, in the environment; wrong settings are refused at the start."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from services.chassis.addresses import is_loopback, parse_address
from services.chassis.certificates import Certificates
from services.chassis.clock import SystemClock
from services.chassis.refusals import precondition
from services.chassis.settings import ProcessSettings
from services.chassis.tls import CallerTls, ClientTls, GatewayTls
from services.chassis.tls_files import TlsFiles
from services.console.web.addresses import is_origin
from services.console.web.crowding import AT_ONCE
from services.console.web.provider import Provider
from services.console.web.session_keys import FileSeal
from services.console.web.sessions import Seal

CONNECTIONS = 1_000
"""A browser keeps some of them open, and most of them idle."""
KEEP_ALIVE_SECONDS = 75
"""Longer than the 60 s for which proxies keep one: else they ask by what is just being closed."""


class PageSettings(ProcessSettings):
    """Settings that both pages share."""

    public_url: str | None = Field(
        None,
        description="scheme://host[:port] by which browsers know the page: https, or http on this machine."
        " Else the address that it listens at, where only this machine reaches that.",
    )
    session_keys: Path = Field(
        description="File with the keys that sessions are sealed with (Fernet), one a line: the first seals,"
        " all open. All replicas have the same."
    )
    links: Path | None = Field(
        None,
        description="Folder of one-time sign-in links, of a local installation alone; without it nobody comes"
        " in by a link.",
    )
    oidc_issuer: str | None = Field(
        None,
        description="The provider of sign-ins (OpenID Connect), as its `iss`; without it nobody comes in by"
        " one.",
    )
    oidc_client_id: str = Field("", description="As what the page is registered there.")
    oidc_client_secret: Path | None = Field(
        None,
        description="File with the secret of that registration; without it the page is a public client.",
    )
    oidc_scopes: str = Field("openid", description="What is asked for there, apart by spaces.")
    oidc_token: Literal["id_token", "access_token"] = Field(
        "id_token", description="Which of its tokens the services are shown, and believe."
    )
    plaintext_ok: bool = Field(
        False, description="Calls other machines without TLS: for a mesh that speaks TLS."
    )
    max_connections: int = Field(
        CONNECTIONS, ge=1, description="Connections at once; one more ends the one that is idle for longest."
    )
    max_requests: int = Field(
        AT_ONCE, ge=1, description="Requests at once; more are told to come back (503), health is not."
    )
    keep_alive_seconds: int = Field(
        KEEP_ALIVE_SECONDS,
        ge=1,
        description="Seconds that a connection may be idle: more than a proxy before the page keeps one.",
    )
    drain_seconds: int = Field(10, ge=0, description="Seconds that requests get to finish after SIGTERM.")

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, value: str | None) -> str | None:
        return None if value is None else checked_origin(value)

    def origin(self, address: str) -> str:
        """By what browsers know the page that listens at `address` (host:port).

        Raises Refusal (precondition, PUBLIC_URL_MISSING) where other machines reach it and it is not said.
        """
        if self.public_url is not None:
            return self.public_url
        if not is_loopback(self.listen):
            message = f"other machines can reach {self.listen}: set public_url to the https URL that they use"
            raise precondition("PUBLIC_URL_MISSING", message)
        return f"http://{address}"

    def seal(self) -> Seal:
        """Seals with the session keys; raises Refusal (precondition, SESSION_KEYS_WRONG) and OSError."""
        return FileSeal(self.session_keys)

    def provider(self) -> Provider | None:
        """Where people sign in; None where it is nowhere but here.

        Raises Refusal (precondition, PROVIDER_SETTINGS_WRONG) for settings that do not make one, and OSError.
        """
        if self.oidc_issuer is None:
            if self.oidc_client_id or self.oidc_client_secret is not None:
                raise precondition("PROVIDER_SETTINGS_WRONG", "a provider needs oidc_issuer")
            return None
        file, scopes = self.oidc_client_secret, tuple(self.oidc_scopes.split())
        secret = None if file is None else file.read_text(encoding="utf-8").strip()
        return Provider(self.oidc_issuer, self.oidc_client_id, secret, scopes, self.oidc_token)

    def checked_plaintext(self, target: str, to_set: str) -> None:
        """Raises Refusal (precondition, PLAINTEXT_EXPOSED) for a target on another machine.

        Whoever listens on the way there would have the token of everybody who is signed in.
        """
        if not self.plaintext_ok and not is_loopback(target):
            message = f"tokens would go to {target} unencrypted: set {to_set}"
            raise precondition("PLAINTEXT_EXPOSED", f"{message}, or plaintext_ok where a mesh speaks TLS")


class SettingsPageSettings(PageSettings):
    """Settings of the settings page of subjects and agents."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_SETTINGS_PAGE_")

    platform_name: str = Field(
        min_length=1,
        max_length=100,
        description="The platform, as its users know it: it stands on each page.",
    )
    gateway_target: str = Field(description="host:port of the gateway, which all calls go through.")
    gateway_ca: Path | None = Field(
        None, description="PEM file with the CAs of the gateway's certificate; with it, TLS is spoken to it."
    )
    texts: Path | None = Field(
        None, description="Folder of the policies and notices as people read them, which it shows."
    )
    standard_forms: bool = Field(
        True,
        description="Offers people their records in standard forms too. These name the controller, as the "
        "settings controller_... of consent do: where those are not all set, there are no such documents.",
    )
    embedded_in: tuple[str, ...] = Field(
        (), description="Origins whose pages may show this one in a frame, as a JSON list; none else may."
    )

    @field_validator("gateway_target")
    @classmethod
    def _is_a_target(cls, value: str) -> str:
        return checked_target(value)

    @field_validator("embedded_in")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(checked_origin(each) for each in value)

    def gateway_tls(self) -> CallerTls | None:
        """How the gateway is spoken to; None where only this machine, or a mesh, carries it.

        Raises Refusal (precondition): PLAINTEXT_EXPOSED, CERTIFICATE_UNUSABLE.
        """
        if self.gateway_ca is not None:
            return GatewayTls.read(self.gateway_ca)
        self.checked_plaintext(self.gateway_target, "gateway_ca")
        return None


class ConsoleSettings(PageSettings):
    """Settings of the operators' console."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_CONSOLE_")

    consent_target: str = Field(description="host:port of consent.")
    metering_target: str = Field(description="host:port of metering.")
    licensing_target: str = Field(description="host:port of licensing.")
    tls_certificate: Path | None = Field(
        None,
        description="PEM file with the certificate to show the services; with it, TLS is spoken to them.",
    )
    tls_key: Path | None = Field(None, description="PEM file with the key of that certificate.")
    tls_ca: Path | None = Field(
        None, description="PEM file with the CAs whose certificates the services show."
    )
    traces: Path | None = Field(
        None, description="Folder of traces as OTLP JSON lines, of a local installation; it shows them."
    )
    trace_url: str = Field(
        "",
        description="Where another program shows a trace, with {trace_id} in the place of its id, such as"
        " https://jaeger.example/trace/{trace_id}.",
    )

    @field_validator("consent_target", "metering_target", "licensing_target")
    @classmethod
    def _is_a_target(cls, value: str) -> str:
        return checked_target(value)

    @field_validator("trace_url")
    @classmethod
    def _leads_to_a_trace(cls, value: str) -> str:
        if value and not (value.startswith(("https://", "http://")) and value.count("{trace_id}") == 1):
            raise ValueError("trace_url is a URL with {trace_id} in it, once")
        return value

    def targets(self) -> dict[str, str]:
        """host:port by service name."""
        return {
            "consent": self.consent_target,
            "metering": self.metering_target,
            "licensing": self.licensing_target,
        }

    def tls(self) -> dict[str, CallerTls]:
        """How each service is spoken to; none where only this machine, or a mesh, carries it.

        Raises Refusal (precondition): TLS_INCOMPLETE, PLAINTEXT_EXPOSED, CERTIFICATE_UNUSABLE.
        """
        certificate, key, ca = self.tls_certificate, self.tls_key, self.tls_ca
        if certificate and key and ca:
            shown = Certificates(TlsFiles(certificate, key, ca), SystemClock(), use="client")
            return {name: ClientTls(shown, name) for name in self.targets()}
        if certificate or key or ca:
            raise precondition("TLS_INCOMPLETE", "tls_certificate, tls_key and tls_ca are set together")
        for target in self.targets().values():
            self.checked_plaintext(target, "tls_certificate, tls_key and tls_ca")
        return {}


def checked_target(value: str) -> str:
    """host:port; raises ValueError for anything else, port 0 included."""
    if parse_address(value)[1] == 0:
        raise ValueError(f"{value!r} names no port")
    return value


def checked_origin(value: str) -> str:
    """scheme://host[:port] as browsers write it, https unless it is this machine; raises ValueError."""
    if not is_origin(value):
        raise ValueError(f"{value!r} is no origin: scheme://host[:port] in small letters")
    parts = urlsplit(value)
    host = parts.netloc if parts.port is not None else f"{parts.netloc}:80"
    if parts.scheme != "https" and not is_loopback(host):
        raise ValueError(f"{value!r} is not https, and other machines can reach it")
    return value
