"""What an operator can set for the directory: environment variables SLUICE_DIRECTORY_*."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.chassis.settings import ServiceSettings


class DirectorySettings(ServiceSettings):
    """The settings of every service; it keeps no head, for what it has can be imported again."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_DIRECTORY_", extra="forbid", frozen=True)

    workers: int = Field(1, ge=1, le=1, description="One process: it is for local use.")
