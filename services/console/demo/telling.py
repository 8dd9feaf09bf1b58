"""What every chapter has at hand."""

from dataclasses import dataclass, field

from services.console.demo.narrator import Narrator
from services.console.demo.stage import Stage


@dataclass
class Telling:
    """The stage, the narrator, and the figures for the end."""

    stage: Stage
    say: Narrator
    made_up: bool
    """Whether the posts are; else they are somebody's file."""
    figures: dict[str, float] = field(default_factory=dict)
    """By name; measured or read back, like everything that is told."""
