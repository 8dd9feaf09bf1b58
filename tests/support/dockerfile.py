"""A Dockerfile as its instructions, stage by stage: as much of the format as that of the project uses."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Instruction:
    """One instruction, its continued lines joined and its comments left out."""

    name: str
    text: str
    """All that comes after the name."""

    @property
    def flags(self) -> dict[str, str]:
        """Such as `--from=build`, by name."""
        words = (word for word in self.text.split() if word.startswith("--"))
        return {name: value for name, _, value in (word[2:].partition("=") for word in words)}

    @property
    def words(self) -> list[str]:
        """The words that are no flags, without their quotes."""
        return [word for word in shlex.split(self.text) if not word.startswith("--")]


@dataclass
class Stage:
    """What begins with a FROM."""

    base: str
    name: str | None
    instructions: list[Instruction] = field(default_factory=list)

    def named(self, *names: str) -> list[Instruction]:
        """Its instructions of these names, in order."""
        return [each for each in self.instructions if each.name in names]


@dataclass(frozen=True)
class Dockerfile:
    """The whole file."""

    arguments: list[Instruction]
    """The ARGs before the first FROM."""
    stages: list[Stage]


def read_dockerfile(text: str) -> Dockerfile:
    """Parses it; raises ValueError for what is no instruction, and for one but ARG before the first FROM."""
    arguments: list[Instruction] = []
    stages: list[Stage] = []
    for each in _instructions(text):
        if each.name == "FROM":
            base, *named = each.words
            stages.append(Stage(base, named[1] if named else None))
        elif stages:
            stages[-1].instructions.append(each)
        elif each.name == "ARG":
            arguments.append(each)
        else:
            raise ValueError(f"{each.name} before the first FROM")
    return Dockerfile(arguments, stages)


def _instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        if line.strip():
            if not (read := re.fullmatch(r"([A-Z]+)\s+(.*)", line)):
                raise ValueError(f"no instruction: {line!r}")
            yield Instruction(read[1], read[2].strip())


def is_left_out(path: str, patterns: Sequence[str]) -> bool:
    """Whether the patterns of a .dockerignore keep a file out of the context.

    The last one that matches the file or a folder above it counts.
    """
    out = False
    above = [str(each) for each in (*reversed(PurePosixPath(path).parents), PurePosixPath(path))][1:]
    for pattern in patterns:
        if any(_matches(each, pattern.removeprefix("!")) for each in above):
            out = not pattern.startswith("!")
    return out


def patterns_of(file: Path) -> list[str]:
    """The patterns of a .dockerignore."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _matches(path: str, pattern: str) -> bool:
    """Go's filepath.Match over as many parts as the pattern has; `**/` stands for any folders or none."""
    if pattern.startswith("**/"):
        parts = PurePosixPath(path).parts
        return any(_matches(str(PurePosixPath(*parts[begin:])), pattern[3:]) for begin in range(len(parts)))
    ours, theirs = path.split("/"), pattern.split("/")
    return len(ours) == len(theirs) and all(
        fnmatch(our, their) for our, their in zip(ours, theirs, strict=True)
    )
