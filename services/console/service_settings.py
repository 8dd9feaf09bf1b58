"""Settings of services as the command line takes them: `--set consent.permit_seconds=2`."""

from collections import defaultdict
from typing import Annotated

import typer

from services.chassis.refusals import invalid
from services.console.installation import PROGRAMS

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SERVICE.FIELD=VALUE", help="A setting of one service. Repeatable."),
]


def parse_settings(given: list[str]) -> dict[str, dict[str, str]]:
    """`consent.permit_seconds=2` and the like, by service; raises Refusal (invalid, SETTING_MALFORMED)."""
    settings: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for text in given:
        name, equals, value = text.partition("=")
        service, dot, field = name.partition(".")
        if not equals or not dot or not field.isidentifier() or service not in PROGRAMS:
            raise invalid(
                "SETTING_MALFORMED",
                f"--set wants SERVICE.FIELD=VALUE with a service of {', '.join(PROGRAMS)}, not {text!r}",
            )
        settings[service][field] = value
    return dict(settings)
