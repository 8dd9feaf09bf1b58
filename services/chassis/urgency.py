"""Marks what is done for somebody for whom others are to wait a moment: an operator who changes something.

Whoever writes to a database meanwhile goes before those who wait already (`waiting`). Others have their turn
between, so that no stream of urgent calls keeps them out.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_urgent: ContextVar[bool] = ContextVar("urgent", default=False)


@contextlib.contextmanager
def urgently(urgent: bool = True) -> Iterator[None]:
    """Has all that is called in the context be urgent, or not; also the tasks that are made in it."""
    token = _urgent.set(urgent)
    try:
        yield
    finally:
        _urgent.reset(token)


def is_urgent() -> bool:
    """Whether what runs now is."""
    return _urgent.get()
