"""What an operator can set for consent: environment variables SLUICE_CONSENT_*."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.chassis.settings import HeadKeepingSettings
from services.consent.domain.dossiers import Controller


class ConsentSettings(HeadKeepingSettings):
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
    checkpoint_seconds: float = Field(
        0.5,
        gt=0,
        description="How often a stream of withdrawals looks for more.",
    )
    controller_name: str = Field("", description="Whose platform this is, as it stands in exports.")
    controller_address: str = Field("", description="Postal address of the controller.")
    controller_country: str = Field("", description="Country of the controller, such as IE.")
    controller_email: str = Field("", description="Where the controller is written to.")
    controller_phone: str = Field("", description="Where the controller is called.")
    controller_contact: str = Field("", description="Who answers there, such as the data protection officer.")
    controller_policy_url: str = Field("", description="Where the privacy policy is.")
    controller_withdrawal_url: str = Field("", description="Where a subject changes their choices.")
    controller_language: str = Field("en", description="Language of the notices.")

    def controller(self) -> Controller | None:
        """Whose platform this is; None unless all of it is set."""
        names = ("name", "address", "email", "phone", "contact", "policy_url", "withdrawal_url", "country")
        fields = {name: str(getattr(self, f"controller_{name}")) for name in names}
        return Controller(**fields, language=self.controller_language) if all(fields.values()) else None
