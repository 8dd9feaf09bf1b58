"""What an operator can set for metering: environment variables SLUICE_METERING_*."""

from pydantic_settings import SettingsConfigDict

from services.chassis.settings import ServiceSettings


class MeteringSettings(ServiceSettings):
    """Metering has nothing to set but what every service has: limits come with each request."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_METERING_")
