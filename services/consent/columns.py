"""Columns that one thread appends to while others read them, without a lock.

Readers look at places below a count that they read first, and what is there never changes. A column that is
full is copied into a larger one, which takes its place by one store: whoever still reads the old one finds
the same in it.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

_SMALLEST = 16
_SPARE = 8
"""A column that grows has room for one in so many more: that much is wasted at most."""

T = TypeVar("T", bound=Hashable)


class Column:
    """Numbers of one kind, or rows of several."""

    def __init__(self, kind: npt.DTypeLike) -> None:
        self._values = np.empty(0, kind)
        self.size = 0

    def extend(self, values: Sequence[Any] | NDArray[Any]) -> None:
        """Appends some. The one writer's."""
        end = self.size + len(values)
        if end > len(self._values):
            larger = np.empty(end + end // _SPARE + _SMALLEST, self._values.dtype)
            larger[: self.size] = self._values[: self.size]
            self._values = larger
        self._values[self.size : end] = values
        # Last: whoever reads the size may read that many.
        self.size = end

    def read(self, span: range | None = None) -> NDArray[Any]:
        """The values at some places, or at all there are at the time of the call."""
        # The size first: the values that are read after it are at least as many.
        size = self.size
        return self._values[:size] if span is None else self._values[span.start : span.stop]


class Shared(Generic[T]):
    """One value a place; equal values are kept once, for most places share theirs."""

    def __init__(self) -> None:
        self._values: list[T] = []
        self._number_of: dict[T, int] = {}
        self._numbers = Column(np.uint32)

    def extend(self, values: Iterable[T]) -> None:
        """Appends some. The one writer's."""
        self._numbers.extend([self._number(value) for value in values])

    def map(self, span: range, decide: Callable[[T], int]) -> NDArray[np.uint8]:
        """`decide` of the values at some places; called once for each distinct value."""
        numbers = self._numbers.read(span)
        decided: NDArray[np.uint8] = np.zeros(len(self._values), np.uint8)
        for number in _distinct(numbers):
            decided[number] = decide(self._values[number])
        return decided.take(numbers)

    def kept(self, used: NDArray[np.bool_]) -> Self:
        """Those at the places that are in use, in their order."""
        numbers = self._numbers.read(range(len(used)))[used]
        distinct, kept = _distinct(numbers), type(self)()
        for number in distinct:
            kept._number(self._values[number])
        kept._numbers.extend(np.searchsorted(distinct, numbers))
        return kept

    def _number(self, value: T) -> int:
        number = self._number_of.setdefault(value, len(self._values))
        if number == len(self._values):
            self._values.append(value)
        return number


def _distinct(numbers: NDArray[Any]) -> NDArray[np.intp]:
    """Ascending. Counting is faster than sorting, for they are small."""
    return np.flatnonzero(np.bincount(numbers))
