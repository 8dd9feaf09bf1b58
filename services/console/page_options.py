"""What `sluice up` can be told of the pages."""

from pathlib import Path
from typing import Annotated

import typer

from services.chassis.refusals import invalid
from services.console.local_pages import PLATFORM_NAME, PagesAsked, check_installed

WithConsole = Annotated[
    bool,
    typer.Option(
        "--console", help="Run the operators' console and the users' settings page; implies --gateway."
    ),
]
SettingsPagePort = Annotated[
    int, typer.Option(min=0, max=65_535, help="Of the settings page; 0 takes a free one.")
]
ConsolePort = Annotated[int, typer.Option(min=0, max=65_535, help="Of the console; 0 takes a free one.")]
PlatformName = Annotated[
    str | None, typer.Option(metavar="NAME", help="What the settings page calls the platform.")
]
TextsFolder = Annotated[
    Path | None,
    typer.Option(
        "--texts",
        exists=True,
        file_okay=False,
        help="Folder of policies and notices as people read them. Else `texts` in the state folder.",
    ),
]


def pages_asked(
    settings_page_port: int, console_port: int, name: str | None, texts: Path | None, *, wanted: bool
) -> PagesAsked | None:
    """The pages that are wanted; None where there are to be none.

    Raises Refusal: CONSOLE_NOT_ASKED (invalid) for what would be passed over in silence, CONSOLE_MISSING
    (precondition) without the extra.
    """
    if wanted:
        check_installed()
        return PagesAsked(settings_page_port, console_port, name or PLATFORM_NAME, texts)
    options = {"--platform-name": name, "--texts": texts}
    if said := [option for option, value in options.items() if value]:
        raise invalid("CONSOLE_NOT_ASKED", f"{', '.join(said)} is for the pages: add --console")
    return None
