"""Webhooks on private addresses are for a service of this machine alone."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.licensing.settings import LicensingSettings


def settings(**fields: object) -> LicensingSettings:
    needed = {"database_url": "sqlite:///x.db", "token_jwks": Path("jwks.json")}
    return LicensingSettings.model_validate(needed | fields)


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:7603", "localhost:7603"])
def test_webhooks_on_private_addresses_are_for_a_service_of_this_machine(listen: str) -> None:
    assert settings(listen=listen, webhook_allow_private=True).webhook_allow_private


@pytest.mark.parametrize("listen", ["0.0.0.0:7603", "[::]:7603", "10.1.2.3:7603", "licensing:7603"])
def test_webhooks_on_private_addresses_are_refused_where_others_reach_the_service(listen: str) -> None:
    with pytest.raises(ValidationError, match="webhook_allow_private"):
        settings(listen=listen, webhook_allow_private=True)
    assert not settings(listen=listen).webhook_allow_private
