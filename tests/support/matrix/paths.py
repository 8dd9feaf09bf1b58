"""A request in JSON, made from its message as an HTTP rule of the contract says (google/api/http.proto)."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from google.api.http_pb2 import HttpRule
from google.protobuf import json_format
from google.protobuf.message import Message

VARIABLE = re.compile(r"\{([a-z_.]+)\}")


class Sent(NamedTuple):
    """A request of HTTP."""

    verb: str
    path: str
    query: list[tuple[str, str]]
    body: bytes | None
    """None without a body."""


def sent_as(rule: HttpRule, message: Message) -> Sent:
    """What a client sends: those of the path in it, all others in the body or, without one, in the query.

    An absent field of the path leaves its segment empty.
    """
    verb, path, said = placed(rule, message)
    if rule.body:
        return Sent(verb, path, [], json.dumps(said).encode())
    return Sent(verb, path, list(_query(said)), None)


def placed(rule: HttpRule, message: Message) -> tuple[str, str, dict[str, Any]]:
    """Method, path, and the message in JSON without what the path has taken."""
    verb = rule.WhichOneof("pattern")
    assert verb is not None
    assert rule.body in {"", "*"}, "no contract has another form"
    said = json_format.MessageToDict(message)
    path = VARIABLE.sub(lambda found: quote(_taken(said, found[1]), safe=""), getattr(rule, verb))
    return verb.upper(), path, said


def _taken(said: dict[str, Any], path: str) -> str:
    """The field of a message in JSON, which then no longer has it."""
    *parents, last = map(_camel, path.split("."))
    for parent in parents:
        said = said.setdefault(parent, {})
    return str(said.pop(last, ""))


def _query(said: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in said.items():
        if isinstance(value, dict):
            yield from _query(value, f"{prefix}{name}.")
            continue
        for each in value if isinstance(value, list) else [value]:
            yield f"{prefix}{name}", str(each).lower() if isinstance(each, bool) else str(each)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
