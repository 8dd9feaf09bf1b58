"""Files that come with the gateway: in a checkout they lie in deploy/envoy, in a wheel beside this module."""

from pathlib import Path

FOLDERS = (Path(__file__).parent, Path(__file__).parents[3] / "deploy" / "envoy")


def shipped(name: str) -> Path | None:
    """The file of this name; None where there is none."""
    return next((folder / name for folder in FOLDERS if (folder / name).is_file()), None)
