"""What an operator can set for licensing."""

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from services.chassis.addresses import parse_address
from services.chassis.claims import SECOND_US
from services.chassis.minting import LONGEST_LIFETIME_US
from services.chassis.refusals import precondition
from services.chassis.settings import HeadKeepingSettings
from services.chassis.targets import checked_target

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
NAMED = "as gRPC names it: host:port, or of all replicas dns:///NAME:PORT or ipv4:HOST:PORT,HOST:PORT"


class LicensingSettings(HeadKeepingSettings):
    """Settings of licensing, from SLUICE_LICENSING_* in the environment."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_LICENSING_", extra="forbid", frozen=True)

    consent_target: str = Field("127.0.0.1:7601", description=f"Where consent serves, {NAMED}.")
    metering_target: str = Field("127.0.0.1:7602", description=f"Where metering serves, {NAMED}.")
    directory_target: str = Field(
        "",
        description=f"Where the post directory serves, {NAMED}; without one licensees cannot ask by post id.",
    )
    directory_age_seconds: float = Field(
        3600.0, gt=0, description="How old what the post directory knows may be; an older answer is refused."
    )
    probes_per_day: int = Field(
        100_000,
        ge=1,
        le=2**40,
        description="Posts that may be denied to a licensee, who asks by post id, in any 24 hours; several"
        " times the 10,000 of the largest request, for room is held for all posts of each under way.",
    )
    peer_deadline_seconds: float = Field(
        5.0, gt=0, description="The longest that one call to a peer may take."
    )
    permit_seconds: float = Field(30.0, gt=0, description="The longest that a permit may be valid.")
    clock_margin_seconds: float = Field(
        1.0, ge=0, description="How far the clocks of the services may differ; answers beyond are refused."
    )
    sweep_interval_seconds: float = Field(
        5.0,
        gt=0,
        description="Pause between looks for what was left: expired permits, holds, changes of affiliates, "
        "old answers of the sandbox.",
    )
    sweep_age_seconds: float = Field(
        60.0, gt=0, description="Age from which a hold without a decision is given up."
    )
    fence_seconds: float = Field(
        1.0,
        gt=0,
        description="Pause between moves of the fence to the newest withdrawal; each has decisions that are"
        " on their way ask consent once more.",
    )
    recall_interval_seconds: float = Field(
        60.0,
        gt=0,
        description="How long withdrawals collect in a recall of a licensee before it is issued.",
    )
    recall_days: int = Field(
        30,
        ge=1,
        le=3_650,
        description="Calendar days in which a recall is to be answered where the license does not say.",
    )
    log_origin: str = Field(
        "localhost/receipts",
        pattern=r"^[^\s+\x00-\x1f\x7f]{1,200}$",
        description="The name of the log of receipts, under which it signs: a URL without scheme, for good.",
    )
    log_dir: Path | None = Field(
        None,
        description="Folder for the log's tiles and checkpoint, on another disk than the database, shared by"
        " all processes. To be said where the database is a server; else state_dir/log by default.",
    )
    keys_dir: Path | None = Field(
        None,
        description="Folder of the signing keys that others make and replace, such as a Secret: read, never"
        " written. state_dir/keys by default, where what is missing is made.",
    )
    sandbox_posts_per_minute: int = Field(
        1000,
        ge=1,
        description="Posts that one holder of sandbox keys may ask about in a minute, of each process.",
    )
    api_token_seconds: float = Field(
        300.0,
        ge=10,
        le=LONGEST_LIFETIME_US // SECOND_US,
        description="How long a token lasts that was got with an API key; revoking the key takes back none.",
    )
    network_interval_seconds: float = Field(
        60.0,
        gt=0,
        le=3_600,
        description="How long anonymous calls are counted before metering is told; what a crash may lose."
        " Each is a row in metering for each of its busiest networks.",
    )
    webhook_allow_private: bool = Field(
        False,
        description="Webhooks may be on addresses that only this machine or its network reaches: for trying"
        " out and tests. Refused where others can reach this service.",
    )

    @field_validator("consent_target", "metering_target")
    @classmethod
    def _is_a_target(cls, value: str) -> str:
        return checked_target(value)

    @field_validator("directory_target")
    @classmethod
    def _is_a_target_if_any(cls, value: str) -> str:
        return checked_target(value) if value else value

    @model_validator(mode="after")
    def _keeps_webhooks_out(self) -> Self:
        host, _ = parse_address(self.listen)
        if self.webhook_allow_private and host not in LOOPBACK:
            raise ValueError("webhook_allow_private is for a service that listens on this machine alone")
        return self

    @property
    def log_folder(self) -> Path:
        """Where the log is written.

        Raises Refusal (precondition, LOG_DIR_MISSING) where the database is a server and nothing is said: its
        processes may run on several machines, and each would have a folder of its own, where none shows the
        others that the database is an older one (R5).
        """
        if self.log_dir is None and not self.database_url.startswith("sqlite"):
            message = f"{self.model_config['env_prefix']}LOG_DIR must name the folder of the log"
            raise precondition("LOG_DIR_MISSING", message)
        return self.log_dir or self.state_dir / "log"
