"""Makes certificates (RFC 5280): those of a CA and those that it signs, with keys of P-256.

gRPC speaks TLS with no Ed25519, and everything that speaks TLS does so with P-256.
"""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.chassis.refusals import precondition

AUTHORITY_LIFE = datetime.timedelta(days=3_650)
EARLIER = datetime.timedelta(minutes=5)
"""Certificates are in force from so long before they were made: clocks differ."""

_OF_ITS_HOLDER = (x509.SubjectAlternativeName, x509.ExtendedKeyUsage)


@dataclass(frozen=True)
class Signer:
    """A CA that can sign."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey

    @property
    def trust_domain(self) -> str:
        """What services are named under."""
        names = self.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return names.get_values_for_type(x509.UniformResourceIdentifier)[0].removeprefix("spiffe://")


@dataclass(frozen=True)
class Issued:
    """A new certificate and its key, as PEM."""

    certificate: bytes
    key: bytes


def new_signer(trust_domain: str, now: datetime.datetime) -> Signer:
    """A CA of its own that signs no other CA; its URI (SPIFFE X.509-SVID, 2) is the trust domain."""
    key = generate_private_key(SECP256R1())
    public = key.public_key()
    name = _name(f"Sluice CA of {trust_domain}")
    certificate = (
        _builder(name, name, public, now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectAlternativeName([_uri(f"spiffe://{trust_domain}")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Signer(certificate, key)


def of_server(name: str, trust_domain: str, dns_names: Sequence[str]) -> list[x509.ExtensionType]:
    """What the certificate of a service says: who it is, where it may be dialed, and that it calls others."""
    spoken = dict.fromkeys((name, "localhost", *dns_names))
    names = x509.SubjectAlternativeName(
        [
            _uri(f"spiffe://{trust_domain}/{name}"),
            *map(x509.DNSName, spoken),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
    )
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return [names, x509.ExtendedKeyUsage(both)]


def of_client(name: str, trust_domain: str) -> list[x509.ExtensionType]:
    """What the certificate of a client says: where it is from, and the name of no service."""
    names = x509.SubjectAlternativeName([_uri(f"spiffe://{trust_domain}/client/{name}")])
    return [names, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])]


def as_before(certificate: x509.Certificate) -> list[x509.ExtensionType]:
    """What a certificate says of its holder, for the one that comes after it."""
    return [each.value for each in certificate.extensions if isinstance(each.value, _OF_ITS_HOLDER)]


def life_of(certificate: x509.Certificate) -> datetime.timedelta:
    """How long it was to last from when it was made."""
    return certificate.not_valid_after_utc - certificate.not_valid_before_utc - EARLIER


def issue(
    signer: Signer,
    name: str,
    says: Sequence[x509.ExtensionType],
    now: datetime.datetime,
    life: datetime.timedelta,
) -> Issued:
    """A new certificate with a new key, which ends no later than the CA.

    Raises Refusal (precondition, CA_ENDED) where that has ended.
    """
    authority = signer.certificate
    if now >= authority.not_valid_after_utc:
        raise precondition("CA_ENDED", "the CA has ended; `sluice certs authority add` makes another")
    key = generate_private_key(SECP256R1())
    life = min(life, authority.not_valid_after_utc - now)
    builder = (
        _builder(_name(name), authority.subject, key.public_key(), now, life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False
        )
    )
    for said in says:
        builder = builder.add_extension(said, critical=False)
    return Issued(pem_of(builder.sign(signer.key, hashes.SHA256())), pem_of_key(key))


def is_of(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether the authority signed it."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def pem_of(certificate: x509.Certificate) -> bytes:
    """The certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def pem_of_key(key: EllipticCurvePrivateKey) -> bytes:
    """The key as PKCS #8 PEM, not locked."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: EllipticCurvePublicKey,
    now: datetime.datetime,
    life: datetime.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    # 64 characters are what a common name holds (RFC 5280, A.1). A client of gRPC goes by it where a
    # server's certificate has no DNS name at all, which ours have.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _uri(text: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(text)
