"""What `sluice up` can be told of the gateway."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from services.chassis.refusals import invalid
from services.console.gateway.files import shipped
from services.console.gateway.local import Asked, content_of
from services.console.program_modes import run_program

WithGateway = Annotated[bool, typer.Option("--gateway", help="Let partners and users in, through Envoy.")]
GatewayPort = Annotated[int, typer.Option(min=0, max=65_535, help="Of the gateway; 0 takes a free one.")]
Origins = Annotated[
    list[str] | None,
    typer.Option("--origin", metavar="ORIGIN", help="A web page that may call the gateway. Repeatable."),
]
LimitsFile = Annotated[
    Path | None,
    typer.Option("--limits", exists=True, dir_okay=False, help="Limits on calls from outside (YAML)."),
]
ContentUrl = Annotated[
    str | None,
    typer.Option(
        "--content", metavar="URL", help="Pages that the login wall stands before: http://HOST:PORT/PREFIX/"
    ),
]


def gateway_asked(
    port: int,
    origin: list[str] | None,
    content: str | None,
    limits: Path | None,
    *,
    wanted: bool,
    has_settings_page: bool = False,
) -> Asked | None:
    """The gateway that is wanted, before services and perhaps for the settings page; None without one.

    Raises Refusal (invalid): GATEWAY_NOT_ASKED for what would be passed over in silence, CONTENT_MALFORMED.
    """
    if wanted:
        shown = content_of(content) if content else None
        return Asked(port, tuple(origin or ()), shown, has_settings_page=has_settings_page)
    options = {"--origin": origin, "--limits": limits, "--content": content}
    if said := [option for option, value in options.items() if value]:
        raise invalid("GATEWAY_NOT_ASKED", f"{', '.join(said)} is for the gateway: add --gateway")
    return None


def with_limits(settings: Mapping[str, dict[str, str]], limits: Path | None) -> dict[str, dict[str, str]]:
    """The settings, with the limits that metering is to keep for the gateway; raises its Refusal of them."""
    if limits is not None:
        # By metering's own program, before anything is started.
        run_program("metering", [f"--check-limits={limits}"], os.environ)
    file = limits or shipped("limits.yaml")
    of_gateway = {} if file is None else {"limits_file": str(file.resolve())}
    return {**settings, "metering": of_gateway | settings.get("metering", {})}
