"""A local installation: one folder with keys, databases, addresses, traces and logs of the three services."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from services.chassis.keys import Keys, ensure_keys
from services.chassis.refusals import precondition
from services.console.authority import Authority

SERVICES = ("consent", "metering", "licensing")
DIRECTORY = "directory"
"""Runs where it is asked for: a platform has a directory of its own."""
PROGRAMS = (*SERVICES, DIRECTORY)
"""All that can run, in the order of their ports."""
PORT_BASE = 7601
HOST = "127.0.0.1"
"""A local run is reached from its own machine only."""


class ServiceName(StrEnum):
    """One of the three, or the local post directory."""

    CONSENT = "consent"
    METERING = "metering"
    LICENSING = "licensing"
    DIRECTORY = "directory"


@dataclass(frozen=True)
class StateFolder:
    """Where a local installation keeps everything; `.sluice` unless told otherwise."""

    root: Path

    @property
    def keys(self) -> Path:
        """Signing keys, private ones 0600."""
        return self.root / "keys"

    @property
    def traces(self) -> Path:
        """OTLP JSON lines, one file a service."""
        return self.root / "traces"

    @property
    def authority(self) -> Authority:
        """The certificates of the services, made or not."""
        return Authority(self.root / "certs")

    def speaks_tls(self) -> bool:
        """Whether the services that run here, or ran last, speak TLS."""
        return self._tls_note().exists()

    def note_tls(self, *, spoken: bool) -> None:
        """Has everybody who uses this folder know whether the services speak TLS."""
        if spoken:
            self._tls_note().touch()
        else:
            self._tls_note().unlink(missing_ok=True)

    def _tls_note(self) -> Path:
        return self.root / "run" / "tls"

    def log(self, service: str) -> Path:
        """What the service writes to stdout and stderr."""
        return self.root / "logs" / f"{service}.log"

    def trace_file(self, service: str) -> Path:
        """The service's own spans."""
        return self.traces / f"{service}.jsonl"

    def database(self, service: str) -> Path:
        """The service's SQLite file."""
        return self.root / "data" / f"{service}.db"

    def announcement(self, service: str) -> Path:
        """The file in which a running service says where it listens."""
        return self.root / "run" / f"{service}.addr"

    def gateway_config(self) -> Path:
        """What Envoy was started with; it holds no secret."""
        return self.root / "run" / "gateway.yaml"

    def gateway_credential(self) -> Path:
        """The token by which the gateway says who it is, 0600; there is none where services speak TLS."""
        return self.root / "run" / "gateway.credential.json"

    def gateway_certificate(self) -> Path:
        """Which certificate the gateway shows to services that speak TLS; it holds no secret."""
        return self.root / "run" / "gateway.certificate.json"

    def gateway_authorities(self) -> Path:
        """Whom the gateway believes who those services are."""
        return self.root / "run" / "gateway.authorities.json"

    def access_log(self) -> Path:
        """What came to the gateway: JSON lines, without tokens."""
        return self.root / "logs" / "gateway.access.jsonl"

    def session_keys(self) -> Path:
        """What the pages seal sessions with, 0600, one key a line."""
        return self.keys / "session-keys.txt"

    def links(self, page: str) -> Path:
        """One-time sign-in links of a page that nobody has used yet."""
        return self.root / "run" / f"{page}.links"

    def texts(self) -> Path:
        """Notices and policies as people read them; the settings page shows them."""
        return self.root / "texts"

    def lock(self) -> Path:
        """Held by the one `sluice up` that may use this folder."""
        return self.root / "run" / "up.lock"

    def address(self, service: str) -> str | None:
        """host:port as announced by the running service; None when it announced nothing."""
        try:
            return self.announcement(service).read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None

    def prepare(self) -> Keys:
        """Makes the folders and, on first start, the keys; returns where the keys are."""
        for folder in (self.root, self.root / "data", self.root / "run", self.root / "logs", self.traces):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return ensure_keys(self.keys)

    def existing_keys(self) -> Keys:
        """Where the keys are; raises Refusal (precondition, STATE_MISSING) when there are none.

        Makes none: whoever only reads must not leave behind keys that sign nothing.
        """
        if not self.keys.is_dir():
            raise precondition(
                "STATE_MISSING",
                f"there is no installation in {self.root}; start one with `sluice up`, or name its folder",
            )
        return Keys.in_folder(self.keys)


def service_environment(
    state: StateFolder,
    keys: Keys,
    service: str,
    *,
    listen: str,
    peers: Mapping[str, str],
    settings: Mapping[str, str],
    tls: bool = False,
) -> dict[str, str]:
    """The environment variables that one service of a local installation is configured by.

    With `tls` the certificates are there, else CERTS_MISSING or CERTS_DAMAGED is raised (precondition).
    `peers` are addresses by service name, for those that the service calls; `settings` are further fields of
    its settings by name, and win over what is said here.
    """
    root = state.root.resolve()
    located = StateFolder(root)
    fields = {
        "listen": listen,
        "announce_path": str(located.announcement(service)),
        "database_url": f"sqlite:///{located.database(service)}",
        "state_dir": str(root),
        "token_jwks": str(keys.token_jwks.resolve()),
        "traces_path": str(located.trace_file(service)),
    }
    fields |= {f"{peer}_target": address for peer, address in peers.items()}
    if tls:
        fields |= _tls_fields(located.authority, service)
    prefix = f"SLUICE_{service.upper()}_"
    return {prefix + field.upper(): value for field, value in (fields | dict(settings)).items()}


def _tls_fields(authority: Authority, service: str) -> dict[str, str]:
    files = authority.files(service)
    return {
        "tls_certificate": str(files.certificate),
        "tls_key": str(files.key),
        "tls_ca": str(files.ca),
        "tls_trust_domain": authority.trust_domain(),
    }
