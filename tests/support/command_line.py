"""Commands of `sluice`, run in this process as its entry point runs them."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from services.console import __main__ as console


class Cli:
    """Commands of `sluice` against one installation."""

    def __init__(self, state: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self._capture = capture
        self._patch = patch
        patch.setenv("SLUICE_STATE", str(state))
        self.err = ""

    def __call__(self, *arguments: object, status: int = 0) -> str:
        """What the command says on stdout; it must end with `status`."""
        self._patch.setattr(sys, "argv", ["sluice", *map(str, arguments)])
        self._capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            console.main()
        out, self.err = self._capture.readouterr()
        assert (ended.value.code or 0) == status, out + self.err
        return out

    def json(self, *arguments: object, status: int = 0) -> Any:
        """Its answer with --json."""
        return json.loads(self(*arguments, "--json", status=status))

    def refusal(self, *arguments: object) -> Any:
        """Why it was refused, with --json."""
        self(*arguments, "--json", status=1)
        return json.loads(self.err)["refusal"]

    def wrong(self, *arguments: object) -> str:
        """What is said of wrong usage, on one line and without its frame."""
        assert self(*arguments, status=2) == ""
        return " ".join(self.err.replace("│", " ").split())
