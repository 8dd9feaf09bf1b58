"""The console of operators as a process of its own: `python -m services.console.operations`."""

if __name__ == "__main__":
    from services.chassis.garbage import hold_off
    from services.chassis.stopping import end_when_told

    # Before all that is loaded next, which takes seconds.
    end_when_told(serves=True)
    hold_off()

from starlette.types import ASGIApp

from services.chassis.clock import SystemClock
from services.chassis.serving import run
from services.console.operations.app import console_app
from services.console.web.calling import Services
from services.console.web.links import Links
from services.console.web.serving import serve
from services.console.web.settings import ConsoleSettings

NAME = "console"


async def main() -> None:
    """Builds the console out of its settings and serves it until told to stop."""
    settings, clock = ConsoleSettings.from_environment(), SystemClock()
    seal, tls, provider = settings.seal(), settings.tls(), settings.provider()

    def build(origin: str) -> ASGIApp:
        return console_app(
            services=Services(settings.targets(), tls),
            seal=seal,
            clock=clock,
            origin=origin,
            links=None if settings.links is None else Links(settings.links, clock),
            provider=provider,
            at_once=settings.max_requests,
            traces=settings.traces,
            trace_url=settings.trace_url,
        )

    await serve(NAME, settings, build)


if __name__ == "__main__":
    run(main())
