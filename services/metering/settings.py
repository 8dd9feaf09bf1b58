"""What an operator can set for metering: environment variables SLUICE_METERING_*."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.chassis.settings import HeadKeepingSettings


class MeteringSettings(HeadKeepingSettings):
    """The settings of every service, and how closely usage is followed: limits come with each request."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_METERING_", extra="forbid", frozen=True)

    watch_seconds: float = Field(0.5, gt=0, description="How often a watched window is looked at.")
    projection_seconds: float = Field(
        0.5,
        gt=0,
        description="How long the sums by second, minute and hour rest when they have caught up.",
    )
