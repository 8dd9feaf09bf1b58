"""Certificates for tests, by the code that makes the real ones; one CA a session, for they take a while."""

import contextlib
import datetime
import functools
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.chassis.certificates import Certificates
from services.chassis.clock import Clock, SystemClock
from services.chassis.tls import ClientTls, ServerTls
from services.console.authority import Authority
from services.console.certificate_making import as_before, issue, pem_of

TRUST_DOMAIN = "sluice"
LIFE = datetime.timedelta(days=90)


def right_now() -> datetime.datetime:
    """The time in whole seconds."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


@functools.cache
def _made() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="sluice-certificates-"))
    Authority(folder).ensure(TRUST_DOMAIN, (), LIFE, right_now())
    return folder


def an_authority(folder: Path) -> Authority:
    """Certificates of the one CA that all tests share, in files of the test's own."""
    return Authority(shutil.copytree(_made(), folder / "certs"))


def another_authority(folder: Path) -> Authority:
    """Certificates of a CA that nobody else believes."""
    authority = Authority(folder / "others")
    authority.ensure(TRUST_DOMAIN, (), LIFE, right_now())
    return authority


def certificates(authority: Authority, name: str, clock: Clock | None = None) -> Certificates:
    """What `name` shows and believes."""
    return Certificates(authority.files(name), clock or SystemClock(), use="test")


def server_tls(authority: Authority, name: str, clock: Clock | None = None) -> ServerTls:
    """What a server called `name` speaks TLS with."""
    return ServerTls(certificates(authority, name), TRUST_DOMAIN, clock or SystemClock())


def client_tls(authority: Authority, name: str, server_name: str) -> ClientTls:
    """What a client called `name` speaks TLS with, to a server that has to be `server_name`."""
    return ClientTls(certificates(authority, name), server_name)


def issue_past(authority: Authority, name: str, days: int) -> None:
    """Gives `name` a certificate that ended that many days ago, after as many days."""
    life = datetime.timedelta(days=days)
    give(authority, name, as_before(authority.held()[name]), right_now() - 2 * life, life)


def give(
    authority: Authority,
    name: str,
    says: Sequence[x509.ExtensionType],
    now: datetime.datetime | None = None,
    life: datetime.timedelta = LIFE,
) -> None:
    """Gives `name` a certificate of the authority that says what the test wants."""
    issued = issue(authority.signer(), name, says, now or right_now(), life)
    authority.files(name).key.write_bytes(issued.key)
    authority.files(name).certificate.write_bytes(issued.certificate)


def give_ed25519(authority: Authority, name: str) -> None:
    """Gives `name` a certificate for a key of another kind."""
    key, signer, at = Ed25519PrivateKey.generate(), authority.signer(), right_now()
    builder = (
        x509.CertificateBuilder(signer.certificate.subject, signer.certificate.subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at)
        .not_valid_after(at + LIFE)
    )
    unlocked = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unlocked)
    authority.files(name).key.write_bytes(pem)
    authority.files(name).certificate.write_bytes(pem_of(builder.sign(signer.key, hashes.SHA256())))


@contextlib.asynccontextmanager
async def raw_channel(address: str, authority: Authority, name: str | None) -> AsyncIterator[Any]:
    """A channel to what has to be consent, which shows whatever lies there for `name`, or nothing."""
    files = None if name is None else authority.files(name)
    own = (None, None) if files is None else (files.key.read_bytes(), files.certificate.read_bytes())
    credentials = grpc.ssl_channel_credentials(authority.ca.read_bytes(), *own)
    options = [("grpc.ssl_target_name_override", "consent"), ("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.secure_channel(address, credentials, options=options) as channel:
        yield channel
