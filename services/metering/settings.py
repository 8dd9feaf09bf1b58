"""What an operator can set for metering: environment variables SLUICE_METERING_*."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.chassis.settings import HeadKeepingSettings


class MeteringSettings(HeadKeepingSettings):
    """The settings of every service, how closely usage is followed, and the limits on calls from outside.

    Allowances of licenses are none of them: these come with each request.
    """

    model_config = SettingsConfigDict(env_prefix="SLUICE_METERING_", extra="forbid", frozen=True)

    watch_seconds: float = Field(0.5, gt=0, description="How often a watched window is looked at.")
    projection_seconds: float = Field(
        0.5,
        gt=0,
        description="How long the sums by second, minute and hour rest when they have caught up.",
    )
    limits_file: Path | None = Field(
        None,
        description="YAML with the limits on calls from outside, in the form of envoyproxy/ratelimit; read"
        " again when it changes. Without one no call is let through that the gateway asks about.",
    )
    limits_seconds: float = Field(
        1.0, gt=0, description="How often it is looked whether limits_file is another."
    )
    forget_seconds: float = Field(
        30.0, gt=0, description="How long the dropping of limits' windows that have passed rests in between."
    )
