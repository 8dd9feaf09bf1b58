"""What an operator can set for consent: environment variables SLUICE_CONSENT_*."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.chassis.settings import ServiceSettings


class ConsentSettings(ServiceSettings):
    """The settings of every service, and how long an answer of consent may be relied on."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_CONSENT_", extra="forbid", frozen=True)

    permit_seconds: float = Field(30.0, gt=0, description="The longest that a permit may rest on one answer.")
    clock_margin_seconds: float = Field(
        1.0,
        ge=0,
        description="How far the clocks of the services may differ; part of in_force_after. Licensing "
        "refuses answers beyond its own setting of this name and must be given the same: with a larger one "
        "there, a permit could outlive what consent promised.",
    )
