"""Commands that are loaded when they are called, for what one of them needs would slow the start of all.

What is said of them, and in which order, is what Typer would say had all of them been added to it.
"""

from collections import UserDict
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group


class OnDemand(UserDict[str, Any]):
    """Things by name, of which some are made when they are first asked for."""

    def __init__(self, made: Mapping[str, Any], to_make: Mapping[str, Callable[[], Any]]) -> None:
        super().__init__({**made, **dict.fromkeys(to_make)})
        self._to_make = dict(to_make)

    def __getitem__(self, name: str) -> Any:
        if name in self._to_make:
            # Forgotten only when it is made: what could not be loaded fails again.
            self.data[name] = self._to_make[name]()
            del self._to_make[name]
        return self.data[name]


def group_of(places: Mapping[str, str]) -> type[TyperGroup]:
    """The class of a group that has the commands of `places`, and they theirs.

    `places` says by the words of a command, such as "license dry-run", where its function is, or the Typer of
    its group: as "module:attribute". The commands that a Typer has by itself come before those of `places`.
    """

    class Group(TyperGroup):
        """A group whose commands are loaded when they are called."""

        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            _add(self, places, "")

    return Group


def found(place: str) -> Any:
    """What is there; raises ImportError, AttributeError."""
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)


def _add(group: TyperGroup, places: Mapping[str, str], prefix: str) -> None:
    """Adds the commands whose words are the prefix and one more."""
    words = [each for each in places if each.startswith(prefix) and " " not in each.removeprefix(prefix)]
    markup = group.rich_markup_mode
    load = {each.removeprefix(prefix): partial(_load, each, places, markup) for each in words}
    group.commands = OnDemand(group.commands, load)


def _load(words: str, places: Mapping[str, str], markup: Any) -> Any:
    name = words.rpartition(" ")[-1]
    holder = typer.Typer(rich_markup_mode=markup)
    command = found(places[words])
    if isinstance(command, typer.Typer):
        holder.add_typer(command, name=name)
    else:
        holder.command(name)(command)
    made = get_group(holder).commands[name]
    if isinstance(made, TyperGroup):
        _add(made, places, f"{words} ")
    return made
