"""Reasons of refusal, read out of the comments that name them.

An RPC has its own after "Reasons:". A service has those that all its RPCs share after "Reasons of refusal
that every RPC can return:", or says which other service's they are.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_REASON = re.compile(r"\b(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|INTERNAL|OVERLOADED)\b")
_CODES = {"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "INVALID_ARGUMENT", "PERMISSION_DENIED", "NOT_FOUND"}
"""Codes of gRPC, which stand beside reasons in some comments."""
_GENERAL = re.compile(r"Reasons of refusal that every RPC can return:|[Tt]he general reasons are those of")
_OTHER_SERVICE = re.compile(r"(?:as in|those of) (\w+Service)\b")
_OF_ANOTHER = re.compile(r"\bReasons: (?:as|those of) .*")
_OF_ONE_RPC = re.compile(r"\s*[A-Z][a-z]+[A-Z]\w* ")


@dataclass(frozen=True)
class Manner:
    """What decides which of a service's reasons an RPC can return."""

    writes: bool
    streams: bool


def own_reasons(comment: str) -> list[str]:
    """Those that the comment of an RPC names after "Reasons", once each, in order.

    Raises ValueError where it says that they are another RPC's: who reads the document has no other RPC.
    """
    if other := _OF_ANOTHER.search(comment):
        raise ValueError(f"reasons that stand elsewhere: {other[0]}")
    return _found(re.split(r"\bReasons\b", comment, maxsplit=1)[1]) if "Reasons" in comment else []


def general_reasons(comment: str, manner: Manner, comment_of: Callable[[str], str]) -> list[str]:
    """Those that the comment of a service names for RPCs of this manner.

    `comment_of` gives the comment of a service of the same package by its name, for references.
    """
    start = _GENERAL.search(comment)
    if start is None:
        return []
    text = comment[start.end() :]
    # What is a reference stands first, with the words that were split off.
    other = _OTHER_SERVICE.search(comment[start.start() :])
    shared = general_reasons(comment_of(other[1]), manner, comment_of) if other else []
    said = [reason for clause in _clauses(text, manner) for reason in _found(clause)]
    return list(dict.fromkeys([*shared, *said]))


def is_write(comment: str) -> bool:
    """Whether an RPC changes what is stored, by what its comment says."""
    return "Reads only" not in comment and "Stores nothing" not in comment


def _clauses(text: str, manner: Manner) -> Iterator[str]:
    for clause in re.split(r";|\. ", text):
        of_writes, of_streams = "that write" in clause, "with a stream" in clause
        if (
            _OF_ONE_RPC.match(clause)
            or (of_writes and not manner.writes)
            or (of_streams and not manner.streams)
        ):
            continue
        yield clause


def _found(text: str) -> list[str]:
    return list(dict.fromkeys(reason for reason in _REASON.findall(text) if reason not in _CODES))
