"""The two ends of a TLS connection: both show a certificate, and each is one of the other's CAs.

Only before a gateway, which anybody may call, a client shows none.

TLS 1.2 and 1.3 only, as gRPC has it. Certificates are looked for at each handshake, so that a file that was
replaced is shown and believed from the next connection on, and what goes on over older ones goes on.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import grpc
import structlog
from cryptography import x509

from services.chassis.certificates import Certificates, Material
from services.chassis.channels import Option
from services.chassis.clock import Clock
from services.chassis.refusals import precondition

CONNECTION_AGE_MS = 600_000
"""From then on a connection takes no more calls: so long at most does it outlast a CA that was taken away."""
LOOK_EVERY_SECONDS = 5.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ServerTls:
    """What a server shows, and how the services that call it are named."""

    certificates: Certificates
    trust_domain: str
    clock: Clock

    def credentials(self) -> grpc.ServerCredentials:
        """For a port that refuses whoever shows no certificate of the CAs."""
        given = self.certificates.current()

        def fetch() -> Any:
            """At each handshake, on a thread of gRPC's; None, not in its annotation, is "as before"."""
            nonlocal given
            current = self.certificates.current()
            if current is given:
                return None
            given = current
            return _configuration(current)

        return grpc.dynamic_ssl_server_credentials(
            _configuration(given), fetch, require_client_authentication=True
        )


class CallerTls(Protocol):
    """How a client speaks TLS to one server."""

    def current(self) -> object:
        """What connections are made with now; the very same object for as long as that is the same."""
        ...

    def channel(self, target: str, material: Any, options: list[Option]) -> grpc.aio.Channel:
        """A connection made with what `current` gave, for as long as it lasts."""
        ...


@dataclass(frozen=True)
class ClientTls:
    """What a client shows, and the name that the certificate of the server has to carry.

    A DNS name; where it has none at all gRPC takes the common name, so that the CA has to keep that free.
    """

    certificates: Certificates
    server_name: str

    def current(self) -> Material:
        """The latest certificate that was good."""
        return self.certificates.current()

    def channel(self, target: str, material: Material, options: list[Option]) -> grpc.aio.Channel:
        """A connection that shows `material` for as long as it lasts."""
        named = ("grpc.ssl_target_name_override", self.server_name)
        # Else a channel may go on using the connection of the one before it.
        own = ("grpc.use_local_subchannel_pool", 1)
        credentials = grpc.ssl_channel_credentials(material.ca, material.key, material.certificate)
        return grpc.aio.secure_channel(target, credentials, options=[*options, named, own])


@dataclass(frozen=True)
class GatewayTls:
    """What a client that shows no certificate believes of a gateway, which has the name it is called by."""

    authorities: bytes
    """PEM, one or several CAs, read once: they outlast the process."""

    @classmethod
    def read(cls, ca: Path) -> "GatewayTls":
        """Out of a file; raises Refusal (precondition, CERTIFICATE_UNUSABLE) where it holds none."""
        try:
            pem = ca.read_bytes()
            x509.load_pem_x509_certificates(pem)
        except (OSError, ValueError) as error:
            message = f"the gateway cannot be believed by {ca}: it holds no certificate that can be read"
            raise precondition("CERTIFICATE_UNUSABLE", message) from error
        return cls(pem)

    def current(self) -> bytes:
        """The same throughout."""
        return self.authorities

    def channel(self, target: str, material: bytes, options: list[Option]) -> grpc.aio.Channel:
        """A connection that shows no certificate."""
        return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(material), options=options)


class CertificateWatch:
    """Looks at the files now and then, so that what is wrong with them is said before somebody calls."""

    name = "certificates"

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                self._certificates.current()
            except Exception:
                # Its end would be that of the service, which can go on with what it has.
                _log.exception("the certificates could not be looked at")
            await asyncio.sleep(LOOK_EVERY_SECONDS)


def _configuration(material: Material) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(material.key, material.certificate)], material.ca)
