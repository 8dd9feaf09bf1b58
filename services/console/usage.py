"""`sluice usage`: what was counted."""

import typer

app = typer.Typer(help="Usage: what was counted.", no_args_is_help=True)


@app.callback()
def usage() -> None:
    """Usage: what was counted."""
