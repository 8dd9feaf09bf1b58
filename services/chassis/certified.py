"""Who is at the other end of a connection, by the certificate that was verified there.

A certificate that names a service stands for that service, and no token does: a token can be copied, and goes
through more hands. All others show a token over the same connection, and their certificate names nobody.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from services.chassis.certificates import end_of
from services.chassis.clock import Clock
from services.chassis.identity import GATEWAY_HEADER, Principal, PrincipalKind, not_admitted
from services.chassis.refusals import unauthenticated
from services.chassis.verifying import TokenVerifier

REMEMBERED_CERTIFICATES = 1_024

UNREADABLE = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
"""What reading the names of a certificate raises that a handshake has passed over: it names nobody."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
"""A service, as contracts name it in `services`."""

AuthContext = Mapping[str, Iterable[bytes]]
"""What gRPC says of a connection."""


@dataclass(frozen=True)
class Certified:
    """What a certificate says of its holder."""

    service: str | None
    """The service that it names; None where it names nobody."""
    until_us: int
    """When it ends, in microseconds since the epoch."""


class CertifiedCallers:
    """Tells who calls, from the certificate of their connection and the token of their call."""

    def __init__(self, verifier: TokenVerifier, trust_domain: str, clock: Clock) -> None:
        self._verifier = verifier
        self._trust_domain = trust_domain
        self._clock = clock

    def identify(self, connection: AuthContext, metadata: Mapping[str, Any], token: str) -> Principal:
        """The principal of one call.

        Raises Refusal (unauthenticated): CERTIFICATE_MISSING, CERTIFICATE_EXPIRED, CERTIFICATE_MISMATCH where
        a token says that its bearer is a service and the certificate does not, and those of `verify`; Refusal
        (forbidden, NOT_ADMITTED) where the gateway passes on a call of a service.
        """
        certified = self._certified(connection)
        # Of what the gateway passes on, the certificate is the gateway's, and the call is not.
        own = GATEWAY_HEADER not in metadata
        if own and not token and certified.service is not None:
            return Principal(
                PrincipalKind.SERVICE, certified.service, frozenset(), expires_us=certified.until_us
            )
        principal = self._verifier.verify(token)
        if principal.kind is PrincipalKind.SERVICE:
            _check_service(principal, certified, own=own)
        return principal

    def _certified(self, connection: AuthContext) -> Certified:
        shown = b"".join(connection.get("x509_pem_cert", ()))
        if not shown:
            raise unauthenticated("CERTIFICATE_MISSING", "the connection shows no certificate")
        certified = read_certified(shown, self._trust_domain)
        # The handshake was when it was in force; the connection may be older than that.
        if self._clock.now_us() >= certified.until_us:
            raise unauthenticated("CERTIFICATE_EXPIRED", "the certificate of the connection has ended")
        return certified


def _check_service(principal: Principal, certified: Certified, *, own: bool) -> None:
    if not own:
        # No service calls by way of the gateway, and the certificate there vouches for nobody else.
        raise not_admitted()
    if principal.party != certified.service:
        message = "the token says that its bearer is a service, and the certificate does not name it"
        raise unauthenticated("CERTIFICATE_MISMATCH", message)


@functools.lru_cache(REMEMBERED_CERTIFICATES)
def read_certified(certificate: bytes, trust_domain: str) -> Certified:
    """Reads a PEM certificate that was verified in a handshake; each is read once."""
    read = x509.load_pem_x509_certificate(certificate)
    try:
        names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return Certified(None, end_of(read))
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return Certified(service_named(uris, names.get_values_for_type(x509.DNSName), trust_domain), end_of(read))


def service_named(uris: list[str], dns_names: list[str], trust_domain: str) -> str | None:
    """The service that the names of a certificate stand for, None where they stand for none or several.

    `spiffe://TRUST_DOMAIN/NAME`, as the only URI; without any URI, the one DNS name without a dot, localhost
    left out. A URI of another form or domain is somebody else's, whatever DNS names are beside it.
    """
    if uris:
        # A SPIFFE certificate has one (SPIFFE X.509-SVID, 2): of two, which would count?
        return _service_of_uri(uris[0], trust_domain) if len(uris) == 1 else None
    names = {name for name in dns_names if _NAME.fullmatch(name) and name != "localhost"}
    return names.pop() if len(names) == 1 else None


def _service_of_uri(uri: str, trust_domain: str) -> str | None:
    name = uri.removeprefix(f"spiffe://{trust_domain}/")
    return name if name != uri and _NAME.fullmatch(name) else None
