"""The settings page as a process of its own: `python -m services.console.settings_page`."""

if __name__ == "__main__":
    from services.chassis.garbage import hold_off
    from services.chassis.stopping import end_when_told

    # Before all that is loaded next, which takes seconds.
    end_when_told(serves=True)
    hold_off()

from starlette.types import ASGIApp

from services.chassis.clock import SystemClock
from services.chassis.serving import run
from services.console.settings_page.app import settings_app
from services.console.settings_page.texts import Texts
from services.console.web.calling import Services
from services.console.web.links import Links
from services.console.web.serving import serve
from services.console.web.settings import SettingsPageSettings

NAME = "settings-page"
BEHIND_THE_GATEWAY = ("consent", "licensing")


async def main() -> None:
    """Builds the page out of its settings and serves it until told to stop."""
    settings, clock = SettingsPageSettings.from_environment(), SystemClock()
    seal, tls, provider = settings.seal(), settings.gateway_tls(), settings.provider()
    texts = Texts() if settings.texts is None else Texts.read(settings.texts)

    def build(origin: str) -> ASGIApp:
        services = Services(
            dict.fromkeys(BEHIND_THE_GATEWAY, settings.gateway_target),
            {} if tls is None else dict.fromkeys(BEHIND_THE_GATEWAY, tls),
        )
        return settings_app(
            name=settings.platform_name,
            services=services,
            seal=seal,
            clock=clock,
            origin=origin,
            texts=texts,
            links=None if settings.links is None else Links(settings.links, clock),
            provider=provider,
            at_once=settings.max_requests,
            embedded_in=settings.embedded_in,
            standard_forms=settings.standard_forms,
        )

    await serve(NAME, settings, build)


if __name__ == "__main__":
    run(main())
