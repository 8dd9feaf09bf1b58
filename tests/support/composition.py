"""A compose file as `docker compose` reads it: variables put in, what is merged in it merged."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "compose.yaml"
EXAMPLE = ROOT / "deploy" / "compose" / ".env.example"
_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>[A-Z_]+)(?:(?P<how>:-|:\?)(?P<word>[^}]*))?\})")


class VariableMissingError(Exception):
    """A variable that has to be set and is not."""


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """The text with `${NAME}`, `${NAME:-default}` and `${NAME:?message}` put in; `$$` is a dollar.

    Raises VariableMissingError where a message stands and the variable is not set, or empty.
    """

    def put_in(found: re.Match[str]) -> str:
        if found["name"] is None:
            return "$"
        value = variables.get(found["name"], "")
        if not value and found["how"] == ":?":
            raise VariableMissingError(found["name"])
        return value or (found["word"] or "" if found["how"] == ":-" else "")

    return _VARIABLE.sub(put_in, text)


def composition(variables: Mapping[str, str]) -> dict[str, Any]:
    """The file with the variables put into its values."""

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: walk(value) for key, value in node.items()}
        if isinstance(node, list):
            return [walk(value) for value in node]
        return interpolated(node, variables) if isinstance(node, str) else node

    read: dict[str, Any] = walk(yaml.safe_load(FILE.read_text(encoding="utf-8")))
    return read


def variables_of(text: str) -> dict[str, str]:
    """The lines NAME=VALUE of an .env file; those that are commented out are none."""
    lines = (line.partition("=") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: value for name, _, value in lines}


def filled_in() -> dict[str, str]:
    """The variables of .env.example, with a word of its own for each password."""
    names = variables_of(EXAMPLE.read_text(encoding="utf-8"))
    return {name: f"a'{name.lower()}\"$word" for name in names if name.endswith("_PASSWORD")}


def mounts(service: Mapping[str, Any]) -> dict[str, tuple[str, bool]]:
    """What is put where in the container: by its place a path of this machine or a volume, and whether it can
    only be read.
    """
    found = {}
    for line in service.get("volumes", []):
        source, target, *how = line.split(":")
        found[target] = (source, how == ["ro"])
    return found


def memory_folders(service: Mapping[str, Any]) -> list[str]:
    """Where the container can write what is gone with it."""
    return [str(line).partition(":")[0] for line in service.get("tmpfs", [])]
