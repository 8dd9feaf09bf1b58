"""`sluice gateway`: what Envoy is to be started with, shown and checked."""

import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from services.chassis.refusals import precondition
from services.console import options
from services.console.connections import addresses
from services.console.gateway.binary import envoy_binary
from services.console.gateway.local import PORT
from services.console.gateway.rendering import render as rendered
from services.console.gateway.secrets import write_secrets
from services.console.gateway.values import Values, read_values
from services.console.installation import HOST, StateFolder
from services.console.output import note, say

VALIDATION_SECONDS = 60
TOLD_LINES = 5

app = typer.Typer(help="The gateway that partners and users come in by.", no_args_is_help=True)

ValuesFile = Annotated[
    Path | None,
    typer.Option(
        "--values",
        exists=True,
        dir_okay=False,
        help="YAML as deploy/envoy/cluster.yaml; else a local gateway.",
    ),
]
Out = Annotated[Path | None, typer.Option("--out", dir_okay=False, help="File; else it is printed.")]


@app.command("render")
def render(
    *, values: ValuesFile = None, out: Out = None, state: options.State = options.DEFAULT_STATE
) -> None:
    """Fill in the template: a whole configuration for Envoy, its routes read out of the contracts."""
    text = rendered(_values(values, state))
    if out is None:
        typer.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    note(f"{out} is what Envoy is to be started with: envoy -c {out}")


@app.command("check")
def check(*, values: ValuesFile = None, state: options.State = options.DEFAULT_STATE) -> None:
    """Fill in the template and have Envoy say whether it would start with it.

    The files that the values name (keys, certificates, pages) are to be where they say.
    """
    binary, text = envoy_binary(), rendered(_values(values, state))
    with tempfile.TemporaryDirectory(prefix="sluice-gateway-") as folder:
        config = Path(folder) / "envoy.yaml"
        config.write_text(text, encoding="utf-8")
        ended = subprocess.run(  # noqa: S603 - Envoy itself, with a file of ours
            [str(binary), "--mode", "validate", "-c", str(config), "-l", "error"],
            capture_output=True,
            text=True,
            timeout=VALIDATION_SECONDS,
            check=False,
        )
    if ended.returncode != 0:
        told = "".join(f"\n  {line}" for line in ended.stderr.strip().splitlines()[-TOLD_LINES:])
        raise precondition("CONFIGURATION_INVALID", f"Envoy would not start with it:{told}")
    say("Envoy would start with it.")


def _values(file: Path | None, state: Path) -> Values:
    """Out of the file; else those of the installation in the folder, on its usual port."""
    if file is not None:
        return read_values(file.read_text(encoding="utf-8"), str(file))
    folder = StateFolder(state)
    return Values.model_validate(
        {
            "listen": f"{HOST}:{PORT}",
            "upstreams": addresses(folder, {}),
            "jwks": folder.existing_keys().token_jwks.resolve(),
            "tls": write_secrets(folder) if folder.speaks_tls() else None,
        }
    )
