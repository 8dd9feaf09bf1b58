"""`sluice damages`: liquidated damages, from the clause to the evidence."""

import typer

app = typer.Typer(help="Liquidated damages, and the evidence for them.", no_args_is_help=True)
