"""The certificates of an installation: a CA of its own, and one certificate for each that speaks TLS.

What is there is kept, what is missing is made. The key of the CA lies apart: no service needs it, and who has
it can be any of them.
"""

import datetime
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.chassis import file_locks
from services.chassis.refusals import Refusal, precondition
from services.chassis.tls_files import TlsFiles
from services.chassis.whole_files import sync_folder, write_file
from services.console.certificate_making import (
    Signer,
    as_before,
    is_of,
    issue,
    life_of,
    new_signer,
    of_client,
    of_server,
    pem_of,
    pem_of_key,
)

SERVERS = ("consent", "metering", "licensing", "directory", "gateway")
CLIENT = "console"
"""Names no service: who shows it shows a token besides, as pipelines do."""
NAMES = (*SERVERS, CLIENT)
LOCK_SECONDS = 10.0
PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o644


@dataclass(frozen=True)
class Authority:
    """A folder of certificates; commands that change it take turns."""

    folder: Path

    @property
    def ca(self) -> Path:
        """The CAs that are believed, as PEM."""
        return self.folder / "ca.pem"

    @property
    def signing(self) -> Path:
        """The CA that signs and its key, as PEM, 0600: for whoever renews, and nobody else."""
        return self.folder / "authority" / "signing.pem"

    def files(self, name: str) -> TlsFiles:
        """Where the certificate of a service or client lies, made or not."""
        return TlsFiles(self.folder / f"{name}.pem", self.folder / f"{name}.key", self.ca)

    def ensure(
        self, trust_domain: str, dns_names: Sequence[str], life: datetime.timedelta, now: datetime.datetime
    ) -> None:
        """Makes what is missing; servers that are made now have `dns_names` besides their own.

        Raises Refusal (precondition): TRUST_DOMAIN_TAKEN where the CA is of another one, CERTS_DAMAGED.
        """
        for folder in (self.folder, self.signing.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._locked():
            if not self.signing.exists():
                self._keep(new_signer(trust_domain, now))
            signer = self.signer()
            if signer.trust_domain != trust_domain:
                message = f"the CA in {self.folder} is that of {signer.trust_domain}"
                raise precondition("TRUST_DOMAIN_TAKEN", f"{message}; another one needs a folder of its own")
            if not self.ca.exists():
                self._write(self.ca, pem_of(signer.certificate), PUBLIC_MODE)
            for name in NAMES:
                if not self.files(name).certificate.exists():
                    server = of_server(name, trust_domain, dns_names)
                    says = of_client(name, trust_domain) if name == CLIENT else server
                    self._issue(signer, name, says, now, life)

    def renew(self, life: datetime.timedelta | None, now: datetime.datetime) -> None:
        """New certificates with new keys for the same names, for as long as those before or for `life`.

        Raises Refusal (precondition): CERTS_MISSING, CERTS_DAMAGED, CA_ENDED.
        """
        held = self.held()
        with self._locked():
            signer = self.signer()
            for name, before in held.items():
                self._issue(signer, name, as_before(before), now, life or life_of(before))

    def signer(self) -> Signer:
        """The CA that signs; raises Refusal (precondition): CERTS_MISSING, CERTS_DAMAGED."""
        with self._readable():
            key = load_pem_private_key(self.signing.read_bytes(), password=None)
            if isinstance(key, EllipticCurvePrivateKey):
                return Signer(_first(self.signing), key)
            raise ValueError("no key of a curve")

    def trust_domain(self) -> str:
        """What services are named under; raises Refusal (precondition): CERTS_MISSING, CERTS_DAMAGED."""
        return self.signer().trust_domain

    def held(self) -> dict[str, x509.Certificate]:
        """The certificates of services and clients, by name.

        Raises Refusal (precondition): CERTS_MISSING, CERTS_DAMAGED.
        """
        with self._readable():
            return {name: _first(self.files(name).certificate) for name in NAMES}

    def believed(self) -> list[x509.Certificate]:
        """The CAs that are believed; raises Refusal (precondition): CERTS_MISSING, CERTS_DAMAGED."""
        with self._readable():
            return x509.load_pem_x509_certificates(self.ca.read_bytes())

    def add_signer(self, now: datetime.datetime) -> None:
        """A new CA that is believed beside the present ones, and signs from now on.

        Raises Refusal (precondition): CERTS_MISSING, CERTS_DAMAGED.
        """
        with self._locked():
            signer = new_signer(self.signer().trust_domain, now)
            # Believed before it signs: of the two it does no harm alone.
            believed = [*self.believed(), signer.certificate]
            self._write(self.ca, b"".join(map(pem_of, believed)), PUBLIC_MODE)
            self._keep(signer)

    def drop_signers(self) -> None:
        """Believes the CA that signs, and no other any more.

        Raises Refusal (precondition): CERTS_MISSING, CERTS_DAMAGED; CERTS_OF_OLD_CA for some of another.
        """
        with self._locked():
            signer = self.signer().certificate
            if old := [name for name, each in self.held().items() if not is_of(each, signer)]:
                message = f"{', '.join(old)} would be refused by all others; `sluice certs renew` comes first"
                raise precondition("CERTS_OF_OLD_CA", message)
            self._write(self.ca, pem_of(signer), PUBLIC_MODE)

    def _keep(self, signer: Signer) -> None:
        # One file: a CA beside the key of another would sign what nobody believes.
        self._write(self.signing, pem_of_key(signer.key) + pem_of(signer.certificate), PRIVATE_MODE)

    def _issue(
        self,
        signer: Signer,
        name: str,
        says: Sequence[x509.ExtensionType],
        now: datetime.datetime,
        life: datetime.timedelta,
    ) -> None:
        issued = issue(signer, name, says, now, life)
        files = self.files(name)
        # A service that reads between the two sees that they do not fit, and keeps what it has.
        self._write(files.key, issued.key, PRIVATE_MODE)
        self._write(files.certificate, issued.certificate, PUBLIC_MODE)

    @staticmethod
    def _write(path: Path, content: bytes, mode: int) -> None:
        write_file(path, content, mode, path.with_name(f".{path.name}.{secrets.token_hex(8)}"))
        sync_folder(path.parent)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if not self.folder.exists():
            raise self._missing()
        with (self.folder / ".lock").open("a", encoding="ascii") as lock:
            file_locks.take(lock, f"the certificates in {self.folder}", within_seconds=LOCK_SECONDS)
            yield

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise self._missing() from error
        except ValueError as error:
            message = f"a file in {self.folder} holds no certificate or key of ours"
            raise precondition("CERTS_DAMAGED", message) from error

    def _missing(self) -> Refusal:
        message = f"{self.folder} lacks some or all; `sluice certs init` makes what is missing"
        return precondition("CERTS_MISSING", message)


def _first(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificates(path.read_bytes())[0]
