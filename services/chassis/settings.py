"""What an operator can set for any service; each service adds its own fields and its environment prefix."""

import os
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.chassis.addresses import is_loopback, parse_address
from services.chassis.refusals import precondition
from services.chassis.tls_files import TlsFiles

MAX_IN_FLIGHT = 256
"""Calls; at some milliseconds each, as many as are still answered well within a caller's deadline."""
MAX_STREAMS = 256
"""As many as calls: an idle one costs some memory and a look at the database now and then."""
MAX_STREAMS_EACH = 16
"""A stream for each window that somebody follows and each file that they bring, with room to spare; it takes
sixteen callers who all go to their limit to fill the places of all."""
MAX_STRANGERS = 16
"""Of the calls; at a millisecond each, ten thousand tokens a second."""
TRACE_QUEUE = 4_096
"""What a busy licensing ends in a good two seconds: a collector may pause for so long. 12 MB."""


class ProcessSettings(BaseSettings):
    """Settings of whatever of ours listens, a service or not. A subclass sets its own `env_prefix`."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    listen: str = Field("127.0.0.1:0", description="host:port to serve on; port 0 takes a free one.")
    announce_path: Path | None = Field(
        None, description="File that gets the bound host:port once it is serving."
    )
    state_dir: Path = Field(Path(".sluice"), description="Folder for keys, traces and local databases.")
    otlp_endpoint: str | None = Field(
        None, description="OTLP/gRPC collector for traces, such as http://127.0.0.1:4317."
    )
    otlp_ca: Path | None = Field(
        None,
        description="PEM file with the CAs believed of an https collector; the machine's by default.",
    )
    traces_path: Path | None = Field(
        None, description="File for traces as OTLP JSON lines; used when there is no otlp_endpoint."
    )
    trace_ratio: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the traces begun here that are recorded; callers' choices are kept.",
    )
    trace_queue: int = Field(
        TRACE_QUEUE, ge=1, description="Spans held until they are taken, some 3 KB each; more are dropped."
    )
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level that is logged."
    )

    @classmethod
    def from_environment(cls) -> Self:
        """The settings as the environment has them.

        Raises Refusal (precondition, SETTING_UNKNOWN) for a variable with our prefix that sets nothing: what
        is misspelt would be a default in disguise. Raises pydantic's ValidationError for a bad value.
        """
        prefix = cls.model_config.get("env_prefix", "")
        names = {name.removeprefix(prefix).lower() for name in os.environ if name.startswith(prefix)}
        if unknown := sorted(names - set(cls.model_fields)):
            raise precondition("SETTING_UNKNOWN", f"there is no setting {', '.join(unknown)}")
        return cls.model_validate({})

    @field_validator("listen")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parse_address(value)
        return value


class ServiceSettings(ProcessSettings):
    """Settings that all services share. A subclass sets its own `env_prefix` (SLUICE_<SERVICE>_)."""

    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that serve together on the one port; more than one with PostgreSQL alone.",
    )
    health_listen: str | None = Field(
        None, description="host:port that serves health alone, for probes without a client certificate."
    )
    metrics_listen: str | None = Field(
        None, description="host:port that serves Prometheus metrics over HTTP."
    )
    database_url: str = Field(
        description="Where the service keeps its rows: sqlite:///PATH or postgresql://USER@HOST/DATABASE."
    )
    migrate_on_start: bool = Field(
        True,
        description="Whether a process that starts brings the schema of its database up; without, `sluice"
        " migrate` does it before.",
    )
    standby_patience: float = Field(
        5.0,
        gt=0,
        description="Seconds that a commit waits for PostgreSQL's standby; then it is said that nobody knows"
        " whether it happened, and the next one is tried where the address leads by then.",
    )
    standby_required: bool = Field(
        False,
        description="Whether nothing is acknowledged on a PostgreSQL server that waits for no standby, from"
        " the start; without, from when there has been one.",
    )
    token_jwks: Path = Field(description="JWKS file with the public keys that tokens are checked with.")
    token_issuer: str = Field("sluice", description="The iss claim a token must carry.")
    token_audience: str = Field("sluice", description="The aud claim a token must carry.")
    token_issuers: Path | None = Field(
        None,
        description="YAML or JSON file that lists whose tokens of subjects and agents are believed besides.",
    )
    max_in_flight: int = Field(
        MAX_IN_FLIGHT, ge=1, description="Calls worked on at once, streams apart; more are told to come back."
    )
    max_streams: int = Field(
        MAX_STREAMS, ge=1, description="Streams open at once; more are told to come back."
    )
    max_streams_each: int = Field(
        MAX_STREAMS_EACH, ge=1, description="Streams that one principal has open at once, of those."
    )
    max_strangers: int = Field(
        MAX_STRANGERS, ge=1, description="Calls without a token worked on at once, where none is needed."
    )
    max_connection_age: float = Field(
        0.0,
        ge=0,
        description="Seconds from which on a connection takes no more calls, so that callers find replicas"
        " that were added; 0 is no limit. Ten minutes at most where TLS is spoken.",
    )
    drain_grace: float = Field(
        1.0,
        ge=0,
        description="Seconds of serving on, as NOT_SERVING, after SIGTERM, until callers have noticed.",
    )
    drain_seconds: float = Field(5.0, ge=0, description="Seconds that running RPCs get to finish after that.")
    tls_certificate: Path | None = Field(
        None, description="PEM file with the certificate to show; with it, TLS is spoken and demanded."
    )
    tls_key: Path | None = Field(None, description="PEM file with the key of that certificate.")
    tls_ca: Path | None = Field(
        None, description="PEM file with the CAs, one or several, whose certificates are believed."
    )
    tls_trust_domain: str = Field(
        "sluice",
        pattern="^[a-z0-9._-]{1,255}$",
        description="Services are spiffe://THIS/NAME in certificates.",
    )
    plaintext_ok: bool = Field(
        False,
        description="Also listens without TLS where other machines can reach it: for a mesh that speaks TLS.",
    )

    @property
    def tls_files(self) -> TlsFiles | None:
        """What TLS is spoken with, None where it is not.

        Raises Refusal (precondition): TLS_INCOMPLETE where only a part of it is set, PLAINTEXT_EXPOSED where
        nothing is, other machines can reach `listen`, and `plaintext_ok` does not say that this is meant.
        """
        certificate, key, ca = self.tls_certificate, self.tls_key, self.tls_ca
        if certificate and key and ca:
            return TlsFiles(certificate, key, ca)
        if certificate or key or ca:
            raise precondition("TLS_INCOMPLETE", "tls_certificate, tls_key and tls_ca are set together")
        if not self.plaintext_ok and not is_loopback(self.listen):
            message = f"other machines can reach {self.listen}: set tls_certificate, tls_key and tls_ca"
            raise precondition("PLAINTEXT_EXPOSED", f"{message}, or plaintext_ok where a mesh speaks TLS")
        return None

    @field_validator("health_listen", "metrics_listen")
    @classmethod
    def _is_an_address_if_any(cls, value: str | None) -> str | None:
        if value is not None:
            parse_address(value)
        return value


class HeadKeepingSettings(ServiceSettings):
    """Those of a service that keeps its head outside of its database."""

    head_dir: Path | None = Field(
        None,
        description="Folder for the head kept outside of the database, which tells when that was restored: on"
        " another disk than the database, and one for all replicas. state_dir/heads by default; with"
        " PostgreSQL there is no default.",
    )

    @property
    def head_folder(self) -> Path:
        """Where the head is kept.

        Raises Refusal (precondition, HEAD_DIR_MISSING) where several processes may share the database and
        none is set: a folder of each process's own would be behind as soon as another one writes.
        """
        if self.head_dir is None and self.database_url.startswith("postgresql"):
            message = "with PostgreSQL head_dir is to be set: a folder that all replicas share"
            raise precondition("HEAD_DIR_MISSING", message)
        return self.head_dir or self.state_dir / "heads"
