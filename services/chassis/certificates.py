"""What this process shows of itself over TLS and whom it believes, out of files that may be replaced.

What is wrong or half written never takes the place of what was good: that is kept, and said once.
"""

import threading
import time
from dataclasses import dataclass

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.chassis.clock import Clock
from services.chassis.file_versions import FileVersion, version_of
from services.chassis.metrics import CERTIFICATE_FAILURES, CERTIFICATE_LEFT, show
from services.chassis.refusals import precondition
from services.chassis.tls_files import TlsFiles

SETTLE_US = 1_000_000
"""For how long files may not fit each other without a word: whoever replaces two replaces one first."""
FIRST_TRIES = 3
FIRST_PAUSE_SECONDS = 0.05
"""Nothing good is kept yet for whoever begins while two files are being replaced."""
SMALLEST_RSA_BITS = 2048

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Material:
    """What the files held when they were last in order, as PEM."""

    certificate: bytes
    """Our own first, then those between it and its CA."""
    key: bytes
    ca: bytes
    """The CAs whose certificates are believed, one or several."""
    until_us: int
    """When our own certificate ends, in microseconds since the epoch."""


@dataclass
class _Doubt:
    """Files that are not in order; times are in microseconds since the epoch."""

    versions: tuple[FileVersion, ...]
    """None where a file is not even there."""
    since_us: int
    looked_us: int
    """When they were last read: not at each call, and again although they are the same, for what is not in
    force yet may be soon."""
    is_said: bool = False


class Certificates:
    """The certificate of this process, its key and its CAs, as the files have them now. For any thread."""

    def __init__(self, files: TlsFiles, clock: Clock, *, use: str) -> None:
        """`use` tells figures apart: "server" or "client".

        Raises Refusal (precondition, CERTIFICATE_UNUSABLE) where there is nothing good to begin with.
        """
        self._files = files
        self._clock = clock
        self._lock = threading.Lock()
        self._use = use
        self._failures = CERTIFICATE_FAILURES.labels(use)
        self._doubt: _Doubt | None = None
        self._versions, self._good = self._begun()
        show(CERTIFICATE_LEFT.labels(use), self.seconds_left)

    def current(self) -> Material:
        """The latest that was good; the very same object for as long as that is the same."""
        with self._lock:
            self._refresh()
            return self._good

    def seconds_left(self) -> float:
        """How long our certificate lasts yet; below zero once it has ended."""
        return (self._good.until_us - self._clock.now_us()) / 1_000_000

    def _begun(self) -> tuple[tuple[FileVersion, ...], Material]:
        for tried in range(1, FIRST_TRIES + 1):
            try:
                return self._look(), read_material(self._files, self._clock.now_us())
            except (OSError, ValueError) as error:
                if tried == FIRST_TRIES:
                    message = f"TLS cannot be spoken with {self._files.certificate}: {_said(error)}"
                    raise precondition("CERTIFICATE_UNUSABLE", message) from error
            time.sleep(FIRST_PAUSE_SECONDS)
        raise AssertionError("the last try has returned or raised")

    def _refresh(self) -> None:
        now_us = self._clock.now_us()
        versions: tuple[FileVersion, ...] = ()
        try:
            versions = self._look()
            if versions == self._versions or self._was_just_doubted(versions, now_us):
                return
            self._good = read_material(self._files, now_us)
        except (OSError, ValueError) as error:
            self._keep_the_last(versions, now_us, error)
            return
        self._versions, self._doubt = versions, None
        _log.info("certificate read again", use=self._use, seconds_left=round(self.seconds_left()))

    def _was_just_doubted(self, versions: tuple[FileVersion, ...], now_us: int) -> bool:
        doubt = self._doubt
        return doubt is not None and doubt.versions == versions and now_us - doubt.looked_us < SETTLE_US

    def _keep_the_last(self, versions: tuple[FileVersion, ...], now_us: int, error: Exception) -> None:
        if self._doubt is None or self._doubt.versions != versions:
            self._doubt = _Doubt(versions, now_us, now_us)
        self._doubt.looked_us = now_us
        if self._doubt.is_said or now_us - self._doubt.since_us < SETTLE_US:
            return
        self._doubt.is_said = True
        self._failures.inc()
        _log.error(
            "certificate cannot be read again; the last good one stays",
            use=self._use,
            why=_said(error),
            seconds_left=round(self.seconds_left()),
        )

    def _look(self) -> tuple[FileVersion, ...]:
        files = self._files
        return version_of(files.certificate), version_of(files.key), version_of(files.ca)


def read_material(files: TlsFiles, now_us: int) -> Material:
    """Reads the three files; raises OSError, and ValueError where they do not fit or are not in force.

    gRPC would take it without a word and fail each handshake.
    """
    certificate, key, ca = files.certificate.read_bytes(), files.key.read_bytes(), files.ca.read_bytes()
    try:
        until_us = _checked(certificate, key, ca, now_us)
    except ValueError:
        raise
    except Exception as error:
        # Of what it does not know, a curve or a cipher, the library raises errors of many families.
        raise ValueError(f"they cannot be understood ({error})") from error
    return Material(certificate, key, ca, until_us)


def _checked(certificate: bytes, key: bytes, ca: bytes, now_us: int) -> int:
    """When the certificate ends, in microseconds since the epoch."""
    own = x509.load_pem_x509_certificates(certificate)[0]
    x509.load_pem_x509_certificates(ca)
    _check_key(own, key)
    until_us = end_of(own)
    if now_us >= until_us:
        raise ValueError(f"the certificate has ended at {own.not_valid_after_utc:%Y-%m-%d %H:%M:%S}Z")
    if now_us < int(own.not_valid_before_utc.timestamp()) * 1_000_000:
        raise ValueError(f"the certificate begins at {own.not_valid_before_utc:%Y-%m-%d %H:%M:%S}Z")
    return until_us


def end_of(certificate: x509.Certificate) -> int:
    """When it ends, in microseconds since the epoch."""
    return int(certificate.not_valid_after_utc.timestamp()) * 1_000_000


def _check_key(own: x509.Certificate, key: bytes) -> None:
    public = own.public_key()
    # gRPC offers no Ed25519 in its handshakes: such a certificate is one that nobody can use.
    is_curve = isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1 | SECP384R1)
    if not is_curve and not (isinstance(public, RSAPublicKey) and public.key_size >= SMALLEST_RSA_BITS):
        raise ValueError("the key is to be of P-256 or P-384, or RSA of 2048 bits or more")
    try:
        private = load_pem_private_key(key, password=None)
    except TypeError as error:
        raise ValueError("the key is locked with a password") from error
    if private.public_key() != public:
        raise ValueError("the key is not that of the certificate")


def _said(error: Exception) -> str:
    # Of a file that cannot be read, which one.
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return str(error)
