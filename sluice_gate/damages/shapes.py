"""What the fields of a document may hold: every fault of a stranger's JSON is named, none is passed over."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

from sluice_gate.damages.differences import MISSING, Difference, key_path, shown


class Shape(Protocol):
    """What a value must be."""

    def faults(self, path: str, value: Any) -> Iterator[Difference]:
        """Everything about it that is not so."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number in [least, most]."""

    least: int = 0
    most: int = 2**62

    def faults(self, path: str, value: Any) -> Iterator[Difference]:
        """Of one value; true and false are no numbers."""
        if type(value) is not int or not self.least <= value <= self.most:
            yield Difference(path, shown(value), f"a whole number from {self.least} to {self.most}")


@dataclass(frozen=True, slots=True)
class Text:
    """A text that has a form."""

    form: str = ".*"
    what: str = "a text"

    def faults(self, path: str, value: Any) -> Iterator[Difference]:
        """Of one value. Half a character (a lone surrogate) is no text: it has no bytes in UTF-8."""
        is_text = isinstance(value, str) and not any("\ud800" <= each <= "\udfff" for each in value)
        if not is_text or not re.fullmatch(self.form, value, re.DOTALL):
            yield Difference(path, shown(value), self.what)


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def faults(self, path: str, value: Any) -> Iterator[Difference]:
        """Of one value."""
        if type(value) is not bool:
            yield Difference(path, shown(value), "true or false")


@dataclass(frozen=True, slots=True)
class Anything:
    """What is computed again, and compared then."""

    def faults(self, path: str, value: Any) -> Iterator[Difference]:
        """None here."""
        return iter(())


@dataclass(frozen=True, slots=True)
class Fields:
    """An object with just these fields."""

    of: Mapping[str, Shape]

    def faults(self, path: str, value: Any) -> Iterator[Difference]:
        """Of the object, and of each field."""
        if not isinstance(value, dict):
            yield Difference(path, shown(value), "an object")
            return
        for key in sorted(value.keys() - self.of.keys()):
            yield Difference(key_path(path, key), shown(value[key]), f"{MISSING}: there is no such field")
        for key, shape in self.of.items():
            if key in value:
                yield from shape.faults(key_path(path, key), value[key])
            else:
                yield Difference(key_path(path, key), MISSING, "a field that must be there")


@dataclass(frozen=True, slots=True)
class Listed:
    """A list in order, in which nothing stands twice."""

    of: Shape
    by: tuple[str, ...] = field(default=())
    """The fields of its objects that it is sorted by; none: by the values themselves."""

    def faults(self, path: str, value: Any) -> Iterator[Difference]:
        """Of the list, of each value, and of their order where all are as they should be."""
        if not isinstance(value, list):
            yield Difference(path, shown(value), "a list")
            return
        found = [
            fault for index, each in enumerate(value) for fault in self.of.faults(f"{path}[{index}]", each)
        ]
        yield from found
        if not found:
            keys = [tuple(each[name] for name in self.by) if self.by else each for each in value]
            for index, (one, other) in enumerate(pairwise(keys), start=1):
                if one >= other:
                    yield Difference(f"{path}[{index}]", shown(value[index]), "more than the one before it")
